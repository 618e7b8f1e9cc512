import type { Diff, DiffFile, Hunk, Side } from '../journal/diff.ts';
import type { Rung } from '../journal/finding.ts';

/** A line of a file's diff that can carry a review comment. */
export interface ValidLine {
  side: Side;
  line: number;
  text: string;
}

/** Where somebody wants a remark to stand; numbers may be anything. */
export interface Wish {
  path: string;
  side?: Side;
  line?: number | null;
  startLine?: number | null;
}

/** Where the remark stands, and why there if that is not what was wished. `line` is set on the rungs `line` and `range-cut` only. */
export interface Placing {
  rung: Rung;
  path: string;
  side: Side;
  line?: number;
  startLine?: number;
  nearest: { side: Side; line: number }[];
  why: string;
}

const NEAREST = 3;

/** Finds the highest rung of the ladder (line, range cut to one hunk, file, review body) for a wish. Never moves a remark to another line, never fails. */
export function place(diff: Diff, wish: Wish): Placing {
  const found = findFile(diff, wish.path);
  const side = wish.side ?? (found?.file.status === 'removed' ? 'LEFT' : 'RIGHT');
  if (!found) {
    return {
      rung: 'body',
      path: wish.path,
      side,
      nearest: [],
      why: `${wish.path} is not among the changed files, so it goes into the review's text`,
    };
  }
  const { file, old } = found;
  const onFile = (why: string, line?: number): Placing => ({
    rung: 'file',
    path: file.path,
    side,
    nearest: nearestLines(file, side, line),
    why,
  });
  if (old)
    return onFile(`${wish.path} was renamed to ${file.path}: line numbers of the old name do not say where, so it stands on the file`);
  if (file.binary) return onFile(`${file.path} is a binary file: it has no lines, so it stands on the file`);
  if (file.hunks.length === 0) return onFile(`${file.path} changes no lines, so it stands on the file`);
  if (wish.line === undefined || wish.line === null) return onFile('');
  const { line } = wish;
  const hunk = hunkAt(file, side, line);
  if (hunk) return onLine({ file, hunk, side, line, startLine: wish.startLine ?? null });
  const cut = cutRange(file, side, { from: wish.startLine ?? line, to: line });
  if (cut)
    return {
      rung: 'range-cut',
      path: file.path,
      side,
      ...cut,
      nearest: [],
      why: `only a part of the range is in the diff: it was cut to ${named(cut)}`,
    };
  return onFile(`${whyNot(file, side, line)}, so it stands on the file`, line);
}

/** All lines of a file's diff that can carry a comment, in the diff's order: context on both sides, added on RIGHT, deleted on LEFT. */
export function validLines(file: DiffFile): ValidLine[] {
  return file.hunks.flatMap((hunk) => [...hunkLines(hunk)]);
}

function* hunkLines(hunk: Hunk): Iterable<ValidLine> {
  for (const row of hunk.lines) {
    if (row.old !== undefined) yield { side: 'LEFT', line: row.old, text: row.text };
    if (row.new !== undefined) yield { side: 'RIGHT', line: row.new, text: row.text };
  }
}

function findFile(diff: Diff, path: string): { file: DiffFile; old: boolean } | null {
  for (const name of spellings(path)) {
    const file = diff.files.find((f) => f.path === name);
    if (file) return { file, old: false };
  }
  for (const name of spellings(path)) {
    const file = diff.files.find((f) => f.status === 'renamed' && f.previous === name);
    if (file) return { file, old: true };
  }
  return null;
}

