import { validLines } from '../github/ladder.ts';
import type { DiffFile } from '../journal/diff.ts';
import { ANSWER_LIMIT, cutLine } from './cut.ts';

/** A line that can carry a comment, or lines `line` to `endLine` where the file has too many to list; `FILE` where the file has no lines at all. */
export interface NumberedLine {
  path?: string;
  side: 'LEFT' | 'RIGHT' | 'FILE';
  line: number | null;
  endLine?: number;
  text: string;
}

const ROOM = ANSWER_LIMIT - 1024;
const SHORT = 60;

/** Lists the lines of files that can carry a comment, as JSON that fits in one answer: whole, else with short texts, else as ranges. */
export function writeLineNumbers(files: readonly DiffFile[]): string {
  const several = files.length > 1;
  const lists = [linesOf, shortLinesOf, rangesOf].map((list) => () => {
    const rows = files.flatMap((file) => list(file).map((row) => (several ? { path: file.path, ...row } : row)));
    return JSON.stringify(rows);
  });
  for (const write of lists) {
    const text = write();
    if (Buffer.byteLength(text) <= ROOM) return text;
  }
  return fitRanges(files, several);
}

function linesOf(file: DiffFile): NumberedLine[] {
  const lines = validLines(file);
  return lines.length > 0 ? lines : [{ side: 'FILE', line: null, text: `${whyNoLines(file)}: comment on the file, without line` }];
}

function shortLinesOf(file: DiffFile): NumberedLine[] {
  return linesOf(file).map((line) => ({ ...line, text: cutLine(line.text, SHORT) }));
}

/** Lines of one side that follow each other, as one row with the first one's text. */
function rangesOf(file: DiffFile): NumberedLine[] {
  const ranges: NumberedLine[] = [];
  for (const side of ['LEFT', 'RIGHT', 'FILE'] as const) {
    for (const row of shortLinesOf(file).filter((line) => line.side === side)) {
      const last = ranges.at(-1);
      if (last?.side === side && row.line !== null && (last.endLine ?? last.line) === row.line - 1) last.endLine = row.line;
      else ranges.push({ ...row });
    }
  }
  return ranges;
}

function fitRanges(files: readonly DiffFile[], several: boolean): string {
  const rows: string[] = [];
  let bytes = 2;
  for (const file of files) {
    for (const range of rangesOf(file)) {
      const row = JSON.stringify({ ...(several ? { path: file.path } : {}), ...range, text: '' });
      bytes += Buffer.byteLength(row) + 1;
      if (bytes > ROOM) {
        rows.push(JSON.stringify({ side: 'FILE', line: null, text: 'more lines follow: get_pull_request_diff of the path shows them' }));
        return `[${rows.join(',')}]`;
      }
      rows.push(row);
    }
  }
  return `[${rows.join(',')}]`;
}

function whyNoLines(file: DiffFile): string {
  if (file.binary) return 'binary file';
  if (file.status === 'mode') return 'only the mode changed';
  if (file.status === 'renamed' || file.status === 'copied') return `${file.status} without other changes`;
  return 'no lines changed';
}
