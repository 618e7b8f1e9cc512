/** What work is queued by. */
export const QUEUES = ['deliveries', 'runs', 'delegations', 'reports', 'timers'] as const;
/** The name of a queue. */
export type QueueName = (typeof QUEUES)[number];

/** Something to be done by one process at a time, at least once. */
export interface NewJob {
  data: unknown;
  /** While a job of this id waits or is worked on, another of it changes nothing; one that was given up is tried anew. */
  id?: string;
  /** At most one job of this name waits or is worked on; one that is added while another is worked on is done after it. */
  wake?: string;
  delayMs?: number;
  /** Whose it is: jobs that wait are taken in rounds, one of each share. All that are added at once have the same. Without one it is taken first. */
  share?: string;
  /** Absent: tried once. `pauseMs` between tries; `growing` doubles from a second up to five minutes. */
  tries?: { most: number; pauseMs: number | 'growing' };
}

/** What a worker does: given the job's data and a signal that is aborted when the job's lock was lost or this process leaves. */
export type Work<T> = (data: T, signal: AbortSignal) => Promise<void>;

/** Thrown by a worker's `Work`: the job is put off for so many ms, which is no failure. */
export class NotYet extends Error {
  override name = 'NotYet';
  readonly ms: number;

  constructor(ms: number) {
    super(`in ${ms} ms`);
    this.ms = ms;
  }
}

/** Takes jobs of one queue. */
export interface JobWorker {
  readonly working: boolean;
  /** Takes no more until `resume`; what is under way goes on. */
  pause(): void;
  resume(): void;
  /** Takes no more, and resolves when nothing is under way. */
  close(): Promise<void>;
  /** Aborts what is under way. */
  abort(reason: string): void;
  /** Lets go of what is under way without a word: others take it up when its lock expires. */
  drop(): void;
}

/** Queues of jobs that several processes share. A job whose process died is taken by another when its lock expires. */
export interface Jobs {
  add(queue: QueueName, jobs: NewJob[]): Promise<void>;
  /** Forgets a wake of which no job is left, whatever took it away: it would swallow every later one. */
  free(queue: QueueName, wake: string): Promise<void>;
  /** How many wait or are worked on. */
  counts(): Promise<Record<QueueName, number>>;
  work<T>(queue: QueueName, options: { slots: number; failed(data: T | undefined, error: Error): void }, work: Work<T>): JobWorker;
  /** The clock of all processes (ms since 1970). */
  time(): Promise<number>;
  /** Whether a job can be added right now. */
  readonly up: boolean;
  close(): Promise<void>;
}
