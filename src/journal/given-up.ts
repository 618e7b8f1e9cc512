import type { Entry } from './entry.ts';

/** Begins the key of the note that work was given up from outside, because it ended its process or its journal could not be gone on with; its value says why. */
export const GIVEN_UP = 'given-up';

/** Why work was given up from outside, as often as it was; what follows from that stands right behind each note. */
export function givenUpIn(entries: readonly Entry[]): string[] {
  return entries.flatMap((entry) => (isGivenUp(entry) ? [String(entry.value)] : []));
}

/** Whether an entry is such a note. */
export function isGivenUp(entry: Entry): entry is Extract<Entry, { type: 'noted' }> {
  return entry.type === 'noted' && (entry.key === GIVEN_UP || entry.key.startsWith(`${GIVEN_UP}/`));
}
