import type { Diff } from '../journal/diff.ts';
import { Fatal } from '../journal/errors.ts';
import { GitFailed } from './git.ts';
import type { Mirrors, Source } from './mirror.ts';
import { parseDiff } from './patch.ts';

/** Where diffs are read from, and how many are kept. */
export interface DiffsOptions {
  mirrors: Mirrors;
  /** How many diffs are kept in memory, and how many characters of text together. */
  keep?: { count: number; characters: number };
}

/** A change between two commits; `pull` helps to find a fork's head. */
export interface DiffRequest {
  repository: Source;
  base: string;
  head: string;
  pull?: number;
  signal?: AbortSignal;
}

const KEEP = { count: 32, characters: 64 * 1024 * 1024 };
const MAX_DIFF = 256 * 1024 * 1024;
const FORMAT = [
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '-M',
  '--unified=3',
  '--full-index',
  '--src-prefix=a/',
  '--dst-prefix=b/',
  '--submodule=short',
];

/**
 * Diffs as git makes them (`merge-base..head`, 3 lines of context): the oracle of valid lines, whatever the size. GitHub's own diff is not asked, because it
 * fails over 300 files or 20 000 lines. Commits never change, so an answer is kept and shared.
 */
export class Diffs {
  readonly #options: DiffsOptions;
  readonly #kept = new Map<string, { diff: Promise<Diff>; size: number }>();

  constructor(options: DiffsOptions) {
    this.#options = options;
  }

  /** The change of a pull request. Throws `Fatal` where a commit is gone. The answer is shared: do not change it. */
  async read(request: DiffRequest): Promise<Diff> {
    request.signal?.throwIfAborted();
    const key = `${request.repository.id}:${request.base}:${request.head}`;
    const found = this.#kept.get(key);
    if (found) {
      this.#kept.delete(key);
      this.#kept.set(key, found);
      return found.diff;
    }
    const slot = { diff: this.#make(request), size: 0 };
    this.#kept.set(key, slot);
    try {
      const diff = await slot.diff;
      slot.size = diff.files.reduce((sum, file) => sum + file.text.length, 0);
      this.#shrink();
      return diff;
    } catch (error) {
      this.#kept.delete(key);
      throw error;
    }
  }

  async #make({ repository, base, head, pull }: DiffRequest): Promise<Diff> {
    const { mirrors } = this.#options;
    await mirrors.fetch({ repository, shas: [base, head], via: pull ? [`refs/pull/${pull}/head`] : [] });
    const mergeBase = await findMergeBase(mirrors, repository, { base, head });
    const range = [mergeBase, head, '--'];
    const output = await mirrors.git(repository, ['diff', ...FORMAT, ...range], { maxOutput: MAX_DIFF }).catch((error: unknown) => {
      if (error instanceof GitFailed && /more than/.test(error.message)) {
        throw new Fatal(
          `The change ${base}..${head} of ${repository.fullName} has over ${MAX_DIFF / 1024 ** 2} MiB of diff: split it into smaller pull requests.`,
        );
      }
      throw error;
    });
    return { base, head, mergeBase, files: parseDiff(output) };
  }

  #shrink(): void {
    const keep = this.#options.keep ?? KEEP;
    let size = [...this.#kept.values()].reduce((sum, slot) => sum + slot.size, 0);
    for (const [key, slot] of this.#kept) {
      if (this.#kept.size <= 1 || (this.#kept.size <= keep.count && size <= keep.characters)) return;
      this.#kept.delete(key);
      size -= slot.size;
    }
  }
}

/** Where two histories parted; `base` itself where they have nothing in common. Both commits must be in the mirror. */
export async function findMergeBase(mirrors: Mirrors, repository: Source, range: { base: string; head: string }): Promise<string> {
  const found = await mirrors.git(repository, ['merge-base', range.base, range.head], { accept: [0, 1] });
  return found.toString().trim() || range.base;
}
