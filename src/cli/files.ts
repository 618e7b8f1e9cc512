import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const DEEPEST = 5;
const SKIPPED = new Set(['node_modules', '.git', 'dist', 'coverage']);

/** What stands at a path: a file, a folder, or null for nothing (also nothing that may be read). */
export async function statOf(path: string, cwd: string): Promise<'file' | 'folder' | null> {
  const found = await stat(resolve(cwd, path)).catch(() => null);
  return found === null ? null : found.isDirectory() ? 'folder' : 'file';
}

/** All files under a folder, relative to it, in order; not in node_modules, .git and the like, and at most five levels deep. */
export async function readDirectory(path: string, cwd: string): Promise<string[]> {
  return (await walk(resolve(cwd, path), '', 0)).sort();
}

/** The texts of files, under the same keys; a file that cannot be read is left out. */
export async function readTexts(paths: Record<string, string>, cwd: string): Promise<Record<string, string>> {
  const texts = await Promise.all(
    Object.entries(paths).map(async ([key, path]) => [key, await readFile(resolve(cwd, path), 'utf8').catch(() => null)] as const),
  );
  return Object.fromEntries(texts.flatMap(([key, text]) => (text === null ? [] : [[key, text]])));
}

async function walk(root: string, below: string, depth: number): Promise<string[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map((entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) return depth < DEEPEST && !SKIPPED.has(entry.name) ? walk(root, path, depth + 1) : [];
      return [path];
    }),
  );
  return found.flat();
}
