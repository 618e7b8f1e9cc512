import { GitHubError } from './error.ts';

/** Requests of one installation that this process has under way at most; GitHub allows 100 over all processes. */
const SEATS = 40;

interface Lane {
  live: number;
  waiting: (() => void)[];
  pausedUntil: number;
}

/**
 * Keeps this process inside GitHub's limits on requests: not too many at once, and none before the end of a pause that GitHub asked for. Writes have
 * a queue of their own over all processes; `onPause` tells it.
 */
export class Traffic {
  readonly #lanes = new Map<number, Lane>();
  readonly #onPause: (installation: number, until: number) => void;
  readonly #now: () => number;

  /** `onPause` is called with each new pause (ms since 1970); it must not throw. */
  constructor(options: { onPause?: (installation: number, until: number) => void; now?: () => number } = {}) {
    this.#onPause = options.onPause ?? (() => {});
    this.#now = options.now ?? Date.now;
  }

  /** Waits for a seat and answers how to give it back. Throws a `limited` error with `retryAt` while GitHub wants no requests. */
  async enter(installation: number): Promise<() => void> {
    const lane = this.#lane(installation);
    this.#refusePaused(lane);
    if (lane.live >= SEATS) await new Promise<void>((seated) => lane.waiting.push(seated));
    else lane.live++;
    const leave = () => this.#leave(lane);
    try {
      this.#refusePaused(lane);
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  /** GitHub answered with a rate limit that ends at `until` (ms since 1970). */
  pause(installation: number, until: number): void {
    const lane = this.#lane(installation);
    if (until <= lane.pausedUntil) return;
    lane.pausedUntil = until;
    this.#onPause(installation, until);
  }

  #refusePaused({ pausedUntil }: Lane): void {
    const now = this.#now();
    if (pausedUntil <= now) return;
    const headers = { 'retry-after': String(Math.ceil((pausedUntil - now) / 1000)) };
    const response = { status: 429, headers, data: { message: 'paused' } };
    const message = `GitHub asked for no requests of this installation until ${new Date(pausedUntil).toISOString()}`;
    throw new GitHubError(message, { kind: 'limited', response, retryAt: pausedUntil });
  }

  #leave(lane: Lane): void {
    const next = lane.waiting.shift();
    if (next) next();
    else lane.live--;
  }

  #lane(installation: number): Lane {
    const lane = this.#lanes.get(installation) ?? { live: 0, waiting: [], pausedUntil: 0 };
    this.#lanes.set(installation, lane);
    return lane;
  }
}
