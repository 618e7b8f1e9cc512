import { ToolError } from '../journal/errors.ts';
import type { Blobs, Changes, Tree } from '../journal/tree.ts';
import { type Found, Layers, type ListEntry, type Materialise } from './layers.ts';
import { explainMissing } from './missing.ts';
import { folderOf, foldersAbove, isWithin, joinPath, normalisePath, show } from './path.ts';
import { replaceText } from './replacement.ts';

/** Lines of a text file, 1-based and inclusive. Lines end at `\n` only, as in diffs; `text` has no line end at its end. */
export interface LineRange {
  path: string;
  text: string;
  start: number;
  end: number;
  total: number;
}

/**
 * The workspace as agents see it: `owner/repo/` for every checkout, their own files at the root. Every method takes a path as an agent writes it and
 * throws `ToolError` with what would have worked; anything else that is thrown is the infrastructure's. Methods that write answer the path that was
 * written, relative to the root, and run one after the other.
 */
export interface Files {
  /** A whole file. Text only unless `binary` is set; over `maxBytes` (8 MiB) refused with how to page. */
  read(path: string, options?: { binary?: boolean; maxBytes?: number }): Promise<Buffer>;
  readLines(path: string, range?: { start?: number; end?: number }): Promise<LineRange>;
  stat(path: string): Promise<Found | null>;
  exists(path: string): Promise<boolean>;
  list(path: string): Promise<ListEntry[]>;
  write(path: string, content: string | Buffer, mode?: '100644' | '100755'): Promise<string>;
  append(path: string, text: string): Promise<string>;
  edit(path: string, change: { old: string; new: string; all?: boolean }): Promise<{ path: string; count: number }>;
  remove(path: string): Promise<string>;
  /** Checks that a directory may be there; like git, the workspace remembers only directories with files in them. */
  makeDirectory(path: string): Promise<string>;
  /** What differs from the tree that was opened, net. */
  changed(): Changes;
  /** The tree that was opened with what was changed since. */
  tree(): Tree;
  /** The path relative to the root, by its text alone. */
  resolve(path: string): string;
  /** The path it stands for: where it is not at the root it is looked for in the checkout. */
  locate(path: string, purpose?: 'read' | 'write'): Promise<string>;
}

/** The tree that is worked on, and where its contents are. */
export interface FilesOptions {
  tree: Tree;
  materialise: Materialise;
  blobs: Blobs;
  /** Folder in which relative paths are looked for where they are not at the root; the only checkout by default. */
  startIn?: string;
}

const MAX_READ = 8 * 1024 * 1024;
const MAX_PAGED = 64 * 1024 * 1024;
const MAX_WRITE = 16 * 1024 * 1024;
/** Agents' own files lie at the root, also where the repository has a folder of this name. */
const OWN = '.overcut';

/** Opens a tree. Nothing is read before it is asked for. */
export function openFiles(options: FilesOptions): Files {
  return new OverlayFiles(options);
}

