import { createHash } from 'node:crypto';

/** What a text of ours says about itself. `key` from the hidden marker, `short` from the visible one. */
export interface Marker {
  key: string | null;
  short: string | null;
}

const HIDDEN = /<!-- pitwall:([\w.:/-]{1,200}) -->/g;
const VISIBLE = /<sub>Pitwall · ([0-9a-f]{12})<\/sub>/g;

/** Puts both markers of a key under a text: a comment, and a visible line, because GitHub may strip comments from the bodies of reviews. */
export function sign(text: string, key: string): string {
  return `${text.trimEnd()}\n\n<sub>Pitwall · ${shorten(key)}</sub>\n${hiddenMarker(key)}`;
}

/** The hidden marker alone, for remarks on lines, whose bodies GitHub keeps as they are. */
export function hiddenMarker(key: string): string {
  return `<!-- pitwall:${safe(key)} -->`;
}

/** The last marker of each kind in a text; what somebody quoted stands above ours. */
export function readMarker(text: string | null | undefined): Marker {
  const last = (pattern: RegExp) => [...(text ?? '').matchAll(pattern)].at(-1)?.[1] ?? null;
  return { key: last(HIDDEN), short: last(VISIBLE) };
}

/** Whether a text carries the marker of this key, hidden or visible. */
export function carries(text: string | null | undefined, key: string): boolean {
  const marker = readMarker(text);
  return marker.key === null ? marker.short === shorten(key) : marker.key === safe(key);
}

/** Takes our markers off a text, so that two texts can be compared. */
export function unsign(text: string | null | undefined): string {
  return (text ?? '').replace(VISIBLE, '').replace(HIDDEN, '').trim();
}

function shorten(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 12);
}

/** A key in the letters that a comment may hold; others are replaced by a digest, so that two keys never look alike. */
function safe(key: string): string {
  return /^[\w.:/-]{1,200}$/.test(key) && !key.includes('--') ? key : `h.${createHash('sha256').update(key).digest('hex')}`;
}
