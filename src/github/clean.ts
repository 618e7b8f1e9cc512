import { decodeEntities, stripInvisible } from './hidden.ts';
import { splitMarkdown, stripComments } from './markdown.ts';
import { redactSecrets } from './secret.ts';

/** GitHub refuses bodies over 65 536 characters; ours leave room for markers. */
export const BODY_LIMIT = 65_000;

/** What may stay although it acts: commands (`/pr`) that the workflow's text names, and issues (`#12`) that a closing keyword may name. */
export interface Kept {
  commands?: string[];
  closing?: string[];
}

const CUT_NOTE = '\n\n_Cut here: the rest was over the size that GitHub takes._';
const OVERCUT = /^<!--\s*overcut:[^\n]{0,500}-->$/;
const MEDIA = 'img|image|picture|source|video|audio|track|svg|iframe|object|embed|link|style|script|meta|base|form|input';
const URL = '(?:^|(?<=[\\s*_~(]))https?:\\/\\/[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)+(?::\\d+)?(?:[/?#][^\\s<>"\'`)\\]]*)?';
const ISSUE = '(?:[\\w.-]{1,100}\\/[\\w.-]{1,100})?#\\d+|GH-\\d+|https?:\\/\\/[^\\s<>"\'`)\\]]{1,300}\\/(?:issues|pull)\\/\\d+';
const ACTIVE = new RegExp(
  [
    `(?<word>\\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\\b(?:\\s{0,20}:\\s{0,20}|\\s{1,20}))(?<issue>${ISSUE})`,
    `<https?:\\/\\/[^\\s<>]+>`,
    URL,
    `(?:(?<!\\\\)\\\\+)?(?<!\\w)@(?<name>[A-Za-z0-9][\\w-]{0,60}(?:\\/[\\w.-]{1,100})?)`,
  ].join('|'),
  'gi',
);

/**
 * Makes a model's text harmless: no mention, closing keyword, command, remote image, hidden text or credential is left; links, code and
 * `<!-- overcut:... -->` are. Cut to `limit` characters with a note. Never fails.
 */
export function cleanText(text: string, options: { limit?: number; kept?: Kept } = {}): string {
  const held: string[] = [];
  const hold = (comment: string) => `\uE000${held.push(comment) - 1}\uE001`;
  const plain = cleanCode(cutText(text, 4 * BODY_LIMIT));
  const { pieces, loose } = splitMarkdown(stripComments(plain, (comment) => OVERCUT.test(comment), hold));
  const cleaned = pieces.map((piece) => (piece.kind === 'code' ? piece.text : cleanProse(piece.text, loose, options.kept ?? {}))).join('');
  const whole = cleaned.replace(/\uE000(\d+)\uE001/g, (_, index: string) => held[Number(index)] ?? '');
  return cutText(redactSecrets(disarmCommand(whole, options.kept?.commands ?? [])), options.limit ?? BODY_LIMIT);
}

/** Takes invisible characters and credentials out of code, and changes nothing else. */
export function cleanCode(code: string): string {
  return redactSecrets(stripInvisible(code.replace(/\r\n?/g, '\n')));
}

/** Cuts a text to a length in UTF-16 units, with a note, an open fence closed and no character halved. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const head = text.slice(0, Math.max(0, limit - CUT_NOTE.length - 10)).replace(/[\uD800-\uDBFF]$/, '');
  const fence = openFence(head);
  return `${head}${fence && `\n${fence}`}${CUT_NOTE}`;
}

/** The fence that is open at the end of a text; empty if none is. */
export function openFence(text: string): string {
  if (splitMarkdown(text).pieces.at(-1)?.kind !== 'code') return '';
  let open = '';
  for (const [, fence = ''] of text.matchAll(/^(`{3,8}|~{3,8})/gm)) open = open === '' ? fence : fence.startsWith(open) ? '' : open;
  return open;
}

function cleanProse(text: string, loose: boolean, kept: Kept): string {
  const quiet = loose ? (word: string) => word.replace(/@|#|:\/\/|GH-/gi, (m) => `${m} `) : (word: string) => `\`${word}\``;
  const calm = decodeEntities(text).replace(ACTIVE, (all, ...rest) => {
    const { word, issue, name } = rest.at(-1) as Record<string, string | undefined>;
    if (name !== undefined) return quiet(`@${name}`);
    if (word === undefined || issue === undefined || kept.closing?.includes(issue)) return all;
    return `${word}${quiet(issue)}`;
  });
  return cleanMedia(calm);
}

/** A picture is fetched as soon as somebody looks; a link only when somebody clicks. */
function cleanMedia(text: string): string {
  const linked = text.replace(/\\?!(?=\[)/g, '').replace(/<img\b([^<>]{0,2000})>/gi, (_, attributes: string) => {
    const value = (name: string) => new RegExp(`\\b${name}\\s{0,5}=\\s{0,5}["']?([^"'\\s>]+)`, 'i').exec(attributes)?.[1];
    const src = value('src');
    return src && /^https?:/i.test(src) ? `[${value('alt') ?? 'image'}](${src})` : (value('alt') ?? '');
  });
  return linked
    .replace(new RegExp(`</?(?:${MEDIA})\\b[^<>]{0,2000}>`, 'gi'), '')
    .replace(new RegExp(`<(?=/?(?:${MEDIA})\\b|!--)`, 'gi'), '&lt;')
    .replace(/^ {0,3}\[[^\]\n]{0,200}\]:[ \t]*(?:#|<>|<#>)[ \t].*$/gm, '');
}

/** A command counts where it is the first word of a comment. */
function disarmCommand(text: string, kept: string[]): string {
  const found = /^\s*(\/[A-Za-z][\w-]*)/.exec(text);
  const command = found?.[1];
  if (!command || kept.includes(command)) return text;
  return text.replace(command, `\`${command}\``);
}
