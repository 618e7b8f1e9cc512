import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, type Job, Queue, Worker } from 'bullmq';
import { connectWorkers, type Redis, type RedisPlace, redisTime } from './redis.ts';

/** Changes when journals written by one build cannot be read by another; it is part of the queues' names, so an older build never takes a newer run. */
export const JOURNAL_FORMAT = 1;

/** One webhook as it came in: the raw body as text, its event name and delivery id. */
export interface Delivery {
  id: string;
  event: string;
  body: string;
}

/** What a timer does when it is due: wake something. */
export interface Timer {
  wake: 'run' | 'delegation' | 'report' | 'delivery';
  id: string;
}

/** What is done with each kind of job. A handler that throws makes its job fail; `retry` then sets a timer, so that no wake is swallowed by a backoff. */
export interface Handlers {
  delivery(delivery: Delivery, signal: AbortSignal): Promise<void>;
  run(id: string, signal: AbortSignal): Promise<void>;
  delegation(id: string, signal: AbortSignal): Promise<void>;
  report(id: string, signal: AbortSignal): Promise<void>;
  failed(kind: string, id: string, error: Error): void;
}

interface Work {
  id: string;
}

/** `at`: the time before which it must not fire, by Redis' clock; null where only the distance matters. */
interface SetTimer extends Timer {
  at: number | null;
}

const KEEP = { removeOnComplete: true, removeOnFail: true };
const LOCK_MS = 8_000;
const RETRY_MS = 2_000;
/** A delivery is tried for about half a day, then kept as failed. */
const DELIVERY_TRIES = 200;
const LONGEST_BACKOFF_MS = 300_000;
const MOST_REMEMBERED = 10_000;
const NEVER_FAIL = 1_000_000;
/** Nothing that has to wake something may be lost while Redis is away. */
const TIMER = { removeOnComplete: true, removeOnFail: true, attempts: NEVER_FAIL, backoff: { type: 'fixed', delay: 1_000 } };
const AGAIN_MS = 500;
const HAND_OVER_MS = 1_000;
/** Clocks of machines may differ by as much: a timer that is due sooner may have fired already. */
const CLOCKS_DIFFER_MS = 10_000;

/** The queues: deliveries, runs, delegations and reports do work, timers only wake. */
export class Queues {
  readonly #prefix: string;
  readonly #url: string;
  readonly #lockMs: number;
  readonly #commands: Redis;
  readonly #onError: (error: Error) => void;
  readonly #queues: Record<'deliveries' | 'runs' | 'delegations' | 'reports' | 'timers', Queue>;
  /** Timers that this process has set for a later time; spares asking again for the same one at every advance. */
  readonly #timers = new Set<string>();
  /** For which second this process has asked for a wake; spares asking again. */
  readonly #soon = new Map<string, number>();
  #workers: Worker[] = [];
  #blocking: Redis[] = [];
  #leaving = false;

