import { describe, expect, it } from 'vitest';
import { pageDiff } from '../../src/tools/diff-pages.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { call, fault, ISSUE, makeContext } from './call-context.ts';
import { diffOf, type Files, randomChange, readUnified, seeded } from './repository.ts';

const random = seeded(20);
const before: Files = {};
const after: Files = {};
for (let k = 0; k < 24; k++) [before[`src/f${k} x.ts`], after[`src/f${k} x.ts`]] = randomChange(random, random(220));
Object.assign(before, { 'gone.ts': 'a\nb\n', 'old/name.ts': 'same\n'.repeat(20), 'image.bin': Buffer.from([0, 1, 2]), 'héé.ts': 'é\n' });
Object.assign(after, {
  ...{ 'gone.ts': null, 'old/name.ts': null, 'new/name.ts': `${'same\n'.repeat(20)}more\n`, 'image.bin': Buffer.from([0, 9]) },
  ...{ 'héé.ts': 'è\n', 'added.ts': 'x\n'.repeat(400), 'big.ts': 'const line = "of a long file";\n'.repeat(6000) },
});
const change = diffOf(before, after);
const context = makeContext({ change });
const whole = readUnified(change.files.map((file) => file.text).join(''));

async function readPages(input: object = {}): Promise<string[]> {
  const pages: string[] = [];
  for (let page: number | null = 1; page !== null; ) {
    const text = await call(context, 'get_pull_request_diff', { ...input, page });
    const next = /next page: (\d+) \(of \d+\)$/.exec(text);
    pages.push(next ? text.slice(0, next.index) : text);
    page = next ? Number(next[1]) : null;
  }
  return pages;
}

