import { randomUUID } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, vi } from 'vitest';
import type { Handlers, Queues } from '../../src/store/queues.ts';
import { connectCommands, type Redis, waitReady } from '../../src/store/redis.ts';
import { RedisStore, type Store } from '../../src/store/store.ts';

export const SLOTS = { advances: 8, delegations: 8 };

/** Stores on one prefix, as several processes have them. `raw` is a connection of the test's own. */
export class Processes {
  readonly prefix: string;
  readonly raw: Redis;
  readonly warnings: string[] = [];
  readonly #stores: Store[] = [];

  private constructor(prefix: string, raw: Redis) {
    this.prefix = prefix;
    this.raw = raw;
  }

  static async open(name: string): Promise<Processes> {
    const raw = connectCommands(inject('redisUrl'), () => {});
    await waitReady(raw, 5_000);
    return new Processes(`test-${name}-${randomUUID()}`, raw);
  }

  async start(options: { url?: string; lockMs?: number } = {}): Promise<Store> {
    const place = { url: inject('redisUrl'), prefix: this.prefix, ...options };
    const store = await RedisStore.open(place, { warn: (text) => this.warnings.push(text), error: () => {} });
    this.#stores.push(store);
    return store;
  }

  async close(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.queues.stopWorkers(1_000)));
    await Promise.all(this.#stores.map((store) => store.close()));
    const keys = await this.raw.keys(`${this.prefix}:*`);
    if (keys.length > 0) await this.raw.del(...keys);
    this.raw.disconnect();
  }
}

/** Handlers that do nothing but what is given. */
export function handlersWith(given: Partial<Handlers>): Handlers {
  const nothing = () => Promise.resolve();
  return { delivery: nothing, run: nothing, delegation: nothing, report: nothing, failed: () => {}, ...given };
}

/** A way to Redis that can be cut. */
export class Wire {
  readonly url: string;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  readonly #server = createServer((near) => {
    if (this.#isCut) return near.destroy();
    const far = connect(inject('redisUrl').slice('unix://'.length));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });

  private constructor(path: string) {
    this.url = `unix://${path}`;
  }

  static async open(): Promise<Wire> {
    const path = join(tmpdir(), `pitwall-wire-${randomUUID().slice(0, 8)}.sock`);
    const wire = new Wire(path);
    await new Promise<void>((resolve) => wire.#server.listen(path, resolve));
    return wire;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

/** Resolves when no job waits or runs. */
export function quiet(queues: Pick<Queues, 'counts'>): Promise<void> {
  return vi.waitFor(async () => expect(Object.values(await queues.counts()).reduce((a, b) => a + b)).toBe(0), {
    timeout: 30_000,
    interval: 20,
  });
}
