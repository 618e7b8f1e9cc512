import { afterEach, expect, inject, it } from 'vitest';
import { BASE, direct, EXPECTED, HEAD, threadsOn } from './small-review.ts';
import { Stage, until } from './stage.ts';
import { echo, openPull, openTalk } from './talk.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

const LIST = 'GET /app/hook/deliveries';

it('comments that were written while every process was down are answered after the start, without a webhook', async () => {
  stage = await Stage.open(inject('redisUrl'), { director: echo });
  const server = await stage.addServer({ PITWALL_LOCK_MS: '800' });
  const { github, repo, alice, mallory, number, said, ended } = await openTalk(stage);
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
  await until('it ended', ended);
  expect(said().join('\n')).not.toContain('question 7');
  expect(github.log.some((entry) => entry.route === LIST && entry.status === 404)).toBe(true);
  expect(github.defects).toEqual([]);
});

it('a pull request that was opened while every process was down is reviewed after the start, once', async () => {
  stage = await Stage.open(inject('redisUrl'), { director: direct });
  const { github, repo, number, ended } = await openPull(stage, 'acme/app', { files: BASE, head: HEAD });
  await Promise.all([stage.addServer(), stage.addServer()]);
  await until('the review stands', () => github.comments(repo, number).some((comment) => comment.body.includes('✅')));
  for (const delivery of [...github.hooks.deliveries]) github.hooks.redeliver(delivery.id);
  await github.hooks.idle();
  await until('all is quiet', ended);
  expect(threadsOn(github, repo.fullName, number)).toEqual(EXPECTED);
  expect(github.reviews(repo, number).map((review) => review.state)).toEqual(['COMMENTED']);
  expect(github.defects).toEqual([]);
});
