import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeProgram } from '../../src/cli/program.ts';
import { surveyEnvironment } from '../../src/config.ts';
import type { Call, Reply } from '../../src/demo/model/call.ts';
import { AGENT, BASE, direct, HEAD } from './small-review.ts';
import { Stage, until } from './stage.ts';

/** `PITWALL_RECORD=1` writes the fixtures anew. They are meant to stay: a build that cannot replay them cannot go on with journals of an older one. */
const records = process.env.PITWALL_RECORD === '1';
const FIXTURES = resolve(import.meta.dirname, '../fixtures/runs');

const TALK = JSON.stringify({
  name: 'Talk',
  triggers: [{ event: 'pull_request_opened' }],
  steps: [
    {
      id: 'talk',
      action: 'agent.session',
      instruction: 'Answer every comment.',
      params: {
        goal: 'Talk',
        agentIds: ['reviewer'],
        listenToComments: true,
        keepSessionOpenForComments: true,
        exitCriteria: { timeLimit: { maxDurationMinutes: 30 }, userSignals: { explicit: ['/done'] } },
      },
    },
  ],
  agentRefs: {},
});

/** The small review, and a session that says what it was asked. */
function play(call: Call): Reply {
  if (!call.userTexts.join('\n').includes('Answer every comment.')) return direct(call);
  const asked = call.userTexts.join('\n').match(/question \d+/g) ?? [];
  return { tools: [{ name: 'task_completed', input: { message: asked.length > 0 ? `heard ${asked.at(-1)}` : 'ready' } }] };
}

let stage: Stage;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pitwall-recorded-'));
  stage = await Stage.open(inject('redisUrl'), { director: play });
  await stage.addServer();
});
afterAll(async () => {
  await stage.close();
  await rm(dir, { recursive: true, force: true });
});

async function pitwall(args: string[], environment: Record<string, string> = {}) {
  let [out, err] = ['', ''];
  const program = makeProgram({
    version: '0.0.0',
    environment,
    cwd: dir,
    signal: AbortSignal.abort(),
    interactive: false,
    out: (text) => (out += text),
    err: (text) => (err += text),
    survey: surveyEnvironment,
    start: () => Promise.reject(new Error('nothing is started here')),
    recover: () => Promise.reject(new Error('nothing is recovered here')),
  });
  return { code: await program.run(args), out, err };
}

async function openPull(name: string, files: Record<string, string>, head: Record<string, string>) {
  const { github } = stage;
  const repo = await github.createRepository(name, files);
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  await alice.push(repo, 'feature', head);
  const pull = await alice.openPull(repo, { head: 'feature', title: 'Change' });
  const said = () =>
    github
      .comments(repo, pull.number)
      .filter((one) => one.author === github.bot)
      .map((one) => one.body);
  const ended = () =>
    until('the run ended', () => github.checks(repo).length > 0 && github.checks(repo).every((check) => check.status === 'completed'));
  return { repo, alice, number: pull.number, said, ended };
}

/** Exports the newest run and replays the file, without Redis. */
async function exportAndReplay(name: string): Promise<string> {
  const redis = { PITWALL_REDIS_URL: inject('redisUrl'), PITWALL_REDIS_PREFIX: stage.prefix, PITWALL_DATA_DIR: dir };
  const [{ run }] = JSON.parse((await pitwall(['runs', '--limit', '1', '--format', 'json'], redis)).out) as [{ run: string }];
  expect(await pitwall(['export', run, '--out', `${name}.jsonl`], redis)).toMatchObject({ code: 0, err: '' });
  const replayed = await pitwall(['replay', `${name}.jsonl`]);
  expect(replayed).toMatchObject({ code: 0, err: '' });
  expect((await pitwall(['replay', run], redis)).out).toBe(replayed.out);
  expect(await readFile(join(dir, `${name}.jsonl`), 'utf8')).not.toMatch(
    new RegExp(`${stage.model.apiKey}|PRIVATE KEY|${stage.github.app.webhookSecret}`),
  );
  if (records) await copyFile(join(dir, `${name}.jsonl`), join(FIXTURES, `${name}.jsonl`));
  return replayed.out;
}

describe('a run of the server, exported', () => {
  it('a review with delegations is derived again from the file alone', async () => {
    const { ended } = await openPull('acme/app', BASE, HEAD);
    await ended();
    expect(await exportAndReplay('small-review')).toMatch(
      /All \d+ entries of the run and 3 delegations were derived again, the same as recorded\./,
    );
  });

  it('a session with comments, ended by its signal', async () => {
    const files = { 'a.txt': 'a\n', '.overcut/workflow.json': TALK, '.overcut/agents/reviewer.md': AGENT };
    const { repo, alice, number, said, ended } = await openPull('acme/talk', files, { 'a.txt': 'b\n' });
    await until('the session waits', () => said().some((body) => body.includes('ready')) && said().some((body) => body.includes('💬')));
    for (const text of ['question 1', 'question 2']) {
      alice.comment(repo, number, text);
      await until(`${text} is answered`, () => said().some((body) => body.includes(`heard ${text}`)));
    }
    alice.comment(repo, number, '/done');
    await ended();
    expect(await exportAndReplay('talk')).toMatch(
      /All \d+ entries of the run and 0 delegations were derived again, the same as recorded\./,
    );
  });
});
