import type { DiffFile, DiffLine, Hunk } from '../journal/diff.ts';

/** The lines of a diff with a place in them. Lines end at `\n` only: form feeds, U+2028 and lone carriage returns are text. */
interface Cursor {
  text: string;
  at: number;
}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;
const ESCAPES: Record<string, number> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, '\\': 92 };

/**
 * Reads the output of `git diff`. What a line is follows from the counts of its hunk's header, never from how it looks, so a removed line `-- a/x`
 * is a line. `DiffLine.text` keeps a trailing `\r`; bytes that are not UTF-8 become U+FFFD, in paths too.
 */
export function parseDiff(output: Buffer | string): DiffFile[] {
  const cursor: Cursor = { text: typeof output === 'string' ? output : output.toString('utf8'), at: 0 };
  const files: DiffFile[] = [];
  while (cursor.at < cursor.text.length) {
    if (peekLine(cursor).startsWith('diff --git ')) files.push(readFile(cursor));
    else takeLine(cursor);
  }
  return files;
}

/** What the lines between `diff --git` and the first hunk say. */
interface Header {
  names: { old: string; new: string } | null;
  from?: string;
  to?: string;
  minus?: string | null;
  plus?: string | null;
  status: DiffFile['status'] | null;
  content: boolean;
  binary: boolean;
}

function readFile(cursor: Cursor): DiffFile {
  const start = cursor.at;
  const header = readHeader(cursor);
  const hunks: Hunk[] = [];
  let [additions, deletions] = [0, 0];
  while (cursor.at < cursor.text.length) {
    const line = peekLine(cursor);
    if (line.startsWith('diff --git ')) break;
    takeLine(cursor);
    const match = HUNK.exec(line);
    if (!match) continue;
    const hunk = readHunk(cursor, line, match);
    hunks.push(hunk.hunk);
    additions += hunk.additions;
    deletions += hunk.deletions;
  }
  const path = header.to ?? header.plus ?? header.minus ?? header.names?.new ?? '';
  const previous = header.from !== undefined && header.from !== path ? { previous: header.from } : {};
  const status = header.status ?? 'modified';
  const unchanged = status === 'mode' && (hunks.length > 0 || header.content);
  return {
    path,
    ...previous,
    status: unchanged ? 'modified' : status,
    binary: header.binary,
    additions,
    deletions,
    hunks,
    text: cursor.text.slice(start, cursor.at),
  };
}

function readHeader(cursor: Cursor): Header {
  const header: Header = { names: readNames(takeLine(cursor).slice('diff --git '.length)), status: null, content: false, binary: false };
  while (cursor.at < cursor.text.length) {
    const line = peekLine(cursor);
    if (line.startsWith('diff --git ') || line.startsWith('@@ ')) break;
    takeLine(cursor);
    readHeaderLine(header, line);
    if (line.startsWith('GIT binary patch')) break;
  }
  return header;
}

function readHeaderLine(header: Header, line: string): void {
  const after = (prefix: string) => (line.startsWith(prefix) ? line.slice(prefix.length) : null);
  const from = after('rename from ') ?? after('copy from ');
  const to = after('rename to ') ?? after('copy to ');
  if (from !== null) header.from = unquote(from);
  else if (to !== null) {
    header.to = unquote(to);
    header.status = line.startsWith('copy') ? 'copied' : 'renamed';
  } else if (line.startsWith('new file mode ')) header.status = 'added';
  else if (line.startsWith('deleted file mode ')) header.status = 'removed';
  else if (line.startsWith('old mode ')) header.status ??= 'mode';
  else if (line.startsWith('--- ')) header.minus = readSide(line.slice(4));
  else if (line.startsWith('+++ ')) header.plus = readSide(line.slice(4));
  else if (line.startsWith('index ')) header.content = true;
  else if (line.startsWith('Binary files ') || line.startsWith('GIT binary patch')) header.binary = true;
}

function readHunk(cursor: Cursor, header: string, match: RegExpExecArray): { hunk: Hunk; additions: number; deletions: number } {
  const [oldStart, newStart] = [Number(match[1]), Number(match[3])];
  let [oldLeft, newLeft] = [Number(match[2] ?? 1), Number(match[4] ?? 1)];
  let [before, after] = [oldStart, newStart];
  let [additions, deletions] = [0, 0];
  const lines: DiffLine[] = [];
  while ((oldLeft > 0 || newLeft > 0) && cursor.at < cursor.text.length) {
    const start = cursor.at;
    const line = takeLine(cursor);
    const kind = line === '' ? ' ' : line[0];
    const text = line.slice(1);
    if (kind === '\\') continue;
    if (kind === '+' && newLeft > 0) {
      lines.push({ kind, text, new: after++ });
      newLeft--;
      additions++;
    } else if (kind === '-' && oldLeft > 0) {
      lines.push({ kind, text, old: before++ });
      oldLeft--;
      deletions++;
    } else if (kind === ' ' && oldLeft > 0 && newLeft > 0) {
      lines.push({ kind, text, old: before++, new: after++ });
      oldLeft--;
      newLeft--;
    } else {
      cursor.at = start;
      break;
    }
  }
  return { hunk: { header, oldStart, newStart, lines }, additions, deletions };
}

/** `a/x b/x`: both quoted, or one, or none. Unquoted names are told apart by being equal; where they differ, rename lines say them. */
function readNames(rest: string): Header['names'] {
  if (rest.startsWith('"')) {
    const end = endOfQuoted(rest);
    return { old: strip(unquote(rest.slice(0, end))), new: strip(unquote(rest.slice(end + 1))) };
  }
  const half = (rest.length - 1) / 2;
  if (Number.isInteger(half) && rest[half] === ' ' && rest.slice(2, half) === rest.slice(half + 3)) {
    return { old: rest.slice(2, half), new: rest.slice(half + 3) };
  }
  const quoted = rest.indexOf(' "');
  const cut = quoted > 0 ? quoted : rest.indexOf(' b/');
  return cut < 0 ? null : { old: strip(rest.slice(0, cut)), new: strip(unquote(rest.slice(cut + 1))) };
}

/** A name of `---` or `+++`: git ends one with spaces in it by a tab. */
function readSide(rest: string): string | null {
  const name = unquote(rest.startsWith('"') ? rest : rest.replace(/\t$/, ''));
  return name === '/dev/null' ? null : strip(name);
}

function strip(name: string): string {
  return name.replace(/^[ab]\//, '');
}

function endOfQuoted(text: string): number {
  let at = 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Takes C quotes off a path: octal bytes are put together before they are read as UTF-8. */
export function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  const inner = text.slice(1, endOfQuoted(text) - 1);
  const parts: Buffer[] = [];
  for (const [part, code] of inner.matchAll(/\\([0-7]{1,3}|.)|[^\\]+/g)) {
    if (code === undefined) parts.push(Buffer.from(part));
    else if (/^[0-7]/.test(code)) parts.push(Buffer.from([Number.parseInt(code, 8) & 0xff]));
    else parts.push(Buffer.from([ESCAPES[code] ?? code.charCodeAt(0)]));
  }
  return Buffer.concat(parts).toString('utf8');
}

function endOfLine({ text, at }: Cursor): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function peekLine(cursor: Cursor): string {
  return cursor.text.slice(cursor.at, endOfLine(cursor));
}

function takeLine(cursor: Cursor): string {
  const end = endOfLine(cursor);
  const line = cursor.text.slice(cursor.at, end);
  cursor.at = end + 1;
  return line;
}
