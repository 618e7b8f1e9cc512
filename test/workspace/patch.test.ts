import { afterAll, describe, expect, it } from 'vitest';
import type { DiffFile } from '../../src/journal/diff.ts';
import { parseDiff, unquote } from '../../src/workspace/patch.ts';
import { type FileContent, Remote, scratch } from './remote.ts';

const { root, remove } = scratch();
afterAll(remove);
const remote = new Remote(root);
let branch = 0;

const FORMAT = ['--no-ext-diff', '--no-textconv', '--no-color', '-M', '--unified=3', '--full-index', '--src-prefix=a/', '--dst-prefix=b/'];

/** Commits two trees and parses git's diff between them. */
function diffOf(before: Record<string, FileContent>, after: Record<string, FileContent>) {
  const ref = `refs/heads/t${branch++}`;
  const base = remote.commit(ref, { '.keep': '', ...before });
  const head = remote.commit(ref, after);
  return { base, head, files: parseDiff(remote.bytes('diff', ...FORMAT, base, head)) };
}

/** The second reading: puts the new file together from the old one and the hunks. Lines of the result carry no information but text. */
function applyHunks(old: string[], file: DiffFile): string[] {
  const out: string[] = [];
  let at = 0;
  for (const hunk of file.hunks) {
    const first = hunk.lines.find((line) => line.old !== undefined)?.old ?? hunk.oldStart + 1;
    while (at < first - 1) out.push(old[at++] ?? '');
    for (const line of hunk.lines) {
      if (line.kind !== '+') {
        expect(old[at]).toBe(line.text);
        expect(line.old).toBe(++at);
      }
      if (line.kind !== '-') {
        out.push(line.text);
        expect(line.new).toBe(out.length);
      }
    }
  }
  return [...out, ...old.slice(at)];
}

const linesOf = (text: string) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

describe('parseDiff', () => {
  const table: [string, Record<string, FileContent>, Record<string, FileContent>, Partial<DiffFile>][] = [
    ['a changed file', { a: '1\n2\n3\n' }, { a: '1\nx\n3\n' }, { path: 'a', status: 'modified', additions: 1, deletions: 1 }],
    ['an added file', {}, { n: 'x\n' }, { path: 'n', status: 'added', additions: 1 }],
    ['an added empty file', {}, { n: '' }, { path: 'n', status: 'added', additions: 0, hunks: [] }],
    ['a removed file', { a: 'x\n' }, { a: null }, { path: 'a', status: 'removed', deletions: 1 }],
    ['a removed empty file', { 'a b': '' }, { 'a b': null }, { path: 'a b', status: 'removed' }],
    ['a mode', { 'a b': 'x\n' }, { 'a b': { mode: '100755', content: 'x\n' } }, { path: 'a b', status: 'mode', hunks: [] }],
    ['a mode and a line', { a: 'x\n' }, { a: { mode: '100755', content: 'y\n' } }, { path: 'a', status: 'modified', additions: 1 }],
    [
      'a pure rename',
      { 'old name': 'x\ny\nz\n' },
      { 'old name': null, 'new\tname': 'x\ny\nz\n' },
      { path: 'new\tname', previous: 'old name', status: 'renamed', hunks: [] },
    ],
    [
      'a rename with a change',
      { o: 'a\nb\nc\nd\ne\nf\n' },
      { o: null, 'd/ü "q".ts': 'a\nb\nc\nd\ne\nX\n' },
      { path: 'd/ü "q".ts', previous: 'o', status: 'renamed', additions: 1 },
    ],
    [
      'a binary',
      { 'i.png': Buffer.from([0, 1, 2]) },
      { 'i.png': Buffer.from([0, 9, 2]) },
      { path: 'i.png', status: 'modified', binary: true, hunks: [] },
    ],
    ['an added binary', {}, { 'my i.png': Buffer.from([0, 1, 2]) }, { path: 'my i.png', status: 'added', binary: true }],
    ['a quoted mode change', { 'ä\\b': 'x' }, { 'ä\\b': { mode: '100755', content: 'x' } }, { path: 'ä\\b', status: 'mode' }],
    ['a name like a prefix', { 'b/b b/x': '1\n' }, { 'b/b b/x': '2\n' }, { path: 'b/b b/x', status: 'modified' }],
    ['a name like a separator', { 'x b/x': '' }, { 'x b/x': { mode: '100755', content: '' } }, { path: 'x b/x', status: 'mode' }],
    ['a submodule', {}, { sub: { mode: '160000', content: '1'.repeat(40) } }, { path: 'sub', status: 'added', additions: 1 }],
    ['a link', {}, { l: { mode: '120000', content: '/etc/passwd' } }, { path: 'l', status: 'added', additions: 1 }],
    ['no newline at the end', { a: 'x' }, { a: 'y' }, { path: 'a', additions: 1, deletions: 1 }],
  ];
  it.each(table)('reads %s', (_, before, after, wanted) => {
    const { files } = diffOf(before, after);
    expect(files).toHaveLength(1);
    expect(files[0]).toMatchObject(wanted);
    expect(files[0]?.text.startsWith('diff --git ')).toBe(true);
  });

  it('takes lines that look like headers for lines', () => {
    const bad = ['-- a/x', '++ b/x', '@@ -1 +1 @@', 'diff --git a/y b/y', 'rename to z', '\\ No newline at end of file', ''];
    const { files } = diffOf({ a: bad.map((line) => `${line}\n`).join('') }, { a: bad.map((line) => `${line}!\n`).join('') });
    expect(files.map((file) => file.path)).toEqual(['a']);
    expect(files[0]?.hunks[0]?.lines.filter((line) => line.kind === '-').map((line) => line.text)).toEqual(bad);
  });

  it('splits at line feeds only and keeps a carriage return', () => {
    const old = 'a\fb\u2028c\rd\r\ne\u0085f\n';
    const { files } = diffOf({ a: old }, { a: `${old}g\r\n` });
    expect(files[0]?.hunks[0]?.lines.map((line) => line.text)).toEqual(['a\fb\u2028c\rd\r', 'e\u0085f', 'g\r']);
  });

  it('reads omitted counts', () => {
    const [file] = parseDiff('diff --git a/a b/a\nindex 1..2 100644\n--- a/a\n+++ b/a\n@@ -1 +1 @@ f()\n-x\n+y\n');
    expect(file?.hunks).toEqual([
      {
        header: '@@ -1 +1 @@ f()',
        oldStart: 1,
        newStart: 1,
        lines: [
          { kind: '-', text: 'x', old: 1 },
          { kind: '+', text: 'y', new: 1 },
        ],
      },
    ]);
  });

  it.each([
    ['nothing', ''],
    ['noise', 'hello\n@@ -1 +1 @@\n-x\n'],
    ['a cut hunk', 'diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,9 +1,9 @@\n x\n'],
    ['a header alone', 'diff --git a/a b/a'],
  ])('survives %s', (_, text) => {
    expect(parseDiff(text).length).toBe(text.startsWith('diff') ? 1 : 0);
  });

  it('keeps bytes that are not UTF-8 as replacement characters', () => {
    const { files } = diffOf({ a: Buffer.from([0x61, 0xe9, 10]) }, { a: Buffer.from([0x61, 0xe8, 10]) });
    expect(files[0]?.hunks[0]?.lines.map((line) => line.text)).toEqual(['a\ufffd', 'a\ufffd']);
  });

  it('unquotes', () => {
    expect(unquote('"a\\303\\244\\t\\"\\\\ b"')).toBe('aä\t"\\ b');
    expect(unquote('plain\\303')).toBe('plain\\303');
  });
});

