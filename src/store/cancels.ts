import { Holds } from './holds.ts';
import type { Keys } from './keys.ts';
import { connectWorkers, type Redis, sendAll, waitReady } from './redis.ts';

/** What is told to end: a run or a delegation, with the reason that people are shown. */
export interface Cancel {
  id: string;
  reason: string;
}

const KEPT_SECONDS = 31 * 86_400;
const BACK_MS = 10_000;

/** Orders to end. A record is read before every turn; a published word reaches the process that holds a call, which aborts it. */
export interface Cancels {
  /** Orders some to end. The first reason of each stays. */
  order(cancels: Cancel[]): Promise<void>;
  /** Wakes whoever holds a call of this run or delegation, without ordering an end: it aborts the call and looks at its mailbox. */
  interrupt(id: string): Promise<void>;
  /** Why something was told to end, or null; of several the first that was. */
  reasonOf(...ids: string[]): Promise<string | null>;
  /** Does work with a signal that is aborted when this run or delegation is told to end while it is under way. */
  hold<T>(id: string, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  close(): void;
}

/** Orders to end in Redis, heard by a connection of their own. */
export class RedisCancels implements Cancels {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #listener: Redis;
  readonly #holds = new Holds();

  constructor(redis: Redis, keys: Keys, options: { url: string; onError(error: Error): void }) {
    this.#redis = redis;
    this.#keys = keys;
    this.#listener = connectWorkers(options.url, options.onError);
    this.#listener.on('message', (_channel: string, id: string) => this.#holds.abort(id));
    this.#listener.subscribe(keys.cancelWord()).catch(options.onError);
    this.#listener.on('ready', () => this.#hearMissed().catch(options.onError));
  }

  async order(cancels: Cancel[]): Promise<void> {
    if (cancels.length === 0) return;
    const pipeline = this.#redis.pipeline();
    for (const { id, reason } of cancels)
      pipeline.set(this.#keys.cancel(id), reason, 'EX', KEPT_SECONDS, 'NX').publish(this.#keys.cancelWord(), id);
    await sendAll(pipeline);
  }

  async interrupt(id: string): Promise<void> {
    await this.#redis.publish(this.#keys.cancelWord(), id);
  }

  async reasonOf(...ids: string[]): Promise<string | null> {
    const reasons = await this.#redis.mget(ids.map((id) => this.#keys.cancel(id)));
    return reasons.find((reason) => reason !== null) ?? null;
  }

  hold<T>(id: string, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#holds.hold(id, outer, work);
  }

  /** Words that were published while Redis was away are gone; the orders stand. */
  async #hearMissed(): Promise<void> {
    const ids = this.#holds.ids();
    if (ids.length === 0) return;
    await waitReady(this.#redis, BACK_MS);
    const reasons = await this.#redis.mget(ids.map((id) => this.#keys.cancel(id)));
    for (const [k, id] of ids.entries()) if (reasons[k] !== null) this.#holds.abort(id);
  }

  close(): void {
    this.#listener.disconnect();
  }
}
