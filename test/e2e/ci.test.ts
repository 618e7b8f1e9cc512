import { afterEach, expect, inject, it } from 'vitest';
import { Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

const WORKFLOW = JSON.stringify({
  version: '1.0.0',
  name: 'Ship',
  triggers: [{ event: 'manual', slashCommand: { command: 'ship' } }],
  flow: [{ from: '', to: 'deploy' }],
  steps: [
    {
      id: 'deploy',
      action: 'ci.executeWorkflow',
      params: {
        repoFullName: '{{trigger.repository.fullName}}',
        workflowId: 'deploy.yml',
        ref: '{{trigger.pullRequest.headBranch}}',
        inputs: { number: '{{trigger.pullRequest.number}}' },
      },
    },
  ],
});

it('a command starts a workflow of the repository on the branch of its pull request', async () => {
  stage = await Stage.open(inject('redisUrl'));
  const { github } = stage;
  const repo = await github.createRepository('acme/app', { 'a.txt': 'a\n', '.overcut/workflow.json': WORKFLOW });
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  await stage.addServer();
  const sha = await alice.push(repo, 'feature', { 'a.txt': 'b\n' });
  const { workflow } = alice.runWorkflow(repo, { name: 'Deploy', sha, branch: 'feature' });
  const { number } = await alice.openPull(repo, { head: 'feature', title: 'Change' });
  alice.comment(repo, number, '/ship');
  await until('the run completed', () => github.comments(repo, number).some(({ body }) => body.includes('✅ **Ship** completed')));
  expect(workflow.dispatches).toEqual([{ ref: 'feature', inputs: { number: String(number) } }]);
  expect(github.defects).toEqual([]);
});
