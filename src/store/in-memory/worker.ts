import type { Clock } from '../../journal/clock.ts';
import { type JobWorker, NotYet, type QueueName, type Work } from '../jobs.ts';
import type { Kept, Queue } from './queue.ts';
import { copyOf, type Way } from './way.ts';

const LOCK_MS = 8_000;
/** After what waits could not be asked for. */
const AGAIN_MS = 500;

/** One process at the queues. `clock` is its own: a process that is held up does not renew its locks. */
export interface Hand {
  clock: Clock;
  way: Way;
  /** A name that no other has. */
  name(): string;
  lockMs?: number;
}

/** What a worker works with. */
export interface WorkerParts<T> {
  queue: Queue;
  hand: Hand;
  slots: number;
  failed(data: T | undefined, error: Error): void;
  work: Work<T>;
}

/** Takes jobs of one queue for one process. */
export class Worker<T> implements JobWorker {
  readonly #name: QueueName;
  readonly #parts: WorkerParts<T>;
  readonly #lockMs: number;
  readonly #busy = new Map<Promise<void>, AbortController>();
  #working = true;
  #paused = false;
  #dropped = false;
  #pulling = false;
  #pulled = Promise.resolve();
  #again = false;
  #called = false;

  constructor(name: QueueName, parts: WorkerParts<T>) {
    this.#name = name;
    this.#parts = parts;
    this.#lockMs = parts.hand.lockMs ?? LOCK_MS;
    parts.queue.listeners.add(this.#hear);
    this.#hear();
  }

  get working(): boolean {
    return this.#working;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#hear();
  }

  async close(): Promise<void> {
    this.#working = false;
    this.#parts.queue.listeners.delete(this.#hear);
    while (this.#busy.size > 0 || this.#pulling) await Promise.all([...this.#busy.keys(), this.#pulled]);
  }

  abort(reason: string): void {
    for (const held of this.#busy.values()) held.abort(new Error(reason));
  }

  drop(): void {
    this.#dropped = true;
  }

  readonly #hear = (): void => {
    if (this.#pulling) this.#again = true;
    if (this.#pulling || this.#called) return;
    this.#called = true;
    this.#parts.hand.clock.later(0, this.#look);
  };

  readonly #look = (): void => {
    this.#called = false;
    if (this.#pulling) this.#again = true;
    else this.#pulled = this.#pull();
  };

  /** Takes jobs one by one as long as there are any and a slot is free. */
  async #pull(): Promise<void> {
    const { queue, slots, hand } = this.#parts;
    this.#pulling = true;
    do {
      this.#again = false;
      while (this.#working && !this.#paused && this.#busy.size < slots && queue.waits) {
        const token = hand.name();
        const taken = await this.#try(`${this.#name}.take`, () => ({ job: queue.take(token, this.#lockMs) }));
        if (taken?.job) this.#start(taken.job, token);
        if (!taken) await hand.clock.sleep(AGAIN_MS);
      }
    } while (this.#again);
    this.#pulling = false;
  }

  #start(job: Kept, token: string): void {
    const held = new AbortController();
    const busy = this.#do(job, token, held.signal).finally(() => {
      this.#busy.delete(busy);
      this.#hear();
    });
    this.#busy.set(busy, held);
    this.#renewLater(job, { token, held, busy });
  }

  async #do(job: Kept, token: string, signal: AbortSignal): Promise<void> {
    const { queue, work, failed } = this.#parts;
    const data = copyOf(job.data) as T;
    try {
      await work(data, signal);
      await this.#try(`${this.#name}.end`, () => queue.end(job, token));
    } catch (error) {
      if (error instanceof NotYet) return void (await this.#try(`${this.#name}.putOff`, () => queue.putOff(job, token, error.ms)));
      failed(data, error instanceof Error ? error : new Error(String(error)));
      await this.#try(`${this.#name}.fail`, () => queue.fail(job, token));
    }
  }

  #renewLater(job: Kept, own: { token: string; held: AbortController; busy: Promise<void> }): void {
    this.#parts.hand.clock.later(this.#lockMs / 2, async () => {
      if (this.#dropped || !this.#busy.has(own.busy)) return;
      const kept = await this.#try(`${this.#name}.renew`, () => this.#parts.queue.renew(job, own.token, this.#lockMs));
      if (kept) this.#renewLater(job, own);
      else if (this.#busy.has(own.busy)) own.held.abort(new Error('its lock was lost'));
    });
  }

  /** What does not get through is not done: the lock runs out, and another takes the job up. */
  async #try<R>(what: string, act: () => R): Promise<R | null> {
    if (this.#dropped) return null;
    return this.#parts.hand.way(what, act).catch(() => null);
  }
}
