import { at, itemsOf, type Place } from './place.ts';
import type { Path, Remark } from './problem.ts';

const NAMING = new Set(['agent', 'agentId', 'agentIds', 'agents', 'repoFullName', 'command', 'cronExpression', 'workflowId', 'event']);

/** What a template's author left for others to fill in: `{ "TODO": "..." }` anywhere, and texts that begin with TODO where a name has to stand. */
export function findLeftovers(place: Place, key = ''): Remark[] {
  const { value, path } = place;
  if (typeof value === 'string') return NAMING.has(key) && /^\W{0,2}todo\b/i.test(value) ? [leftover(path, value)] : [];
  if (Array.isArray(value)) return itemsOf(place).flatMap((item) => findLeftovers(item, key));
  if (typeof value !== 'object' || value === null) return [];
  const mark = Object.keys(value).find((name) => /^_*todo_*$/i.test(name));
  if (mark !== undefined) return [leftover(path, at(place, mark).value)];
  return Object.keys(value).flatMap((name) => findLeftovers(at(place, name), name));
}

/** Whether a path lies at or under one of the others. */
export function isUnder(path: Path, tops: readonly Path[]): boolean {
  return tops.some((top) => top.length <= path.length && top.every((part, index) => part === path[index]));
}

function leftover(path: Path, note: unknown): Remark {
  const last = path.findLast((part) => typeof part === 'string');
  const asked = typeof note === 'string' && note.trim() !== '' ? `; its author asks: ${JSON.stringify(note.slice(0, 120))}` : '';
  return {
    severity: 'error',
    path,
    expected: `your own value for ${JSON.stringify(String(last ?? 'the workflow'))}`,
    found: "a template's left-over that was never filled in",
    hint: `replace it${asked}`,
  };
}
