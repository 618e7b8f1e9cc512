import { describe, expect, it } from 'vitest';
import type { Blob, Changes, Tree } from '../../src/journal/tree.ts';
import { applyChanges, mergeChanges } from '../../src/workspace/merge.ts';
import { memoryBlobs } from './remote.ts';

const blobs = memoryBlobs();
type Sketch = Record<string, string | null | { appended: string } | { executable: string }>;

async function blobOf(sketch: Sketch[string]): Promise<Blob | null> {
  if (sketch === null) return null;
  const content = Buffer.from(typeof sketch === 'string' ? sketch : 'appended' in sketch ? sketch.appended : sketch.executable);
  const blob = { digest: await blobs.put(content), size: content.length };
  if (typeof sketch === 'object' && 'appended' in sketch) return { ...blob, mode: '100644', appended: true };
  return { ...blob, mode: typeof sketch === 'object' ? '100755' : '100644' };
}

async function changesOf(sketch: Sketch): Promise<Changes> {
  return Object.fromEntries(await Promise.all(Object.entries(sketch).map(async ([path, one]) => [path, await blobOf(one)] as const)));
}

async function merge(base: Record<string, string>, ...sketches: Sketch[]) {
  const tree: Tree = { checkouts: [], changes: await changesOf(base) };
  const parts = await Promise.all(sketches.map(async (sketch, at) => ({ id: 'abc'[at] ?? '', changes: await changesOf(sketch) })));
  const before = JSON.stringify([tree, parts]);
  const readBase = async (path: string) => (base[path] === undefined ? null : Buffer.from(base[path]));
  const merged = await mergeChanges({ base: tree, parts, blobs, readBase });
  expect(JSON.stringify([tree, parts])).toBe(before);
  const content = Object.fromEntries(
    Object.entries(merged.changes).map(([path, blob]) => [path, blob && blobs.kept.get(blob.digest)?.toString()]),
  );
  return { content, conflicts: merged.conflicts, changes: merged.changes };
}

describe('mergeChanges', () => {
  const table: [string, Record<string, string>, Sketch[], Record<string, string | null>, { path: string; ids: string[] }[]][] = [
    ['different paths', {}, [{ a: '1' }, { b: '2' }], { a: '1', b: '2' }, []],
    ['nothing', {}, [{}, {}], {}, []],
    ['the same twice', { a: '0' }, [{ a: '1' }, { a: '1' }], { a: '1' }, []],
    ['a path changed differently', { a: '0' }, [{ a: '1' }, { a: '2' }], { a: '1' }, [{ path: 'a', ids: ['a', 'b'] }]],
    ['deleted twice', { a: '0' }, [{ a: null }, { a: null }], { a: null }, []],
    ['deleted and changed', { a: '0' }, [{ a: null }, { a: '1' }], { a: null }, [{ path: 'a', ids: ['a', 'b'] }]],
    ['changed and deleted', { a: '0' }, [{ a: '1' }, { a: null }], { a: '1' }, [{ path: 'a', ids: ['a', 'b'] }]],
    ['appended', { a: '0\n' }, [{ a: '0\n1\n' }, { a: '0\n2\n' }, { a: '0\n3' }], { a: '0\n1\n2\n3' }, []],
    ['appended without line ends', { a: '0\n' }, [{ a: '0\n1' }, { a: '0\n2' }], { a: '0\n1\n2' }, []],
    ['the same appended by two', { a: '0\n' }, [{ a: '0\nok\n' }, { a: '0\nok\n' }], { a: '0\nok\nok\n' }, []],
    [
      'appended, and rewritten by a third',
      { a: '0\n' },
      [{ a: '0\n1\n' }, { a: 'x' }, { a: '0\n2\n' }],
      { a: '0\n1\n2\n' },
      [{ path: 'a', ids: ['a', 'b', 'c'] }],
    ],
    ['a new file that both appended to', {}, [{ a: { appended: '1\n' } }, { a: { appended: '2\n' } }], { a: '1\n2\n' }, []],
    ['a new file that both wrote', {}, [{ a: '1\n' }, { a: '2\n' }], { a: '1\n' }, [{ path: 'a', ids: ['a', 'b'] }]],
    ['modes', { a: '0' }, [{ a: { executable: '0' } }, { a: '1' }], { a: '0' }, [{ path: 'a', ids: ['a', 'b'] }]],
    ['a file where another has a folder', {}, [{ 'a/b': '1' }, { a: '2' }], { 'a/b': '1' }, [{ path: 'a', ids: ['b', 'a'] }]],
    ['a folder where another has a file', {}, [{ a: '2' }, { 'a/b': '1' }], { a: '2' }, [{ path: 'a/b', ids: ['a', 'b'] }]],
  ];
  it.each(table)('%s', async (_, base, parts, content, conflicts) => {
    const merged = await merge(base, ...parts);
    expect(merged.content).toEqual(content);
    expect(merged.conflicts).toEqual(conflicts);
  });

  it('lays changes over a tree', async () => {
    const { changes } = await merge({ a: '0' }, { a: null, b: '1' });
    expect(applyChanges({ checkouts: [], changes: await changesOf({ a: '0' }) }, changes).changes).toEqual(changes);
  });
});
