import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Diff } from '../../src/journal/diff.ts';
import { parseDiff } from '../../src/workspace/patch.ts';

/** The files of a commit; null deletes one. */
export type Files = Record<string, string | Buffer | null>;

const ENV = {
  PATH: process.env.PATH,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};

/** What real git says about the change from one set of files to another. */
export function diffOf(before: Files, after: Files): Diff {
  const dir = mkdtempSync(join(tmpdir(), 'pitwall-tools-'));
  const git = (...args: string[]) => execFileSync('git', args, { cwd: dir, env: ENV, maxBuffer: 1 << 28 });
  const commit = (files: Files) => {
    for (const [path, content] of Object.entries(files)) {
      if (content === null) rmSync(join(dir, path));
      else {
        mkdirSync(dirname(join(dir, path)), { recursive: true });
        writeFileSync(join(dir, path), content);
      }
    }
    git('add', '-A');
    git('commit', '-q', '--allow-empty', '-m', 'x');
    return git('rev-parse', 'HEAD').toString().trim();
  };
  try {
    git('init', '-q');
    const [base, head] = [commit(before), commit(after)];
    const text = git('diff', '--no-color', '-M', '-U3', '--full-index', base, head);
    return { base, head, mergeBase: base, files: parseDiff(text) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** One changed or unchanged line as an independent reading of a unified diff sees it. */
export interface SeenLine {
  path: string;
  kind: string;
  old: number | null;
  new: number | null;
  text: string;
}

/** Reads a unified diff without the project's parser. */
export function readUnified(text: string): SeenLine[] {
  const seen: SeenLine[] = [];
  let path = '';
  let [oldAt, newAt, oldLeft, newLeft] = [0, 0, 0, 0];
  for (const row of text.split('\n')) {
    const header = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(row);
    if (oldLeft > 0 || newLeft > 0) {
      if (row.startsWith('\\')) continue;
      const kind = row[0] ?? ' ';
      seen.push({ path, kind, old: kind === '+' ? null : oldAt, new: kind === '-' ? null : newAt, text: row.slice(1) });
      if (kind !== '+') [oldAt, oldLeft] = [oldAt + 1, oldLeft - 1];
      if (kind !== '-') [newAt, newLeft] = [newAt + 1, newLeft - 1];
    } else if (header) {
      const [, o, oc = '1', n, nc = '1'] = header;
      [oldAt, oldLeft, newAt, newLeft] = [Number(o), Number(oc), Number(n), Number(nc)];
    } else if (row.startsWith('--- ')) path = row;
    else if (row.startsWith('+++ ') && row !== '+++ /dev/null') path = row;
  }
  return seen;
}

/** Numbers that look random and are the same every time. */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A text, and the same text changed at random. */
export function randomChange(random: (below: number) => number, lines: number): [string, string] {
  const ends = random(4) === 0 ? '\r\n' : '\n';
  const words = ['', 'let x = 1;', '-- a/x', '++ b/y', '@@ -1 +1 @@', 'diff --git a/x b/x', '\\ no', '😀 ünï', '}'];
  const line = () => `${words[random(words.length)]}${random(3) ? random(1000) : ''}`;
  const before = Array.from({ length: lines }, line);
  const after = before.flatMap((text) => {
    const dice = random(12);
    if (dice === 0) return [];
    if (dice === 1) return [line(), text];
    return dice === 2 ? [line()] : [text];
  });
  const close = (rows: string[]) => (rows.length === 0 ? '' : rows.join(ends) + (random(3) ? ends : ''));
  return [close(before), close(after)];
}
