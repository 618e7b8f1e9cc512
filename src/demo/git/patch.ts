/** One line of a hunk. `position` counts from 1 below the first hunk header, later headers included, as GitHub counts it. */
export interface PatchLine {
  kind: ' ' | '+' | '-';
  text: string;
  position: number;
  old: number | null;
  new: number | null;
}

/** A hunk with its numbered lines. */
export interface Hunk {
  header: string;
  oldStart: number;
  newStart: number;
  lines: PatchLine[];
}

/** A line together with the hunk it stands in. */
export interface Place {
  hunk: Hunk;
  line: PatchLine;
}

/** Old side or new side of a diff. */
export type Side = 'LEFT' | 'RIGHT';

const HEADER = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

/** Reads the hunks of one file's patch. Lines end at "\n" only; the "\ No newline" remark takes a position and is no line. */
export function parsePatch(patch: string | null): Hunk[] {
  const hunks: Hunk[] = [];
  let position = -1;
  let [oldLine, newLine] = [0, 0];
  for (const text of (patch ?? '').split('\n')) {
    const header = HEADER.exec(text);
    const hunk = hunks.at(-1);
    if (header) {
      position++;
      [oldLine, newLine] = [Number(header[1]), Number(header[2])];
      hunks.push({ header: text, oldStart: oldLine, newStart: newLine, lines: [] });
    } else if (hunk) {
      position++;
      const kind = text[0];
      if (kind !== ' ' && kind !== '+' && kind !== '-') continue;
      hunk.lines.push({ kind, text: text.slice(1), position, old: kind === '+' ? null : oldLine++, new: kind === '-' ? null : newLine++ });
    }
  }
  return hunks;
}

/** Where a line number of one side is shown in the diff, or null. */
export function findLine(hunks: readonly Hunk[], side: Side, number: number): Place | null {
  return findPlace(hunks, (line) => (side === 'LEFT' ? line.old : line.new) === number);
}

/** Where a position of the old kind is, or null. */
export function findPosition(hunks: readonly Hunk[], position: number): Place | null {
  return findPlace(hunks, (line) => line.position === position);
}

/** The text shown above a comment: its hunk from the header down to the line. */
export function hunkUntil(place: Place): string {
  const shown = place.hunk.lines.filter((line) => line.position <= place.line.position);
  return [place.hunk.header, ...shown.map((line) => line.kind + line.text)].join('\n');
}

/** The number that an old line has after a patch without context was applied, or null when the patch touched it. */
export function followLine(hunks: readonly Hunk[], number: number): number | null {
  let shift = 0;
  for (const hunk of hunks) {
    const removed = hunk.lines.filter((line) => line.kind === '-').length;
    const added = hunk.lines.length - removed;
    const start = removed > 0 ? hunk.oldStart : hunk.oldStart + 1;
    if (number < start) break;
    if (number < start + removed) return null;
    shift += added - removed;
  }
  return number + shift;
}

function findPlace(hunks: readonly Hunk[], fits: (line: PatchLine) => boolean): Place | null {
  for (const hunk of hunks) {
    const line = hunk.lines.find(fits);
    if (line) return { hunk, line };
  }
  return null;
}
