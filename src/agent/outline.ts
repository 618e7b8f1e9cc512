/** A line of instructions with what stands above it: the headings it is under, outermost first, in lower case. */
export interface OutlineLine {
  text: string;
  headings: string[];
}

/** Rows of a Markdown table by their cells, the header first, and the headings it stands under. */
export interface OutlineTable {
  header: string[];
  rows: string[][];
  headings: string[];
}

/**
 * Instructions as lines and tables under their headings, without what stands in code fences or quotes. A heading is `# ...`, a short line
 * all in bold, or a line like `Allowed tools:`.
 */
export function readOutline(text: string): { lines: OutlineLine[]; tables: OutlineTable[] } {
  const lines = placeUnderHeadings(withoutFences(text));
  return { lines: lines.filter((line) => !isRow(line.text)), tables: tablesIn(lines) };
}

/** Longer lines are no headings, rows or lists: they are not looked at, which also bounds the work. */
const LONGEST_LINE = 2000;

function withoutFences(text: string): string[] {
  let fence: string | null = null;
  return text.split(/\r\n|\r|\n/).filter((line) => {
    if (line.length > LONGEST_LINE) return false;
    const mark = /^\s*(?:[-*+]\s+|\d+[.)]\s+|>\s*)*(`{3,}|~{3,})([^`]*)$/.exec(line);
    if (fence !== null) {
      if (mark?.[1]?.startsWith(fence) && mark[2]?.trim() === '') fence = null;
      return false;
    }
    if (!mark) return !/^\s*>/.test(line);
    fence = mark[1] ?? null;
    return false;
  });
}

interface Heading {
  level: number;
  text: string;
}

function placeUnderHeadings(lines: string[]): OutlineLine[] {
  let open: Heading[] = [];
  return lines.flatMap((text) => {
    const heading = headingIn(text);
    if (!heading) return [{ text, headings: open.map((above) => above.text) }];
    open = [...open.filter((above) => above.level < heading.level), heading];
    return [];
  });
}

const BOLD_LEVEL = 7;
const LONGEST_BOLD = 80;

function headingIn(line: string): Heading | null {
  const marked = /^ {0,3}(#{1,6})\s+(.*)$/.exec(line);
  if (marked) return { level: marked[1]?.length ?? 1, text: (marked[2] ?? '').toLowerCase() };
  const bold = /^[^\w*|`-]*(?:\*\*|__)([^*]+?)(?:\*\*|__)\s*:?\s*$/u.exec(line)?.[1]?.trim();
  if (bold && bold.length <= LONGEST_BOLD && !/[.!]$/.test(bold)) return { level: BOLD_LEVEL, text: bold.toLowerCase() };
  const plain = /^\s*((?:allowed|permitted|prohibited|forbidden)(?:\s+tools?)?)\s*:\s*$/i.exec(line)?.[1];
  return plain ? { level: BOLD_LEVEL, text: plain.toLowerCase() } : null;
}

function isRow(line: string): boolean {
  return /^\s*\|.*\|\s*$/.test(line);
}

function isRuler(line: string | undefined): boolean {
  return line !== undefined && /^\s*\|(?:\s*:?-+:?\s*\|)+\s*$/.test(line);
}

/** A table ends where its rows do, or where the next one begins. */
function tablesIn(lines: OutlineLine[]): OutlineTable[] {
  const isHeader = (at: number) => isRow(lines[at]?.text ?? '') && isRuler(lines[at + 1]?.text);
  const tables: OutlineTable[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    if (!line || !isHeader(at)) continue;
    const rows: string[][] = [];
    for (at += 2; at < lines.length && isRow(lines[at]?.text ?? '') && !isHeader(at); at++) rows.push(cellsOf(lines[at]?.text ?? ''));
    at -= 1;
    tables.push({ header: cellsOf(line.text).map((cell) => cell.toLowerCase()), rows, headings: line.headings });
  }
  return tables;
}

function cellsOf(row: string): string[] {
  const inner = row.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.replaceAll('\\|', '|').trim());
}
