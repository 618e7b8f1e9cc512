import type { Clock } from '../../journal/clock.ts';
import { type Jobs, type JobWorker, type NewJob, QUEUES, type QueueName, type Work } from '../jobs.ts';
import { Queue } from './queue.ts';
import { type Hand, Worker } from './worker.ts';

/** The queues of one installation, as every process sees them. */
export class JobBoard {
  readonly clock: Clock;
  readonly queues: Record<QueueName, Queue>;

  constructor(clock: Clock) {
    this.clock = clock;
    this.queues = Object.fromEntries(QUEUES.map((name) => [name, new Queue(clock)])) as Record<QueueName, Queue>;
  }
}

/** Queues of jobs in memory, as one process has them. */
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
