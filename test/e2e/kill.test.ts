import { afterEach, expect, inject, it } from 'vitest';
import type { Redis } from '../../src/store/redis.ts';
import { BASE, direct, EXPECTED, HEAD, threadsOn } from './small-review.ts';
import { areChecksOver, Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

/** How many entries all journals of this stage have together. */
async function countEntries(connection: Redis, prefix: string): Promise<number> {
  const keys = await connection.keys(`${prefix}:journal:*`);
  const lengths = await Promise.all(keys.map((key) => connection.xlen(key)));
  return lengths.reduce((sum, length) => sum + length, 0);
}

it('kill -9 at every journal entry: the same review stands there once', { timeout: 900_000 }, async () => {
  stage = await Stage.open(inject('redisUrl'), { director: direct });
  const { github, prefix } = stage;
  const connection = await stage.connection();
  const repo = await github.createRepository('acme/app', BASE);
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  await stage.addServer({}, { options: ['--role', 'web'] });
  const worker = await stage.addServer({ PITWALL_LOCK_MS: '800' }, { options: ['--role', 'worker'] });
  await alice.push(repo, 'feature', HEAD);
  const pull = await alice.openPull(repo, { head: 'feature', title: 'Change' });

  let seen = 0;
  const kills: number[] = [];
  const isOver = () => github.comments(repo, pull.number).some((comment) => comment.body.includes('✅')) && areChecksOver(github, repo);
  while (!isOver()) {
    const more = await until('the run goes on', async () => {
      const count = await countEntries(connection, prefix);
      if (count > seen) return count;
      return isOver() ? -1 : null;
    });
    if (more < 0) break;
    seen = more;
    await worker.kill();
    kills.push(seen);
    await worker.start();
  }

  expect(kills.length).toBeGreaterThan(20);
  expect(threadsOn(github, repo.fullName, pull.number)).toEqual(EXPECTED);
  expect(github.reviews(repo, pull.number).map((review) => review.state)).toEqual(['COMMENTED']);
  expect(github.comments(repo, pull.number)).toHaveLength(1);
  expect(github.checks(repo).map((check) => [check.status, check.conclusion])).toEqual([['completed', 'success']]);
  expect(github.comments(repo, pull.number)[0]?.body).toContain('done: a.txt: 1 finding, b.txt: 1 finding, submitted');
  expect(github.defects).toEqual([]);
});
