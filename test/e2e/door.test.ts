import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
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

it('deliveries that come faster than their runs end are all answered in time, and none is lost', async () => {
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
  await until('every run has asked its model', () => model.requests.length >= count);
  const asked = model.requests.map(({ call }) => /Issue (\d+)\b/.exec(call.userTexts.join('\n'))?.[1]);
  expect(asked.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: count }, (_, k) => String(k)));
});

it('a door that falls over is opened again at its port, and the process goes on', async () => {
  stage = await Stage.open(inject('redisUrl'));
  const { github } = stage;
  const server = await stage.addServer({ NODE_OPTIONS: `--import=${join(import.meta.dirname, 'fragile.mjs')}` });
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { headers }).catch(() => null);
  for (let k = 0; k < 2; k++) {
    expect(await ask('/healthz', { 'x-fall-over': 'now' })).toBeNull();
    await until('it is open again', async () => (await ask('/readyz'))?.ok);
  }
  const delivery = github.hooks.send('ping', { zen: 'Keep it logically awesome.' }, { installationId: null, repositoryId: null });
  await github.hooks.idle();
  expect(delivery.answer?.status).toBe(202);
  expect(server.said.match(/it is opened again/g)).toHaveLength(2);
  expect(server.said.match(/Pitwall is ready/g)).toHaveLength(1);
  expect(await server.stop()).toBe(0);
});

it('a process of any role tells how it goes; one that stands still ends, so that another is started', async () => {
  const opened = await Stage.open(inject('redisUrl'));
  stage = opened;
  const { environment } = await opened.addServer();
  const standStill = async (role: string) => {
    const env = { ...environment, PORT: '0', PITWALL_HEALTH_PORT: '0', PITWALL_REDIS_PREFIX: `${opened.prefix}-${role}` };
    const program = join(import.meta.dirname, 'standstill.mjs');
    const child = spawn(process.execPath, [program, role], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const port = await until('it is ready', () => /"port":(\d+).*Pitwall is ready/.exec(said)?.[1]);
    const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });
    await until('it says so', async () => (await ask('/readyz')).ok);
    expect((await ask('/healthz')).status).toBe(200);
    expect(await (await ask('/metrics')).text()).toMatch(/^pitwall_ready 1\n[\s\S]*^pitwall_jobs\{queue="runs"\} \d/m);
    expect((await ask('/api/github/webhooks', 'POST')).status).toBe(role === 'worker' ? 404 : 400);
    child.kill('SIGUSR2');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(said).toContain('stands still');
  };
  await Promise.all(['all', 'web', 'worker'].map(standStill));
});