/** A path as it was given, then without what people and git put around it: quotes, `./`, `a/` and `b/`. */
function spellings(path: string): string[] {
  const plain = path.startsWith('"') && path.endsWith('"') && path.length > 1 ? unquote(path.slice(1, -1)) : path;
  const relative = plain.replace(/^(?:\.?\/)+/, '');
  return [...new Set([path, plain, relative, relative.replace(/^[ab]\//, '')])];
}

/** Reads git's C style quoting, where bytes of UTF-8 are octal. */
function unquote(text: string): string {
  const named: Record<string, number> = { n: 10, t: 9, r: 13, a: 7, b: 8, f: 12, v: 11 };
  const bytes: Buffer[] = [];
  for (const [, octal, letter, plain] of text.matchAll(/\\([0-3][0-7]{2})|\\(.)|([^\\]+|\\$)/gs)) {
    if (octal) bytes.push(Buffer.from([Number.parseInt(octal, 8)]));
    else if (letter) bytes.push(named[letter] === undefined ? Buffer.from(letter) : Buffer.from([named[letter]]));
    else bytes.push(Buffer.from(plain ?? ''));
  }
  return Buffer.concat(bytes).toString('utf8');
}

function hunkAt(file: DiffFile, side: Side, line: number): Hunk | null {
  return file.hunks.find((hunk) => linesOn(hunk, side).includes(line)) ?? null;
}

function linesOn(hunk: Hunk, side: Side): number[] {
  return hunk.lines.map((row) => (side === 'LEFT' ? row.old : row.new)).filter((n) => n !== undefined);
}

function onLine(at: { file: DiffFile; hunk: Hunk; side: Side; line: number; startLine: number | null }): Placing {
  const { file, side, line, startLine } = at;
  const placing: Placing = { rung: 'line', path: file.path, side, line, nearest: [], why: '' };
  if (startLine === null || startLine === line) return placing;
  const lines = linesOn(at.hunk, side);
  if (startLine < line && lines.includes(startLine)) return { ...placing, startLine };
  const first = startLine >= 1 && startLine < line ? Math.max(startLine, lines[0] ?? line) : line;
  const cut = first < line ? { line, startLine: first } : { line };
  return {
    ...placing,
    rung: 'range-cut',
    ...cut,
    why: `the range starts at ${startLine}, outside the hunk of line ${line}: it was cut to ${named(cut)}`,
  };
}

/** The part of a range whose end is outside the diff: in the hunk where it starts, else in the one that it covers most of. */
function cutRange(file: DiffFile, side: Side, range: { from: number; to: number }): { line: number; startLine?: number } | null {
  if (!(Number.isSafeInteger(range.from) && Number.isSafeInteger(range.to) && range.from >= 1 && range.from < range.to)) return null;
  const parts = file.hunks
    .map((hunk) => linesOn(hunk, side).filter((n) => n >= range.from && n <= range.to))
    .filter((part) => part.length > 0);
  const best = parts.find((part) => part.includes(range.from)) ?? parts.toSorted((a, b) => b.length - a.length)[0];
  const [first, last] = [best?.[0], best?.at(-1)];
  if (first === undefined || last === undefined) return null;
  return first === last ? { line: last } : { line: last, startLine: first };
}

function named(cut: { line: number; startLine?: number }): string {
  return cut.startLine === undefined ? `line ${cut.line}` : `lines ${cut.startLine} to ${cut.line}`;
}

function whyNot(file: DiffFile, side: Side, line: number): string {
  if (!Number.isSafeInteger(line) || line < 1) return `${line} is no line number`;
  const other: Side = side === 'LEFT' ? 'RIGHT' : 'LEFT';
  const hint = hunkAt(file, other, line) ? ` (it is on ${other})` : '';
  return `line ${line} of ${file.path} is not in the diff on ${side}${hint}`;
}

function nearestLines(file: DiffFile, side: Side, line: number | undefined): { side: Side; line: number }[] {
  const all = validLines(file);
  const same = all.filter((v) => v.side === side);
  const from = line === undefined || Number.isNaN(line) ? 0 : line;
  return (same.length > 0 ? same : all)
    .map((v) => ({ side: v.side, line: v.line }))
    .toSorted((a, b) => Math.abs(a.line - from) - Math.abs(b.line - from) || a.line - b.line)
    .slice(0, NEAREST);
}
