import { describe, it, type OnTestFinishedHandler, vi } from 'vitest';
import { handlersWith, Processes, quiet, SLOTS, Wire } from './processes.ts';

const push = { id: 'ab-12', event: 'push', body: '{"a":"ä"}' };

/** Processes at a place of one test, and a way there that can be cut. */
async function begin(onTestFinished: (close: OnTestFinishedHandler) => void): Promise<{ processes: Processes; wire: Wire }> {
  const [processes, wire] = [await Processes.open('outage'), await Wire.open()];
  onTestFinished(async () => {
    await processes.close();
    wire.close();
  });
  return { processes, wire };
}

describe.concurrent('work', () => {
  it('that throws is tried again also where Redis went away with it', async ({ expect, onTestFinished }) => {
    const { processes, wire } = await begin(onTestFinished);
    const { queues } = await processes.start({ url: wire.url });
    let advances = 0;
    queues.startWorkers(
      handlersWith({
        run() {
          if (++advances > 1) return Promise.resolve();
          wire.cut();
          return Promise.reject(new Error('Redis is away'));
        },
      }),
      SLOTS,
    );
    await queues.wakeRun('away');
    await expect.poll(() => advances).toBe(1);
    await expect(queues.wakeRun('other')).rejects.toThrow();
    wire.mend();
    await expect.poll(() => advances).toBeGreaterThan(1);
  });
  it('of a timer is done also where Redis went away at its time', async ({ expect, onTestFinished }) => {
    const { processes, wire } = await begin(onTestFinished);
    const { queues } = await processes.start({ url: wire.url, lockMs: 500 });
    const { queues: direct } = await processes.start();
    let advances = 0;
    await direct.setTimer({ wake: 'run', id: 'due' }, Date.now() + 100);
    const cutBeforeWake = vi.spyOn(queues, 'wakeRun').mockImplementationOnce(() => {
      wire.cut();
      setTimeout(() => wire.mend(), 300);
      return Promise.reject(new Error('Redis is away'));
    });
    queues.startWorkers(
      handlersWith({
        run() {
          advances++;
          return Promise.resolve();
        },
      }),
      SLOTS,
    );
    await expect.poll(() => advances).toBeGreaterThan(0);
    expect(cutBeforeWake.mock.calls.length).toBeGreaterThan(1);
  });
  it('on a delivery that throws is kept and tried again, later each time', async ({ expect, onTestFinished }) => {
    const { processes } = await begin(onTestFinished);
    const { queues } = await processes.start();
    const times: number[] = [];
    const failures: string[] = [];
    queues.startWorkers(
      handlersWith({
        delivery(delivery) {
          expect(delivery).toEqual(push);
          times.push(Date.now());
          return times.length < 3 ? Promise.reject(new Error(`no ${times.length}`)) : Promise.resolve();
        },
        failed: (_, id, error) => failures.push(`${id}: ${error.message}`),
      }),
      SLOTS,
    );
    await queues.addDelivery(push);
    await expect.poll(() => times).toHaveLength(1);
    await expect.poll(async () => (await queues.counts()).deliveries).toBe(1);
    await queues.addDelivery(push);
    await expect.poll(() => times).toHaveLength(3);
    await quiet(queues);
    const [first = 0, second = 0, third = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(995);
    expect(third - second).toBeGreaterThanOrEqual(1_995);
    expect(failures).toEqual(['ab-12: no 1', 'ab-12: no 2']);
  });

  it('of a process that died is taken over by another, as are its advances', async ({ expect, onTestFinished }) => {
    const { processes, wire } = await begin(onTestFinished);
    const dead = await processes.start({ url: wire.url, lockMs: 500 });
    const begun: string[] = [];
    const never = (what: string) => () => {
      begun.push(what);
      return new Promise<void>(() => {});
    };
    dead.queues.startWorkers(handlersWith({ delivery: never('delivery'), run: never('run'), delegation: never('delegation') }), SLOTS);
    await dead.queues.addDelivery(push);
    await dead.queues.wakeRun('r');
    await dead.queues.wakeDelegation('r~1');
    await expect.poll(() => begun).toHaveLength(3);
    wire.cut();
    const heir = await processes.start({ lockMs: 500 });
    const done: string[] = [];
    const note = (what: string) => () => {
      done.push(what);
      return Promise.resolve();
    };
    heir.queues.startWorkers(handlersWith({ delivery: note('delivery'), run: note('run'), delegation: note('delegation') }), SLOTS);
    await expect.poll(() => [...done].sort()).toEqual(['delegation', 'delivery', 'run']);
  });

  it('of 60 wakes is all done, though the connection breaks three times meanwhile', async ({ expect, onTestFinished }) => {
    const { processes, wire } = await begin(onTestFinished);
    const { queues } = await processes.start({ url: wire.url, lockMs: 500 });
    const { queues: direct } = await processes.start();
    const inbox = new Map<string, number>();
    const seen = new Map<string, number>();
    queues.startWorkers(
      handlersWith({
        run(id) {
          seen.set(id, inbox.get(id) ?? 0);
          return Promise.resolve();
        },
      }),
      SLOTS,
    );
    for (let k = 0; k < 60; k++) {
      const id = `id${k % 7}`;
      inbox.set(id, (inbox.get(id) ?? 0) + 1);
      await direct.wakeRun(id);
      if (k % 20 === 10) {
        wire.cut();
        wire.mend();
      }
    }
    await expect.poll(() => seen).toEqual(inbox);
  });
});
