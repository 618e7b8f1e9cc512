import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Queues } from '../../src/store/queues.ts';
import { gate } from '../gate.ts';
import { generatorFrom } from './generator.ts';
import { handlersWith, quiet, SLOTS } from './processes.ts';
import { eachStore, type Stores } from './stores.ts';

const RETRY_MS = 2_000;

eachStore('queues', (open) => {
  let processes: Stores;
  beforeEach(async () => {
    processes = await open();
  });
  afterEach(() => processes.close());

  describe('a wake', () => {
    it('that comes while an advance runs leads to one more after it, however many came', async () => {
      const { queues } = await processes.start();
      const other = await processes.start();
      const hold = gate();
      const advances: string[] = [];
      queues.startWorkers(
        handlersWith({
          async run(id) {
            advances.push(id);
            if (advances.length === 1) await hold.opened;
          },
        }),
        SLOTS,
      );
      await queues.wakeRun('r1');
      await expect.poll(() => advances).toHaveLength(1);
      await Promise.all([queues.wakeRun('r1'), other.queues.wakeRun('r1'), queues.wakeRun('r1')]);
      expect(advances).toHaveLength(1);
      hold.open();
      await expect.poll(() => advances).toHaveLength(2);
      await quiet(queues);
      expect(advances).toEqual(['r1', 'r1']);
    });

    it('is never lost and never runs beside another: 500 of them, from three processes, to two', async () => {
      const next = generatorFrom(20_261_121);
      const workers = [await processes.start(), await processes.start()];
      const wakers = [...workers, await processes.start()];
      const inbox = new Map<string, number>();
      const seen = new Map<string, number>();
      const active = new Set<string>();
      let overlaps = 0;
      const advance = (kind: string) => async (id: string) => {
        const key = `${kind} ${id}`;
        if (active.has(key)) overlaps++;
        active.add(key);
        seen.set(key, inbox.get(key) ?? 0);
        await sleep(next(6));
        active.delete(key);
      };
      const handlers = handlersWith({ run: advance('run'), delegation: advance('delegation'), report: advance('report') });
      for (const { queues } of workers) queues.startWorkers(handlers, SLOTS);
      await Promise.all(
        Array.from({ length: 500 }, async () => {
          await sleep(next(800));
          const queues = wakers[next(wakers.length)]?.queues;
          const id = `id${next(5)}`;
          const kind = ['run', 'delegation', 'report'][next(3)] ?? 'run';
          const key = `${kind} ${id}`;
          inbox.set(key, (inbox.get(key) ?? 0) + 1);
          if (kind === 'run') await queues?.wakeRun(id);
          else if (kind === 'report') await queues?.wakeReport(id);
          else if (next(2) === 0) await queues?.wakeDelegation(id);
          else await queues?.wakeDelegations([id]);
        }),
      );
      await quiet(wakers[0]?.queues as Queues);
      expect(seen).toEqual(inbox);
      expect(overlaps).toBe(0);
    });

    it('are not taken while work is paused, also by workers that are started then, and all once it is resumed', async () => {
      const { queues } = await processes.start();
      const done: string[] = [];
      const handlers = handlersWith({
        run(id) {
          done.push(id);
          return Promise.resolve();
        },
      });
      queues.pause();
      queues.startWorkers(handlers, SLOTS);
      await Promise.all(['a', 'b', 'c'].map((id) => queues.wakeRun(id)));
      await sleep(300);
      expect(done).toEqual([]);
      queues.resume();
      await expect.poll(() => [...done].sort()).toEqual(['a', 'b', 'c']);
    });

    it('asked for soon comes within a second or so, once for many', async () => {
      const { queues } = await processes.start();
      const other = await processes.start();
      let advances = 0;
      let came = 0;
      queues.startWorkers(
        handlersWith({
          run() {
            advances++;
            came = Date.now();
            return Promise.resolve();
          },
        }),
        SLOTS,
      );
      await Promise.all(Array.from({ length: 20 }, (_, k) => (k % 2 ? queues : other.queues).wakeRunSoon('soon')));
      const asked = Date.now();
      await quiet(queues);
      expect(advances).toBeGreaterThan(0);
      expect(advances).toBeLessThanOrEqual(2);
      expect(came - asked).toBeLessThan(2_500);
    });
  });

  describe('an advance that throws', () => {
    it('is tried again after two seconds, and swallows no wake meanwhile', async () => {
      const { queues } = await processes.start();
      const times: number[] = [];
      const failures: string[] = [];
      queues.startWorkers(
        handlersWith({
          run() {
            times.push(Date.now());
            return times.length === 1 ? Promise.reject(new Error('no luck')) : Promise.resolve();
          },
          failed: (kind, id, error) => failures.push(`${kind} ${id}: ${error.message}`),
        }),
        SLOTS,
      );
      await queues.wakeRun('fails');
      await expect.poll(() => failures).toEqual(['run fails: no luck']);
      await queues.wakeRun('fails');
      await expect.poll(() => times).toHaveLength(3);
      const [first = 0, woken = 0, again = 0] = times;
      expect(woken - first).toBeLessThan(RETRY_MS);
      expect(again - first).toBeGreaterThanOrEqual(RETRY_MS - 5);
      await quiet(queues);
      expect(times).toHaveLength(3);
    });
  });

  describe('a delivery', () => {
    const push = { id: 'ab-12', event: 'push', body: '{"a":"ä"}' };

    it('that comes again under its id while the first waits or is worked on changes nothing', async () => {
      const { queues } = await processes.start();
      const other = await processes.start();
      await queues.addDelivery(push);
      await other.queues.addDelivery({ ...push, body: '{"another":1}' });
      await queues.addDelivery({ ...push, id: 'ab-13' });
      expect((await queues.counts()).deliveries).toBe(2);
      const hold = gate();
      const taken: unknown[] = [];
      queues.startWorkers(
        handlersWith({
          async delivery(delivery) {
            taken.push(delivery);
            await hold.opened;
          },
        }),
        SLOTS,
      );
      await expect.poll(() => taken).toHaveLength(2);
      await other.queues.addDelivery(push);
      hold.open();
      await quiet(queues);
      expect(taken).toEqual([push, { ...push, id: 'ab-13' }]);
    });
  });

  describe('the workers', () => {
    it('are told to stop: what is under way is waited for, what waits stays', async () => {
      const { queues } = await processes.start();
      expect(queues.working).toBe(false);
      const hold = gate();
      const begun: string[] = [];
      const ended: string[] = [];
      queues.startWorkers(
        handlersWith({
          async run(id) {
            begun.push(id);
            await hold.opened;
            ended.push(id);
          },
        }),
        { advances: 1, delegations: 1 },
      );
      await expect.poll(() => queues.working).toBe(true);
      await queues.wakeRun('one');
      await expect.poll(() => begun).toEqual(['one']);
      await queues.wakeRun('two');
      const stopped = queues.stopWorkers(5_000);
      hold.open();
      await stopped;
      expect(ended).toEqual(['one']);
      expect(begun).toEqual(['one']);
      expect(queues.working).toBe(false);
      expect((await queues.counts()).runs).toBe(1);
    });

    it('abort what takes too long, and another process goes on with it at once', async () => {
      const { queues } = await processes.start({ lockMs: 60_000 });
      const heir = await processes.start({ lockMs: 60_000 });
      let begun = false;
      queues.startWorkers(
        handlersWith({
          run(_, signal) {
            begun = true;
            return new Promise<void>((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
          },
        }),
        SLOTS,
      );
      await queues.wakeRun('long');
      await expect.poll(() => begun).toBe(true);
      await queues.stopWorkers(100);
      const taken: string[] = [];
      heir.queues.startWorkers(
        handlersWith({
          run(id) {
            taken.push(id);
            return Promise.resolve();
          },
        }),
        SLOTS,
      );
      await expect.poll(() => taken).toEqual(['long']);
    });

    it('do not wait for ever for what hangs', async () => {
      const { queues } = await processes.start();
      let begun = false;
      queues.startWorkers(
        handlersWith({
          run() {
            begun = true;
            return new Promise<void>(() => {});
          },
        }),
        SLOTS,
      );
      await queues.wakeRun('hangs');
      await expect.poll(() => begun).toBe(true);
      await queues.stopWorkers(200);
      expect((await queues.counts()).runs).toBe(1);
    });
  });
});
