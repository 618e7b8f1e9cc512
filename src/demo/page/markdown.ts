import { html } from 'hono/html';
import { inlineText, type Markup } from './inline.ts';

const DEEPEST = 6;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^(\s{0,8})([-*+]|\d{1,6}[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const TABLE_RULE = /^\s*\|?(?:\s*:?-{1,40}:?\s*\|){0,40}\s*:?-{1,40}:?\s*\|?\s*$/;
const DETAILS = /^\s*<details>\s*$/i;

/** Where a text stands: its headings begin at `level`, so that the page's outline stays whole. */
export interface MarkdownPlace {
  level: number;
}

/**
 * Shows the Markdown that people and apps write on GitHub: headings, lists, tables, quotes, code, emphasis and links to the web. Everything else, HTML
 * included, is text; comments in HTML are left out, as on GitHub. No text can become a tag or an address with another scheme.
 */
export function renderMarkdown(text: string, place: MarkdownPlace): Markup {
  const lines = hideComments(text.replace(/\r\n?/g, '\n')).split('\n');
  const heads = lines.flatMap((line) => HEADING.exec(line)?.[1]?.length ?? []);
  const outline = { least: Math.min(6, ...heads), base: place.level, last: place.level - 1 };
  return html`<div class="markdown">${renderBlocks(lines, outline, 0)}</div>`;
}

/** How deep headings were in the text, and how deep they are shown. */
interface Outline {
  least: number;
  base: number;
  last: number;
}

/** One block of a text and how many lines it took. */
interface Block {
  shown: Markup;
  taken: number;
}

function renderBlocks(lines: readonly string[], outline: Outline, depth: number): Markup[] {
  if (depth > DEEPEST) return [html`<p>${lines.join('\n')}</p>`];
  const shown: Markup[] = [];
  for (let at = 0; at < lines.length; ) {
    if ((lines[at] ?? '').trim() === '') {
      at++;
      continue;
    }
    const block = readBlock(lines.slice(at), outline, depth);
    shown.push(block.shown);
    at += Math.max(1, block.taken);
  }
  return shown;
}

function readBlock(lines: readonly string[], outline: Outline, depth: number): Block {
  const [line = ''] = lines;
  const fence = FENCE.exec(line);
  if (fence) return readCode(lines, fence);
  const heading = HEADING.exec(line);
  if (heading) return { shown: showHeading(heading, outline), taken: 1 };
  if (RULE.test(line)) return { shown: html`<hr>`, taken: 1 };
  if (QUOTE.test(line)) return readQuote(lines, outline, depth);
  if (ITEM.test(line)) return readList(lines, outline, depth);
  if (line.includes('|') && TABLE_RULE.test(lines[1] ?? '')) return readTable(lines);
  if (DETAILS.test(line)) return readDetails(lines, outline, depth);
  return readParagraph(lines);
}

function readCode(lines: readonly string[], fence: RegExpExecArray): Block {
  const [, mark = '```', word = ''] = fence;
  const end = lines.findIndex(
    (line, at) => at > 0 && line.trim().length >= mark.length && [...line.trim()].every((char) => char === mark[0]),
  );
  const body = lines.slice(1, end < 0 ? lines.length : end).join('\n');
  const label = word === 'suggestion' ? html`<p class="code-label">Suggested change</p>` : '';
  return { shown: html`${label}<pre><code>${body}</code></pre>`, taken: end < 0 ? lines.length : end + 1 };
}

function showHeading(heading: RegExpExecArray, outline: Outline): Markup {
  const [, marks = '', text = ''] = heading;
  outline.last = Math.min(6, outline.base + marks.length - outline.least, outline.last + 1);
  const content = inlineText(text);
  switch (outline.last) {
    case 3:
      return html`<h3>${content}</h3>`;
    case 4:
      return html`<h4>${content}</h4>`;
    case 5:
      return html`<h5>${content}</h5>`;
    default:
      return html`<h6>${content}</h6>`;
  }
}

function readQuote(lines: readonly string[], outline: Outline, depth: number): Block {
  const end = lines.findIndex((line) => !QUOTE.test(line));
  const quoted = lines.slice(0, end < 0 ? lines.length : end);
  const inner = quoted.map((line) => QUOTE.exec(line)?.[1] ?? '');
  return { shown: html`<blockquote>${renderBlocks(inner, outline, depth + 1)}</blockquote>`, taken: quoted.length };
}

function readList(lines: readonly string[], outline: Outline, depth: number): Block {
  const [, indent = '', mark = '-'] = ITEM.exec(lines[0] ?? '') ?? [];
  const ordered = isNumber(mark);
  const items: string[][] = [];
  let at = 0;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const item = ITEM.exec(line);
    const own = item !== null && (item[1] ?? '').length <= indent.length + 1;
    if (own ? isNumber(item[2] ?? '') !== ordered : endsList(line, { before: lines[at - 1] ?? '', after: lines[at + 1] ?? '' })) break;
    if (own) items.push([item[3] ?? '']);
    else items.at(-1)?.push(line.replace(/^\s{1,4}/, ''));
  }
  const shown = items.map((item) => html`<li>${showItem(item, outline, depth)}</li>`);
  return { shown: ordered ? html`<ol>${shown}</ol>` : html`<ul>${shown}</ul>`, taken: at };
}

function isNumber(mark: string): boolean {
  return /\d/.test(mark);
}

/** After a blank line only what is indented, or one more item, still belongs to a list. */
function endsList(line: string, beside: { before: string; after: string }): boolean {
  const goesOn = (text: string) => /^\s{2,}\S/.test(text);
  if (line.trim() === '') return !goesOn(beside.after) && !ITEM.test(beside.after);
  return beside.before.trim() === '' && !goesOn(line);
}

function showItem(item: readonly string[], outline: Outline, depth: number): Markup | Markup[] {
  const plain = item.every((line) => line.trim() !== '' && !ITEM.test(line) && !FENCE.test(line) && !QUOTE.test(line));
  return plain ? inlineText(item.join('\n')) : renderBlocks(item, outline, depth + 1);
}

function readTable(lines: readonly string[]): Block {
  const end = lines.findIndex((line) => !line.includes('|'));
  const rows = lines.slice(0, end < 0 ? lines.length : end).map(cellsOf);
  const [head = [], , ...body] = rows;
  const first = head.every((cell) => cell === '') ? '' : html`<thead><tr>${head.map(headCell)}</tr></thead>`;
  const others = body.map((cells) => html`<tr>${cells.slice(0, head.length).map((cell) => html`<td>${inlineText(cell)}</td>`)}</tr>`);
  return { shown: html`<table>${first}<tbody>${others}</tbody></table>`, taken: rows.length };
}

function headCell(cell: string): Markup {
  return cell === '' ? html`<td></td>` : html`<th scope="col">${inlineText(cell)}</th>`;
}

function cellsOf(line: string): string[] {
  const bare = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return bare.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function readDetails(lines: readonly string[], outline: Outline, depth: number): Block {
  const found = lines.findIndex((line) => /^\s*<\/details>\s*$/i.test(line));
  const end = found < 0 ? lines.length : found;
  const [, summary = 'Details'] = /^\s*<summary>(.*?)<\/summary>\s*$/i.exec(lines[1] ?? '') ?? [];
  const inner = lines.slice(/^\s*<summary>/i.test(lines[1] ?? '') ? 2 : 1, end);
  const shown = html`<details><summary>${inlineText(summary)}</summary>${renderBlocks(inner, outline, depth + 1)}</details>`;
  return { shown, taken: end + 1 };
}

function readParagraph(lines: readonly string[]): Block {
  const end = lines.findIndex((line, at) => at > 0 && (line.trim() === '' || startsBlock(line)));
  const taken = end < 0 ? lines.length : end;
  return { shown: html`<p>${inlineText(lines.slice(0, taken).join('\n'))}</p>`, taken };
}

function startsBlock(line: string): boolean {
  return [FENCE, HEADING, RULE, QUOTE, ITEM, DETAILS].some((pattern) => pattern.test(line)) || /^\s*<\/?(?:details|summary)>/i.test(line);
}

/** Leaves out comments in HTML, but not those within fences; one without an end stays visible. */
function hideComments(text: string): string {
  let fence = '';
  let [done, rest] = ['', text];
  while (rest !== '') {
    const end = rest.indexOf('\n') + 1 || rest.length;
    const line = rest.slice(0, end);
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? '';
    const from = fence || mark ? -1 : line.indexOf('<!--');
    const to = from < 0 ? -1 : rest.indexOf('-->', from);
    if (to >= 0) {
      done += rest.slice(0, from);
      rest = rest.slice(to + 3);
      continue;
    }
    if (mark && (!fence || (mark[0] === fence[0] && mark.length >= fence.length))) fence = fence ? '' : mark;
    done += line;
    rest = rest.slice(end);
  }
  return done;
}
