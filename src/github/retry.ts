import { setTimeout as sleep } from 'node:timers/promises';
import { GitHubError } from './error.ts';

/** Pauses (ms) before the second, third and fourth try. */
const PAUSES = [150, 500, 1500];
const TRANSIENT = new Set([502, 503, 504]);

/**
 * Repeats work that changes nothing on GitHub while the network or GitHub (502, 503, 504) fails, three times at most. Everything else is thrown at
 * once, rate limits too: they carry `retryAt`. `work` must throw `GitHubError`s.
 */
export async function withRetries<T>(work: () => Promise<T>, pauses: readonly number[] = PAUSES): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const pause = pauses[attempt];
      if (pause === undefined || !isTransient(error)) throw error;
      await sleep(pause * (0.75 + Math.random() / 2));
    }
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof GitHubError && (error.kind === 'network' || (error.kind === 'unavailable' && TRANSIENT.has(error.status)));
}
