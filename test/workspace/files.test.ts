import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ToolError } from '../../src/journal/errors.ts';
import type { Changes, Checkout, Tree } from '../../src/journal/tree.ts';
import { openFiles } from '../../src/workspace/files.ts';
import { applyChanges } from '../../src/workspace/merge.ts';
import { normalisePath } from '../../src/workspace/path.ts';
import { memoryBlobs, scratch } from './remote.ts';

const { root, remove } = scratch();
afterAll(remove);

const FILES: Record<string, string> = {
  'README.md': '# app\n',
  'src/index.ts': 'one\ntwo\nthree\n',
  'src/deep/windows.ts': 'a\r\nb\r\nc\r\n',
  'bin.dat': 'a\0b',
  '.overcut/workflows/a.json': '{}',
  'only/file.txt': 'x',
};
const base = join(root, 'base');
for (const [path, content] of Object.entries(FILES)) {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), content);
}
writeFileSync(join(root, 'secret.txt'), 'secret');
symlinkSync(join(root, 'secret.txt'), join(base, 'link.txt'));
symlinkSync(root, join(base, 'linkdir'));

const checkout = (fullName: string): Checkout => ({
  repository: { id: 1, fullName, cloneUrl: '' },
  sha: '0'.repeat(40),
  branch: 'main',
  sparse: [],
  depth: 0,
});
const single: Tree = { checkouts: [checkout('acme/app')], changes: {} };
const blobs = memoryBlobs();
const open = (tree: Tree = single) => openFiles({ tree, blobs, materialise: async () => base });
const text = async (files: ReturnType<typeof open>, path: string) => (await files.read(path)).toString();
const says = async (work: Promise<unknown>, words: RegExp) => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ToolError);
  expect((error as Error).message).toMatch(words);
};

