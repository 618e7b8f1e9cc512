import { describe, expect, it } from 'vitest';
import { RULE_COUNT, reviewFiles } from '../../../src/demo/model/finding.ts';
import { parsePatch } from '../../../src/demo/model/patch.ts';
import { gitDiff } from './git.ts';

/** path, one added line (or several), the rule that sees it or null. */
const ADDED: [string, string, string | null][] = [
  ['a.ts', "const apiKey = 'k3y-92jfKq01Zx';", 'hard-coded-secret'],
  ['config.yml', 'password: "hunter2hunter2"', 'hard-coded-secret'],
  ['a.ts', 'const apiKey = process.env.API_KEY;', null],
  ['a.ts', "const tokenUrl = 'a b c d e f g h';", null],
  ['a.ts', 'return eval(input);', 'eval-of-input'],
  ['a.ts', 'const m = pattern.exec(text);', null],
  ['a.ts', '// eval(input) would be bad', null],
  ['a.ts', "return 'eval(x)';", null],
  ['a.ts', 'db.query("SELECT * FROM t WHERE id = " + id);', 'sql-concatenation'],
  ['a.ts', 'db.query(`DELETE FROM t WHERE id = ${id}`);', 'sql-concatenation'],
  ['a.py', 'db.execute(f"SELECT * FROM t WHERE id = {id}")', 'sql-concatenation'],
  ['a.ts', "db.query('SELECT * FROM t WHERE id = ?', [id]);", null],
  ['a.ts', 'execSync(`rm -r ${dir}`);', 'shell-interpolation'],
  ['a.ts', 'await promisify(exec)(`rm -r ${dir}`);', 'shell-interpolation'],
  ['a.py', 'os.system("rm -r " + path)', 'shell-interpolation'],
  ['a.ts', "execFile('rm', ['-r', dir]);", null],
  ['a.ts', 'agent({ rejectUnauthorized: false });', 'tls-verification-off'],
  ['a.py', 'requests.get(url, verify=False)', 'tls-verification-off'],
  ['a.ts', 'for (let i = 0; i <= list.length; i++) {', 'off-by-one'],
  ['a.ts', 'for (let i = 0; i <= list.length - 1; i++) {', null],
  ['a.ts', 'for (let i = 0; i < list.length; i++) {', null],
  ['a.ts', 'node.innerHTML = text;', 'unsafe-html'],
  ['a.ts', 'const id = Math.random().toString(36);', 'weak-random'],
  ['a.ts', "createHash('md5').update(x);", 'weak-hash'],
  ['a.ts', 'if (signature === expected) return true;', 'timing-comparison'],
  ['a.py', 'def add(item, items=[]):', 'mutable-default'],
  ['a.ts', "if (state = 'open') run();", 'assignment-in-condition'],
  ['a.test.ts', "it.only('works', () => {});", 'focused-test'],
  ['run.sh', 'chmod 777 /srv', 'open-to-everyone'],
  ['a.ts', 'const mean = sum / values.length;', 'unchecked-division'],
  ['a.ts', 'const mean = values.length ? sum / values.length : 0;', null],
  ['a.ts', "const path = 'a/b/length';", null],
  ['a.ts', 'const n = parseInt(text);', 'parse-int-radix'],
  ['a.ts', 'const n = parseInt(text, 10);', null],
  ['a.ts', "fetchAll('http://api.acme.io/v1');", 'insecure-url'],
  ['a.ts', "fetchAll('http://localhost:3000');", null],
  ['a.ts', 'if (a == null) return;', 'loose-equality'],
  ['a.ts', 'if (a === null && b !== c && d <= e) return;', null],
  ['a.py', 'if a == b:', null],
  ['a.ts', 'const a = b as unknown as C;', 'blanked-types'],
  ['a.ts', "console.log('here');", 'debug-output'],
  ['a.ts', 'debugger;', 'debug-output'],
  ['a.ts', 'while (true) {', 'endless-loop'],
  ['a.ts', 'new RegExp(name);', 'dynamic-pattern'],
  ['a.ts', '// FIXME: rounding', 'left-note'],
  ['a.ts', 'try { a(); } catch {}', 'swallowed-error'],
  ['a.ts', 'try {\n  a();\n} catch (error) {\n  // never mind\n}', 'swallowed-error'],
  ['a.ts', 'try {\n  a();\n} catch (error) {\n  report(error);\n}', null],
  ['a.ts', 'send(x).catch(() => {});', 'swallowed-error'],
  ['a.py', 'try:\n    a()\nexcept Exception:\n    pass', 'swallowed-error'],
  ['a.ts', 'store.save(order);', 'missing-await'],
  ['a.ts', 'await store.save(order);', null],
  ['a.ts', 'return store.save(order);', null],
  ['a.ts', 'await work(1);\nwork(2);', 'missing-await'],
  ['a.ts', 'const data = JSON.parse(text);', 'unguarded-parse'],
  ['a.ts', 'try {\n  use(JSON.parse(text));\n} catch (error) {\n  report(error);\n}', null],
  ['a.ts', 'await Promise.all(urls.map(load));', 'unbounded-parallel'],
  ['a.ts', 'function make(a: A, b: B, c: C, d: D, e: E) {', 'many-parameters'],
  ['a.txt', '<<<<<<< HEAD', 'conflict-marker'],
  ['README.md', 'Call eval(x) and TODO', null],
  ['.github/workflows/ci.yml', '      - uses: actions/checkout@v5', 'unpinned'],
  ['.github/workflows/ci.yml', `      - uses: actions/checkout@${'0a'.repeat(20)} # v5`, null],
  ['Dockerfile', 'FROM node', 'unpinned'],
  ['Dockerfile', 'FROM node:24.4.1-slim AS build', null],
  ['package.json', '    "left-pad": "latest",', 'unpinned'],
  ['package.json', '    "left-pad": "1.3.0",', null],
  ['a.test.ts', "it.skip('works', () => {});", 'skipped-test'],
  ['a.test.ts', "expect(page.title, 'it.skip(').toBe(1);", null],
  ['a.test.ts', 'expect(found).toBeTruthy();', 'weak-assertion'],
  ['a.test.ts', 'expect(found).toEqual([1]);', null],
  ['a.ts', 'const size = a ? 1 : b ? 2 : 3;', 'nested-choice'],
  ['a.ts', 'type Size = A extends B ? 1 : C extends D ? 2 : 3;', null],
  ['a.ts', 'if (a && b && c && d) run();', 'crowded-condition'],
  ['a.ts', 'if (a && b) run();', null],
  ['a.md', 'You simply install it.', 'filler-word'],
  ['a.ts', 'const simply = 1;', null],
  ['a.md', 'It cannot do that at the moment.', 'ageing-word'],
  ['a.ts', 'export function run() {', 'undocumented-export'],
  ['a.ts', '/** Runs. */\nexport function run() {', null],
  ['a.ts', '/**\n * Runs.\n */\nexport async function run() {', null],
  ['a.test.ts', 'export function run() {', null],
  ['a.ts', `const pattern = /${'ab+'.repeat(30)}/;`, 'dense-pattern'],
  ['a.ts', 'const pattern = /^ab+$/;', null],
  ['a.md', `${'word '.repeat(23).trim()}\n${'word '.repeat(23).trim()}.`, 'long-sentence'],
  ['a.md', `${'word '.repeat(20).trim()}.\n${'word '.repeat(30)}`.trim(), 'wide-line'],
  ['a.md', `${'A word. '.repeat(4).trim()}\n${'Two words. '.repeat(6).trim()}`, null],
  ['a.md', 'It takes a, b, c (all of them), and d.', 'crowded-sentence'],
  ['a.md', 'It takes `a, b, c, d, e` and [f, g, h, i](x).', null],
  ['a.ts', `run(${'one, '.repeat(30)}two);`, 'wide-line'],
  ['a.ts', `const address = '${'x'.repeat(150)}';`, null],
  ['a.md', `| ${'one two '.repeat(20)}|`, null],
  ['a.yml', 'a: 1  ', 'trailing-space'],
  ['a.md', 'a line that breaks  ', null],
  ['package-lock.json', '"token": "abcdefghijkl"', null],
];

