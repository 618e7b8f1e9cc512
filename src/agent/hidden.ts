/**
 * Takes out what a person reading the rendered text cannot see, and says that it was there, before a model reads it (issue and pull request
 * bodies, comments, titles). Comments `<!-- overcut:... -->` and comments of one word are markers that workflows look for: they stay.
 */
export function revealHidden(text: string): string {
  const shown = text.includes('<!--')
    ? text.replace(FENCE_OR_COMMENT, (found, fence, _mark, inside) => (fence ? found : markComment(found, inside ?? '')))
    : text;
  return revealCharacters(shown);
}

/**
 * As `revealHidden`, for text that is shown as it is (code, diffs, logs, file names): comments stay, characters that have no width or that
 * change the order of reading are named. Ordinary emoji and joiners inside words of scripts that need them stay.
 */
export function revealCharacters(text: string): string {
  const plain = text.startsWith(BOM) ? text.slice(1) : text;
  return SUSPECT.test(plain) ? plain.replace(RUN, nameRun) : plain;
}

const BOM = String.fromCodePoint(0xfeff);
/** A fenced block, whose comments people do see, or a comment; both reach to the end of the text where they are not closed. */
const FENCE_OR_COMMENT =
  /^([ \t]*(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^[ \t]*\2[`~]*[ \t]*$|(?![\s\S])))|<!--(?:-?>|([\s\S]*?)(?:-->|--!>|(?![\s\S])))/gm;
const MARKER = /^<!--\s*(?:overcut:[^<>]*|[\w.:/-]{1,80}\s*)-->$/;

/** Invisible code points: tag characters, variation selectors, zero-width, fillers, and those that change the direction of text. */
const TAGS = '\\u{E0000}-\\u{E007F}';
const SELECTORS = '\\u{FE00}-\\u{FE0F}\\u{E0100}-\\u{E01EF}\\u{180B}-\\u{180D}\\u{180F}';
const BIDI = '\\u{202A}-\\u{202E}\\u{2066}-\\u{2069}\\u{200E}\\u{200F}\\u{061C}';
const BLANK =
  '\\u{00AD}\\u{034F}\\u{115F}\\u{1160}\\u{17B4}\\u{17B5}\\u{180E}\\u{200B}-\\u{200D}\\u{2060}-\\u{2065}\\u{206A}-\\u{206F}\\u{3164}\\u{FEFF}\\u{FFA0}\\u{FFF9}-\\u{FFFB}\\u{1D173}-\\u{1D17A}';
const HIDDEN = `[${TAGS}${SELECTORS}${BIDI}${BLANK}]`;
const SUSPECT = new RegExp(HIDDEN, 'u');
const RUN = new RegExp(`${HIDDEN}+`, 'gu');
const ONE_BIDI = new RegExp(`^[${BIDI}]$`, 'u');
const ONE_TAG = new RegExp(`[${TAGS}]`, 'u');
const EMOJI = /^[\uFE0E\uFE0F]?\u200D?$|^\u200D$/u;
const IDEOGRAPH = /\p{Script=Han}$/u;
const JOINED =
  /[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Malayalam}\p{Script=Kannada}\p{Script=Sinhala}]\uFE0F?$/u;
const FLAG = /\u{1F3F4}$/u;
const FLAG_TAGS = /^[\u{E0061}-\u{E007A}\u{E0030}-\u{E0039}]{2,6}\u{E007F}$/u;
const KEYCAP = /[0-9#*]$/;

function markComment(comment: string, inside: string): string {
  if (MARKER.test(comment)) return comment;
  const open = /-->|--!>/.test(comment.slice(4)) ? '' : ', never closed,';
  return inside.trim() ? `[hidden comment of ${inside.trim().length} characters${open} left out]` : '';
}

function nameRun(run: string, ...rest: unknown[]): string {
  const [offset, whole] = rest as [number, string];
  const before = whole.slice(Math.max(0, offset - 4), offset);
  if (isOrdinary(run, before)) return run;
  const points = [...run];
  if (points.every((point) => ONE_BIDI.test(point)) && points.length <= 3) return points.map((point) => `[${nameOf(point)}]`).join('');
  if (points.length === 1) return `[${nameOf(run)}]`;
  return `[${points.length} hidden ${ONE_TAG.test(run) ? 'tag ' : ''}characters left out]`;
}

/** What writing and emoji need: one selector after a visible sign, a joiner between parts of an emoji or inside a word, the tags of a flag. */
function isOrdinary(run: string, before: string): boolean {
  if (run === '\uFE0F' || run === '\uFE0E') return /\S$/u.test(before) && (/[^\x20-\x7e]$/u.test(before) || KEYCAP.test(before));
  if (EMOJI.test(run)) return JOINED.test(before);
  if (run === '\u200C') return JOINED.test(before);
  if (FLAG_TAGS.test(run)) return FLAG.test(before);
  return [...run].length === 1 && /^[\u{E0100}-\u{E01EF}]$/u.test(run) && IDEOGRAPH.test(before);
}

function nameOf(point: string): string {
  return `U+${(point.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
