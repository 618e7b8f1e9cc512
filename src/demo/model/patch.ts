/** One row of a unified diff; a row has both numbers only when it is unchanged. */
export interface PatchLine {
  kind: ' ' | '+' | '-';
  text: string;
  old?: number;
  new?: number;
  /** Index of the hunk it stands in. */
  hunk: number;
}

/** One file of a unified diff. */
export interface PatchFile {
  path: string;
  added: boolean;
  binary: boolean;
  lines: PatchLine[];
}

/** Reads a unified diff as git prints it: quoted names, renames, omitted counts, binaries. Text between files is passed over; a path twice is joined. */
export function parsePatch(text: string): PatchFile[] {
  const files = new Map<string, PatchFile>();
  for (const block of text.split(/^(?=diff --git )/m)) {
    if (!block.startsWith('diff --git ')) continue;
    const file = parseFile(block.split('\n'));
    const before = file && files.get(file.path);
    if (before) before.lines.push(...file.lines);
    else if (file) files.set(file.path, file);
  }
  return [...files.values()];
}

function parseFile(rows: string[]): PatchFile | null {
  const start = rows.findIndex((row) => row.startsWith('@@ '));
  const head = start < 0 ? rows : rows.slice(0, start);
  const path = pathOf(head);
  if (path === null) return null;
  return {
    path,
    added: head.some((row) => row.startsWith('new file mode')),
    binary: head.some((row) => /^(Binary files |GIT binary patch)/.test(row)),
    lines: start < 0 ? [] : parseHunks(rows.slice(start)),
  };
}

function pathOf(head: string[]): string | null {
  const after = (prefix: string) => head.find((row) => row.startsWith(prefix))?.slice(prefix.length);
  const side = (prefix: string) => {
    const name = unquotePath(after(prefix) ?? '/dev/null');
    return name === '/dev/null' ? null : name.replace(/^[ab]\//, '');
  };
  const renamed = after('rename to ');
  return side('+++ ') ?? side('--- ') ?? (renamed ? unquotePath(renamed) : pathOfHeading(head[0] ?? ''));
}

/** `diff --git a/x b/x` without any of the other lines: a mode change, an empty or a binary file. Both names are equal then. */
function pathOfHeading(row: string): string | null {
  const names = row.replace(/\r$/, '').slice('diff --git '.length);
  if (names.startsWith('"')) return unquotePath(names.slice(0, names.indexOf('" ') + 1)).replace(/^a\//, '');
  const half = (names.length - 1) / 2;
  return names.slice(half + 1).startsWith('b/') ? names.slice(half + 3) : null;
}

function unquotePath(name: string): string {
  const text = name.replace(/[\t\r]+$/, '');
  if (!text.startsWith('"')) return text;
  const bytes: Buffer[] = [];
  for (const [, octal, escaped, plain] of text.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/gu)) {
    if (octal) bytes.push(Buffer.from([Number.parseInt(octal, 8)]));
    else bytes.push(Buffer.from(escaped ? ({ n: '\n', t: '\t', r: '\r' }[escaped] ?? escaped) : (plain ?? '')));
  }
  return Buffer.concat(bytes).toString('utf8');
}

function parseHunks(rows: string[]): PatchLine[] {
  const lines: PatchLine[] = [];
  const at = { old: 0, new: 0, oldLeft: 0, newLeft: 0, hunk: -1 };
  for (const row of rows) {
    const header = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(row);
    if (header) {
      const [, old, oldLeft = '1', fresh, newLeft = '1'] = header;
      Object.assign(at, { old: Number(old), new: Number(fresh), oldLeft: Number(oldLeft), newLeft: Number(newLeft), hunk: at.hunk + 1 });
      continue;
    }
    const kind = row === '' && at.oldLeft > 0 && at.newLeft > 0 ? ' ' : row[0];
    if (kind !== ' ' && kind !== '+' && kind !== '-') continue;
    if ((kind !== '+' && at.oldLeft === 0) || (kind !== '-' && at.newLeft === 0)) continue;
    const line: PatchLine = { kind, text: row.slice(1).replace(/\r$/, ''), hunk: at.hunk };
    if (kind !== '+') {
      line.old = at.old++;
      at.oldLeft--;
    }
    if (kind !== '-') {
      line.new = at.new++;
      at.newLeft--;
    }
    lines.push(line);
  }
  return lines;
}
