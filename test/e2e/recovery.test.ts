import { afterEach, expect, inject, it } from 'vitest';
import type { Call, Reply } from '../../src/demo/model/call.ts';
import { AGENT, BASE, direct, EXPECTED, HEAD, threadsOn } from './small-review.ts';
import { Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

const LIST = 'GET /app/hook/deliveries';
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

/** Answers with the numbers it was asked for, once each, in the order it heard them. */
function echo(call: Call): Reply {
  if (!call.offers('delegate_to_sub_agent')) return { text: 'ok' };
  const asked = call.userTexts.join('\n').match(/question \d+/g) ?? [];
  const told = call.done('task_completed').flatMap((step) => String(step.input.message).match(/question \d+/g) ?? []);
  const fresh = [...new Set(asked)].filter((one) => !told.includes(one));
  return { tools: [{ name: 'task_completed', input: { message: fresh.length > 0 ? `heard ${fresh.join(', ')}` : 'ready' } }] };
}

it('comments that were written while every process was down are answered after the start, without a webhook', {
  timeout: 90_000,
}, async () => {
  stage = await Stage.open(inject('redisUrl'), { director: echo });
  const { github } = stage;
  const repo = await github.createRepository('acme/app', {
    'a.txt': 'a\n',
    '.overcut/workflow.json': TALK,
    '.overcut/agents/reviewer.md': AGENT,
  });
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  const mallory = github.person('mallory', {});
  const server = await stage.addServer({ PITWALL_LOCK_MS: '800' });
  await alice.push(repo, 'feature', { 'a.txt': 'b\n' });
  const { number } = await alice.openPull(repo, { head: 'feature', title: 'Change' });
  const said = () =>
    github
      .comments(repo, number)
      .filter((one) => one.author === github.bot)
      .map((one) => one.body);
  await until('the session waits', () => said().some((body) => body.includes('ready')) && said().some((body) => body.includes('💬')));
  await server.kill();
  github.hooks.target = null;
  github.fault({ on: LIST, status: 404, times: 1_000 });
  for (let k = 0; k < 3; k++) alice.comment(repo, number, `question ${k}`);
  mallory.comment(repo, number, 'question 7');
  await server.start();
  await until('all are answered', () => [0, 1, 2].every((k) => said().some((body) => body.includes(`question ${k}`))));
  expect(said().flatMap((body) => body.match(/question \d/g) ?? [])).toEqual(['question 0', 'question 1', 'question 2']);
  await server.kill();
  alice.comment(repo, number, '/done');
  await server.start();
  await until('it ended', () => github.checks(repo).every((check) => check.status === 'completed'));
  expect(said().join('\n')).not.toContain('question 7');
  expect(github.log.some((entry) => entry.route === LIST && entry.status === 404)).toBe(true);
  expect(github.defects).toEqual([]);
});

it('a pull request that was opened while every process was down is reviewed after the start, once', { timeout: 90_000 }, async () => {
  stage = await Stage.open(inject('redisUrl'), { director: direct });
  const { github } = stage;
  const repo = await github.createRepository('acme/app', BASE);
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  await alice.push(repo, 'feature', HEAD);
  const { number } = await alice.openPull(repo, { head: 'feature', title: 'Change' });
  await Promise.all([stage.addServer(), stage.addServer()]);
  await until('the review stands', () => github.comments(repo, number).some((comment) => comment.body.includes('✅')));
  for (const delivery of [...github.hooks.deliveries]) github.hooks.redeliver(delivery.id);
  await github.hooks.idle();
  await until('all is quiet', () => github.checks(repo).every((check) => check.status === 'completed'));
  expect(threadsOn(github, repo.fullName, number)).toEqual(EXPECTED);
  expect(github.reviews(repo, number).map((review) => review.state)).toEqual(['COMMENTED']);
  expect(github.defects).toEqual([]);
});
