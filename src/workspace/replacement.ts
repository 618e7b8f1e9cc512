import { ToolError } from '../journal/errors.ts';
import { show } from './path.ts';

/** What is replaced in a file; `all`: wherever it stands. */
export interface Replacement {
  path: string;
  old: string;
  new: string;
  all?: boolean;
}

/**
 * Replaces `old` by `new` in a text; it must stand there once, or `all` be set. In a file with CRLF line ends a multi-line `old` with plain line ends is found too,
 * and the new text gets the file's line ends. Throws `ToolError` that says where it stands or what is nearly it.
 */
export function replaceText(text: string, change: Replacement): { text: string; count: number } {
  if (change.old === '')
    throw new ToolError('`old` is empty: give the text to replace, or use write_file for a whole file or append_file for its end.');
  if (change.old === change.new) throw new ToolError('`old` and `new` are the same: nothing would change.');
  const [old, fresh] = fitLineEnds(text, change);
  const places = placesOf(text, old);
  if (places.length === 0) throw new ToolError(explainMissing(text, change));
  if (places.length > 1 && !change.all) {
    const lines = places.slice(0, 10).map((at) => lineAt(text, at));
    throw new ToolError(
      `\`old\` stands ${places.length} times in ${show(change.path)} (lines ${lines.join(', ')}): give more lines around it so that it is unique, or set \`all\`.`,
    );
  }
  return { text: text.split(old).join(fresh), count: places.length };
}

function fitLineEnds(text: string, change: Replacement): [string, string] {
  const windows = (part: string) => part.replace(/\r?\n/g, '\r\n');
  if (text.includes(change.old) || !text.includes('\r\n')) return [change.old, change.new];
  return [windows(change.old), windows(change.new)];
}

function placesOf(text: string, old: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(old); at >= 0; at = text.indexOf(old, at + old.length)) places.push(at);
  return places;
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

function explainMissing(text: string, { path, old }: Replacement): string {
  const wanted = squeeze(old);
  const lines = text.split('\n').map(squeeze);
  const [first = '', ...rest] = old.split('\n').map(squeeze).filter(Boolean);
  const at = lines.findIndex((line, k) => line === first && rest.every((other, n) => lines[k + 1 + n] === other));
  if (wanted && at >= 0)
    return `\`old\` stands in ${show(path)} from line ${at + 1} on with other white space: read those lines and copy them exactly.`;
  const near = first ? lines.findIndex((line) => line.includes(first)) : -1;
  const hint = near >= 0 ? ` Its first line stands at line ${near + 1}, what follows differs.` : '';
  return `\`old\` does not stand in ${show(path)}.${hint} Read the file again and copy the text exactly.`;
}

function squeeze(line: string): string {
  return line.trim().replace(/\s+/g, ' ');
}
