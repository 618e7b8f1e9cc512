import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { gate, handlersWith, SLOTS } from './processes.ts';
import { eachStore, type Stores } from './stores.ts';

eachStore('takeover', (open) => {
  let stores: Stores;
  beforeEach(async () => {
    stores = await open();
  });
  afterEach(() => stores.close());

  describe('a job', () => {
    it('keeps its lock for as long as it is worked on: nobody else begins it, nor after its end', async () => {
      const [one, two] = [await stores.start({ lockMs: 400 }), await stores.start({ lockMs: 400 })];
      const hold = gate();
      let begun = 0;
      const work = async () => {
        begun++;
        await hold.opened;
      };
      for (const { queues } of [one, two]) queues.startWorkers(handlersWith({ run: work }), SLOTS);
      await one.queues.wakeRun('long');
      await vi.waitFor(() => expect(begun).toBe(1));
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(begun).toBe(1);
      hold.open();
      await vi.waitFor(async () => expect((await one.queues.counts()).runs).toBe(0));
      await new Promise((resolve) => setTimeout(resolve, 800));
      expect(begun).toBe(1);
    });

    it('of a process that let go of it is taken up by another when its lock has run out', async () => {
      const [lost, heir] = [await stores.start({ lockMs: 400 }), await stores.start({ lockMs: 400 })];
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
      await vi.waitFor(() => expect(begun).toBe(1));
      await lost.queues.stopWorkers(1);
      const taken: string[] = [];
      heir.queues.startWorkers(handlersWith({ run: async (id) => void taken.push(id) }), SLOTS);
      await vi.waitFor(() => expect(taken).toEqual(['left']), { timeout: 5_000 });
    });
  });
});