describe('get_pull_request_diff', () => {
  it('shows every line of the change exactly once, with its number, over all pages', async () => {
    const pages = await readPages();
    expect(pages.length).toBeGreaterThan(3);
    expect(pages.flatMap(readUnified)).toEqual(whole);
    expect(Math.max(...pages.map((page) => Buffer.byteLength(page)))).toBeLessThan(50 * 1024);
  });

  it.each([200, 700, 3_000, 20_000, 10_000_000])('can be cut into pages of %i bytes, each readable by itself', (size) => {
    const pages = pageDiff(change.files, size);
    expect(pages.flatMap(readUnified)).toEqual(whole);
    for (const page of pages) expect(page).toMatch(/^diff --git /);
    if (size === 10_000_000) expect(pages).toEqual([change.files.map((file) => file.text).join('')]);
  });

  it('leaves out what the settings ignore and says so, but shows it where it is asked for by name', async () => {
    const rules = { ...defaultSettings(), ignore: ['src/', 'image.bin', 'big.ts', 'added.ts'] };
    const narrowed = makeContext({ change, rules });
    const text = await call(narrowed, 'get_pull_request_diff', {});
    expect(text.split('\n')[0]).toMatch(/^Left out, because the settings say .*: .*big\.ts \(big\.ts\).*src\/f0 x\.ts \(src\/\)/);
    expect([...text.matchAll(/^diff --git "?a\/(\S+)/gm)].map(([, path]) => path)).not.toContain('added.ts');
    expect(readUnified(text).length).toBeLessThan(20);
    expect(await call(narrowed, 'get_pull_request_diff', { path: 'added.ts' })).toContain('+x');
    const none = makeContext({ change, rules: { ...defaultSettings(), ignore: ['*'] } });
    expect(await call(none, 'get_pull_request_diff', {})).toMatch(/^Left out/);
  });

  it('shows one file, however its path is written', async () => {
    const text = await call(context, 'get_pull_request_diff', { path: 'new/name.ts' });
    expect(text).toBe(change.files.find((file) => file.path === 'new/name.ts')?.text);
    for (const path of ['/workspace/acme/shop/new/name.ts', 'acme/shop/new/name.ts', './new/name.ts', 'b/new/name.ts'])
      expect(await call(context, 'get_pull_request_diff', { file_path: path })).toBe(text);
    expect((await readPages({ path: 'big.ts' })).flatMap(readUnified)).toHaveLength(6000);
  });

  it('says what would have worked', async () => {
    expect(await fault(call(context, 'get_pull_request_diff', { path: 'nowhere.ts' }))).toContain('Changed files: added.ts, big.ts');
    expect(await fault(call(context, 'get_pull_request_diff', { path: 'old/name.ts' }))).toContain('now called new/name.ts');
    expect(await fault(call(context, 'get_pull_request_diff', { page: 99 }))).toMatch(/the last one is \d/);
    expect(await fault(call(context, 'get_pull_request_diff', { page: 0 }))).toContain('page: ');
    expect(await fault(call(makeContext({ resource: ISSUE }), 'get_pull_request_diff'))).toContain('issue acme/shop#9');
    expect(await call(makeContext({ change: { ...change, files: [] } }), 'get_pull_request_diff')).toContain('Nothing is changed');
  });

  it('cuts a line that no page could hold, and says how long it is', async () => {
    const minified = diffOf({}, { 'a.min.js': `one\n${'x'.repeat(200_000)}\nthree\n` });
    const text = await call(makeContext({ change: minified }), 'get_pull_request_diff');
    expect(text).toContain('[195905 more characters]');
    expect(readUnified(text).map((line) => line.new)).toEqual([1, 2, 3]);
  });
});

interface Row {
  path?: string;
  side: string;
  line: number | null;
  endLine?: number;
  text: string;
}
const numbers = async (input: unknown, of = context) => JSON.parse(await call(of, 'get_pull_request_diff_line_numbers', input)) as Row[];

describe('get_pull_request_diff_line_numbers', () => {
  it('lists a line of every side that the diff shows', async () => {
    for (const { path } of change.files.filter((file) => !file.binary)) {
      const own = readUnified(change.files.find((file) => file.path === path)?.text ?? '');
      const listed = await numbers({ path });
      const sides = listed.flatMap(({ side, line, endLine }) =>
        Array.from({ length: (endLine ?? Number(line)) - Number(line) + 1 }, (_, k) => `${side} ${Number(line) + k}`),
      );
      const shown = own.flatMap((row) => [
        ...(row.old === null ? [] : [`LEFT ${row.old}`]),
        ...(row.new === null ? [] : [`RIGHT ${row.new}`]),
      ]);
      expect(sides.toSorted()).toEqual(shown.toSorted());
    }
  });

  it('is empty only for a file that is not in the diff', async () => {
    for (const path of ['nowhere.ts', 'old/name.ts']) expect(await numbers({ path })).toEqual([]);
    expect(await numbers({ path: 'image.bin' })).toEqual([
      { side: 'FILE', line: null, text: 'binary file: comment on the file, without line' },
    ]);
    expect(await numbers({ path: '/workspace/acme/shop/gone.ts' })).toEqual([
      { side: 'LEFT', line: 1, text: 'a' },
      { side: 'LEFT', line: 2, text: 'b' },
    ]);
  });

  it('takes several paths, and names them', async () => {
    const rows = await numbers({ paths: ['gone.ts', 'image.bin', 'nowhere.ts'] });
    expect(rows.map(({ path, side }) => `${path} ${side}`)).toEqual(['gone.ts LEFT', 'gone.ts LEFT', 'image.bin FILE']);
    expect(await numbers({ paths: ['gone.ts'] })).toHaveLength(2);
    for (const input of [{ paths: [] }, { path: '' }, { path: [' '] }]) expect(await fault(numbers(input))).toContain('No path was given');
    expect(await fault(numbers({}))).toContain('path: string | string[]');
  });

  it('stays one readable list, however long the file is', async () => {
    const rows = await numbers({ path: 'big.ts' });
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.at(-1)).toMatchObject({ side: 'RIGHT', endLine: 6000 });
    const scattered = Array.from({ length: 40_000 }, (_, k) => `line ${k}`);
    const many = diffOf({ 'a.txt': scattered.join('\n') }, { 'a.txt': scattered.map((line, k) => (k % 9 ? line : `${line}!`)).join('\n') });
    const cut = await numbers({ path: 'a.txt' }, makeContext({ change: many }));
    expect(cut.at(-1)).toMatchObject({ side: 'FILE', line: null });
  });
});
