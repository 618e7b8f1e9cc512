import type { BareRepository } from './bare.ts';

/** One row of a tree; `size` in bytes for files only, `path` from the root that was listed. */
export interface TreeRow {
  mode: string;
  type: 'blob' | 'tree' | 'commit';
  sha: string;
  size: number | null;
  path: string;
}

/** Lists a tree, with everything below it when `recursive`. */
export async function listTree(bare: BareRepository, treeish: string, recursive = false): Promise<TreeRow[]> {
  const deep = recursive ? ['-r', '-t'] : [];
  return readRows(await bare.text(['ls-tree', '-z', '-l', '--full-tree', ...deep, treeish]));
}

/** The row of one path in a commit, or null. */
export async function findEntry(bare: BareRepository, commit: string, path: string): Promise<TreeRow | null> {
  const rows = readRows(
    await bare.text(['--literal-pathspecs', 'ls-tree', '-z', '-l', '--full-tree', commit, '--', path], { expect: [0, 128] }),
  );
  return rows.find((row) => row.path === path) ?? null;
}

/** The bytes of a blob, or null when there is none of that id. */
export async function readBlob(bare: BareRepository, sha: string): Promise<Buffer | null> {
  if (!/^[0-9a-f]{4,64}$/i.test(sha)) return null;
  return bare.run(['cat-file', 'blob', sha]).catch(() => null);
}

/** Stores bytes as a blob and resolves with its id. */
export async function writeBlob(bare: BareRepository, content: Buffer): Promise<string> {
  return (await bare.text(['hash-object', '-w', '--stdin'], { input: content })).trim();
}

/** Stores a tree of these rows through an index file of its own. Throws GitFailure when a row is not possible. */
export async function writeTree(
  bare: BareRepository,
  rows: readonly Pick<TreeRow, 'mode' | 'sha' | 'path'>[],
  index: string,
): Promise<string> {
  const env = { GIT_INDEX_FILE: index };
  await bare.run(['read-tree', '--empty'], { env });
  await bare.run(['update-index', '-z', '--index-info'], {
    env,
    input: rows.map((row) => `${row.mode} ${row.sha}\t${row.path}\0`).join(''),
  });
  return (await bare.text(['write-tree'], { env })).trim();
}

function readRows(text: string): TreeRow[] {
  return text
    .split('\0')
    .filter((row) => row !== '')
    .map((row) => {
      const tab = row.indexOf('\t');
      const [mode = '', type = '', sha = '', size = '-'] = row.slice(0, tab).split(/\s+/);
      return { mode, type: typeOf(type), sha, size: size === '-' ? null : Number(size), path: row.slice(tab + 1) };
    });
}

function typeOf(text: string): TreeRow['type'] {
  return text === 'tree' || text === 'commit' ? text : 'blob';
}
