import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Call, Reply } from '../../src/demo/model/call.ts';
import { pitwall } from '../cli/terminal.ts';
import { BASE, direct, HEAD } from './small-review.ts';
import { Stage, until } from './stage.ts';
import { echo, openPull, openTalk } from './talk.ts';

/** `PITWALL_RECORD=1` writes the fixtures anew. They are meant to stay: a build that cannot replay them cannot go on with journals of an older one. */
const records = process.env.PITWALL_RECORD === '1';
const FIXTURES = resolve(import.meta.dirname, '../fixtures/runs');

/** The small review, and a session that answers comments. */
function play(call: Call): Reply {
  return call.userTexts.join('\n').includes('Answer every comment.') ? echo(call) : direct(call);
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

/** Exports the newest run and replays the file, without Redis. */
async function exportAndReplay(name: string): Promise<string> {
  const environment = { PITWALL_REDIS_URL: inject('redisUrl'), PITWALL_REDIS_PREFIX: stage.prefix, PITWALL_DATA_DIR: dir };
  const redis = { environment, cwd: dir };
  const [{ run }] = JSON.parse((await pitwall(['runs', '--limit', '1', '--format', 'json'], redis)).out) as [{ run: string }];
  expect(await pitwall(['export', run, '--out', `${name}.jsonl`], redis)).toMatchObject({ code: 0, err: '' });
  const replayed = await pitwall(['replay', `${name}.jsonl`], { cwd: dir });
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
    const { ended } = await openPull(stage, 'acme/app', { files: BASE, head: HEAD });
    await until('the run ended', ended);
    expect(await exportAndReplay('small-review')).toMatch(
      /All \d+ entries of the run and 3 delegations were derived again, the same as recorded\./,
    );
  });

  it('a session with comments, ended by its signal', async () => {
    const { repo, alice, number, said, ended } = await openTalk(stage, { name: 'acme/talk' });
    for (const text of ['question 1', 'question 2']) {
      alice.comment(repo, number, text);
      await until(`${text} is answered`, () => said().some((body) => body.includes(`heard ${text}`)));
    }
    alice.comment(repo, number, '/done');
    await until('the run ended', ended);
    expect(await exportAndReplay('talk')).toMatch(
      /All \d+ entries of the run and 0 delegations were derived again, the same as recorded\./,
    );
  });
});
