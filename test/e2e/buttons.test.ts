import { afterEach, expect, inject, it } from 'vitest';
import { AGENT } from './small-review.ts';
import { Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

const WORKFLOW = JSON.stringify({
  name: 'Talk',
  triggers: [{ event: 'pull_request_opened' }],
  steps: [
    {
      id: 'talk',
      action: 'agent.session',
      instruction: 'Wait.',
      params: { goal: 'Talk', agentIds: ['reviewer'], listenToComments: true, keepSessionOpenForComments: true },
    },
  ],
});

it('the buttons of a check end its run and start it again, for people with write permission', async () => {
  stage = await Stage.open(inject('redisUrl'), { director: () => ({ tools: [{ name: 'task_completed', input: { message: 'ready' } }] }) });
  const { github } = stage;
  const repo = await github.createRepository('acme/app', {
    'a.txt': 'a\n',
    '.overcut/workflow.json': WORKFLOW,
    '.overcut/agents/reviewer.md': AGENT,
  });
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  const eve = github.person('eve', { [repo.fullName]: 'read' });
  await stage.addServer();
  await alice.push(repo, 'feature', { 'a.txt': 'b\n' });
  await alice.openPull(repo, { head: 'feature', title: 'Change' });
  const checks = () => github.checks(repo);
  const buttons = () => checks().map(({ actions }) => actions.map(({ identifier }) => identifier).join());
  await until('the session waits', () => checks().some((check) => check.output.title === 'Listening for comments'));
  expect(buttons()).toEqual(['cancel']);
  const [first] = checks();
  if (!first) throw new Error('no check');
  eve.pressCheck(repo, first, 'cancel');
  alice.pressCheck(repo, first, 'cancel');
  await until('it was cancelled', () => first.conclusion === 'cancelled');
  expect(first.output.summary).toContain('cancelled by `@alice`');
  expect(buttons()).toEqual(['retry']);
  eve.pressCheck(repo, first);
  alice.pressCheck(repo, first, 'retry');
  await until('it runs again', () => checks().length === 2 && checks().some((check) => check.output.title === 'Listening for comments'));
  expect(buttons()).toEqual(['retry', 'cancel']);
  expect(github.defects).toEqual([]);
});
