import type { Services } from '../session/services.ts';
import type { Expectable } from '../store/expected.ts';

/** What was taken and did not move either is looked at again after this long (ms). */
const AGAIN_MS = 60_000;
const BATCH = 100;

/**
 * Wakes what should have moved by now and did not: its job, its timer or its wake was lost. Looks for effects in doubt as well. A wake too many does no
 * harm, so nothing is asked first; what is on time costs nothing. Answers how many were due. May be done by every process.
 */
export async function sweep(services: Pick<Services, 'store' | 'github' | 'log'>): Promise<number> {
  const { store, log } = services;
  for (let count = 0; ; ) {
    const now = await store.now();
    const due = await store.expected.take(now, { again: now + AGAIN_MS, most: BATCH });
    await Promise.all(
      due.map((one) =>
        moveOn(services, one).catch((error: unknown) => log.warn({ ...one, err: error }, 'this could not be looked at again')),
      ),
    );
    count += due.length;
    if (due.length < BATCH) return count;
  }
}

async function moveOn({ store, github }: Pick<Services, 'store' | 'github'>, { wake, id }: Expectable): Promise<void> {
  if (wake !== 'effect') return store.queues.wakeAgain({ wake, id });
  const next = await github.lookAgain(id);
  if (next === null) await store.expected.forget({ wake, id });
  else await store.expected.expect([{ wake, id }], next);
}
