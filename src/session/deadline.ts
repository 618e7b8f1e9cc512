import type { News } from '../agent/conversation.ts';
import type { Services } from './services.ts';

/** The earliest of several ends (ms since 1970), with its reason. */
export interface Deadline {
  at: number;
  reason: string;
}

/** A deadline from the time of an entry, so that it holds across crashes. `minutes` may be a fraction. */
export function deadlineFrom(from: number, minutes: number, what: string): Deadline {
  return { at: from + Math.round(minutes * 60_000), reason: `${what} of ${minutes} minutes is over` };
}

export function earliest(...deadlines: (Deadline | null)[]): Deadline | null {
  return deadlines.reduce((first, one) => (one && (!first || one.at < first.at) ? one : first), null);
}

/** What a conversation hears of its deadline: nothing before it, the closing reason after it. */
export async function hearDeadline({ store }: Pick<Services, 'store'>, deadline: Deadline | null): Promise<News> {
  if (!deadline) return { texts: [], closing: null };
  return { texts: [], closing: (await store.now()) >= deadline.at ? deadline.reason : null };
}
