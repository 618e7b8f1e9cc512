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
  const lines = withoutComments(text.replace(/\r\n?/g, '\n')).split('\n');
  let fence = '';
  return lines.flatMap((line, index) => {
    if (/^ {0,3}>/.test(line)) return [];
    const mark = /^\s*(?:[-*+]\s+|\d+[.)]\s+)?(`{3,}|~{3,})(.*)$/.exec(line);
    if (fence !== '') {
      if (mark?.[1]?.startsWith(fence) && mark[2]?.trim() === '') fence = '';
      return [];
    }
    if (mark?.[1] && !(mark[1].startsWith('`') && mark[2]?.includes('`'))) {
      fence = mark[1];
      return [];
    }
    return /^(?: {4}|\t)/.test(line) ? [] : [{ line, number: index + 1 }];
  });
}

/** Blanks HTML comments outside code blocks; one that is never closed hides all that follows. */
function withoutComments(text: string): string {
  const parts = text.split(/(^\s*(?:`{3,}|~{3,})[^\n]*$)/m);
  let [inCode, inComment] = [false, false];
  return parts
    .map((part, index) => {
      if (index % 2 === 1) {
        if (!inComment) inCode = !inCode;
        return inComment ? '' : part;
      }
      if (inCode) return part;
      let kept = '';
      for (const piece of part.split(/(<!--|-->)/)) {
        if (piece === '<!--') inComment = true;
        else if (piece === '-->') inComment = false;
        else kept += inComment ? piece.replace(/[^\n]/g, '') : piece;
      }
      return kept;
    })
    .join('');
}

function isAlias(name: string, aliases: readonly string[]): boolean {
  const plain = name.replace(/\[bot\]$/, '').toLowerCase();
  return aliases.some((alias) => alias.toLowerCase() === plain);
}
