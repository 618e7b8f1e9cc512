import { CLOCK, type Clock } from '../journal/clock.ts';
import type { WriteTurns } from '../journal/effect.ts';
import { Pending } from '../journal/errors.ts';
import { GitHubError } from './error.ts';

/** How a request is governed: `content` if GitHub counts it as creating content; `signal` ends the wait, never the request. */
export interface Turn {
  content: boolean;
  signal?: AbortSignal;
}

/** A limit without a time (ms). */
const DEFAULT_PAUSE = 60_000;
/** Added to what GitHub told, for clocks that differ by less than a second (ms). */
const MARGIN = 250;

/**
 * Lets one request of an installation through at a time, in the order they came, over all processes, and inside GitHub's limits. Waits up to
 * `maxWaitMs` in all, then throws `Pending` with the time at which it is worth trying again.
 */
export class Governor {
  readonly #turns: WriteTurns;
  readonly #clock: Clock;
  readonly #maxWaitMs: number;
  readonly #lines = new Map<number, Promise<unknown>>();

  constructor(options: { turns: WriteTurns; clock?: Clock; maxWaitMs?: number }) {
    this.#turns = options.turns;
    this.#clock = options.clock ?? CLOCK;
    this.#maxWaitMs = options.maxWaitMs ?? 10_000;
  }

  /**
   * Does `act` in a turn of its own. Where GitHub answers with a limit, which means that nothing was done, all writers are stopped until the time that it
   * names and `act` is tried again; it must bear that. Everything else that `act` throws is thrown on.
   */
  write<T>(installation: number, turn: Turn, act: () => Promise<T>): Promise<T> {
    const deadline = this.#clock.now() + this.#maxWaitMs;
    const before = this.#lines.get(installation) ?? Promise.resolve();
    const mine = before.then(() => this.#act(installation, { ...turn, deadline }, act));
    const settled = mine.catch(() => undefined);
    this.#lines.set(installation, settled);
    settled.then(() => this.#lines.get(installation) === settled && this.#lines.delete(installation));
    return mine;
  }

  async #act<T>(installation: number, turn: Turn & { deadline: number }, act: () => Promise<T>): Promise<T> {
    for (;;) {
      const release = await this.#take(installation, turn);
      try {
        return await act();
      } catch (error) {
        const until = pauseOf(error, this.#clock.now());
        if (until === null) throw error;
        await this.#turns.block(installation, until);
        if (!isLimit(error)) throw error;
      } finally {
        await release().catch(() => undefined);
      }
    }
  }

  async #take(installation: number, turn: Turn & { deadline: number }): Promise<() => Promise<void>> {
    for (;;) {
      turn.signal?.throwIfAborted();
      const place = await this.#turns.take(installation, { content: turn.content });
      if ('release' in place) return () => place.release();
      const now = this.#clock.now();
      if (now + place.wait > turn.deadline) throw new Pending('GitHub to take more writes', now + Math.max(place.wait, 1000));
      await this.#clock.sleep(place.wait, turn.signal);
    }
  }
}

/** Until when GitHub wants nothing of this installation (ms since 1970), or null. Its reset time is read by its own clock. */
function pauseOf(error: unknown, now: number): number | null {
  if (!(error instanceof GitHubError)) return null;
  const headers = error.response?.headers ?? {};
  const told = retryAfter(headers['retry-after'], now);
  if (told !== null) return told + MARGIN;
  if (!isLimit(error)) return null;
  const [reset, date] = [Number(headers['x-ratelimit-reset']) * 1000, Date.parse(String(headers.date))];
  const left = String(headers['x-ratelimit-remaining']) === '0' && reset > 0 && Number.isFinite(date) ? reset - date : 0;
  return Math.max(now + left, error.retryAt ?? now + DEFAULT_PAUSE) + MARGIN;
}

function isLimit(error: unknown): boolean {
  return error instanceof GitHubError && error.kind === 'limited';
}

/** `Retry-After` in seconds or as a date. */
function retryAfter(header: string | number | undefined, now: number): number | null {
  if (header === undefined || header === '') return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return now + Math.max(0, seconds) * 1000;
  const date = Date.parse(String(header));
  return Number.isNaN(date) ? null : Math.max(now, date);
}