class OverlayFiles implements Files {
  readonly #tree: Tree;
  readonly #layers: Layers;
  readonly #startIn: string;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ tree, startIn, ...options }: FilesOptions) {
    this.#tree = tree;
    this.#layers = new Layers(tree, options);
    this.#startIn = startIn ?? (tree.checkouts.length === 1 ? (tree.checkouts[0]?.repository.fullName ?? '') : '');
  }

  async read(path: string, { binary = false, maxBytes = MAX_READ }: { binary?: boolean; maxBytes?: number } = {}): Promise<Buffer> {
    const at = await this.#file(path);
    const { size } = (await this.#layers.stat(at)) ?? { size: 0 };
    if (size > maxBytes) {
      const how =
        size > MAX_PAGED
          ? 'look for what you need by code_search, or cut it by the terminal tool'
          : 'ask for a part by startLine and endLine, or use code_search';
      throw new ToolError(
        `${show(at)} has ${(size / 1024 ** 2).toFixed(1)} MiB, at most ${(maxBytes / 1024 ** 2).toFixed(1)} MiB are read at once: ${how}.`,
      );
    }
    const content = await this.#layers.content(at);
    if (!content) throw new ToolError(`${show(at)} is not there any more: list its folder.`);
    if (!binary && isBinary(content))
      throw new ToolError(`${show(at)} is a binary file (${size} bytes) and cannot be read as text: nothing of it can be shown.`);
    return content;
  }

  async readLines(path: string, { start = 1, end = Number.POSITIVE_INFINITY }: { start?: number; end?: number } = {}): Promise<LineRange> {
    const content = await this.read(path, { maxBytes: MAX_PAGED });
    const lines = content.toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    const total = lines.length;
    if (start > end) throw new ToolError(`startLine ${start} lies after endLine ${end}: swap them.`);
    if (start > Math.max(1, total))
      throw new ToolError(`${show(path)} has ${total} lines, line ${start} is past its end: ask for lines 1 to ${total}.`);
    const first = Math.max(1, Math.floor(start));
    const last = Math.min(total, Math.floor(end));
    return { path: await this.locate(path), text: lines.slice(first - 1, last).join('\n'), start: first, end: last, total };
  }

  async stat(path: string): Promise<Found | null> {
    return this.#layers.stat(await this.locate(path));
  }

  async exists(path: string): Promise<boolean> {
    return (await this.stat(path)) !== null;
  }

  async list(path: string): Promise<ListEntry[]> {
    const at = await this.locate(path);
    const found = await this.#layers.stat(at);
    if (!found)
      throw await explainMissing(this.#layers, { path: at, startIn: this.#startIn, note: 'Directories without files are not kept.' });
    if (found.kind === 'file') throw new ToolError(`${show(at)} is a file: read it with read_file, or list ${show(folderOf(at) || '.')}.`);
    return (await this.#layers.list(at)).filter(({ name }) => name.toLowerCase() !== '.git');
  }

  write(path: string, content: string | Buffer, mode?: '100644' | '100755'): Promise<string> {
    return this.#inTurn(async () => {
      const at = await this.#writable(path);
      const found = await this.#layers.stat(at);
      await this.#put(at, Buffer.from(content), { mode: mode ?? found?.mode ?? '100644' });
      return at;
    });
  }

  append(path: string, text: string): Promise<string> {
    return this.#inTurn(async () => {
      const at = await this.#writable(path);
      const found = await this.#layers.stat(at);
      const before = found ? await this.#layers.content(at) : null;
      const appended = found ? this.#layers.overlay.get(at)?.appended : true;
      await this.#put(at, Buffer.concat([before ?? Buffer.alloc(0), Buffer.from(text)]), { mode: found?.mode ?? '100644', appended });
      return at;
    });
  }

  edit(path: string, change: { old: string; new: string; all?: boolean }): Promise<{ path: string; count: number }> {
    return this.#inTurn(async () => {
      const text = (await this.read(path)).toString('utf8');
      const at = await this.locate(path);
      const replaced = replaceText(text, { ...change, path: at });
      const mode = (await this.#layers.stat(at))?.mode ?? '100644';
      await this.#put(at, Buffer.from(replaced.text), { mode });
      return { path: at, count: replaced.count };
    });
  }

  remove(path: string): Promise<string> {
    return this.#inTurn(async () => {
      const at = await this.#file(path, 'delete the files in it one by one');
      this.#layers.overlay.remove(at, (await this.#layers.baseStat(at))?.isFile() ?? false);
      return at;
    });
  }

  async makeDirectory(path: string): Promise<string> {
    const at = await this.locate(path, 'write');
    await this.#refuseFileAbove(joinPath(at, '.'));
    return at;
  }

  changed(): Changes {
    return this.#layers.overlay.changed();
  }

  tree(): Tree {
    return { checkouts: this.#tree.checkouts, changes: this.#layers.overlay.all() };
  }

  resolve(path: string): string {
    return normalisePath(path);
  }

  async locate(path: string, purpose: 'read' | 'write' = 'read'): Promise<string> {
    const plain = normalisePath(path);
    const inside = joinPath(this.#startIn, plain);
    if (!this.#startIn || plain === '' || isWithin(this.#startIn, plain) || (await this.#layers.stat(plain))) return plain;
    if (purpose === 'read' || (await this.#layers.stat(inside))) return (await this.#layers.stat(inside)) ? inside : plain;
    const folder = folderOf(plain);
    if (folder === '' || isWithin(OWN, plain) || (await this.#layers.stat(folder))) return plain;
    return (await this.#layers.stat(folderOf(inside)))?.kind === 'directory' ? inside : plain;
  }

  /** A path that is a file. */
  async #file(path: string, instead = 'list it with list_dir'): Promise<string> {
    const at = await this.locate(path);
    const found = await this.#layers.stat(at);
    if (!found) throw await explainMissing(this.#layers, { path: at, startIn: this.#startIn });
    if (found.kind === 'directory') throw new ToolError(`${show(at || '.')} is a directory: ${instead}.`);
    return at;
  }

  /** A path that may become a file. */
  async #writable(path: string): Promise<string> {
    const at = await this.locate(path, 'write');
    if ((await this.#layers.stat(at))?.kind === 'directory') throw new ToolError(`${show(at || '.')} is a directory: name a file in it.`);
    await this.#refuseFileAbove(at);
    return at;
  }

  async #refuseFileAbove(path: string): Promise<void> {
    for (const above of foldersAbove(path)) {
      if ((await this.#layers.stat(above))?.kind === 'file')
        throw new ToolError(`${show(above)} is a file, so nothing can lie below it: choose another folder.`);
    }
  }

  async #put(path: string, content: Buffer, facts: { mode: '100644' | '100755'; appended?: true }): Promise<void> {
    if (content.length > MAX_WRITE)
      throw new ToolError(`${show(path)} would have ${content.length} bytes, at most ${MAX_WRITE} are kept: write several smaller files.`);
    const base = await this.#layers.baseStat(path);
    const sameAsBase =
      base?.isFile() &&
      base.size === content.length &&
      (base.mode & 0o111 ? '100755' : '100644') === facts.mode &&
      (await this.#layers.baseContent(path))?.equals(content);
    if (sameAsBase && this.#layers.overlay.restore(path)) return;
    await this.#layers.overlay.write(path, content, facts.appended ? { mode: facts.mode, appended: true } : { mode: facts.mode });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** Git's own guess: a NUL in the first 8 000 bytes. */
function isBinary(content: Buffer): boolean {
  return content.subarray(0, 8000).includes(0);
}
