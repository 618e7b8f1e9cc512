import { connect } from 'node:net';
import { afterEach, expect, inject, it } from 'vitest';
import { BASE, HEAD } from './small-review.ts';
import { Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

it('SIGTERM ends a server in time and in order, though its model and GitHub do not answer and a webhook does not end; what comes meanwhile is taken; another goes on', async () => {
  stage = await Stage.open(inject('redisUrl'), {
    latencyMs: 600_000,
    director: () => ({ tools: [{ name: 'task_completed', input: { message: 'done by the other' } }] }),
  });
  const { github, model } = stage;
  const repo = await github.createRepository('acme/app', BASE);
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  const server = await stage.addServer();
  await alice.push(repo, 'feature', HEAD);
  const { number } = await alice.openPull(repo, { head: 'feature', title: 'Change' });
  await until('the model is asked', () => model.live > 0);
  await until('the status comment stands', () => github.comments(repo, number).length > 0);
  const fault = github.fault({ on: /./, kind: 'hang', times: Number.POSITIVE_INFINITY });
  const slow = connect(server.port, '127.0.0.1');
  slow.on('error', () => {});
  slow.write(
    'POST /api/github/webhooks HTTP/1.1\r\nHost: x\r\nX-GitHub-Delivery: a\r\nX-GitHub-Event: push\r\nContent-Length: 1000\r\n\r\n{',
  );
  const before = Date.now();
  const stopped = server.stop();
  await until('it is not ready any more', async () => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/readyz`);
    return answer.status === 503 && (await answer.text()).includes('this process stops');
  });
  const late = github.hooks.send('ping', { zen: 'Anything added dilutes everything else.' }, { installationId: null, repositoryId: null });
  await until('the late webhook is answered', () => late.answer);
  expect(late.answer?.status).toBe(202);
  expect(await stopped).toBe(0);
  expect(Date.now() - before).toBeLessThan(15_000);
  slow.destroy();
  model.latencyMs = 0;
  fault.times = 0;
  await stage.addServer();
  await until('the run ended', () => github.comments(repo, number).some(({ body }) => body.includes('done by the other')));
});

it('a server that nothing keeps takes webhooks for PITWALL_DRAIN_SECONDS after SIGTERM, while it is not ready any more', async () => {
  stage = await Stage.open(inject('redisUrl'));
  const { github } = stage;
  const server = await stage.addServer({ PITWALL_DRAIN_SECONDS: '5' }, { options: ['--role', 'web'] });
  const stopped = server.stop();
  await until('it is not ready any more', async () => (await fetch(`http://127.0.0.1:${server.port}/readyz`)).status === 503);
  const late = github.hooks.send('ping', { zen: 'Practicality beats purity.' }, { installationId: null, repositoryId: null });
  await until('it is answered', () => late.answer);
  expect(late.answer?.status).toBe(202);
  expect(await stopped).toBe(0);
});
