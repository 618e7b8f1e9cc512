import type { Stats } from 'node:fs';
import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Blobs, Checkout, Tree } from '../journal/tree.ts';
import { Overlay } from './overlay.ts';
import { isWithin, joinPath } from './path.ts';

/** Answers the read-only directory of a checkout. May throw; the error is the infrastructure's and reaches the caller unchanged. */
export type Materialise = (checkout: Checkout) => Promise<string>;

/** What stands at a path. */
export interface Found {
  kind: 'file' | 'directory';
  /** Bytes; 0 for a directory. */
  size: number;
  mode: '100644' | '100755';
}

/** One name in a folder; the size in bytes. */
export interface ListEntry {
  name: string;
  kind: 'file' | 'directory';
  size: number;
}

const DIRECTORY: Found = { kind: 'directory', size: 0, mode: '100644' };

/** Two layers seen as one: the checked out commits, and the overlay above them. Takes paths relative to the root that were normalised before. */
export class Layers {
  readonly overlay: Overlay;
  readonly checkouts: Checkout[];
  readonly #materialise: Materialise;

  constructor(tree: Tree, options: { blobs: Blobs; materialise: Materialise }) {
    this.overlay = new Overlay(tree.changes, options.blobs);
    this.checkouts = tree.checkouts;
    this.#materialise = options.materialise;
  }

  /** The checkout that a path lies in. */
  checkoutOf(path: string): Checkout | undefined {
    return this.checkouts.find(({ repository }) => isWithin(repository.fullName, path));
  }

  /** Where a path of a checkout lies on disk, and the checkout's own directory; null outside of checkouts. */
  async place(path: string): Promise<{ dir: string; file: string } | null> {
    const checkout = this.checkoutOf(path);
    if (!checkout) return null;
    const dir = await this.#materialise(checkout);
    return { dir, file: join(dir, path.slice(checkout.repository.fullName.length)) };
  }

  async stat(path: string): Promise<Found | null> {
    const blob = this.overlay.get(path);
    if (blob) return { kind: 'file', size: blob.size, mode: blob.mode };
    if (path === '' || this.overlay.below(path).some(([, below]) => below)) return DIRECTORY;
    if (this.checkouts.some(({ repository }) => isWithin(path, repository.fullName))) return DIRECTORY;
    if (blob === null) return null;
    const base = await this.baseStat(path);
    if (base?.isFile()) return { kind: 'file', size: base.size, mode: base.mode & 0o111 ? '100755' : '100644' };
    return base?.isDirectory() && (await this.#survives(path)) ? DIRECTORY : null;
  }

  /** The commit's own entry, whatever the overlay says. Links count as absent, and so does anything that is reached through one. */
  async baseStat(path: string): Promise<Stats | null> {
    const place = await this.place(path);
    if (!place) return null;
    const seen = await lstat(place.file).catch(() => null);
    if (!seen || seen.isSymbolicLink()) return null;
    const [dir, file] = await Promise.all([realpath(place.dir), realpath(place.file)]);
    return isWithin(dir, file) ? seen : null;
  }

  /** A file's content; null where it is no file. */
  async content(path: string): Promise<Buffer | null> {
    const blob = this.overlay.get(path);
    if (blob) return this.overlay.content(blob);
    return blob === null ? null : this.baseContent(path);
  }

  /** The content the commit has for a path, whatever the overlay says. */
  async baseContent(path: string): Promise<Buffer | null> {
    const [seen, place] = [await this.baseStat(path), await this.place(path)];
    return seen?.isFile() && place ? readFile(place.file) : null;
  }

  /** What stands in a directory, by name. */
  async list(path: string): Promise<ListEntry[]> {
    const entries = new Map<string, ListEntry>();
    const isDirectory = (name: string) => entries.set(name, { name, kind: 'directory', size: 0 });
    for (const { repository } of this.checkouts) {
      if (path !== repository.fullName && isWithin(path, repository.fullName)) isDirectory(firstPart(path, repository.fullName));
    }
    for (const entry of await this.#baseList(path)) {
      const full = joinPath(path, entry.name);
      if (entry.kind === 'file' ? this.overlay.get(full) === undefined : await this.#survives(full)) entries.set(entry.name, entry);
    }
    for (const [below, blob] of this.overlay.below(path)) {
      const name = firstPart(path, below);
      if (blob && joinPath(path, name) === below) entries.set(name, { name, kind: 'file', size: blob.size });
      else if (blob) isDirectory(name);
    }
    return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #baseList(path: string): Promise<ListEntry[]> {
    const [seen, place] = [await this.baseStat(path), await this.place(path)];
    if (!seen?.isDirectory() || !place) return [];
    const found = await readdir(place.file, { withFileTypes: true });
    return Promise.all(
      found
        .filter((entry) => entry.isFile() || entry.isDirectory())
        .map(async (entry): Promise<ListEntry> => {
          if (entry.isDirectory()) return { name: entry.name, kind: 'directory', size: 0 };
          return { name: entry.name, kind: 'file', size: (await lstat(join(place.file, entry.name))).size };
        }),
    );
  }

  /** Whether a directory of the commit still holds a file: git knows no empty ones. */
  async #survives(path: string): Promise<boolean> {
    if (!this.overlay.below(path).some(([, blob]) => blob === null)) return true;
    for (const entry of await this.#baseList(path)) {
      const full = joinPath(path, entry.name);
      if (entry.kind === 'file' ? this.overlay.get(full) !== null : await this.#survives(full)) return true;
    }
    return this.overlay.below(path).some(([, blob]) => blob);
  }
}

function firstPart(folder: string, path: string): string {
  return (folder === '' ? path : path.slice(folder.length + 1)).split('/')[0] ?? '';
}
