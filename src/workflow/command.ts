/** A command of a comment: `/review deep scan` or `@pitwall /review deep scan`. `line` counts from 1. */
export interface Command {
  name: string;
  args: string;
  withMention: boolean;
  line: number;
}

/**
 * The commands of a comment, in order: first word of a line that begins with `/name` or `@alias /name`.
 * Code blocks, quoted lines and HTML comments never count.
 */
export function commandsIn(text: string, aliases: readonly string[]): Command[] {
  return spokenLines(text).flatMap(({ line, number }) => {
    const found = /^ {0,3}(?:@(\S+)[ \t]+)?\/([A-Za-z0-9][\w-]*)(?=\s|$)(.*)$/.exec(line);
    if (!found) return [];
    const [, mention, name = '', rest = ''] = found;
    if (mention !== undefined && !isAlias(mention, aliases)) return [];
    return [{ name, args: rest.trim(), withMention: mention !== undefined, line: number }];
  });
}

/** The commands that a text names literally (`/pr`), with their slash, each once. Paths (`/users/:id`) are none. */
export function commandsNamed(text: string): string[] {
  return [...new Set(text.match(/(?<![\w/.:~-])\/[A-Za-z][\w-]*(?![\w./-]*\/)/g) ?? [])];
}

/** The aliases that a comment mentions (`@alias`), each once, as configured. Code, quotes, HTML comments and addresses never count. */
export function mentionsIn(text: string, aliases: readonly string[]): string[] {
  const spoken = spokenLines(text)
    .map(({ line }) => line.replace(/(`+)[^`]*\1/g, ' '))
    .join('\n');
  const names = [...spoken.matchAll(/(?<![\w/@.-])@([A-Za-z0-9][A-Za-z0-9-]*)(?:\[bot\])?(?![\w/-])/g)].map((match) =>
    match[1]?.toLowerCase(),
  );
  return aliases.filter((alias) => names.includes(alias.toLowerCase()));
}

/** The text without what a reader does not take as the author's own words; every line keeps its number. */
function spokenLines(text: string): { line: string; number: number }[] {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  let fence = '';
  let hidden = false;
  return lines.flatMap((raw, index) => {
    if (fence !== '') {
      if (closesFence(raw, fence)) fence = '';
      return [];
    }
    if (!hidden && /^ {0,3}>/.test(raw)) return [];
    const shown = withoutComments(raw, hidden);
    hidden = shown.hidden;
    fence = fenceIn(shown.text);
    return fence !== '' || /^(?: {4}|\t)/.test(shown.text) ? [] : [{ line: shown.text, number: index + 1 }];
  });
}

/** The fence that a line opens, also behind the mark of a list, or an empty text. */
function fenceIn(line: string): string {
  const [, mark = '', rest = ''] = /^\s*(?:[-*+]\s+|\d+[.)]\s+)?(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
  return mark.startsWith('`') && rest.includes('`') ? '' : mark;
}

function closesFence(line: string, fence: string): boolean {
  const mark = /^\s*(`{3,}|~{3,})\s*$/.exec(line)?.[1];
  return mark?.startsWith(fence) === true;
}

/** Takes HTML comments out of a line; one that is not closed hides the lines after it. */
function withoutComments(line: string, hiddenBefore: boolean): { text: string; hidden: boolean } {
  let hidden = hiddenBefore;
  let text = '';
  for (const piece of line.split(/(<!--|-->)/)) {
    if (piece === '<!--' || (piece === '-->' && hidden)) hidden = piece === '<!--';
    else if (!hidden) text += piece;
  }
  return { text, hidden };
}

function isAlias(name: string, aliases: readonly string[]): boolean {
  const plain = name.replace(/\[bot\]$/, '').toLowerCase();
  return aliases.some((alias) => alias.toLowerCase() === plain);
}
