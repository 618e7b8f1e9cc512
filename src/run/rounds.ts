import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { GitHubError } from '../github/error.ts';
import type { Store } from '../store/store.ts';

/** Work that comes round again and again. */
export interface RoundsParts {
  /** One round; `since` is the time (ms, by the store's clock) from which the work is wanted. May throw: then it is tried again, after growing pauses. */
  round(turn: { since: number; signal: AbortSignal }): Promise<unknown>;
  store: Pick<Store, 'now'>;
  log: Logger;
  everyMs: number;
  /** Further rounds after the first, each so many ms after the start. */
  early?: number[];
  /** What is logged when a round fails. */
  trouble: string;
}

const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 300_000;
/** How long a stop waits for a round that is under way (ms). */
const STOP_MS = 1_000;
/** Part of the time between rounds after which another process' round counts as this one's. */
const NEARLY = 0.8;

/** Does a round at once, some soon after, and then one every so often, until it is stopped. A round that fails is logged, and nothing else. */
export class Rounds {
  readonly #parts: RoundsParts;
  readonly #leaving = new AbortController();
  #working: Promise<void> = Promise.resolve();
  #failures = 0;
  #begunAt = 0;
  #soon: number[] = [];
  #nap = new AbortController();

  constructor(parts: RoundsParts) {
    this.#parts = parts;
  }

  /** Aborted when the rounds are stopped. */
  get signal(): AbortSignal {
    return this.#leaving.signal;
  }

  start(): void {
    this.#begin();
    this.#working = this.#work();
  }

  /** As at the start: a round now, and some soon after. One that GitHub wants to wait for waits. */
  startAgain(): void {
    this.#begin();
    this.#nap.abort();
  }

  async stop(): Promise<void> {
    this.#leaving.abort();
    const late = new AbortController();
    await Promise.race([this.#working, sleep(STOP_MS, undefined, { signal: late.signal }).catch(() => undefined)]);
    late.abort();
  }

  async #work(): Promise<void> {
    const { everyMs, log, trouble } = this.#parts;
    const { signal } = this.#leaving;
    for (let ago = 0; !signal.aborted; ) {
      const nap = new AbortController();
      this.#nap = nap;
      const error = await this.#round(ago);
      if (signal.aborted) return;
      const next = error === null ? this.#soon.shift() : undefined;
      const regular = next === undefined ? everyMs : Math.max(0, this.#begunAt + next - Date.now());
      const pause = error === null ? regular : pauseAfter(error, everyMs, this.#failures);
      if (error !== null) log.warn({ err: error, pause }, trouble);
      const woken = allowedAt(error) === null ? AbortSignal.any([signal, nap.signal]) : signal;
      await sleep(pause, undefined, { signal: woken, ref: false }).catch(() => undefined);
      ago = error === null && next === undefined && !nap.signal.aborted ? NEARLY * everyMs : 0;
    }
  }

  #begin(): void {
    this.#begunAt = Date.now();
    this.#soon = [...(this.#parts.early ?? [])];
  }

  /** Answers what went wrong, or null. `ago`: a round that another process began within so many ms is as good. */
  async #round(ago: number): Promise<unknown> {
    const { store, round } = this.#parts;
    try {
      await round({ since: (await store.now()) - ago, signal: this.#leaving.signal });
      this.#failures = 0;
      return null;
    } catch (error) {
      this.#failures++;
      return error;
    }
  }
}

/** Sooner than the next regular round where that is far off; never before GitHub allows it. */
function pauseAfter(error: unknown, everyMs: number, failures: number): number {
  const growing = Math.min(LONGEST_PAUSE_MS, Math.min(everyMs, FIRST_PAUSE_MS) * 2 ** Math.min(failures, 10));
  const allowed = allowedAt(error);
  return allowed === null ? growing : Math.max(growing, allowed - Date.now());
}

/** When GitHub wants to be asked again (ms since 1970); null where it did not say. */
function allowedAt(error: unknown): number | null {
  return error instanceof GitHubError && error.retryAt !== undefined ? error.retryAt : null;
}
