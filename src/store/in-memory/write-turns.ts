import type { Clock } from '../../journal/clock.ts';
import type { WriteTurns } from '../../journal/effect.ts';
import { LEASE_MS, PER_HOUR, PER_MINUTE, POLL_MS, RENEW_MS } from '../write-turns.ts';
import { Expiring, getOr, type Way } from './way.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;

/** The turns of all installations, as every process sees them. */
export class TurnBoard {
  readonly #clock: Clock;
  readonly #locks: Expiring<string>;
  readonly #times = new Map<string, number[]>();
  readonly #blocked = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#locks = new Expiring(clock.now);
  }

  /** Answers 0 and gives the place, or how many ms to wait. */
  take(at: string, id: string, content: boolean): number {
    const now = this.#clock.now();
    const blocked = this.blockedFor(at);
    if (blocked > 0) return blocked;
    const wait = content ? this.#waitOf(at, now) : 0;
    if (wait > 0) return wait;
    if (this.#locks.get(at) !== undefined) return POLL_MS;
    this.#locks.set(at, id, LEASE_MS);
    if (content) getOr(this.#times, at, () => []).push(now);
    return 0;
  }

  renew(at: string, id: string): boolean {
    if (this.#locks.get(at) !== id) return false;
    this.#locks.set(at, id, LEASE_MS);
    return true;
  }

  release(at: string, id: string): void {
    if (this.#locks.get(at) === id) this.#locks.delete(at);
  }

  block(at: string, ms: number): void {
    this.#blocked.set(at, Math.max(this.#blocked.get(at) ?? 0, this.#clock.now() + ms));
  }

  blockedFor(at: string): number {
    return Math.max(0, (this.#blocked.get(at) ?? 0) - this.#clock.now());
  }

  #waitOf(at: string, now: number): number {
    const times = getOr(this.#times, at, () => []).filter((time) => time > now - HOUR);
    this.#times.set(at, times);
    const ofHour = times.at(-PER_HOUR);
    if (ofHour !== undefined) return ofHour + HOUR + 1 - now;
    const ofMinute = times.filter((time) => time >= now - MINUTE).at(-PER_MINUTE);
    return ofMinute === undefined ? 0 : ofMinute + MINUTE + 1 - now;
  }
}

/** A process' turns; a place is renewed while it is held. */
export function writeTurns(board: TurnBoard, { clock, way, name }: { clock: Clock; way: Way; name(): string }): WriteTurns {
  return {
    async take(installation, { content }) {
      const [at, id] = [String(installation), name()];
      const wait = await way('writes.take', () => board.take(at, id, content));
      if (wait > 0) return { wait };
      let held = true;
      const beat = () => {
        if (!held) return;
        void way('writes.renew', () => board.renew(at, id)).catch(() => 'the lease ends by itself');
        clock.later(RENEW_MS, beat);
      };
      clock.later(RENEW_MS, beat);
      return {
        async release() {
          held = false;
          await way('writes.release', () => board.release(at, id));
        },
      };
    },
    async block(installation, until) {
      const ms = Math.max(1, Math.ceil(until - clock.now()));
      await way('writes.block', () => board.block(String(installation), ms));
    },
    blockedFor: (installation) => way('writes.blockedFor', () => board.blockedFor(String(installation))),
  };
}
