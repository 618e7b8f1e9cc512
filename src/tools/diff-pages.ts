import type { DiffFile, DiffLine, Hunk } from '../journal/diff.ts';
import { cutLine } from './cut.ts';

/** About how many bytes a page of a diff has. */
export const PAGE_SIZE = 48 * 1024;

/** A line of a file that is split is shown up to this many characters. */
const LONGEST_LINE = 4 * 1024;

/** A row of a hunk as it is shown, with git's note on a missing newline under it. */
interface Row {
  line: DiffLine;
  text: string;
}

/** Where the next row of a hunk stands, on both sides. */
interface Counter {
  old: number;
  new: number;
}

/**
 * Cuts a diff into pages at file borders. A file that is larger than a page is split inside its hunks: every part has the file's own header and `@@` lines
 * with the right numbers, so that each page can be read by itself.
 */
export function pageDiff(files: readonly DiffFile[], size = PAGE_SIZE): string[] {
  const pages: string[] = [];
  let page = '';
  let room = size;
  for (const file of files) {
    for (const part of splitFile(file, size)) {
      const bytes = Buffer.byteLength(part);
      if (page && bytes > room) {
        pages.push(page);
        [page, room] = ['', size];
      }
      page += part;
      room -= bytes;
    }
  }
  return page ? [...pages, page] : pages;
}

function splitFile(file: DiffFile, size: number): string[] {
  const text = ended(file.text);
  if (Buffer.byteLength(text) <= size) return [text];
  const { header, hunks } = readRows(file);
  const parts: string[] = [];
  let part = header;
  for (const { hunk, rows } of hunks) {
    const counter = { old: firstLine(hunk, 'old'), new: firstLine(hunk, 'new') };
    let taken: Row[] = [];
    let bytes = Buffer.byteLength(part) + Buffer.byteLength(hunk.header);
    for (const row of rows) {
      const more = Buffer.byteLength(row.text);
      if (bytes + more > size && part.length + taken.length > header.length) {
        parts.push(part + writeHunk(hunk, taken, counter));
        [part, taken, bytes] = [header, [], Buffer.byteLength(header) + Buffer.byteLength(hunk.header)];
      }
      taken.push(row);
      bytes += more;
    }
    part += writeHunk(hunk, taken, counter);
  }
  return part === header && parts.length > 0 ? parts : [...parts, part];
}

/** The rows of a file's text, told apart by the hunks that were read from it. */
function readRows(file: DiffFile): { header: string; hunks: { hunk: Hunk; rows: Row[] }[] } {
  const lines = ended(file.text).split('\n');
  const first = file.hunks[0];
  let at = first ? lines.indexOf(first.header) : lines.length - 1;
  const header = lines.slice(0, at).map((line) => `${cutLine(line, LONGEST_LINE)}\n`);
  const hunks = file.hunks.map((hunk) => {
    at += 1;
    const rows = hunk.lines.map((line) => {
      let text = `${cutLine(lines[at++] ?? '', LONGEST_LINE)}\n`;
      while (lines[at]?.startsWith('\\')) text += `${lines[at++]}\n`;
      return { line, text };
    });
    return { hunk, rows };
  });
  return { header: header.join(''), hunks };
}

/** Rows under a `@@` line of their own, and the counter moved past them. A hunk that is whole keeps git's line. */
function writeHunk(hunk: Hunk, rows: Row[], counter: Counter): string {
  if (rows.length === 0) return '';
  const [before, after] = (['old', 'new'] as const).map((side) => {
    const count = rows.filter(({ line }) => line[side] !== undefined).length;
    const start = count === 0 ? counter[side] - 1 : counter[side];
    counter[side] += count;
    return `${start},${count}`;
  });
  const section = /^@@ [^@]+ @@(.*)$/s.exec(hunk.header)?.[1] ?? '';
  const header = rows.length === hunk.lines.length ? hunk.header : `@@ -${before} +${after} @@${section}`;
  return `${header}\n${rows.map(({ text }) => text).join('')}`;
}

/** The line on which a hunk begins; git names the line before where a side has none. */
function firstLine(hunk: Hunk, side: 'old' | 'new'): number {
  return hunk.lines.find((line) => line[side] !== undefined)?.[side] ?? (side === 'old' ? hunk.oldStart : hunk.newStart) + 1;
}

function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
