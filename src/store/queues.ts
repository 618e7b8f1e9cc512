import { CLOCK, type Clock } from '../journal/clock.ts';
import { type Jobs, type JobWorker, NotYet, type QueueName } from './jobs.ts';
import { Wishes } from './wishes.ts';

/** One webhook as it came in: the raw body as text, its event name and delivery id. */
export interface Delivery {
  id: string;
  event: string;
  body: string;
}

/** What a timer does when it is due: wake something. */
export interface Timer {
  wake: 'run' | 'delegation' | 'report';
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

const RETRY_MS = 2_000;
/** A delivery is tried for about half a day, then kept as failed. */
const DELIVERY_TRIES = 200;
const MOST_REMEMBERED = 10_000;
/** Nothing that has to wake something may be lost while Redis is away. */
const TIMER_TRIES = { most: 1_000_000, pauseMs: 1_000 };
const AGAIN_MS = 500;
const HAND_OVER_MS = 1_000;
/** Clocks of machines may differ by as much: a timer that is due sooner may have fired already. */
const CLOCKS_DIFFER_MS = 10_000;

/** The queues: deliveries, runs, delegations and reports do work, timers only wake. */
export class Queues {
  readonly #jobs: Jobs;
  readonly #clock: Clock;
  readonly #onError: (error: Error) => void;
  readonly #shareOf: (id: string) => Promise<number | null>;
  /** Timers that this process has set for a later time; spares asking again for the same one at every advance. */
  readonly #timers = new Set<string>();
  /** For which second this process has asked for a wake; spares asking again. */
  readonly #soon = new Map<string, number>();
  readonly #reports: Wishes;
  #workers: JobWorker[] = [];
  #leaving = false;
  #paused = false;

  /** `shareOf` tells the installation that a run or delegation works for: slots are taken round-robin by it, so that a busy one starves no other. */
  constructor(jobs: Jobs, options: { onError(error: Error): void; shareOf(id: string): Promise<number | null>; clock?: Clock }) {
    this.#jobs = jobs;
    this.#clock = options.clock ?? CLOCK;
    this.#onError = options.onError;
    this.#shareOf = options.shareOf;
    this.#reports = new Wishes(this.#clock, (id) => this.#wake('reports', id));
  }

  /** Takes a delivery in; the same id again changes nothing while it waits or runs. */
  async addDelivery(delivery: Delivery): Promise<void> {
    await this.#jobs.add('deliveries', [{ data: delivery, id: safeId(delivery.id), tries: { most: DELIVERY_TRIES, pauseMs: 'growing' } }]);
  }

  /** Asks for an advance of a run: at most one at a time, at least one after every wake. */
  async wakeRun(id: string): Promise<void> {
    await this.#wake('runs', id);
  }

