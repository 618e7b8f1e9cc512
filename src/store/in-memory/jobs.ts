import type { Clock } from '../../journal/clock.ts';
import { type Jobs, type JobWorker, type NewJob, NotYet, QUEUES, type QueueName, type Work } from '../jobs.ts';
import { copyOf, type Way } from './way.ts';

const LOCK_MS = 8_000;
const LONGEST_PAUSE_MS = 300_000;
/** After what waits could not be asked for. */
const AGAIN_MS = 500;

interface Kept extends NewJob {
  failures: number;
  state: 'waiting' | 'delayed' | 'active' | 'failed';
  /** Who works on it, and until when nobody else may. */
  lock: { token: string; until: number } | null;
}

/** The jobs of one queue, as every process sees them. */
class Queue {
  readonly #clock: Clock;
  /** In the order in which they are taken. */
  #jobs: Kept[] = [];
  /** What follows the active job of a name. */
  readonly #next = new Map<string, NewJob>();
  /** When each share was served last, by a count of what was taken. */
  readonly #taken = new Map<string, number>();
  #count = 0;
  readonly listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#jobs.filter(({ state }) => state !== 'failed').length;
  }

  /** Whether there is anything to take. */
  get waits(): boolean {
    return this.#jobs.some(({ state }) => state === 'waiting');
  }

  add(job: NewJob): void {
    if (job.id !== undefined && this.#jobs.some(({ id }) => id === job.id)) return;
    const known = job.wake === undefined ? undefined : this.#jobs.find(({ wake }) => wake === job.wake);
    if (known) {
      if (known.state === 'active' && job.wake !== undefined) this.#next.set(job.wake, job);
      return;
    }
    const kept: Kept = { ...job, data: copyOf(job.data), failures: 0, state: 'waiting', lock: null };
    this.#jobs.push(kept);
    if (job.delayMs) this.#delay(kept, job.delayMs);
    else this.#tell();
  }

  /** The next job, locked; null where none waits. */
  take(token: string, lockMs: number): Kept | null {
    const job = this.#nextInTurn();
    if (!job) return null;
    if (job.share !== undefined) this.#taken.set(job.share, ++this.#count);
    job.state = 'active';
    job.lock = { token, until: this.#clock.now() + lockMs };
    this.#watch(job, lockMs);
    return job;
  }

  /** Of those that wait, the first of the share that was served the longest ago. */
  #nextInTurn(): Kept | null {
    let next: Kept | null = null;
    const servedAt = ({ share }: Kept) => (share === undefined ? -1 : (this.#taken.get(share) ?? 0));
    for (const job of this.#jobs) if (job.state === 'waiting' && (!next || servedAt(job) < servedAt(next))) next = job;
    return next;
  }

  renew(job: Kept, token: string, lockMs: number): boolean {
    if (job.lock?.token !== token) return false;
    job.lock.until = this.#clock.now() + lockMs;
    return true;
  }

  /** Ends a job for whoever has its lock; others change nothing. */
  end(job: Kept, token: string): void {
    if (job.lock?.token !== token) return;
    job.lock = null;
    this.#jobs = this.#jobs.filter((one) => one !== job);
    const next = job.wake === undefined ? undefined : this.#next.get(job.wake);
    if (!next?.wake) return;
    this.#next.delete(next.wake);
    this.add(next);
  }

  putOff(job: Kept, token: string, ms: number): void {
    if (job.lock?.token !== token) return;
    job.lock = null;
    this.#delay(job, ms);
  }

  fail(job: Kept, token: string): void {
    if (job.lock?.token !== token) return;
    job.failures++;
    const { most = 1, pauseMs = 0 } = job.tries ?? {};
    const pause = pauseMs === 'growing' ? Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** (job.failures - 1)) : pauseMs;
    if (job.failures < most) this.putOff(job, token, pause);
    else if (pauseMs === 'growing') Object.assign(job, { state: 'failed', lock: null });
    else this.end(job, token);
  }

  #delay(job: Kept, ms: number): void {
    job.state = 'delayed';
    this.#clock.later(ms, () => {
      job.state = 'waiting';
      this.#tell();
    });
  }

  /** A job whose lock has run out is taken before those that wait. */
  #watch(job: Kept, ms: number): void {
    this.#clock.later(ms, () => {
      if (job.state !== 'active' || !job.lock) return;
      const left = job.lock.until - this.#clock.now();
      if (left > 0) return this.#watch(job, left);
      Object.assign(job, { state: 'waiting', lock: null });
      this.#jobs = [job, ...this.#jobs.filter((one) => one !== job)];
      this.#tell();
    });
  }

  #tell(): void {
    for (const listen of this.listeners) listen();
  }
}

/** The queues of one installation, as every process sees them. */
export class JobBoard {
  readonly clock: Clock;
  readonly queues: Record<QueueName, Queue>;

  constructor(clock: Clock) {
    this.clock = clock;
    this.queues = Object.fromEntries(QUEUES.map((name) => [name, new Queue(clock)])) as Record<QueueName, Queue>;
  }
}

/** One process at the queues. `clock` is its own: a process that is held up does not renew its locks. */
export interface Hand {
  clock: Clock;
  way: Way;
  /** A name that no other has. */
  name(): string;
  lockMs?: number;
}

export class InMemoryJobs implements Jobs {
  readonly up = true;
  readonly #board: JobBoard;
  readonly #hand: Hand;

  constructor(board: JobBoard, hand: Hand) {
    this.#board = board;
    this.#hand = hand;
  }

  add(queue: QueueName, jobs: NewJob[]): Promise<void> {
    return this.#hand.way(`${queue}.add`, () => {
      for (const job of jobs) this.#board.queues[queue].add(job);
    });
  }

  /** Here no job can be taken away from outside. */
  async free(): Promise<void> {}

  counts(): Promise<Record<QueueName, number>> {
    return this.#hand.way('queues.counts', () => {
      const rows = QUEUES.map((name) => [name, this.#board.queues[name].count]);
      return Object.fromEntries(rows) as Record<QueueName, number>;
    });
  }

  time(): Promise<number> {
    return this.#hand.way('queues.time', () => this.#board.clock.now());
  }

  work<T>(name: QueueName, options: { slots: number; failed(data: T | undefined, error: Error): void }, work: Work<T>): JobWorker {
    return new Worker(name, { queue: this.#board.queues[name], hand: this.#hand, ...options, work });
  }

  async close(): Promise<void> {}
}

interface WorkerParts<T> {
  queue: Queue;
  hand: Hand;
  slots: number;
  failed(data: T | undefined, error: Error): void;
  work: Work<T>;
}

class Worker<T> implements JobWorker {
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
