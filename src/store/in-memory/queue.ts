import type { Clock } from '../../journal/clock.ts';
import type { NewJob } from '../jobs.ts';
import { copyOf } from './way.ts';

const LONGEST_PAUSE_MS = 300_000;

/** A job, and what has become of it. */
export interface Kept extends NewJob {
  failures: number;
  state: 'waiting' | 'delayed' | 'active' | 'failed';
  /** Who works on it, and until when nobody else may. */
  lock: { token: string; until: number } | null;
}

/** The jobs of one queue, as every process sees them. */
export class Queue {
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
    const same = job.id === undefined ? undefined : this.#jobs.find(({ id }) => id === job.id);
    if (same?.state === 'failed') this.#jobs = this.#jobs.filter((one) => one !== same);
    else if (same) return;
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
