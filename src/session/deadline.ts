import type { TurnAhead } from '../agent/news.ts';
import { graceFor } from './grace.ts';
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

/** The deadline that comes first; null where there is none. */
export function earliest(...deadlines: (Deadline | null)[]): Deadline | null {
  return deadlines.reduce((first, one) => (one && (!first || one.at < first.at) ? one : first), null);
}

/** Why a conversation has to end by its deadline; null before it. */
export async function overOf({ store }: Pick<Services, 'store'>, deadline: Deadline | null): Promise<string | null> {
  return deadline && (await store.now()) >= deadline.at ? deadline.reason : null;
}

/** Whether a last turn was begun longer ago than the grace period: it has no answer, and is given up. */
export async function isGraceOver({ store, settings }: Pick<Services, 'store' | 'settings'>, { again }: TurnAhead): Promise<boolean> {
  const since = again?.since ?? null;
  return since !== null && (await store.now()) >= since + graceFor(settings, again?.closing ?? null);
}
