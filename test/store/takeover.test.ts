import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gate } from '../gate.ts';
import { handlersWith, SLOTS } from './processes.ts';
import { eachStore, type Stores } from './stores.ts';

eachStore('takeover', (open) => {
  let stores: Stores;
  beforeEach(async () => {
    stores = await open();
  });
  afterEach(() => stores.close());

  describe('a job', () => {
    it('keeps its lock for as long as it is worked on: nobody else begins it, nor after its end', async () => {
      const [one, two] = [await stores.start({ lockMs: 1_000 }), await stores.start({ lockMs: 1_000 })];
      const hold = gate();
      let begun = 0;
      const work = async () => {
        begun++;
        await hold.opened;
      };
      for (const { queues } of [one, two]) queues.startWorkers(handlersWith({ run: work }), SLOTS);
      await one.queues.wakeRun('long');
      await expect.poll(() => begun).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      expect(begun).toBe(1);
      hold.open();
      await expect.poll(async () => (await one.queues.counts()).runs).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 1_300));
      expect(begun).toBe(1);
    });

    it('of a process that let go of it is taken up by another when its lock has run out', async () => {
      const [lost, heir] = [await stores.start({ lockMs: 1_000 }), await stores.start({ lockMs: 1_000 })];
      let begun = 0;
      lost.queues.startWorkers(
        handlersWith({
          run() {
            begun++;
            return new Promise<void>(() => {});
          },
        }),
        SLOTS,
      );
      await lost.queues.wakeRun('left');
      await expect.poll(() => begun).toBe(1);
      await lost.queues.stopWorkers(1);
      const taken: string[] = [];
      heir.queues.startWorkers(handlersWith({ run: async (id) => void taken.push(id) }), SLOTS);
      await expect.poll(() => taken).toEqual(['left']);
    });
  });
});
