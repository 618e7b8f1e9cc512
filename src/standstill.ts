import { hostname } from 'node:os';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { destination, pino } from 'pino';

/** What the thread is started with: where the main thread counts its beats, and how long it may stand still (ms). */
interface Watched {
  heart: Float64Array;
  standstillMs: number;
}

const BEAT_MS = 500;
const STANDSTILL_MS = 60_000;

if (!isMainThread && isWatched(workerData)) watchHeart(workerData);

/**
 * Ends this process where its main thread stands still for `standstillMs`. Such a process holds its jobs' locks no longer, but takes no signal either: only its
 * end lets a service manager start another, and lets the crash be counted. Where the sources themselves are run nothing is watched. Answers how to stop watching.
 */
export function endAtStandstill({
  onError,
  standstillMs = STANDSTILL_MS,
}: {
  onError(message: string): void;
  standstillMs?: number;
}): () => Promise<void> {
  if (!import.meta.url.endsWith('.js')) return async () => {};
  const heart = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
  const beating = setInterval(() => (heart[0] = (heart[0] ?? 0) + 1), BEAT_MS);
  const thread = new Worker(new URL(import.meta.url), { workerData: { heart, standstillMs } satisfies Watched });
  thread.once('error', ({ message }) => onError(`nobody watches any more whether this process stands still: ${message}`));
  beating.unref();
  thread.unref();
  return async () => {
    clearInterval(beating);
    await thread.terminate();
  };
}

function isWatched(data: unknown): data is Watched {
  return typeof data === 'object' && data !== null && 'heart' in data && 'standstillMs' in data;
}

/** Beats are counted against this thread's own ticks, so that a machine that was suspended, or a clock that was set, ends nothing. */
function watchHeart({ heart, standstillMs }: Watched): void {
  let last = heart[0];
  let missed = 0;
  setInterval(() => {
    missed = heart[0] === last ? missed + 1 : 0;
    last = heart[0];
    if (missed * BEAT_MS < standstillMs) return;
    pino({ base: { host: hostname() } }, destination({ sync: true })).fatal(
      { ms: standstillMs },
      'the main thread stands still: this process ends, so that another can go on',
    );
    process.kill(process.pid, 'SIGKILL');
  }, BEAT_MS);
}
