import { CLOCK, type Clock } from '../journal/clock.ts';
import type { WriteTurns } from '../journal/effect.ts';
import { Pending } from '../journal/errors.ts';
import { GitHubError, limitOf, retryAfterOf } from './error.ts';

/** How a request is governed: `content` if GitHub counts it as creating content; `signal` ends the wait, never the request. */
export interface Turn {
  content: boolean;
  signal?: AbortSignal;
}

/** A limit without a time (ms). */
const DEFAULT_PAUSE = 60_000;
/** However short the pause is that a limit names (ms): a writer that waits for it must not run against the limit over and over. */
const SHORTEST_PAUSE = 1_000;
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
    const before = this.#lines.get(installation);
    const place = before ? this.#waitInLine(before, turn) : Promise.resolve();
    const mine = place.then(() => this.#act(installation, { ...turn, deadline }, act));
    const settled = Promise.allSettled([before, mine]);
    this.#lines.set(installation, settled);
    settled.then(() => this.#lines.get(installation) === settled && this.#lines.delete(installation));
    return mine;
  }

  /** Waits for those who came before, who may be slow: no longer than a writer may wait at all. Who leaves the line keeps nobody behind them waiting. */
  async #waitInLine(before: Promise<unknown>, { signal }: Turn): Promise<void> {
    signal?.throwIfAborted();
    let leave = () => {};
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal?.reason);
      this.#clock.later(this.#maxWaitMs, () => reject(new Pending('its turn to write to GitHub', this.#clock.now() + 1000)));
    });
    signal?.addEventListener('abort', leave, { once: true });
    try {
      await Promise.race([before, left]);
    } finally {
      signal?.removeEventListener('abort', leave);
    }
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

/** Until when GitHub wants nothing of this installation (ms since 1970), by this clock; null where the answer asks for no pause. */
function pauseOf(error: unknown, now: number): number | null {
  if (!(error instanceof GitHubError)) return null;
  const { response, message } = error;
  if (!isLimit(error)) {
    const told = response ? retryAfterOf(response, now) : null;
    return told === null ? null : told + MARGIN;
  }
  const until = (response && limitOf(response, message, now)) ?? error.retryAt ?? now + DEFAULT_PAUSE;
  return Math.max(until, now + SHORTEST_PAUSE) + MARGIN;
}

function isLimit(error: unknown): boolean {
  return error instanceof GitHubError && error.kind === 'limited';
}
