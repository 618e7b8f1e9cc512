import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ToolError } from '../../src/journal/errors.ts';
import type { Tree } from '../../src/journal/tree.ts';
import { openFiles } from '../../src/workspace/files.ts';
import { type SearchQuery, searchCode } from '../../src/workspace/search.ts';
import { memoryBlobs, scratch } from './remote.ts';

const { root, remove } = scratch();
afterAll(remove);
const base = join(root, 'base');
const FILES: Record<string, string | Buffer> = {
  'src/a.ts': 'const Needle = 1;\nother\nneedle(2)\n',
  'src/b.py': 'needle = 3\r\n',
  'ignored/c.ts': 'needle\n',
  '.gitignore': 'ignored/\n',
  '.hidden/d.ts': 'needle\n',
  'odd: 1:name.ts': 'needle\n',
  'bin.dat': Buffer.from('needle\0\n'),
  'long.ts': `needle${'x'.repeat(5000)}\n`,
  'many.txt': 'common\n'.repeat(500),
  'special.ts': 'a.*b(\n-e x\n',
};
for (const [path, content] of Object.entries(FILES)) {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), content);
}
writeFileSync(join(root, 'outside.txt'), 'needle outside\n');
symlinkSync(root, join(base, 'linkdir'));
symlinkSync(join(root, 'outside.txt'), join(base, 'link.txt'));

const blobs = memoryBlobs();
const tree: Tree = {
  checkouts: [{ repository: { id: 1, fullName: 'acme/app', cloneUrl: '' }, sha: '0'.repeat(40), branch: 'main', sparse: [], depth: 0 }],
  changes: {},
};
const options = (changed: Tree = tree) => ({ tree: changed, blobs, materialise: async () => base });
const search = (query: SearchQuery, changed?: Tree) => searchCode(options(changed), query);
const places = async (query: SearchQuery, changed?: Tree) =>
  (await search(query, changed)).matches.map(({ path, line }) => `${path}:${line}`);

describe('searchCode', () => {
  it('finds in all files of the commit, hidden and ignored ones too, never in links or binaries', async () => {
    expect(await places({ query: 'needle' })).toEqual([
      'acme/app/.hidden/d.ts:1',
      'acme/app/ignored/c.ts:1',
      'acme/app/long.ts:1',
      'acme/app/odd: 1:name.ts:1',
      'acme/app/src/a.ts:1',
      'acme/app/src/a.ts:3',
      'acme/app/src/b.py:1',
    ]);
  });

  it.each([
    [{ query: 'Needle' }, ['acme/app/src/a.ts:1']],
    [{ query: 'needle', path: 'src' }, ['acme/app/src/a.ts:1', 'acme/app/src/a.ts:3', 'acme/app/src/b.py:1']],
    [{ query: 'needle', path: '/workspace/acme/app/src/b.py' }, ['acme/app/src/b.py:1']],
    [{ query: 'needle', glob: '*.py' }, ['acme/app/src/b.py:1']],
    [{ query: 'needle', glob: 'src/**/*.ts' }, ['acme/app/src/a.ts:1', 'acme/app/src/a.ts:3']],
    [{ query: 'needle', glob: 'acme/app/src/*.ts' }, ['acme/app/src/a.ts:1', 'acme/app/src/a.ts:3']],
    [{ query: 'needle\\(\\d', regex: true }, ['acme/app/src/a.ts:3']],
    [{ query: '= 3$', regex: true }, ['acme/app/src/b.py:1']],
    [{ query: 'a.*b(' }, ['acme/app/special.ts:1']],
    [{ query: '-e x' }, ['acme/app/special.ts:2']],
    [{ query: 'not there at all' }, []],
  ] satisfies [SearchQuery, string[]][])('%j', async (query, wanted) => expect(await places(query)).toEqual(wanted));

  it('shows what agents changed instead of the commit', async () => {
    const files = openFiles(options());
    await files.write('src/a.ts', 'nothing\nneedle now\n');
    await files.remove('src/b.py');
    await files.write('.overcut/review/own.md', 'needle own\n');
    await files.write('acme/app/src/new.ts', 'needle new\n');
    const changed = files.tree();
    expect(await places({ query: 'needle', path: 'src' }, changed)).toEqual(['acme/app/src/a.ts:2', 'acme/app/src/new.ts:1']);
    expect(await places({ query: 'needle own' }, changed)).toEqual(['.overcut/review/own.md:1']);
    expect(await places({ query: 'needle', path: '.overcut' }, changed)).toEqual(['.overcut/review/own.md:1']);
    expect(await places({ query: 'needle', glob: 'src/*.ts' }, changed)).toEqual(['acme/app/src/a.ts:2', 'acme/app/src/new.ts:1']);
  });

  it('is capped and says how to narrow', async () => {
    const { matches, truncated, text } = await search({ query: 'common' });
    expect(matches).toHaveLength(200);
    expect(truncated).toBe(true);
    expect(text).toMatch(/\[200 of 500 matches: narrow by `path`/);
    expect((await search({ query: 'needlex' })).text.length).toBeLessThan(700);
    expect((await search({ query: 'zzz', path: 'src' })).text).toBe('Nothing found for "zzz" in "acme/app/src".');
  });

  it.each([
    [{ query: '' }, /empty/],
    [{ query: 'a\nb' }, /one line/],
    [{ query: '(', regex: true }, /cannot be used[\s\S]*unclosed group[\s\S]*leave `regex` out/],
    [{ query: '(?<=a)b', regex: true }, /cannot be used/],
    [{ query: 'a', glob: '[' }, /cannot be used/],
    [{ query: 'a', path: 'nowhere' }, /does not exist/],
    [{ query: 'a', path: '../..' }, /leaves/],
  ] satisfies [SearchQuery, RegExp][])('refuses %j', async (query, words) => {
    const error = await search(query).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ToolError);
    expect((error as Error).message).toMatch(words);
  });

  it('stops when it is told to', async () => {
    await expect(searchCode(options(), { query: 'x' }, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });
});