describe('parseDiff against a second reading', () => {
  it('rebuilds the new files of 400 random changes', () => {
    const random = makeRandom(20261121);
    const before: Record<string, string> = {};
    const after: Record<string, string> = {};
    for (let at = 0; at < 400; at++) {
      const path = `${randomName(random)}-${at}`;
      before[path] = randomText(random);
      after[path] = mutate(random, before[path]);
    }
    const { files, base, head } = diffOf(before, after);
    expect(files.map((file) => file.path)).toEqual(
      remote.bytes('diff', '--name-only', '-z', '-M', base, head).toString().split('\0').filter(Boolean),
    );
    expect(files.length).toBeGreaterThan(300);
    const counts = remote.bytes('diff', '--numstat', '-z', '-M', base, head).toString().split('\0').filter(Boolean);
    for (const [at, file] of files.entries()) {
      expect(`${file.additions}\t${file.deletions}\t${file.path}`).toBe(counts[at]);
      const rebuilt = applyHunks(linesOf(before[file.path] ?? ''), file);
      expect(rebuilt).toEqual(linesOf(after[file.path] ?? ''));
    }
    expect(files.map((file) => file.text).join('')).toBe(remote.bytes('diff', ...FORMAT, base, head).toString());
  });

  it('reads 24 000 lines in one file and 3 000 files in good time', () => {
    const lines = (mark: string) => Array.from({ length: 24_000 }, (_, at) => `${mark} line ${at}\n`).join('');
    const many = (mark: string) =>
      Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`d${at % 50}/f${at}.ts`, `${mark} ${at}\nsame\n`]));
    const ref = 'refs/heads/big';
    const base = remote.commit(ref, { 'big.ts': lines('old'), ...many('old') });
    const head = remote.commit(ref, { 'big.ts': lines('new'), ...many('new') });
    const output = remote.bytes('diff', ...FORMAT, base, head);
    const started = performance.now();
    const files = parseDiff(output);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(files).toHaveLength(3001);
    expect(files.find((file) => file.path === 'big.ts')?.additions).toBe(24_000);
  });
});

function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const WORDS = [
  '',
  'a',
  'b',
  '-- a/x',
  '++ b/y',
  '@@ -1,2 +3 @@',
  'diff --git a/q b/q',
  '\\ No newline',
  'x\r',
  'y\f',
  'z\u2028',
  ' ',
  '\t',
  '+',
  '-',
  'ü',
];
const NAMES = ['a', 'b c', 'ä', 'q"uote', 'tab\tname', 'd/e', 'd/ b/f', 'back\\slash', 'ta\u0001x', '日本'];

function randomName(random: (below: number) => number): string {
  return NAMES[random(NAMES.length)] ?? 'a';
}

function randomText(random: (below: number) => number): string {
  const lines = Array.from({ length: random(40) }, () => WORDS[random(WORDS.length)]);
  return lines.join('\n') + (random(3) > 0 && lines.length > 0 ? '\n' : '');
}

function mutate(random: (below: number) => number, text: string): string {
  const lines = text.split('\n');
  for (let n = random(6); n >= 0; n--) {
    const at = random(lines.length + 1);
    lines.splice(at, random(3), ...Array.from({ length: random(3) }, () => WORDS[random(WORDS.length)] ?? ''));
  }
  return lines.join('\n');
}