describe('paths', () => {
  it.each([
    ['', ''],
    ['.', ''],
    ['/workspace', ''],
    ['/workspace/', ''],
    ['/workspace/a/b', 'a/b'],
    ['a//b/', 'a/b'],
    ['./a/../b', 'b'],
    ['.gitignore', '.gitignore'],
  ])('%j is %j', (path, wanted) => expect(normalisePath(path)).toBe(wanted));

  it.each([
    ['..', /leaves the workspace/],
    ['a/../../b', /leaves the workspace/],
    ['/workspace/../etc/passwd', /leaves the workspace/],
    ['/etc/passwd', /outside the workspace.*"etc\/passwd"/],
    ['/workspaces/a', /outside/],
    ['~/x', /outside/],
    ['C:\\x', /outside/],
    ['a\0b', /NUL/],
    ['acme/app/.git/config', /git's own directory/],
    ['.GIT', /git's own directory/],
    ['x'.repeat(300), /255 bytes/],
  ])('refuses %j', (path, words) => expect(() => normalisePath(path)).toThrow(words));
});

describe('reading', () => {
  it.each(['acme/app/src/index.ts', '/workspace/acme/app/src/index.ts', 'src/index.ts', '/workspace/src/index.ts', './src/index.ts'])(
    'finds %s',
    async (path) => {
      expect(await text(open(), path)).toBe(FILES['src/index.ts']);
    },
  );

  it('does not guess between two checkouts, but names them', async () => {
    const files = open({ checkouts: [checkout('acme/app'), checkout('acme/lib')], changes: {} });
    await says(files.read('src/index.ts'), /Did you mean "acme\/app\/src\/index.ts" or "acme\/lib\/src\/index.ts"/);
    expect((await files.list('.')).map((entry) => entry.name)).toEqual(['acme']);
    expect((await files.list('acme')).map((entry) => entry.name)).toEqual(['app', 'lib']);
  });

  it.each([
    ['src', /is a directory: list it/],
    ['src/indx.ts', /does not exist.*Nearest.*src\/index\.ts"/],
    ['src/zzzzzz/q.ts', /List "acme\/app\/src"/],
    ['bin.dat', /binary file \(3 bytes\)/],
    ['link.txt', /does not exist/],
    ['acme/app/link.txt', /does not exist/],
    ['acme/app/linkdir/secret.txt', /does not exist/],
    ['../secret.txt', /leaves/],
  ])('says what would have worked for %s', (path, words) => says(open().read(path), words));

  it('reads binaries when asked to, and pages', async () => {
    expect([...(await open().read('bin.dat', { binary: true }))]).toEqual([97, 0, 98]);
    expect(await open().readLines('src/index.ts', { start: 2 })).toEqual({
      path: 'acme/app/src/index.ts',
      text: 'two\nthree',
      start: 2,
      end: 3,
      total: 3,
    });
    expect((await open().readLines('src/index.ts', { start: 1, end: 99 })).end).toBe(3);
    await says(open().readLines('src/index.ts', { start: 9 }), /3 lines.*ask for lines 1 to 3/);
    await says(open().read('src/index.ts', { maxBytes: 5 }), /startLine and endLine/);
  });

  it('lists both layers', async () => {
    const files = open();
    await files.write('.overcut/review/plan.md', 'p');
    await files.write('acme/app/src/new.ts', 'n');
    await files.remove('acme/app/only/file.txt');
    expect((await files.list('.')).map((entry) => [entry.name, entry.kind])).toEqual([
      ['.overcut', 'directory'],
      ['acme', 'directory'],
    ]);
    expect((await files.list('acme/app')).map((entry) => entry.name)).toEqual(['.overcut', 'README.md', 'bin.dat', 'src']);
    expect(await files.list('src')).toEqual([
      { name: 'deep', kind: 'directory', size: 0 },
      { name: 'index.ts', kind: 'file', size: 14 },
      { name: 'new.ts', kind: 'file', size: 1 },
    ]);
    await says(files.list('only'), /does not exist/);
    await says(files.list('src/index.ts'), /is a file/);
  });
});

describe('writing', () => {
  it.each([
    ['notes.md', 'notes.md'],
    ['.overcut/review/a.md', '.overcut/review/a.md'],
    ['.overcut/workflows/new.json', '.overcut/workflows/new.json'],
    ['src/new.ts', 'acme/app/src/new.ts'],
    ['README.md', 'acme/app/README.md'],
    ['fresh/new.ts', 'fresh/new.ts'],
    ['/workspace/acme/app/x', 'acme/app/x'],
  ])('puts %s at %s', async (path, at) => {
    const files = open();
    expect(await files.write(path, 'x')).toBe(at);
    expect(Object.keys(files.changed())).toEqual([at]);
    expect(await text(files, path)).toBe('x');
  });

  it('goes on from plain data, in any process', async () => {
    const first = open();
    await first.write('src/index.ts', 'changed');
    await first.remove('README.md');
    await first.append('log.txt', 'a\n');
    const tree = applyChanges(single, JSON.parse(JSON.stringify(first.changed())) as Changes);
    const second = open(tree);
    expect(await text(second, 'src/index.ts')).toBe('changed');
    expect(await second.exists('README.md')).toBe(false);
    await second.append('log.txt', 'b\n');
    expect(await text(second, 'log.txt')).toBe('a\nb\n');
    expect(second.changed()).toEqual({ 'log.txt': { digest: expect.any(String), size: 4, mode: '100644', appended: true } });
    await second.write('README.md', FILES['README.md'] ?? '');
    expect(Object.keys(second.changed())).toEqual(['log.txt', 'README.md']);
  });

  it('tells the net change only', async () => {
    const files = open();
    await files.write('src/index.ts', 'other');
    await files.write('src/index.ts', FILES['src/index.ts'] ?? '');
    await files.write('gone.txt', 'x');
    await files.remove('gone.txt');
    expect(files.changed()).toEqual({});
    await files.remove('README.md');
    expect(files.changed()).toEqual({ 'acme/app/README.md': null });
    expect(await files.write('README.md', 'own')).toBe('README.md');
  });

  it('edits', async () => {
    const files = open();
    expect(await files.edit('src/index.ts', { old: 'two\nthree', new: 'x' })).toEqual({ path: 'acme/app/src/index.ts', count: 1 });
    expect(await text(files, 'src/index.ts')).toBe('one\nx\n');
    await files.edit('src/deep/windows.ts', { old: 'a\nb', new: '1\n2' });
    expect(await text(files, 'src/deep/windows.ts')).toBe('1\r\n2\r\nc\r\n');
    await files.write('many', 'a $& a\na');
    await says(files.edit('many', { old: 'a', new: 'b' }), /3 times.*lines 1, 1, 2/);
    expect((await files.edit('many', { old: 'a', new: '$&', all: true })).count).toBe(3);
    expect(await text(files, 'many')).toBe('$& $& $&\n$&');
    await files.write('code', 'if (x) {\n\treturn  1;\n}\n');
    await says(files.edit('code', { old: 'if (x) {\n  return 1;', new: 'y' }), /from line 1 on with other white space/);
    await says(files.edit('code', { old: 'nowhere', new: 'y' }), /does not stand in "code"/);
    await says(files.edit('code', { old: '', new: 'y' }), /empty/);
    await says(files.edit('code', { old: 'x', new: 'x' }), /same/);
  });

  it('keeps both of two appends at once, and the executable bit', async () => {
    const files = open();
    await Promise.all(Array.from({ length: 20 }, (_, at) => files.append('log', `${at}\n`)));
    expect((await text(files, 'log')).split('\n')).toHaveLength(21);
    await files.write('run.sh', 'a', '100755');
    await files.append('run.sh', 'b');
    expect(files.changed()['run.sh']?.mode).toBe('100755');
  });

  it.each([
    ['src', /is a directory/],
    ['src/index.ts/below', /"acme\/app\/src\/index.ts" is a file/],
    ['', /is a directory/],
    ['../x', /leaves/],
  ])('refuses to write %j', (path, words) => says(open().write(path.startsWith('src') ? `acme/app/${path}` : path, 'x'), words));

  it('refuses what is too large, and to delete a directory', async () => {
    await says(open().write('a', Buffer.alloc(17 * 1024 * 1024)), /smaller files/);
    await says(open().remove('src'), /one by one/);
    await says(open().remove('nothing'), /does not exist/);
    expect(await open().makeDirectory('.overcut/review')).toBe('.overcut/review');
    await says(open().makeDirectory('acme/app/README.md/x'), /is a file/);
  });

  it('lets an error of the store through as it is', async () => {
    const broken = openFiles({
      tree: { checkouts: [], changes: { a: { digest: 'x', size: 1, mode: '100644' } } },
      blobs,
      materialise: async () => base,
    });
    await expect(broken.read('a')).rejects.toThrow('no blob x');
    await expect(broken.read('a')).rejects.not.toBeInstanceOf(ToolError);
  });
});
