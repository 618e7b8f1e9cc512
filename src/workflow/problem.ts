/** Something wrong in what people commit. `line` and `column` are 1-based and point at the faulty place of `file`; `path` is its JSON path (`$.steps[0].id`). */
export interface Problem {
  severity: 'error' | 'warning';
  file: string;
  line: number;
  column: number;
  path: string;
  expected: string;
  found: string;
  /** The whole sentence: what was expected, what was found, what to do. */
  message: string;
}

/** Keys and indexes that lead from the top of a document to a value. */
export type Path = readonly PropertyKey[];

/** A problem before it has a place in a file. `of: 'key'` points at the last key of the path instead of its value; `at` is an index inside a text. */
export interface Remark {
  severity: 'error' | 'warning';
  path: Path;
  expected: string;
  found?: string;
  hint?: string;
  of?: 'key' | 'value';
  at?: number;
}

/** Writes a path as people know it from other tools: `$.workflow.steps[2].params.agentId`. */
export function writePath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const name = String(part);
    return /^[A-Za-z_$][\w$-]*$/.test(name) ? `${text}.${name}` : `${text}[${JSON.stringify(cut(name, 60))}]`;
  }, '$');
}

/** Names a value in an error message, short and on one line. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return value === '' ? 'an empty text' : JSON.stringify(cut(value, 60));
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : `an array of ${value.length}`;
  const keys = Object.keys(value as object);
  return keys.length === 0
    ? 'an empty object'
    : `an object with ${keys
        .slice(0, 4)
        .map((key) => JSON.stringify(cut(key, 30)))
        .join(', ')}`;
}

/** The sentence of a problem. */
export function sentence(expected: string, found: string, hint = ''): string {
  return `expected ${expected}, found ${found}${hint === '' ? '' : ` (${hint})`}`;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
