import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { CLOCK } from '../../src/journal/clock.ts';
import { InMemoryJobs, JobBoard } from '../../src/store/in-memory/jobs.ts';
import { AT_ONCE } from '../../src/store/in-memory/way.ts';
import type { Jobs, JobWorker } from '../../src/store/jobs.ts';
import { connectCommands, waitReady } from '../../src/store/redis.ts';
import { RedisJobs } from '../../src/store/redis-jobs.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const KINDS: [string, () => Promise<Jobs>][] = [
  [
    'Redis',
    async () => {
      const commands = connectCommands(inject('redisUrl'), () => {});
      await waitReady(commands, 5_000);
      const prefix = `test-given-up-${randomUUID()}`;
      closers.push(async () => {
        await commands.del(...(await commands.keys(`${prefix}:*`)));
        commands.disconnect();
      });
      const jobs = new RedisJobs(commands, { url: inject('redisUrl'), prefix }, () => {});
      closers.push(() => jobs.close());
      return jobs;
    },
  ],
  ['in memory', async () => new InMemoryJobs(new JobBoard(CLOCK), { clock: CLOCK, way: AT_ONCE, name: randomUUID })],
];

describe.each(KINDS)('%s: a job that was given up', (_, open) => {
  it('is kept, and tried as often again when it comes again under its id', async () => {
    const jobs = await open();
    let isGood = false;
    const tries: boolean[] = [];
    const worker: JobWorker = jobs.work('deliveries', { slots: 1, failed: () => {} }, async () => {
      tries.push(isGood);
      if (!isGood) throw new Error('not yet');
    });
    closers.push(() => worker.close());
    const add = () => jobs.add('deliveries', [{ data: { id: 'a' }, id: 'd-a', tries: { most: 2, pauseMs: 'growing' } }]);
    const settled = (count: number) =>
      vi.waitFor(
        async () => {
          expect(tries).toHaveLength(count);
          expect((await jobs.counts()).deliveries).toBe(0);
        },
        { timeout: 30_000 },
      );
    await add();
    await settled(2);
    await add();
    await settled(4);
    isGood = true;
    await add();
    await settled(5);
    expect(tries).toEqual([false, false, false, false, true]);
  });
});
