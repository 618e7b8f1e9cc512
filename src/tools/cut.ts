/** Most bytes that an answer of a tool has. */
export const ANSWER_LIMIT = 64 * 1024;

/** The beginning of a text that has at most `limit` bytes of UTF-8, ended at a line break where one is near, never inside a character. */
export function cutText(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  let end = Math.min(text.length, limit);
  while (Buffer.byteLength(text.slice(0, end)) > limit) {
    end -= Math.max(1, Math.floor((Buffer.byteLength(text.slice(0, end)) - limit) / 3));
  }
  if (isHighSurrogate(text, end - 1)) end -= 1;
  const line = text.lastIndexOf('\n', end - 1);
  return text.slice(0, line > end / 2 ? line : end);
}

/** The beginning of one line, with a note on how much is missing. */
export function cutLine(line: string, most: number): string {
  if (line.length <= most) return line;
  const end = isHighSurrogate(line, most - 1) ? most - 1 : most;
  return `${line.slice(0, end)} [${line.length - end} more characters]`;
}

function isHighSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xd800 && code <= 0xdbff;
}
