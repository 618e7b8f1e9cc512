import type { News } from '../agent/conversation.ts';
import type { Journal } from '../journal/journal.ts';
import type { Services } from './services.ts';

/** The earliest of several ends (ms since 1970), with its reason. */
export interface Deadline {
  at: number;
  reason: string;
}

/** Sets a deadline once, from the journal's own time: it holds across crashes. `minutes` may be a fraction; null is none. */
export async function setDeadline(
  journal: Journal,
  key: string,
  limit: { from: number; minutes: number | null; reason: string },
): Promise<Deadline | null> {
  const { minutes } = limit;
  if (minutes === null) return null;
  return journal.once(`${key}/deadline`, () => ({ at: limit.from + Math.round(minutes * 60_000), reason: limit.reason }));
}

export function earliest(...deadlines: (Deadline | null)[]): Deadline | null {
  return deadlines.reduce((first, one) => (one && (!first || one.at < first.at) ? one : first), null);
}

/** What a conversation hears of its deadline: nothing before it, the closing reason after it. */
export async function hearDeadline({ store }: Pick<Services, 'store'>, deadline: Deadline | null): Promise<News> {
  if (!deadline) return { texts: [], closing: null };
  return { texts: [], closing: (await store.now()) >= deadline.at ? deadline.reason : null };
}
