import { setTimeout as sleep } from 'node:timers/promises';
import { GitHubError } from './error.ts';

/** Requests of one installation that this process has under way at most; GitHub allows 100 over all processes. */
const SEATS = 40;

/** The end of a pause is waited for where it is this near (ms). */
const WAITED_FOR_MS = 500;
/** What other processes were told is known here after this long (ms). */
const HEARD_MS = 200;

interface Lane {
  live: number;
  waiting: (() => void)[];
  pausedUntil: number;
  /** When other processes were last asked, and what they answer. */
  askedAt: number;
  heard: Promise<void>;
}

/** What happens between processes; times in ms since 1970, spans in ms. */
export interface TrafficOptions {
  /** Called with each new pause; must not throw. */
  onPause?: (installation: number, until: number) => void;
  /** How much is left of a pause that any process was told. Where it throws, only the pauses of this one are known. */
  pausedFor?: (installation: number) => Promise<number>;
  now?: () => number;
}

/**
 * Keeps this process inside GitHub's limits on requests: not too many at once, and none before the end of a pause that GitHub asked this process or another
 * for. Writes have a queue of their own over all processes; `onPause` tells it.
 */
export class Traffic {
  readonly #lanes = new Map<number, Lane>();
  readonly #onPause: NonNullable<TrafficOptions['onPause']>;
  readonly #pausedFor: TrafficOptions['pausedFor'];
  readonly #now: () => number;

  constructor(options: TrafficOptions = {}) {
    this.#onPause = options.onPause ?? (() => {});
    this.#pausedFor = options.pausedFor;
    this.#now = options.now ?? Date.now;
  }

  /** Waits for a seat and answers how to give it back. Throws a `limited` error with `retryAt` while GitHub wants no requests for longer than a moment. */
  async enter(installation: number): Promise<() => void> {
    const lane = this.#lane(installation);
    await this.#hear(installation, lane);
    await this.#waitPaused(lane);
    if (lane.live >= SEATS) await new Promise<void>((seated) => lane.waiting.push(seated));
    else lane.live++;
    const leave = () => this.#leave(lane);
    try {
      await this.#waitPaused(lane);
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

  /** Asks what other processes were told, where that was not asked just now. */
  #hear(installation: number, lane: Lane): Promise<void> {
    const now = this.#now();
    if (!this.#pausedFor || now - lane.askedAt < HEARD_MS) return lane.heard;
    lane.askedAt = now;
    lane.heard = this.#pausedFor(installation).then(
      (left) => {
        if (left > 0) lane.pausedUntil = Math.max(lane.pausedUntil, this.#now() + left);
      },
      () => undefined,
    );
    return lane.heard;
  }

  /** Throws where that would take long. */
  async #waitPaused(lane: Lane): Promise<void> {
    for (;;) {
      const left = lane.pausedUntil - this.#now();
      if (left <= 0) return;
      if (left > WAITED_FOR_MS) throw refusalOf(lane.pausedUntil, left);
      await sleep(left);
    }
  }

  #leave(lane: Lane): void {
    const next = lane.waiting.shift();
    if (next) next();
    else lane.live--;
  }

  #lane(installation: number): Lane {
    const lane = this.#lanes.get(installation) ?? { live: 0, waiting: [], pausedUntil: 0, askedAt: 0, heard: Promise.resolve() };
    this.#lanes.set(installation, lane);
    return lane;
  }
}

function refusalOf(until: number, left: number): GitHubError {
  const headers = { 'retry-after': String(Math.ceil(left / 1000)) };
  const response = { status: 429, headers, data: { message: 'paused' } };
  const message = `GitHub asked for no requests of this installation until ${new Date(until).toISOString()}`;
  return new GitHubError(message, { kind: 'limited', response, retryAt: until });
}
