import { DelayedError, type Job, type JobsOptions, Queue, Worker } from 'bullmq';
import { JOURNAL_FORMAT } from './encoding.ts';
import { type Jobs, type JobWorker, type NewJob, NotYet, QUEUES, type QueueName, type Work } from './jobs.ts';
import { connectWorkers, type Redis, type RedisPlace, redisTime } from './redis.ts';
import { Shares, type Waiting } from './shares.ts';

const LOCK_MS = 8_000;
/** Between two looks for jobs whose lock ran out: one small script a queue, made by one process for all. */
const MOST_BETWEEN_CHECKS_MS = 1_000;
const LONGEST_BACKOFF_MS = 300_000;
const NEVER_FAIL = 1_000_000;
const AGAIN_MS = 500;

/** BullMQ as Pitwall needs it. */
export class RedisJobs implements Jobs {
  readonly #place: RedisPlace;
  readonly #commands: Redis;
  readonly #onError: (error: Error) => void;
  readonly #queues: Record<QueueName, Queue>;
  readonly #shares: Record<QueueName, Shares>;
  readonly #blocking = new Set<Redis>();

  /** `commands` must be ready; it stays its owner's to close. */
  constructor(commands: Redis, place: RedisPlace, onError: (error: Error) => void) {
    this.#place = place;
    this.#onError = onError;
    this.#commands = commands;
    this.#queues = Object.fromEntries(QUEUES.map((name) => [name, this.#makeQueue(name)])) as Record<QueueName, Queue>;
    this.#shares = Object.fromEntries(QUEUES.map((name) => [name, new Shares()])) as Record<QueueName, Shares>;
  }

  get up(): boolean {
    return this.#commands.status === 'ready';
  }

  async add(queue: QueueName, jobs: NewJob[]): Promise<void> {
    const [first] = jobs;
    if (first?.share === undefined) return this.#add(queue, jobs, null);
    const waiting = await this.#look(queue, jobs);
    await this.#shares[queue].give({ share: first.share, count: jobs.length }, waiting, (round) => this.#add(queue, jobs, round));
  }

  async free(queue: QueueName, wake: string): Promise<void> {
    const id = await this.#queues[queue].getDeduplicationJobId(wake);
    if (id !== null && (await this.#queues[queue].getJobState(id)) === 'unknown') await this.#queues[queue].removeDeduplicationKey(wake);
  }

  async counts(): Promise<Record<QueueName, number>> {
    const rows = await Promise.all(
      QUEUES.map(
        async (name) => [name, await this.#queues[name].getJobCountByTypes('waiting', 'prioritized', 'active', 'delayed')] as const,
      ),
    );
    return Object.fromEntries(rows) as Record<QueueName, number>;
  }

  time(): Promise<number> {
    return redisTime(this.#commands);
  }

  work<T>(queue: QueueName, options: { slots: number; failed(data: T | undefined, error: Error): void }, work: Work<T>): JobWorker {
    const lockMs = this.#place.lockMs ?? LOCK_MS;
    const connection = connectWorkers(this.#place.url, this.#onError);
    this.#blocking.add(connection);
    const worker = new Worker<T>(
      `${queue}-v${JOURNAL_FORMAT}`,
      (job, token, signal) => putOff(job, token, () => work(job.data, signal ?? new AbortController().signal)),
      {
        connection,
        prefix: this.#place.prefix,
        concurrency: options.slots,
        lockDuration: lockMs,
        stalledInterval: Math.min(MOST_BETWEEN_CHECKS_MS, lockMs / 4),
        maxStalledCount: NEVER_FAIL,
        drainDelay: 5,
        runRetryDelay: AGAIN_MS,
        settings: { backoffStrategy: (tries: number) => Math.min(LONGEST_BACKOFF_MS, 1_000 * 2 ** (tries - 1)) },
      },
    );
    worker.on('error', this.#onError);
    worker.on('failed', (job, error) => options.failed(job?.data, error));
    worker.on('lockRenewalFailed', (jobs: string[]) => {
      for (const id of jobs) worker.cancelJob(id, 'its lock was lost');
    });
    return {
      get working() {
        return worker.isRunning();
      },
      pause: () => void worker.pause(true),
      resume: () => void worker.resume(),
      close: () => worker.close(),
      abort: (reason) => void worker.cancelAllJobs(reason),
      drop: () => {
        this.#blocking.delete(connection);
        connection.disconnect();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.allSettled(Object.values(this.#queues).map((queue) => queue.close()));
    for (const redis of this.#blocking) redis.disconnect();
  }

  async #add(queue: QueueName, jobs: NewJob[], round: number | null): Promise<void> {
    const inTurn = (at: number) => (round === null ? {} : { priority: round + at });
    const rows = jobs.map((job, at) => ({ name: queue, data: job.data, opts: { ...optionsOf(job), ...inTurn(at) } }));
    const [only] = rows;
    if (only && rows.length === 1)
      await Promise.all([this.#queues[queue].add(only.name, only.data, only.opts), this.#tryAnew(queue, jobs[0])]);
    else await this.#queues[queue].addBulk(rows);
  }

  /** BullMQ keeps what was given up, and would let it swallow a job of the same id. */
  async #tryAnew(queue: QueueName, job: NewJob | undefined): Promise<void> {
    if (job?.id === undefined || job.tries?.pauseMs !== 'growing') return;
    if ((await this.#commands.zscore(this.#keyOf(queue, 'failed'), job.id)) === null) return;
    const kept = await this.#queues[queue].getJob(job.id);
    await kept?.retry('failed', { resetAttemptsMade: true });
  }

  #keyOf(queue: QueueName, part: string): string {
    return `${this.#place.prefix}:${queue}-v${JOURNAL_FORMAT}:${part}`;
  }

  /** BullMQ keeps what waits by priority times 2^32 and a counter, and the names of what waits or is worked on under keys of their own. */
  async #look(queue: QueueName, [job, ...others]: NewJob[]): Promise<Waiting> {
    const key = (part: string) => this.#keyOf(queue, part);
    const [head, known] = await Promise.all([
      this.#commands.zrange(key('prioritized'), '0', '0', 'WITHSCORES'),
      others.length === 0 && job?.wake !== undefined ? this.#commands.exists(key(`de:${job.wake}`)) : 0,
    ]);
    return { next: head[1] === undefined ? null : Math.floor(Number(head[1]) / 2 ** 32), known: known === 1 };
  }

  #makeQueue(name: QueueName): Queue {
    const queue = new Queue(`${name}-v${JOURNAL_FORMAT}`, {
      connection: this.#commands,
      prefix: this.#place.prefix,
      skipWaitingForReady: true,
    });
    queue.on('error', this.#onError);
    return queue;
  }
}

function optionsOf({ id, wake, delayMs, tries }: NewJob): JobsOptions {
  return {
    removeOnComplete: true,
    removeOnFail: tries?.pauseMs !== 'growing',
    ...(id === undefined ? {} : { jobId: id }),
    ...(wake === undefined ? {} : { deduplication: { id: wake, keepLastIfActive: true } }),
    ...(delayMs === undefined ? {} : { delay: delayMs }),
    ...(tries ? { attempts: tries.most, backoff: backoffOf(tries.pauseMs) } : {}),
  };
}

function backoffOf(pauseMs: number | 'growing') {
  return pauseMs === 'growing' ? { type: 'growing' } : { type: 'fixed', delay: pauseMs };
}

async function putOff(job: Job, token: string | undefined, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof NotYet)) throw error;
    await job.moveToDelayed(Date.now() + error.ms, token);
    throw new DelayedError();
  }
}
