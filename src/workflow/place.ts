import type { Path } from './problem.ts';

/** A value of a document that may have any form, and the path that leads to it: for checks that go on where a schema has given up. */
export interface Place {
  value: unknown;
  path: Path;
}

/** The place under a key; its value is undefined where there is none. */
export function at(place: Place, key: string): Place {
  const { value } = place;
  const holds = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, key);
  return { value: holds ? (value as Record<string, unknown>)[key] : undefined, path: [...place.path, key] };
}

/** The entries of a list; none where it is no list. */
export function itemsOf(place: Place): Place[] {
  return Array.isArray(place.value) ? place.value.map((value, index) => ({ value, path: [...place.path, index] })) : [];
}

/** The text of a place, or null where it is no text. */
export function textAt(place: Place): string | null {
  return typeof place.value === 'string' ? place.value : null;
}

/** The number of a place, or null. */
export function numberAt(place: Place): number | null {
  return typeof place.value === 'number' && Number.isFinite(place.value) ? place.value : null;
}

/** Whether there is nothing at a place: absent and null are the same. */
export function isAbsent(place: Place): boolean {
  return place.value === undefined || place.value === null;
}

/** Every text under a place, with its own place. */
export function textsUnder(place: Place): Place[] {
  if (typeof place.value === 'string') return [place];
  if (Array.isArray(place.value)) return itemsOf(place).flatMap(textsUnder);
  if (typeof place.value !== 'object' || place.value === null) return [];
  return Object.keys(place.value).flatMap((key) => textsUnder(at(place, key)));
}
