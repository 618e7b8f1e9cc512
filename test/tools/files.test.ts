import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Blobs, Checkout, Tree } from '../../src/journal/tree.ts';
import { toolNamed } from '../../src/tools/catalog.ts';
import { runTool } from '../../src/tools/run-tool.ts';
import { openFiles } from '../../src/workspace/files.ts';
import { searchCode } from '../../src/workspace/search.ts';
import { call, fault, makeContext } from './call-context.ts';

const base = mkdtempSync(join(tmpdir(), 'pitwall-tools-files-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
mkdirSync(join(base, 'src'));
writeFileSync(join(base, 'README.md'), '# shop\n');
writeFileSync(join(base, 'src/a.ts'), 'one\ntwo\nthree\n');
writeFileSync(join(base, 'long.txt'), Array.from({ length: 9_000 }, (_, k) => `line ${k + 1} is here`).join('\n'));
writeFileSync(join(base, 'wide.txt'), `first\n${'ü'.repeat(90_000)}\nlast\n`);

const kept = new Map<string, Buffer>();
const blobs: Blobs = {
  async put(content) {
    const digest = `${kept.size}`.padStart(64, '0');
    kept.set(digest, content);
    return digest;
  },
  get: async (digest) => kept.get(digest) ?? Buffer.alloc(0),
};
const repository = { id: 7, fullName: 'acme/shop', cloneUrl: '' };
const checkouts: Checkout[] = [{ repository, sha: '0'.repeat(40), branch: 'main', sparse: [], depth: 0 }];

function open(changes: Tree['changes'] = {}) {
  const options = { tree: { checkouts, changes }, blobs, materialise: async () => base };
  return makeContext({ files: openFiles(options), search: (query) => searchCode(options, query) });
}

describe('reading files', () => {
  it.each([
    [{ path: 'src/a.ts' }, 'one\ntwo\nthree'],
    [{ path: '/workspace/acme/shop/src/a.ts', startLine: 2, endLine: 2 }, 'two'],
    [{ file_path: 'src/a.ts', start_line: '2' }, 'two\nthree'],
    [{ paths: ['src/a.ts'], startLine: 0, endLine: -1 }, 'one\ntwo\nthree'],
    ['{"path":"src/a.ts","endLine":1}', 'one'],
  ])('%j', async (input, expected) => {
    expect(await call(open(), 'read_file', input)).toBe(expected);
  });

  it('reads a long file in parts that join to the whole', async () => {
    const rows: string[] = [];
    for (let start: number | null = 1; start !== null; ) {
      const text = await call(open(), 'read_file', { path: 'long.txt', startLine: start });
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64 * 1024);
      const cut: RegExpExecArray | null = /\n\[cut: lines \d+ to \d+ of 9000; for the rest: startLine (\d+)\]$/.exec(text);
      rows.push(...(cut ? text.slice(0, cut.index) : text).split('\n'));
      start = cut ? Number(cut[1]) : null;
    }
    expect(rows).toEqual(Array.from({ length: 9_000 }, (_, k) => `line ${k + 1} is here`));
  });

  it('says so where one line is too long to show', async () => {
    const text = await call(open(), 'read_file', { path: 'wide.txt' });
    expect(text).toMatch(/cut inside line 2 of 3.*the next line: startLine 3\]$/);
    expect(text).not.toContain('\uFFFD');
  });

  it('lists directories, and searches', async () => {
    expect(await call(open(), 'read_dir', { directory: 'acme/shop' })).toContain('src/\n');
    expect(await call(open(), 'list_dir')).toContain('acme/');
    expect(await call(open(), 'search_code', { pattern: 'tw.', regex: 'true' })).toContain('src/a.ts:2: two');
  });

  it('says what would have worked', async () => {
    expect(await fault(call(open(), 'read_file', { path: 'src/b.ts' }))).toContain('src/a.ts');
    expect(await fault(call(open(), 'read_file', {}))).toBe(
      'read_file was not run. path: Invalid input: expected string, received undefined. It takes { path: string, startLine?: number, endLine?: number }.',
    );
    expect(await fault(call(open(), 'read_file', { path: 'README.md', startLine: 'two' }))).toContain('startLine: ');
    expect(await fault(call(open(), 'read_file', { path: '../../etc/passwd' }))).toContain('workspace');
  });
});

describe('changing files', () => {
  const run = (name: string, input: unknown, changes: Tree['changes'] = {}) => runTool(toolNamed(name) as never, open(changes), input);

  it('answers what one call changed', async () => {
    const written = await run('write_file', { path: 'src/new.ts', content: 'new\n' });
    expect(written).toMatchObject({ text: 'Wrote acme/shop/src/new.ts (4 bytes).', changes: { 'acme/shop/src/new.ts': { size: 4 } } });
    const appended = await run('append_file', { path: 'src/new.ts', text: 'more\n' }, written.changes);
    expect(appended.changes).toMatchObject({ 'acme/shop/src/new.ts': { size: 9 } });
    const edited = await run('edit_file', { path: 'src/a.ts', old_string: 'two', new_string: 'zwei' }, written.changes);
    expect(Object.keys(edited.changes ?? {})).toEqual(['acme/shop/src/a.ts']);
    expect((await run('delete_file', { path: 'README.md' })).changes).toEqual({ 'acme/shop/README.md': null });
    expect((await run('create_directory', { path: 'docs' })).changes).toBeUndefined();
    expect(await fault(run('edit_file', { path: 'src/a.ts', old: 'nine', new: 'x' }))).toContain('does not stand in');
  });
});
