import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JOURNAL_FORMAT } from '../../src/store/encoding.ts';
import { redisTime } from '../../src/store/redis.ts';
import { handlersWith, Processes, quiet, SLOTS } from './processes.ts';
import { eachStore, type Stores } from './stores.ts';

eachStore('timers', (open) => {
  let processes: Stores;
  beforeEach(async () => {
    processes = await open();
  });
  afterEach(() => processes.close());

  describe('a timer', () => {
    it('set twice, by two processes, fires once, not before its time, and only wakes', async () => {
      const first = await processes.start();
      const second = await processes.start();
      const woken: { what: string; at: number }[] = [];
      const hear = (what: string) => async (id: string) => {
        woken.push({ what: `${what} ${id}`, at: await first.now() });
      };
      const handlers = handlersWith({ run: hear('run'), delegation: hear('delegation'), report: hear('report') });
      for (const { queues } of [first, second]) queues.startWorkers(handlers, SLOTS);
      const at = (await first.now()) + 300;
      for (const { queues } of [first, second, first]) {
        await queues.setTimer({ wake: 'run', id: 'a' }, at);
        await queues.setTimer({ wake: 'delegation', id: 'b' }, at);
        await queues.setTimer({ wake: 'report', id: 'c' }, at);
      }
      expect((await first.queues.counts()).timers).toBe(3);
      await expect.poll(() => woken).toHaveLength(3);
      await quiet(first.queues);
      expect(woken.map(({ what }) => what).sort()).toEqual(['delegation b', 'report c', 'run a']);
      expect(Math.min(...woken.map((one) => one.at))).toBeGreaterThanOrEqual(at);
    });

    it('does not hold a wake up', async () => {
      const { queues } = await processes.start();
      let advances = 0;
      queues.startWorkers(
        handlersWith({
          run() {
            advances++;
            return Promise.resolve();
          },
        }),
        SLOTS,
      );
      await queues.setTimer({ wake: 'run', id: 'a' }, Date.now() + 3_600_000);
      await queues.setTimer({ wake: 'run', id: 'a' }, Date.now() - 5_000);
      await expect.poll(() => advances).toBe(1);
      await queues.wakeRun('a');
      await expect.poll(() => advances).toBe(2);
      expect((await queues.counts()).timers).toBe(1);
    });

    it('that is set again while the last one of that time fires leads to another wake', async () => {
      const { queues } = await processes.start();
      const at = Date.now() + 50;
      const wake = queues.wakeRun.bind(queues);
      const wakes = vi.spyOn(queues, 'wakeRun').mockImplementationOnce(async (id) => {
        await queues.setTimer({ wake: 'run', id }, at);
        await wake(id);
      });
      queues.startWorkers(handlersWith({}), SLOTS);
      await queues.setTimer({ wake: 'run', id: 'again' }, at);
      await expect.poll(() => wakes).toHaveBeenCalledTimes(2);
      await quiet(queues);
      expect(wakes).toHaveBeenCalledTimes(2);
    });
  });
});

describe('in Redis, a timer', () => {
  let processes: Processes;
  beforeEach(async () => {
    processes = await Processes.open('timers-early');
  });
  afterEach(() => processes.close());

  it('put forward by a machine whose clock is fast waits for the time of Redis', async () => {
    const { queues } = await processes.start();
    const woken: number[] = [];
    queues.startWorkers(
      handlersWith({
        async run() {
          woken.push(await redisTime(processes.raw));
        },
      }),
      SLOTS,
    );
    const at = (await redisTime(processes.raw)) + 400;
    const fast = new Queue(`timers-v${JOURNAL_FORMAT}`, { connection: processes.raw, prefix: processes.prefix, skipWaitingForReady: true });
    await fast.add('wake', { wake: 'run', id: 'early', at }, { jobId: 'run-early', attempts: 3, removeOnComplete: true });
    await expect.poll(() => woken).toHaveLength(1);
    expect(woken[0]).toBeGreaterThanOrEqual(at);
    await fast.close();
  });
});
