import type { Keys } from './keys.ts';
import { connectWorkers, type Redis, sendAll } from './redis.ts';

/** What is told to end: a run or a delegation, with the reason that people are shown. */
export interface Cancel {
  id: string;
  reason: string;
}

const KEPT_SECONDS = 31 * 86_400;

/** Orders to end. A record is read before every turn; a published word reaches the process that holds a call, which aborts it. */
export class Cancels {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #listener: Redis;
  readonly #held = new Map<string, Set<AbortController>>();

  constructor(redis: Redis, keys: Keys, options: { url: string; onError(error: Error): void }) {
    this.#redis = redis;
    this.#keys = keys;
    this.#listener = connectWorkers(options.url, options.onError);
    this.#listener.on('message', (_channel: string, id: string) => {
      for (const held of this.#held.get(id) ?? []) held.abort(new Error('told to end'));
    });
    this.#listener.subscribe(keys.cancelWord()).catch(options.onError);
  }

  /** Orders some to end. The first reason of each stays. */
  async order(cancels: Cancel[]): Promise<void> {
    if (cancels.length === 0) return;
    const pipeline = this.#redis.pipeline();
    for (const { id, reason } of cancels)
      pipeline.set(this.#keys.cancel(id), reason, 'EX', KEPT_SECONDS, 'NX').publish(this.#keys.cancelWord(), id);
    await sendAll(pipeline);
  }

  /** Wakes whoever holds a call of this run or delegation, without ordering an end: it aborts the call and looks at its mailbox. */
  async interrupt(id: string): Promise<void> {
    await this.#redis.publish(this.#keys.cancelWord(), id);
  }

  /** Why something was told to end, or null. */
  reasonOf(id: string): Promise<string | null> {
    return this.#redis.get(this.#keys.cancel(id));
  }

  /** A signal that is aborted when this run or delegation is told to end while the work is under way. */
  async hold<T>(id: string, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const held = new AbortController();
    const all = this.#held.get(id) ?? new Set();
    this.#held.set(id, all.add(held));
    try {
      return await work(AbortSignal.any([outer, held.signal]));
    } finally {
      all.delete(held);
      if (all.size === 0) this.#held.delete(id);
    }
  }

  close(): void {
    this.#listener.disconnect();
  }
}
