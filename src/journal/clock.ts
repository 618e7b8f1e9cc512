/** Time as the writing side sees it, so that tests need not wait. `sleep` rejects when the signal aborts. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `work`, which must not throw, after so many ms, if the process still lives then. */
  later(ms: number, work: () => void): void;
}

/** The time of this machine. */
export const CLOCK: Clock = {
  now: Date.now,
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal?.addEventListener('abort', stop, { once: true });
    });
  },
  later(ms, work) {
    setTimeout(work, ms).unref();
  },
};
