import { setTimeout as sleep } from 'node:timers/promises';

/** Time as the writing side sees it, so that tests need not wait. `sleep` rejects when the signal aborts. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const CLOCK: Clock = {
  now: Date.now,
  async sleep(ms, signal) {
    await sleep(ms, undefined, signal ? { signal } : {});
  },
};
