import type { Entry } from '../journal/entry.ts';
import { isStoreTrouble } from '../store/redis.ts';
import type { Store } from '../store/store.ts';

/** The first and the last entry of a journal, of which nothing else is read; `last` is null also where it cannot be read itself. */
export async function readEnds({ journals }: Store, id: string): Promise<{ first: Entry | null; last: Entry | null }> {
  const [first = null] = await journals.firstOf([id]);
  const [last = null] = await journals.lastOf([id]).catch((error: unknown) => {
    if (isStoreTrouble(error)) throw error;
    return [];
  });
  return { first, last };
}
