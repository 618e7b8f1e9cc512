import { afterAll, beforeAll, describe } from 'vitest';
import { InMemoryStore, Shelf } from '../../src/store/in-memory/store.ts';
import type { Store } from '../../src/store/store.ts';
import { Processes } from './processes.ts';

/** Stores at one place, as several processes have them. */
export interface Stores {
  start(options?: { lockMs?: number }): Promise<Store>;
  close(): Promise<void>;
}

class Shelved implements Stores {
  readonly #shelf = new Shelf();
  readonly #stores: Store[] = [];

  async start(options: { lockMs?: number } = {}): Promise<Store> {
    const store = new InMemoryStore(this.#shelf, options);
    this.#stores.push(store);
    return store;
  }

  async close(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.queues.stopWorkers(1_000)));
    await Promise.all(this.#stores.map((store) => store.close()));
  }
}

/** Every kind of store that there is; what is promised of a store is promised of each. */
const KINDS: [string, (name: string) => Promise<Stores>][] = [
  ['Redis', (name) => Processes.open(name)],
  ['in memory', async () => new Shelved()],
];

/** Holds every kind of store to the same tests. `open` opens a place that no other test has. */
export function eachStore(name: string, tests: (open: () => Promise<Stores>) => void): void {
  describe.each(KINDS)('%s', (_, open) => tests(() => open(name)));
}

/** The same, with two processes at one place for all tests. */
export function eachPair(name: string, tests: (pair: { first: Store; second: Store }) => void): void {
  eachStore(name, (open) => {
    const pair = {} as { first: Store; second: Store };
    let stores: Stores | null = null;
    beforeAll(async () => {
      stores = await open();
      Object.assign(pair, { first: await stores.start(), second: await stores.start() });
    });
    afterAll(() => stores?.close());
    tests(pair);
  });
}
