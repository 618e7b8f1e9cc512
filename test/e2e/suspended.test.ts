import { afterEach, expect, inject, it } from 'vitest';
import type { Call } from '../../src/demo/model/call.ts';
import { BASE, direct, EXPECTED, HEAD, threadsOn } from './small-review.ts';
import { areChecksOver, Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

it('an installation that is suspended while a review is at work: it waits without trying in vain, and goes on when it is free again', async () => {
  let suspend = () => {};
  const director = (call: Call) => {
    const reply = direct(call);
    if ('tools' in reply && reply.tools?.some(({ name }) => name === 'submit_review')) suspend();
    return reply;
  };
  const made = await Stage.open(inject('redisUrl'), { director });
  stage = made;
  const { github } = made;
  const repo = await github.createRepository('acme/app', BASE);
  const installation = github.install(repo);
  suspend = () => {
    suspend = () => {};
    github.changeInstallation(installation, 'suspend');
  };
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  await made.addServer();
  await alice.push(repo, 'feature', HEAD);
  const { number } = await alice.openPull(repo, { head: 'feature', title: 'Change' });
  const refusals = () => github.log.filter(({ status, route }) => status === 403 && route.includes('access_tokens')).length;
  await until('GitHub refused a token', () => refusals() > 0);
  await new Promise((done) => setTimeout(done, 5_000));
  expect(refusals()).toBeLessThan(12);
  expect(github.reviews(repo, number)).toEqual([]);

  github.changeInstallation(installation, 'unsuspend');
  await until('the review stands', () => github.comments(repo, number).some((comment) => comment.body.includes('✅')));
  expect(threadsOn(github, repo.fullName, number)).toEqual(EXPECTED);
  expect(github.reviews(repo, number)).toHaveLength(1);
  await until('the check is over', () => areChecksOver(github, repo));
  expect(github.checks(repo).map(({ conclusion }) => conclusion)).toEqual(['success']);
  expect(github.defects).toEqual([]);
});