  /** Wakes a run within a second: many such wishes are one wake. */
  async wakeRunSoon(id: string): Promise<void> {
    const second = (Math.floor(this.#clock.now() / 1_000) + 1) * 1_000;
    if (this.#soon.get(id) === second) return;
    await this.#addTimer({ wake: 'run', id, at: null }, second);
    if (this.#soon.size >= MOST_REMEMBERED) this.#soon.clear();
    this.#soon.set(id, second);
  }

  async wakeDelegation(id: string): Promise<void> {
    await this.#wake('delegations', id);
  }

  /** Wakes many delegations of one run at once. */
  async wakeDelegations(ids: string[]): Promise<void> {
    await this.#wake('delegations', ...ids);
  }

  /** Has a report made now. */
  async wakeReport(id: string): Promise<void> {
    await this.#reports.grant(id);
  }

  /** Has a report made soon: what changes quickly is one report. Whoever goes on with the work of a process that died wishes for it again. */
  async wishReport(id: string): Promise<void> {
    await this.#reports.wish(id);
  }

  /** Wakes something that should have moved, also where the job of an earlier wake is gone without a trace. */
  async wakeAgain({ wake, id }: Timer): Promise<void> {
    const queue = `${wake}s` as const;
    await this.#jobs.free(queue, id);
    await this.#wake(queue, id);
  }

  /** Wakes something at a time (ms since 1970, by Redis' clock), never before it. The same timer set twice fires once. */
  async setTimer(timer: Timer, at: number): Promise<void> {
    const name = `${timer.wake}-${timer.id}-${Math.ceil(at)}`;
    const isFar = at - this.#clock.now() > CLOCKS_DIFFER_MS;
    if (isFar && this.#timers.has(name)) return;
    await this.#addTimer({ ...timer, at: Math.ceil(at) }, at);
    if (!isFar) return;
    if (this.#timers.size >= MOST_REMEMBERED) this.#timers.clear();
    this.#timers.add(name);
  }

  /** Starts taking work. `slots` bounds how many jobs of a kind run at once in this process. */
  startWorkers(handlers: Handlers, slots: { advances: number; delegations: number }): void {
    this.#leaving = false;
    const advance = (wake: 'run' | 'delegation' | 'report') => (work: Work, signal: AbortSignal) =>
      this.#advance({ wake, id: work.id }, () => handlers[wake](work.id, signal), handlers);
    const start = <T extends Work>(queue: QueueName, slots: number, work: (data: T, signal: AbortSignal) => Promise<void>) =>
      this.#jobs.work<T>(queue, { slots, failed: (data, error) => handlers.failed(queue, data?.id ?? '', error) }, work);
    this.#workers = [
      start<Delivery>('deliveries', 32, handlers.delivery),
      start('runs', slots.advances, advance('run')),
      start('delegations', slots.delegations, advance('delegation')),
      start('reports', 64, advance('report')),
      start<SetTimer>('timers', 64, (timer) => this.#fire(timer)),
    ];
    if (this.#paused) this.pause();
  }

  /** Takes no further work until `resume`; what is under way goes on. */
  pause(): void {
    this.#paused = true;
    for (const worker of this.#workers) worker.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const worker of this.#workers) worker.resume();
  }

  get working(): boolean {
    return this.#workers.length > 0 && this.#workers.every((worker) => worker.working);
  }

  /** How many jobs wait or run, by queue. */
  counts(): Promise<Record<QueueName, number>> {
    return this.#jobs.counts();
  }

  /**
   * Stops taking work and waits for what is under way, at most `ms`. What is left then is aborted and handed over by a timer; what does not even hear
   * of that loses its connection, and others take it up when its lock expires.
   */
  async stopWorkers(ms: number): Promise<void> {
    this.#leaving = true;
    const workers = this.#workers;
    this.#workers = [];
    const closing = Promise.allSettled([...workers.map((worker) => worker.close()), this.#reports.grantAll()]);
    if (!(await isOver(closing, ms, this.#clock))) {
      for (const worker of workers) worker.abort('this process stops');
      await isOver(closing, HAND_OVER_MS, this.#clock);
    }
    for (const worker of workers) worker.drop();
  }

  async close(): Promise<void> {
    await this.#reports.grantAll().catch(this.#onError);
    await this.#jobs.close();
  }

  async #wake(queue: 'runs' | 'delegations' | 'reports', ...ids: string[]): Promise<void> {
    const [first] = ids;
    if (first === undefined) return;
    const installation = await this.#shareOf(first);
    const share = installation === null ? {} : { share: String(installation) };
    await this.#jobs.add(
      queue,
      ids.map((id) => ({ data: { id }, wake: id, ...share })),
    );
  }

  /** A time that has passed already gets a name of its own: a timer of the old name may be firing right now, and would swallow it. */
  async #addTimer(timer: SetTimer, at: number): Promise<void> {
    const now = this.#clock.now();
    const due = Math.max(Math.ceil(at), now + 1);
    await this.#jobs.add('timers', [{ data: timer, id: `${timer.wake}-${timer.id}-${due}`, delayMs: due - now, tries: TIMER_TRIES }]);
  }

  async #fire(timer: SetTimer): Promise<void> {
    const early = timer.at === null ? 0 : timer.at - (await this.#jobs.time());
    if (early > 0) throw new NotYet(early);
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
    while (!this.#leaving || this.#jobs.up) {
      try {
        return await this.#addTimer({ ...timer, at: null }, this.#clock.now() + RETRY_MS);
      } catch (error) {
        this.#onError(error instanceof Error ? error : new Error(String(error)));
        await this.#clock.sleep(AGAIN_MS);
      }
    }
    await new Promise<never>(() => {});
  }
}

/** Job ids may hold no colon and be no integer. */
function safeId(id: string): string {
  return `d-${id.replace(/[^\w-]/g, '_').slice(0, 128)}`;
}

async function isOver(work: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> {
  const waiting = new AbortController();
  const late = clock.sleep(ms, waiting.signal).then(
    () => false,
    () => false,
  );
  const over = await Promise.race([work.then(() => true), late]);
  waiting.abort();
  return over;
}
