import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../store/store.ts';

/** A duty that one process at a time does for all, and who wants to do it. */
export interface Candidate {
  store: Pick<Store, 'duties' | 'now'>;
  duty: string;
  holder: string;
}

/** How long a process that says nothing keeps a duty (ms): whoever works on says so at every step. */
const HELD_MS = 20_000;
const ASK_AGAIN_MS = 500;

/**
 * Does one round of a duty, alone among all processes: waits while another is at it, and does nothing where one was begun since the time from which it is
 * wanted. `keep` is to be called at every step of long work; it says whether the duty is still this process'.
 */
export async function takeTurn<T>(
  { store, duty, holder }: Candidate,
  { since, signal }: { since: number; signal: AbortSignal },
  work: (keep: () => Promise<boolean>) => Promise<T>,
): Promise<T | null> {
  const { duties } = store;
  const keep = async () => !signal.aborted && (await duties.hold(duty, holder, HELD_MS));
  while (!(await keep())) {
    if (signal.aborted) return null;
    await sleep(ASK_AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
  try {
    if ((await duties.begunAt(duty)) >= since) return null;
    await duties.begin(duty, await store.now());
    return await work(keep);
  } finally {
    await duties.letGo(duty, holder);
  }
}
