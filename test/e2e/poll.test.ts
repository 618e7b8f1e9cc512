import { afterEach, expect, inject, it } from 'vitest';
import type { GitHub } from '../../src/demo/github/github.ts';
import { BASE, direct, EXPECTED, HEAD, threadsOn } from './small-review.ts';
import { areChecksOver, Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

const POLL = { PITWALL_POLL_SECONDS: '0.2' };
const LIST = 'GET /app/hook/deliveries';
const ONE = 'GET /app/hook/deliveries/{delivery_id}';

async function openReview({ github }: Stage) {
  const repo = await github.createRepository('acme/app', BASE);
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  await alice.push(repo, 'feature', HEAD);
  const pull = await alice.openPull(repo, { head: 'feature', title: 'Change' });
  return { repo: repo.fullName, number: pull.number };
}

/** GitHub's list was read so often, whatever it answered. */
function looks(github: GitHub): number {
  return github.log.filter((entry) => entry.route === LIST).length;
}

async function untilLooks(github: GitHub, count: number): Promise<void> {
  const before = looks(github);
  await until(`${count} more looks`, () => looks(github) >= before + count);
}

function untilReviewed(github: GitHub, { repo, number }: { repo: string; number: number }) {
  return until('the review stands', () => {
    const ended = github.comments(repo, number).some((comment) => comment.body.includes('✅'));
    return ended && areChecksOver(github, repo);
  });
}

async function expectOnce(stage: Stage, { repo, number }: { repo: string; number: number }): Promise<void> {
  const { github, prefix } = stage;
  expect(threadsOn(github, repo, number)).toEqual(EXPECTED);
  expect(github.reviews(repo, number).map((review) => review.state)).toEqual(['COMMENTED']);
  expect(github.comments(repo, number)).toHaveLength(1);
  expect(github.checks(repo).map((check) => check.conclusion)).toEqual(['success']);
  expect(await (await stage.connection()).zcard(`${prefix}:runs`)).toBe(1);
  expect(github.defects).toEqual([]);
}

it('without webhooks the same review comes, and nothing is read twice by a second process or after a restart', async () => {
  stage = await Stage.open(inject('redisUrl'), { director: direct });
  const { github } = stage;
  const server = await stage.addServer(POLL, { options: ['--poll'], webhooks: false });
  await stage.addServer(POLL, { options: ['--poll'], webhooks: false });
  github.fault({ on: LIST, status: 500, times: 2 });
  const pull = await openReview(stage);
  await untilReviewed(github, pull);
  await untilLooks(github, 3);
  expect(await server.stop()).toBe(0);
  await server.start();
  await untilLooks(github, 3);
  await expectOnce(stage, pull);
  const read = github.log.filter((entry) => entry.route === ONE).map((entry) => entry.path);
  expect(read.length).toBeGreaterThan(0);
  expect(read).toEqual([...new Set(read)]);
  expect(server.said).toContain('polling');
});

it('with webhooks and polling both on nothing is doubled', async () => {
  stage = await Stage.open(inject('redisUrl'), { director: direct });
  const { github } = stage;
  const [first, second] = await Promise.all([
    stage.addServer(POLL, { options: ['--poll'] }),
    stage.addServer(POLL, { options: ['--poll'] }),
  ]);
  const pull = await openReview(stage);
  await untilReviewed(github, pull);
  for (const delivery of [...github.hooks.deliveries]) github.hooks.redeliver(delivery.id);
  await github.hooks.idle();
  await untilLooks(github, 4);
  await expectOnce(stage, pull);
  expect(await Promise.all([first.stop(), second.stop()])).toEqual([0, 0]);
});
