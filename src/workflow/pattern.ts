import { LRUCache } from 'lru-cache';
import { RE2JS } from 're2js';

const LONGEST = 1000;
const LARGEST = 1000;
const compiled = new LRUCache<string, RE2JS | string>({ max: 500, memoMethod: compile });

/** Says why the linear-time engine refuses a pattern, or null where it takes it. */
export function refusalOf(pattern: string): string | null {
  const result = compiled.memo(pattern);
  return typeof result === 'string' ? result : null;
}

/** Whether the pattern is found anywhere in the text, in time linear in its length. A refused pattern is found nowhere. */
export function findsPattern(pattern: string, text: string): boolean {
  const result = compiled.memo(pattern);
  return typeof result === 'string' ? false : result.matcher(text).find();
}

/**
 * About how many characters a pattern has once its counts are written out: `(ab){3}` has six. The engine writes them out, so time and memory follow this, and
 * not the pattern's own length.
 */
export function sizeOf(pattern: string): number {
  const open: { total: number; last: number }[] = [];
  let group = { total: 0, last: 0 };
  for (const [atom, counts] of pattern.matchAll(ATOM)) {
    if (atom === '(') {
      open.push(group);
      group = { total: 0, last: 0 };
    } else if (counts !== undefined) {
      const times = Math.max(1, ...counts.split(',').map(Number));
      group.total += group.last * (times - 1);
      group.last *= times;
    } else {
      const size = atom === ')' ? group.total + 1 : 1;
      if (atom === ')') group = open.pop() ?? group;
      group = { total: group.total + size, last: size };
    }
  }
  return open.reduce((sum, { total }) => sum + total, group.total);
}

/** A counted repetition, an escaped character, a class of characters, any other character. */
const ATOM = /\{(\d{1,4}(?:,\d{0,4})?)\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|./gsu;

/** The pattern, or why it is refused. */
function compile(pattern: string): RE2JS | string {
  if (pattern.length > LONGEST) return `it has over ${LONGEST} characters`;
  if (sizeOf(pattern) > LARGEST) return `it has over ${LARGEST} characters once its counts, such as {100}, are written out`;
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
