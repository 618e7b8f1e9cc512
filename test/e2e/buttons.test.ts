import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, inject, it } from 'vitest';
import type { Call } from '../../src/demo/model/call.ts';
import { BASE, direct, HEAD, threadsOn } from './small-review.ts';
import { Stage, until } from './stage.ts';
import { echo, openPull, openTalk } from './talk.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

it('the buttons of a check end its run and start it again, for people with write permission', async () => {
  stage = await Stage.open(inject('redisUrl'), { director: echo });
  await stage.addServer();
  const { github, repo, alice } = await openTalk(stage);
  const eve = github.person('eve', { [repo.fullName]: 'read' });
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

it('"Post now" ends a review that is under way: what was found stands on the pull request, marked partial', async () => {
  const slow = async (call: Call) => {
    if (call.userTexts.join('\n').includes('[[review b.txt]]')) await sleep(120_000, undefined, { ref: false });
    return direct(call);
  };
  stage = await Stage.open(inject('redisUrl'), { director: slow });
  await stage.addServer();
  const { github, repo, alice, number } = await openPull(stage, 'acme/app', { files: BASE, head: HEAD });
  const eve = github.person('eve', { [repo.fullName]: 'read' });
  const buttons = () =>
    github
      .checks(repo)[0]
      ?.actions.map(({ identifier }) => identifier)
      .join();
  await until('something was found', () => buttons() === 'post-now,cancel');
  const [check] = github.checks(repo);
  if (!check) throw new Error('no check');
  eve.pressCheck(repo, check, 'post-now');
  alice.pressCheck(repo, check, 'post-now');
  await until('it ended', () => check.status === 'completed');
  expect(threadsOn(github, repo.fullName, number)).toEqual([{ path: 'a.txt', line: 2, body: 'There is FAULT a' }]);
  const [review, ...more] = github.reviews(repo, number);
  expect(more).toEqual([]);
  expect(review?.body).toMatch(/^\*\*Partial review\.\*\* `@alice` pressed "Post now"\. Found until then: 1 finding\./);
  expect(check).toMatchObject({ conclusion: 'neutral', output: { title: expect.stringContaining('Partial: 1 of 1 findings posted') } });
  expect(buttons()).toBe('retry');
  expect(github.defects).toEqual([]);
});
