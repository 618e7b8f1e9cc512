import { nearest } from './nearest.ts';
import type { Remark } from './problem.ts';
import { NOT_IN_FORCE } from './settings.ts';

/** The tools that there are, for the setting `deny`. `is` knows older names too. */
export interface ToolNames {
  names: readonly string[];
  is(name: string): boolean;
}

/** A warning for each thing in settings that changes nothing: of a part that is not built, or, where tools are given, a denied tool that is none. */
export function remarksOnForce(settings: unknown, tools: ToolNames | undefined): Remark[] {
  return [...remarksOnParts(settings), ...(tools ? remarksOnDeny(settings, tools) : [])];
}

const MOST_NAMES = 500;

function remarksOnDeny(settings: unknown, { names, is }: ToolNames): Remark[] {
  const deny: unknown = typeof settings === 'object' && settings !== null && 'deny' in settings ? settings.deny : [];
  if (!Array.isArray(deny)) return [];
  return deny.slice(0, MOST_NAMES).flatMap((name: unknown, at): Remark[] => {
    if (typeof name !== 'string' || is(name)) return [];
    const near = nearest(name, names);
    const hint = near ? `did you mean ${JSON.stringify(near)}?` : 'it denies nothing';
    return [{ severity: 'warning', path: ['deny', at], expected: 'the name of a tool', found: JSON.stringify(name.slice(0, 60)), hint }];
  });
}

function remarksOnParts(settings: unknown): Remark[] {
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
