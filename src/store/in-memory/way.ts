/** A noun of the store as plain functions over this process' memory: each is one step, as a script of Redis is. */
export type AtOnce<T> = { [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R : T[K] };

/** How a store reaches what it keeps; `what` names the call. Redis' stand-in answers at once, a simulation may delay, lose or repeat. */
export type Way = <T>(what: string, act: () => T) => Promise<T>;

/** The way that is taken where nothing is between a store and what it keeps. */
export const AT_ONCE: Way = async (_, act) => act();

/** A noun as the floors above know it: every call takes the way. */
export function reach<T extends object>(way: Way, name: string, noun: AtOnce<T>): T {
  const calls = Object.entries(noun).map(([method, act]) => [
    method,
    (...args: unknown[]) => way(`${name}.${method}`, () => (act as (...given: unknown[]) => unknown)(...args)),
  ]);
  return Object.fromEntries(calls) as T;
}

/** What is kept is a copy, as it would be in Redis: nobody changes it from outside. It is what JSON would make of plain data, without writing it. */
export function copyOf<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one: unknown) => (one === undefined ? null : copy(one)));
  if ('toJSON' in value) return JSON.parse(JSON.stringify(value)) as unknown;
  const copied: Record<string, unknown> = {};
  for (const [key, one] of Object.entries(value)) if (one !== undefined) copied[key] = copy(one);
  return copied;
}

/** The value of a key, made where there is none. */
export function getOr<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Values that are forgotten after a while. */
export class Expiring<V> {
  readonly #rows = new Map<string, { value: V; until: number }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(key: string): V | undefined {
    const row = this.#rows.get(key);
    if (row && row.until > this.#now()) return row.value;
    this.#rows.delete(key);
    return undefined;
  }

  set(key: string, value: V, ms: number): void {
    this.#rows.set(key, { value, until: this.#now() + ms });
  }

  delete(key: string): void {
    this.#rows.delete(key);
  }
}
