import { RE2JS } from 're2js';

const LONGEST = 1000;
const KEPT = 500;
const compiled = new Map<string, RE2JS | string>();

/** Says why the linear-time engine refuses a pattern, or null where it takes it. */
export function refusalOf(pattern: string): string | null {
  const result = compile(pattern);
  return typeof result === 'string' ? result : null;
}

/** Whether the pattern is found anywhere in the text, in time linear in its length. A refused pattern is found nowhere. */
export function findsPattern(pattern: string, text: string): boolean {
  const result = compile(pattern);
  return typeof result === 'string' ? false : result.matcher(text).find();
}

function compile(pattern: string): RE2JS | string {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const result = attempt(pattern);
  if (compiled.size >= KEPT) compiled.clear();
  compiled.set(pattern, result);
  return result;
}

function attempt(pattern: string): RE2JS | string {
  if (pattern.length > LONGEST) return `it has over ${LONGEST} characters`;
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
