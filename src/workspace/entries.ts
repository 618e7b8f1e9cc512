import picomatch from 'picomatch';
import { folderOf, foldersAbove } from './path.ts';

/** One file of a commit, as `git ls-tree -r -l -z` prints it. */
export interface TreeEntry {
  mode: string;
  sha: string;
  /** Bytes; 0 for a submodule. */
  size: number;
  path: string;
}

/** Reads `git ls-tree -r -l -z`. Submodules and paths that no file system should be given are left out. */
export function parseEntries(output: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const row of output.toString('utf8').split('\0')) {
    const match = /^(\d{6}) (\w+) ([0-9a-f]+) +(-|\d+)\t([\s\S]+)$/.exec(row);
    if (!match) continue;
    const [, mode = '', type, sha = '', size = '', path = ''] = match;
    if (type === 'blob' && isPlain(path)) entries.push({ mode, sha, size: Number(size) || 0, path });
  }
  return entries;
}

function isPlain(path: string): boolean {
  return !path.split('/').some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git');
}

/**
 * Which paths a sparse checkout holds: everything below the named folders, and the files that lie directly in them or in a folder above them
 * (git's cone). A name with wildcards is a pattern; a name may be a file. No names: everything.
 */
export function selectPaths(sparse: string[]): (path: string) => boolean {
  if (sparse.length === 0) return () => true;
  const names = sparse.map((name) => name.replace(/^\.?\/+|\/+$/g, ''));
  const patterns = names.filter((name) => /[*?[]/.test(name)).map((name) => picomatch(name, { dot: true }));
  const folders = new Set(names.filter((name) => !/[*?[]/.test(name) && name !== '' && name !== '.'));
  const above = new Set(['', ...[...folders].flatMap((folder) => foldersAbove(folder))]);
  return (path) =>
    above.has(folderOf(path)) ||
    folders.has(path) ||
    foldersAbove(path).some((folder) => folders.has(folder)) ||
    patterns.some((is) => is(path));
}

/** The folders that hold these paths, without those that lie in another one; `.` where only files at the root are among them. */
export function foldersOf(paths: string[]): string[] {
  const all = [...new Set(paths.map(folderOf))].filter((folder) => folder !== '').sort();
  const outer = new Set(all);
  const kept = all.filter((folder) => !foldersAbove(folder).some((above) => outer.has(above)));
  return kept.length > 0 ? kept : ['.'];
}
