import type { Blob, Blobs, Changes } from '../journal/tree.ts';
import { isWithin } from './path.ts';

const MEMORY = 16 * 1024 * 1024;

/** The changes above the commits while a workspace is open, and what they were when it was opened. */
export class Overlay {
  readonly #opened: Changes;
  readonly #now: Map<string, Blob | null>;
  readonly #blobs: Blobs;
  readonly #memory = new Map<string, Buffer>();
  #remembered = 0;

  constructor(opened: Changes, blobs: Blobs) {
    this.#opened = { ...opened };
    this.#now = new Map(Object.entries(opened));
    this.#blobs = blobs;
  }

  /** A blob, null for deleted, undefined where the commit's own content counts. */
  get(path: string): Blob | null | undefined {
    return this.#now.get(path);
  }

  /** Paths below a folder, with what they hold. */
  below(folder: string): [string, Blob | null][] {
    return [...this.#now].filter(([path]) => path !== folder && isWithin(folder, path));
  }

  all(): Changes {
    return Object.fromEntries(this.#now);
  }

  async content(blob: Blob): Promise<Buffer> {
    return this.#memory.get(blob.digest) ?? (await this.#blobs.get(blob.digest));
  }

  async write(path: string, content: Buffer, facts: Pick<Blob, 'mode' | 'appended'>): Promise<void> {
    const digest = await this.#blobs.put(content);
    this.#remember(digest, content);
    this.#now.set(path, { digest, size: content.length, ...facts });
  }

  /** Takes a path out; `inBase` says whether the commit has it, so that the deletion has to be told. */
  remove(path: string, inBase: boolean): void {
    if (inBase || this.#opened[path]) this.#now.set(path, null);
    else this.#now.delete(path);
  }

  /** The commit's own content counts again. Where another content was there at the opening this must be written instead. */
  restore(path: string): boolean {
    if (this.#opened[path] !== undefined) return false;
    this.#now.delete(path);
    return true;
  }

  /** What differs from the opening. */
  changed(): Changes {
    return Object.fromEntries([...this.#now].filter(([path, blob]) => !isSame(this.#opened[path], blob)));
  }

  #remember(digest: string, content: Buffer): void {
    if (content.length > MEMORY / 4) return;
    if (this.#remembered + content.length > MEMORY) {
      this.#memory.clear();
      this.#remembered = 0;
    }
    this.#memory.set(digest, content);
    this.#remembered += content.length;
  }
}

function isSame(a: Blob | null | undefined, b: Blob | null | undefined): boolean {
  if (!a || !b) return a === b;
  return a.digest === b.digest && a.mode === b.mode;
}
