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

/** Takes HTML comments out of what is not code; those that `keep` accepts are handed to `hold`, whose answer stands in their place. */
export function stripComments(text: string, keep: (comment: string) => boolean, hold: (comment: string) => string): string {
  let [rest, done] = [text, ''];
  const fences = new Fences();
  while (rest !== '') {
    const line = firstLine(rest);
    const at = fences.peek(line) === 'code' ? -1 : commentStart(line);
    if (at < 0) {
      fences.next(line);
      done += line;
      rest = rest.slice(line.length);
      continue;
    }
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
  let loose = /<[A-Za-z/!?][^>`]{0,2000}`/.test(text);
  for (const [token, escaped, run] of text.matchAll(SPAN)) {
    if (run !== undefined && token === run) loose = true;
    push(pieces, { kind: run !== undefined && token !== run && !escaped ? 'code' : 'prose', text: token });
  }
  return { pieces, loose };
}

/** An escaped character; a run of backticks, with what follows up to an equal run on the same line; other text. */
const SPAN = /(\\[!-/:-@[-`{-~])|(`+)(?:[^\n]*?[^`\n]\2(?!`))?|[^`\\]+|\\/g;

function push(pieces: Piece[], piece: Piece): void {
  const last = pieces.at(-1);
  if (last && last.kind === 'prose' && piece.kind === 'prose') last.text += piece.text;
  else pieces.push({ ...piece });
}
