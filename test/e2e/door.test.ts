import { afterEach, expect, inject, it } from 'vitest';
import { Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

const WORKFLOW = JSON.stringify({
  name: 'Busy',
  triggers: [{ event: 'issue_opened' }],
  steps: [{ id: 'one', action: 'agent.run', instruction: 'Say that it is done.', params: { agentId: 'worker' } }],
});

it('deliveries that come faster than their runs end are all answered in time, and none is lost', { timeout: 120_000 }, async () => {
  stage = await Stage.open(inject('redisUrl'), { director: () => ({ tools: [{ name: 'task_completed', input: { message: 'Done.' } }] }) });
  const { github } = stage;
  const repo = await github.createRepository('acme/app', {
    '.overcut/workflow.json': WORKFLOW,
    '.overcut/agents/worker.md': '---\nname: Worker\n---\nWork.\n',
  });
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  await stage.addServer();
  const count = 150;
  await Promise.all(Array.from({ length: count }, (_, k) => alice.openIssue(repo, { title: `Issue ${k}` })));
  const opened = () => github.hooks.deliveries.filter(({ event, action }) => event === 'issues' && action === 'opened');
  await until('all are answered', () => opened().length === count && opened().every(({ answer }) => answer !== null));
  expect(opened().filter(({ answer }) => answer?.status !== 202)).toEqual([]);
  const { model } = stage;
  await until('every run has asked its model', () => model.requests.length >= count, 90_000);
  const asked = model.requests.map(({ call }) => /Issue (\d+)\b/.exec(call.userTexts.join('\n'))?.[1]);
  expect(asked.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: count }, (_, k) => String(k)));
});
