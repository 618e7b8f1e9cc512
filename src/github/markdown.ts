/** A part of a Markdown text: code is shown as it stands, prose is read by GitHub for mentions, images and more. */
export interface Piece {
  kind: 'prose' | 'code';
  text: string;
}

/**
 * Splits a text into code and prose. Where GitHub could read it otherwise it is prose: only fences at the line's start and spans within one line
 * are code, and none of the spans if a backtick is `loose` (has no partner, or stands in an HTML tag). Neighbouring prose is one piece.
 */
export function splitMarkdown(text: string): { pieces: Piece[]; loose: boolean } {
  const blocks = splitFences(text);
  const spans = blocks.map((block) => (block.kind === 'code' ? { pieces: [block], loose: false } : splitSpans(block.text)));
  const loose = spans.some((s) => s.loose);
  return { pieces: loose ? blocks : spans.flatMap((s) => s.pieces), loose };
}

/** Each comment that is taken out means a look at its line again; nobody writes more. */
const MOST_COMMENTS = 50;

/**
 * Takes HTML comments out of what is not code; those that `keep` accepts are handed to `hold`, whose answer stands in their place. After the first 50 they
 * stay: the caller makes their beginnings harmless.
 */
export function stripComments(text: string, keep: (comment: string) => boolean, hold: (comment: string) => string): string {
  let [rest, done, found] = [text, '', 0];
  const fences = new Fences();
  while (rest !== '') {
    const line = firstLine(rest);
    const at = found === MOST_COMMENTS || fences.peek(line) === 'code' ? -1 : commentStart(line);
    if (at < 0) {
      fences.next(line);
      done += line;
      rest = rest.slice(line.length);
      continue;
    }
    found += 1;
    const end = rest.indexOf('-->', at + 4);
    const comment = end < 0 ? rest.slice(at) : rest.slice(at, end + 3);
    rest = rest.slice(0, at) + (keep(comment) ? hold(comment) : '') + rest.slice(at + comment.length);
  }
  return done;
}

function splitFences(text: string): Piece[] {
  const fences = new Fences();
  const pieces: Piece[] = [];
  for (let rest = text; rest !== ''; ) {
    const line = firstLine(rest);
    rest = rest.slice(line.length);
    push(pieces, { kind: fences.next(line), text: line });
  }
  return pieces;
}

function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end < 0 ? text : text.slice(0, end + 1);
}

/** Follows fences line by line. Inside an HTML block (until a blank line) GitHub sees no fence. */
class Fences {
  #fence: string | null = null;
  #html = false;

  /** What the next line is, without going on to it. */
  peek(line: string): Piece['kind'] {
    return this.#fence !== null || this.#opening(line) !== null ? 'code' : 'prose';
  }

  next(line: string): Piece['kind'] {
    const kind = this.peek(line);
    const opening = this.#opening(line);
    if (this.#fence === null) this.#fence = opening;
    else if (closes(line, this.#fence)) this.#fence = null;
    this.#html = kind === 'prose' && line.trim() !== '' && (this.#html || /^ {0,3}<[A-Za-z/!?]/.test(line));
    return kind;
  }

  #opening(line: string): string | null {
    const open = this.#html ? null : /^(`{3,})[^`]*$|^(~{3,})/.exec(line);
    return open?.[1] ?? open?.[2] ?? null;
  }
}

function closes(line: string, fence: string): boolean {
  const bare = line.trim();
  return /^ {0,3}\S/.test(line) && bare.length >= fence.length && [...bare].every((char) => char === fence[0]);
}

function commentStart(line: string): number {
  if (!line.includes('<!--')) return -1;
  let at = 0;
  for (const piece of splitSpans(line).pieces) {
    const found = piece.kind === 'prose' ? piece.text.indexOf('<!--') : -1;
    if (found >= 0) return at + found;
    at += piece.text.length;
  }
  return -1;
}

function splitSpans(text: string): { pieces: Piece[]; loose: boolean } {
  const pieces: Piece[] = [];
  const closing = new ClosingRuns(text);
  let loose = hasTickInTag(text);
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found; found = TOKEN.exec(text)) {
    const [token, run] = found;
    const end = run === undefined ? null : closing.endOf(found.index, run.length);
    if (run !== undefined && end === null) loose = true;
    push(pieces, { kind: end === null ? 'prose' : 'code', text: end === null ? token : text.slice(found.index, end) });
    if (end !== null) TOKEN.lastIndex = end;
  }
  return { pieces, loose };
}

/** An escaped character, a run of backticks, other text. */
const TOKEN = /\\[!-/:-@[-`{-~]|(`+)|[^`\\]+|\\/g;
const LONGEST_TAG = 2000;

/** Whether a backtick stands within an HTML tag. */
function hasTickInTag(text: string): boolean {
  const before = text.split('`').slice(0, -1);
  return before.some((part) => /<[A-Za-z/!?]/.test(part.slice(Math.max(part.lastIndexOf('>') + 1, part.length - LONGEST_TAG - 2))));
}

/** The runs of backticks of a text by their length. They are asked for from left to right, so all answers together take one walk. */
class ClosingRuns {
  readonly #text: string;
  readonly #starts = new Map<number, { at: number[]; next: number }>();
  #lineEnd = -1;

  constructor(text: string) {
    this.#text = text;
    for (const { 0: run, index } of text.matchAll(/`+/g)) {
      const known = this.#starts.get(run.length);
      if (known) known.at.push(index);
      else this.#starts.set(run.length, { at: [index], next: 0 });
    }
  }

  /** Where the span ends that a run at `start` opens: behind the next run of its length on the same line, or null. */
  endOf(start: number, length: number): number | null {
    if (this.#lineEnd < start) this.#lineEnd = (this.#text.indexOf('\n', start) + 1 || this.#text.length + 1) - 1;
    const runs = this.#starts.get(length);
    if (!runs) return null;
    while ((runs.at[runs.next] ?? Number.POSITIVE_INFINITY) <= start + length) runs.next += 1;
    const close = runs.at[runs.next] ?? Number.POSITIVE_INFINITY;
    return close < this.#lineEnd ? close + length : null;
  }
}

function push(pieces: Piece[], piece: Piece): void {
  const last = pieces.at(-1);
  if (last && last.kind === 'prose' && piece.kind === 'prose') last.text += piece.text;
  else pieces.push({ ...piece });
}
