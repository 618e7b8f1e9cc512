import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { gate } from '../gate.ts';
import { eventOn, startOf } from '../session/house.ts';
import { handlersWith, quiet } from './processes.ts';
import { eachStore, type Stores } from './stores.ts';

const STEPS = { steps: [{ id: 's', action: 'agent.run', instruction: 'x', params: { agentId: 'a' } }] };

/** Runs of an installation that were started, and wait for their first wake. */
async function begin(store: Store, installation: number, runs: string[]): Promise<void> {
  await Promise.all(
    runs.map((run) =>
      store.journals.create(run, { type: 'run.started', start: startOf(STEPS, { run, event: eventOn(undefined, { installation }) }) }),
    ),
  );
}

const named = (name: string, count: number) => Array.from({ length: count }, (_, k) => `${name}${k}`);

eachStore('slots', (open) => {
  let stores: Stores;
  beforeEach(async () => {
    stores = await open();
  });
  afterEach(() => stores.close());

  it('are taken in rounds: one run of an installation starts within a few slots, though another has flooded the queue with 500', async () => {
    const [store, other] = [await stores.start(), await stores.start()];
    const flood = named('a', 500);
    await begin(store, 1, flood);
    await begin(store, 2, ['b']);
    const taken: string[] = [];
    const hold = gate();
    const run = async (id: string) => {
      taken.push(id);
      await hold.opened;
    };
    store.queues.startWorkers(handlersWith({ run }), { advances: 8, delegations: 8 });
    await Promise.all(flood.map((id, k) => (k % 2 ? store : other).queues.wakeRun(id)));
    await expect.poll(() => taken).toHaveLength(8);
    await other.queues.wakeRun('b');
    hold.open();
    await quiet(store.queues);
    expect(taken.indexOf('b')).toBeLessThan(8 + 8);
    expect([...taken].sort()).toEqual([...flood, 'b'].sort());
  });

  it('go round by installation also for delegations that come all at once', async () => {
    const store = await stores.start();
    await begin(store, 1, ['a']);
    await begin(store, 2, ['b']);
    await store.queues.wakeDelegations(named('a~', 100));
    await store.queues.wakeDelegations(named('b~', 10));
    const taken: string[] = [];
    const delegation = async (id: string) => void taken.push(id);
    store.queues.startWorkers(handlersWith({ delegation }), { advances: 1, delegations: 1 });
    await quiet(store.queues);
    expect(taken).toHaveLength(110);
    expect(taken.slice(0, 24).filter((id) => id.startsWith('b'))).toHaveLength(10);
  });

  it('starve nobody: what waits is taken, however much others keep adding', async () => {
    const store = await stores.start();
    await begin(store, 1, named('a', 20));
    await begin(store, 2, named('b', 300));
    let left = 20;
    let added = 0;
    const run = async (id: string) => {
      if (id.startsWith('a')) left--;
      else if (left > 0 && added < 300) await Promise.all([1, 2].map(() => store.queues.wakeRun(`b${added++}`)));
    };
    for (const id of named('b', 10)) await store.queues.wakeRun(id);
    added = 10;
    for (const id of named('a', 20)) await store.queues.wakeRun(id);
    store.queues.startWorkers(handlersWith({ run }), { advances: 1, delegations: 1 });
    await expect.poll(() => left).toBe(0);
    expect(added).toBeLessThan(200);
    await quiet(store.queues);
  });

  it('are not lost to an installation by wakes that say nothing new', async () => {
    const store = await stores.start();
    await begin(store, 1, ['a0', 'a1']);
    await begin(store, 2, named('b', 30));
    await store.queues.wakeRun('b0');
    for (let k = 0; k < 100; k++) await store.queues.wakeRun('a0');
    for (const id of named('b', 30)) await store.queues.wakeRun(id);
    await store.queues.wakeRun('a1');
    const taken: string[] = [];
    const run = async (id: string) => void taken.push(id);
    store.queues.startWorkers(handlersWith({ run }), { advances: 1, delegations: 1 });
    await quiet(store.queues);
    expect(taken.indexOf('a1')).toBeLessThan(8);
  });
});
