import { randomUUID } from 'node:crypto';
import { open, readFile, rename, stat, unlink, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const BEAT_MS = 1_000;
const STALE_MS = 6_000;
const LOOK_MS = 100;

/**
 * Does `work` while this process holds a lock file that all processes on one data directory respect. The holder touches the file every second;
 * a file untouched for 6 s belongs to a process that died and is taken over. Two may hold it for a moment after such a take-over, so use it
 * for work that is only wasteful when done twice (git's own locks keep a mirror whole).
 */
export async function holdLock<T>(file: string, work: () => Promise<T>, options: { signal?: AbortSignal } = {}): Promise<T> {
  const token = randomUUID();
  while (!(await tryTake(file, token))) {
    await dropStale(file);
    await sleep(LOOK_MS, undefined, { signal: options.signal });
  }
  const beat = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if ((await readFile(file, 'utf8').catch(() => '')) === token) await unlink(file).catch(() => undefined);
  }
}

async function tryTake(file: string, token: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(token).finally(() => handle.close());
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function dropStale(file: string): Promise<void> {
  const seen = await stat(file).catch(() => null);
  if (!seen || Date.now() - seen.mtimeMs < STALE_MS) return;
  const aside = `${file}.${randomUUID()}`;
  await rename(file, aside).catch(() => undefined);
  await unlink(aside).catch(() => undefined);
}