describe('added lines', () => {
  it.each(ADDED)('%s: %s -> %s', (path, text, rule) => {
    const diff = `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -0,0 +1,${text.split('\n').length} @@\n${text.replace(/^/gm, '+')}\n`;
    const found = reviewFiles(parsePatch(diff)).map((finding) => finding.rule);
    expect(found).toEqual(rule ? [rule] : []);
  });

  it('every rule says what to do and that it is scripted', () => {
    expect(RULE_COUNT).toBeGreaterThanOrEqual(24);
    const text = 'const a = eval(b);';
    const [finding] = reviewFiles(parsePatch(gitDiff({ 'x y.ts': '' }, { 'x y.ts': `${text}\n` })));
    expect(finding).toMatchObject({ file: 'x y.ts', line: 1, side: 'RIGHT', snippet: text, message: expect.stringContaining('scripted') });
  });
});

describe('other changes', () => {
  const before = 'export function f(a) {\n  if (!a) throw new Error("a");\n  if (a.length > 9) {\n    return 0;\n  }\n  return a;\n}\n';
  const review = (after: string) => reviewFiles(parsePatch(gitDiff({ 'a.ts': before }, { 'a.ts': after })));

  it('a deleted check is found on the left', () => {
    const found = review(before.replace('  if (!a) throw new Error("a");\n', ''));
    expect(found).toMatchObject([{ rule: 'removed-check', side: 'LEFT', line: 2 }]);
  });

  it('a check that was moved or rewritten is not', () => {
    expect(review(before.replace('if (!a)', 'if (a === undefined)')).filter(({ rule }) => rule === 'removed-check')).toEqual([]);
    const moved = before
      .replace('  if (!a) throw new Error("a");\n', '')
      .replace('  return a;', '  if (!a) throw new Error("a");\n  return a;');
    expect(review(moved)).toEqual([]);
  });

  it('a binary and a large file are remarks on the file', () => {
    const large = Array.from({ length: 500 }, (_, at) => `export const v${at} = ${at};`).join('\n');
    const diff = gitDiff({}, { 'logo.png': Buffer.from([0, 1, 2, 255, 0]), 'big.ts': `${large}\n` });
    const found = reviewFiles(parsePatch(diff));
    expect(found.map(({ file, line, rule }) => [file, line, rule]).sort()).toEqual([
      ['big.ts', null, 'large-file'],
      ['logo.png', null, 'binary-file'],
    ]);
  });
});

