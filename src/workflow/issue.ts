import type { z } from 'zod';
import { nearest } from './nearest.ts';
import type { Path, Remark } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** Nobody reads of more unknown keys of one object. */
const MOST_STRANGERS = 500;

const TYPES: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  record: 'an object',
};

/** What a schema says of a value. `data` is there where nothing but unknown keys was wrong; those are left out of it. */
export interface Checked<T> {
  data: T | null;
  remarks: Remark[];
}

/**
 * Checks a value against a schema and reports all mistakes at once, each with its path under `base`. Unknown keys are
 * warnings with the nearest known key, or errors where `unknown` says so.
 */
export function checkValue<S extends z.ZodType>(
  schema: S,
  value: unknown,
  options: { base?: Path; unknown?: 'error' | 'warning' } = {},
): Checked<z.infer<S>> {
  const { base = [], unknown = 'warning' } = options;
  const first = schema.safeParse(value, { error: carryKeys, reportInput: true });
  if (first.success) return { data: first.data, remarks: [] };
  const issues = first.error.issues.flatMap((issue) => flatten(issue, []));
  const strangers = issues.filter((issue) => issue.code === 'unrecognized_keys');
  const remarks = issues.flatMap((issue) => toRemarks(issue, base, unknown));
  if (unknown === 'error' || strangers.length < issues.length) return { data: null, remarks };
  const second = schema.safeParse(without(value, strangers));
  return { data: second.success ? second.data : null, remarks };
}

/** The error map has the schema in hand and the issue has not: known keys and members travel in the message. */
function carryKeys(issue: z.core.$ZodRawIssue): string | undefined {
  const { shape, discriminator } = (issue.inst?._zod.def ?? {}) as { shape?: object; discriminator?: string };
  if (issue.code === 'unrecognized_keys') return Object.keys(shape ?? {}).join('\n');
  const members = (issue.inst?._zod as { propValues?: Record<string, Set<unknown>> } | undefined)?.propValues;
  const values = members?.[discriminator ?? ''];
  return issue.code === 'invalid_union' && values ? [...values].join('\n') : undefined;
}

/** Of a union only the branch is reported that the value most likely was meant for. */
function flatten(issue: Issue, path: Path): Issue[] {
  const here = { ...issue, path: [...path, ...issue.path] } as Issue;
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [here];
  const branches = issue.errors.map((errors) => errors.flatMap((error) => flatten(error, [])));
  const scored = branches.map((errors) => ({ errors, score: errors.reduce((sum, error) => sum + weigh(error), 0) }));
  const best = scored.reduce((a, b) => (b.score < a.score ? b : a));
  if (best.errors.some((error) => error.path.length === 0 && error.code === 'invalid_type')) {
    const types = branches.flatMap((errors) =>
      errors.map((error) => (error.code === 'invalid_type' ? (TYPES[error.expected] ?? error.expected) : '')),
    );
    return [
      {
        code: 'custom',
        path: here.path,
        message: '',
        params: { expected: [...new Set(types)].filter(Boolean).join(' or ') },
      } as unknown as Issue,
    ];
  }
  return best.errors.map((error) => ({ ...error, path: [...here.path, ...error.path] }) as Issue);
}

function weigh(issue: Issue): number {
  if (issue.code === 'unrecognized_keys') return issue.keys.length;
  return issue.path.length === 0 ? 20 : 3;
}

function toRemarks(issue: Issue, base: Path, unknown: 'error' | 'warning'): Remark[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message.split('\n').filter(Boolean);
    return issue.keys.slice(0, MOST_STRANGERS).map((key) => strangeKey({ path: [...path, key], known, severity: unknown }));
  }
  const near = typeof issue.input === 'string' ? nearest(issue.input, optionsOf(issue)) : null;
  return [{ severity: 'error', path, expected: expectedBy(issue), ...(near ? { hint: `did you mean ${JSON.stringify(near)}?` } : {}) }];
}

/** What an enumeration, or the field that tells the members of a union apart, may hold. */
function optionsOf(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  return issue.code === 'invalid_union' ? issue.message.split('\n').filter(Boolean) : [];
}

/** A key that the format does not have, with the nearest that it has. */
export function strangeKey({ path, known, severity }: { path: Path; known: readonly string[]; severity: Remark['severity'] }): Remark {
  const key = String(path.at(-1));
  const near = nearest(key, known);
  const list = known.length <= 12 ? `one of the keys ${known.join(', ')}` : 'a known key';
  return {
    severity,
    path,
    of: 'key',
    expected: near ? `the key ${JSON.stringify(near)}` : list,
    found: `the unknown key ${JSON.stringify(key.slice(0, 60))}`,
    ...(near ? { hint: `did you mean ${JSON.stringify(near)}?` } : {}),
  };
}

function expectedBy(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.length === 1
        ? JSON.stringify(issue.values[0])
        : `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'too_small':
      return issue.origin === 'string'
        ? 'a text that is not empty'
        : boundary(issue.origin, issue.inclusive ? 'at least' : 'more than', issue.minimum);
    case 'too_big':
      return boundary(issue.origin, issue.inclusive ? 'at most' : 'less than', issue.maximum);
    case 'invalid_format':
      return issue.format === 'regex' ? `a text of the form ${issue.pattern}` : `a text that is a valid ${issue.format}`;
    case 'invalid_union':
      return `one of ${
        optionsOf(issue)
          .map((option) => JSON.stringify(option))
          .join(', ') || 'the known forms'
      }`;
    case 'custom':
      return typeof issue.params?.expected === 'string' ? issue.params.expected : issue.message;
    default:
      return issue.message;
  }
}

function boundary(origin: string, word: string, limit: number | bigint): string {
  return origin === 'array' ? `an array with ${word} ${limit} entr${limit === 1 ? 'y' : 'ies'}` : `a number of ${word} ${limit}`;
}

/** A copy of the value without the keys that the schema did not know. */
function without(value: unknown, strangers: Issue[]): unknown {
  const copy = structuredClone(value);
  for (const issue of strangers) {
    if (issue.code !== 'unrecognized_keys') continue;
    const holder = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], copy);
    for (const key of issue.keys) delete (holder as Record<string, unknown>)[key];
  }
  return copy;
}
