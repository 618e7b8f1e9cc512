import type { Remark } from './problem.ts';
import { NOT_IN_FORCE } from './settings.ts';

/** A warning for each setting that a file or the environment sets and that changes nothing yet. */
export function remarksOnForce(settings: unknown): Remark[] {
  return Object.entries(NOT_IN_FORCE).flatMap(([name, why]) => {
    const path = name.split('.');
    if (!isSet(settings, path)) return [];
    return [
      { severity: 'warning', path, of: 'key', expected: 'a setting that is in force', found: name, hint: `${why}: it changes nothing` },
    ];
  });
}

/** Whether an object has a value at these keys. */
export function isSet(value: unknown, [key, ...rest]: readonly string[]): boolean {
  return (
    key === undefined ||
    (typeof value === 'object' && value !== null && Object.hasOwn(value, key) && isSet((value as Record<string, unknown>)[key], rest))
  );
}