describe('diffs as git prints them', () => {
  const before = {
    'plain.ts': 'a\nb\nc\n',
    'with space.ts': 'one\r\ntwo\r\n',
    'ü "q".ts': 'x\n',
    'old/name.ts': Array.from({ length: 20 }, (_, at) => `line ${at}`).join('\n'),
    'gone.ts': 'a\nb\n',
    'mode.sh': 'x\n',
  };
  const after = {
    'plain.ts': 'a\nB\nc',
    'with space.ts': 'one\r\nTWO\r\n',
    'ü "q".ts': 'y\n',
    'old/name.ts': null,
    'new/name.ts': Array.from({ length: 20 }, (_, at) => (at === 10 ? 'changed' : `line ${at}`)).join('\n'),
    'gone.ts': null,
    'empty.ts': '',
    'dash.sql': '-- a comment\n++ odd\n',
  };
  const files = new Map(parsePatch(gitDiff(before, after)).map((file) => [file.path, file]));
  const changes = (path: string) =>
    files
      .get(path)
      ?.lines.filter(({ kind }) => kind !== ' ')
      .map(({ kind, text, old, new: fresh }) => [kind, text, old ?? fresh]);

  it.each([
    [
      'plain.ts',
      [
        ['-', 'b', 2],
        ['-', 'c', 3],
        ['+', 'B', 2],
        ['+', 'c', 3],
      ],
    ],
    [
      'with space.ts',
      [
        ['-', 'two', 2],
        ['+', 'TWO', 2],
      ],
    ],
    [
      'ü "q".ts',
      [
        ['-', 'x', 1],
        ['+', 'y', 1],
      ],
    ],
    [
      'new/name.ts',
      [
        ['-', 'line 10', 11],
        ['+', 'changed', 11],
      ],
    ],
    [
      'gone.ts',
      [
        ['-', 'a', 1],
        ['-', 'b', 2],
      ],
    ],
    ['empty.ts', []],
    [
      'dash.sql',
      [
        ['+', '-- a comment', 1],
        ['+', '++ odd', 2],
      ],
    ],
  ])('%s', (path, expected) => {
    expect(changes(path)).toEqual(expected);
  });

  it('names no other files', () => {
    expect(files.size).toBe(7);
  });
});
