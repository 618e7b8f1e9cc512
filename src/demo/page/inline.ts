import { html } from 'hono/html';

/** HTML that is safe to be sent: made by the `html` tag, which escapes whatever is put into it. */
export type Markup = ReturnType<typeof html>;

const DEEPEST = 4;
const LINK = '\\[([^\\]\\n]{1,500})\\]\\((https?://[^\\s)"<>]{1,2000}|#[\\w-]{1,200})\\)';
const TOKEN = new RegExp(
  [
    '``([^\\n]{1,1000}?)``',
    '`([^`\\n]{1,2000})`',
    LINK,
    '\\*\\*(?=\\S)([^\\n]{0,2000}?\\S)\\*\\*',
    '~~(?=\\S)([^\\n]{0,2000}?\\S)~~',
    '(?<![\\w*])\\*(?=[^\\s*])([^*\\n]{0,2000}?[^\\s*])\\*(?!\\w)',
    '(?<!\\w)_(?=[^\\s_])([^\\n]{0,2000}?[^\\s_])_(?!\\w)',
    '<sub>([^<\\n]{1,300})</sub>',
    '(?<![\\w/])(https?://[^\\s<>"\'`)\\]]{1,2000})',
    '(?<![\\w/`])@([A-Za-z\\d][A-Za-z\\d-]{0,38}(?:\\[bot\\])?)',
    '\\\\([!-/:-@[-`{-~])',
    '<(br) ?/?>',
    '(✅|❌|⛔|⏳)',
  ].join('|'),
  'g',
);

/** Emphasis, code, links and mentions within a paragraph; line breaks stay. */
export function inlineText(text: string, depth = 0): Markup {
  if (depth > DEEPEST) return html`${text}`;
  const parts: (Markup | string)[] = [];
  let end = 0;
  for (const hit of text.matchAll(TOKEN)) {
    parts.push(text.slice(end, hit.index), showToken(hit, depth));
    end = hit.index + hit[0].length;
  }
  parts.push(text.slice(end));
  return html`${parts}`;
}

function showToken(hit: RegExpExecArray, depth: number): Markup {
  const [all, longCode, code, linkText, target, strong, struck, starred, lined, small, address, login, escaped, , face] = hit;
  const inner = (part: string) => inlineText(part, depth + 1);
  if (longCode !== undefined || code !== undefined) return html`<code>${longCode?.trim() ?? code}</code>`;
  if (linkText !== undefined && target !== undefined) return html`<a href="${target}" rel="noreferrer nofollow">${inner(linkText)}</a>`;
  if (strong !== undefined) return html`<strong>${inner(strong)}</strong>`;
  if (struck !== undefined) return html`<del>${inner(struck)}</del>`;
  if (starred !== undefined || lined !== undefined) return html`<em>${inner(starred ?? lined ?? '')}</em>`;
  if (small !== undefined) return html`<small>${inner(small)}</small>`;
  if (address !== undefined) return html`<a href="${address}" rel="noreferrer nofollow">${address}</a>`;
  if (login !== undefined) return html`<strong>@${login}</strong>`;
  if (escaped !== undefined) return html`${escaped}`;
  if (face !== undefined) return showSign(face);
  return all.startsWith('<') ? html`<br>` : html`${all}`;
}

/** Signs that apps begin a line with, drawn by the page: not every machine has a font with pictures. */
const SIGNS: Record<string, [drawn: string, said: string, name: string]> = {
  '✅': ['✓', 'done:', 'success'],
  '❌': ['✕', 'failed:', 'failure'],
  '⛔': ['⊘', 'stopped:', 'neutral'],
  '⏳': ['', 'under way:', 'running'],
};

function showSign(face: string): Markup {
  const [drawn, said, name] = SIGNS[face] ?? [face, '', 'neutral'];
  return html`<span class="check-sign check-${name}" aria-hidden="true">${drawn}</span><span class="unseen">${said}</span>`;
}