  /** `commands` must be ready; it stays its owner's to close. */
  constructor(commands: Redis, place: RedisPlace, onError: (error: Error) => void) {
    this.#prefix = place.prefix;
    this.#url = place.url;
    this.#lockMs = place.lockMs ?? LOCK_MS;
    this.#onError = onError;
    this.#commands = commands;
    const make = (name: string) => this.#makeQueue(name);
    this.#queues = {
      deliveries: make('deliveries'),
      runs: make('runs'),
      delegations: make('delegations'),
      reports: make('reports'),
      timers: make('timers'),
    };
  }

  /** Takes a delivery in; the same id again changes nothing while it waits or runs. */
  async addDelivery(delivery: Delivery): Promise<void> {
    await this.#queues.deliveries.add('delivery', delivery, {
      jobId: safeId(delivery.id),
      removeOnComplete: true,
      attempts: DELIVERY_TRIES,
      backoff: { type: 'growing' },
    });
  }

  /** Asks for an advance of a run: at most one at a time, at least one after every wake. */
  async wakeRun(id: string): Promise<void> {
    await this.#wake('runs', id);
  }

  /** Wakes a run within a second: many such wishes are one wake. */
  async wakeRunSoon(id: string): Promise<void> {
    const second = (Math.floor(Date.now() / 1_000) + 1) * 1_000;
    if (this.#soon.get(id) === second) return;
    await this.#addTimer({ wake: 'run', id, at: null }, second);
    if (this.#soon.size >= MOST_REMEMBERED) this.#soon.clear();
    this.#soon.set(id, second);
  }

  async wakeDelegation(id: string): Promise<void> {
    await this.#wake('delegations', id);
  }

  /** Wakes many delegations in one round trip. */
  async wakeDelegations(ids: string[]): Promise<void> {
    await this.#queues.delegations.addBulk(
      ids.map((id) => ({ name: 'advance', data: { id }, opts: { deduplication: { id, keepLastIfActive: true }, ...KEEP } })),
    );
  }

  async wakeReport(id: string): Promise<void> {
    await this.#wake('reports', id);
  }

  /** Wakes something at a time (ms since 1970, by Redis' clock), never before it. The same timer set twice fires once. */
  async setTimer(timer: Timer, at: number): Promise<void> {
    const name = `${timer.wake}-${timer.id}-${Math.ceil(at)}`;
    const isFar = at - Date.now() > CLOCKS_DIFFER_MS;
    if (isFar && this.#timers.has(name)) return;
    await this.#addTimer({ ...timer, at: Math.ceil(at) }, at);
    if (!isFar) return;
    if (this.#timers.size >= MOST_REMEMBERED) this.#timers.clear();
    this.#timers.add(name);
  }

  /** Starts taking work. `slots` bounds how many jobs of a kind run at once in this process. */
  startWorkers(handlers: Handlers, slots: { advances: number; delegations: number }): void {
    this.#leaving = false;
    this.#workers = [
      this.#makeWorker<Delivery>('deliveries', 32, (job, signal) => handlers.delivery(job.data, signal)),
      this.#makeWorker<Work>('runs', slots.advances, (job, signal) =>
        this.#advance({ wake: 'run', id: job.data.id }, () => handlers.run(job.data.id, signal), handlers),
      ),
      this.#makeWorker<Work>('delegations', slots.delegations, (job, signal) =>
        this.#advance({ wake: 'delegation', id: job.data.id }, () => handlers.delegation(job.data.id, signal), handlers),
      ),
      this.#makeWorker<Work>('reports', 64, (job, signal) =>
        this.#advance({ wake: 'report', id: job.data.id }, () => handlers.report(job.data.id, signal), handlers),
      ),
      this.#makeWorker<SetTimer>('timers', 64, (job, _signal, token) => this.#fire(job, token)),
    ];
    for (const worker of this.#workers) {
      worker.on('failed', (job, error) => handlers.failed(worker.name, String(job?.data?.id ?? job?.id ?? ''), error));
    }
  }

  get working(): boolean {
    return this.#workers.length > 0 && this.#workers.every((worker) => worker.isRunning());
  }

  /** How many jobs wait or run, by queue. */
  async counts(): Promise<Record<string, number>> {
    const rows = await Promise.all(
      Object.entries(this.#queues).map(
        async ([name, queue]) => [name, await queue.getJobCountByTypes('waiting', 'active', 'delayed')] as const,
      ),
    );
    return Object.fromEntries(rows);
  }

  /**
   * Stops taking work and waits for what is under way, at most `ms`. What is left then is aborted and handed over by a timer; what does not even hear
   * of that loses its connection, and others take it up when its lock expires.
   */
  async stopWorkers(ms: number): Promise<void> {
    this.#leaving = true;
    const workers = this.#workers;
    this.#workers = [];
    const closing = Promise.allSettled(workers.map((worker) => worker.close()));
    if (!(await isOver(closing, ms))) {
      for (const worker of workers) worker.cancelAllJobs('this process stops');
      await isOver(closing, HAND_OVER_MS);
    }
    for (const redis of this.#blocking.splice(0)) redis.disconnect();
  }

  async close(): Promise<void> {
    await Promise.allSettled(Object.values(this.#queues).map((queue) => queue.close()));
    for (const redis of this.#blocking) redis.disconnect();
  }

  async #wake(queue: 'runs' | 'delegations' | 'reports', id: string): Promise<void> {
    await this.#queues[queue].add('advance', { id }, { deduplication: { id, keepLastIfActive: true }, ...KEEP });
  }

  /** A time that has passed already gets a name of its own: a timer of the old name may be firing right now, and would swallow it. */
  async #addTimer(timer: SetTimer, at: number): Promise<void> {
    const now = Date.now();
    const due = Math.max(Math.ceil(at), now + 1);
    await this.#queues.timers.add('wake', timer, { jobId: `${timer.wake}-${timer.id}-${due}`, delay: due - now, ...TIMER });
  }

  async #fire(job: Job<SetTimer>, token: string | undefined): Promise<void> {
    const timer = job.data;
    const early = timer.at === null ? 0 : timer.at - (await redisTime(this.#commands));
    if (early > 0) {
      await job.moveToDelayed(Date.now() + early, token);
      throw new DelayedError();
    }
    if (timer.wake === 'run') await this.wakeRun(timer.id);
    if (timer.wake === 'delegation') await this.wakeDelegation(timer.id);
    if (timer.wake === 'report') await this.wakeReport(timer.id);
  }

  /** An advance that fails ends and sets a retry timer; the job itself has no backoff, which would swallow wakes. */
  async #advance(timer: Timer, work: () => Promise<void>, handlers: Handlers): Promise<void> {
    try {
      await work();
    } catch (error) {
      handlers.failed(timer.wake, timer.id, error instanceof Error ? error : new Error(String(error)));
      await this.#retry(timer);
    }
  }

  /** Holds on to the job until its retry is set. A process that leaves first leaves the job to whoever takes it over when its lock expires. */
  async #retry(timer: Timer): Promise<void> {
    while (!this.#leaving || this.#commands.status === 'ready') {
      try {
        return await this.#addTimer({ ...timer, at: null }, Date.now() + RETRY_MS);
      } catch (error) {
        this.#onError(error instanceof Error ? error : new Error(String(error)));
        await sleep(AGAIN_MS, undefined, { ref: false });
      }
    }
    await new Promise<never>(() => {});
  }

  #makeQueue(name: string): Queue {
    const queue = new Queue(`${name}-v${JOURNAL_FORMAT}`, { connection: this.#commands, prefix: this.#prefix, skipWaitingForReady: true });
    queue.on('error', this.#onError);
    return queue;
  }

  #makeWorker<T>(name: string, concurrency: number, work: (job: Job<T>, signal: AbortSignal, token?: string) => Promise<void>): Worker {
    const connection = connectWorkers(this.#url, this.#onError);
    this.#blocking.push(connection);
    const worker = new Worker<T>(
      `${name}-v${JOURNAL_FORMAT}`,
      (job, token, signal) => work(job, signal ?? new AbortController().signal, token),
      {
        connection,
        prefix: this.#prefix,
        concurrency,
        lockDuration: this.#lockMs,
        stalledInterval: this.#lockMs / 4,
        maxStalledCount: NEVER_FAIL,
        drainDelay: 5,
        runRetryDelay: AGAIN_MS,
        settings: { backoffStrategy: (tries: number) => Math.min(LONGEST_BACKOFF_MS, 1_000 * 2 ** (tries - 1)) },
      },
    );
    worker.on('error', this.#onError);
    worker.on('lockRenewalFailed', (jobs: string[]) => {
      for (const id of jobs) worker.cancelJob(id, 'its lock was lost');
    });
    return worker;
  }
}

/** Job ids may hold no colon and be no integer. */
function safeId(id: string): string {
  return `d-${id.replace(/[^\w-]/g, '_').slice(0, 128)}`;
}

async function isOver(work: Promise<unknown>, ms: number): Promise<boolean> {
  const clock = new AbortController();
  const late = sleep(ms, false, { signal: clock.signal, ref: false }).catch(() => false);
  const over = await Promise.race([work.then(() => true), late]);
  clock.abort();
  return over;
}
