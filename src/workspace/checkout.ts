import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Fatal } from '../journal/errors.ts';
import type { Checkout } from '../journal/tree.ts';
import { parseEntries, selectPaths, type TreeEntry } from './entries.ts';
import { isThere, type Mirrors } from './mirror.ts';

/** What one checkout may hold. */
export interface CheckoutLimits {
  files: number;
  bytes: number;
}

/** Where checkouts are kept, and how many of them. */
export interface CheckoutsOptions {
  dataDir: string;
  mirrors: Mirrors;
  /** 50 000 files and 2 GiB by default. */
  limits?: CheckoutLimits;
  /** How many checkouts are kept, how many bytes they may hold together, and how long (ms) one must have been unused before it goes. */
  keep?: { count: number; bytes: number; idleMs: number };
}

/** What a checkout may hold where nothing else is said. */
export const CHECKOUT_LIMITS: CheckoutLimits = { files: 50_000, bytes: 2 * 1024 ** 3 };
const KEEP = { count: 100, bytes: 20 * 1024 ** 3, idleMs: 60 * 60_000 };
const TOUCH_MS = 60_000;

/**
 * Work trees of commits, shared by all runs and never written to after they were made: agents' changes lie above them as an overlay. Links are small
 * text files with their target, git attributes change no byte, submodules are left out.
 */
export class Checkouts {
  readonly #options: CheckoutsOptions;
  readonly #building = new Map<string, Promise<void>>();
  readonly #touched = new Map<string, number>();

  constructor(options: CheckoutsOptions) {
    this.#options = { ...options, dataDir: resolve(options.dataDir) };
  }

  /** The limits that hold here. */
  get limits(): CheckoutLimits {
    return this.#options.limits ?? CHECKOUT_LIMITS;
  }

  /**
   * The directory of a checkout, made where it is not there (its commit is fetched where the mirror lacks it). Two processes may make the same one at once:
   * it is built aside and renamed. Cheap when it is there, so ask each time instead of keeping the answer: an unused one is removed.
   */
  async materialise(checkout: Checkout, options: { signal?: AbortSignal } = {}): Promise<string> {
    const home = this.#home(checkout);
    const tree = join(home, 'tree');
    if (!(await isThere(tree))) {
      options.signal?.throwIfAborted();
      const building = this.#building.get(home) ?? this.#build(checkout, home).finally(() => this.#building.delete(home));
      this.#building.set(home, building);
      await building;
    }
    await this.#touch(home);
    return tree;
  }

  /** The files of a commit that a sparse selection leaves, before anything is written. The commit must be in the mirror. */
  async entries(checkout: Pick<Checkout, 'repository' | 'sha' | 'sparse'>): Promise<TreeEntry[]> {
    const listed = await this.#options.mirrors.git(checkout.repository, ['ls-tree', '-r', '-l', '-z', '--full-tree', checkout.sha]);
    const has = selectPaths(checkout.sparse);
    return parseEntries(listed).filter((entry) => has(entry.path));
  }

  /** Removes checkouts that have not been used for a while, longest unused first, until count and bytes are within bounds. */
  async evict(): Promise<void> {
    const keep = this.#options.keep ?? KEEP;
    const homes = (await this.#homes()).sort((a, b) => b.used - a.used);
    let bytes = 0;
    for (const [at, { home, used, size }] of homes.entries()) {
      bytes += size;
      const over = at >= keep.count || bytes > keep.bytes;
      if (over && Date.now() - used > keep.idleMs && !this.#building.has(home)) await this.#drop(home);
    }
  }

  async #build(checkout: Checkout, home: string): Promise<void> {
    const { mirrors } = this.#options;
    await mirrors.fetch({ repository: checkout.repository, shas: [checkout.sha] });
    const entries = await this.entries(checkout);
    const size = entries.reduce((sum, entry) => sum + entry.size, 0);
    refuseTooLarge(checkout.repository.fullName, { files: entries.length, bytes: size }, this.limits);
    const part = `${home}.${randomUUID()}.part`;
    try {
      await mkdir(join(part, 'tree'), { recursive: true });
      const environment = { GIT_INDEX_FILE: join(part, 'index') };
      const input = entries.map(({ mode, sha, path }) => `${mode} ${sha}\t${path}\0`).join('');
      await mirrors.git(checkout.repository, ['update-index', '-z', '--index-info'], { input, environment });
      const tree = join(part, 'tree');
      await mirrors.git(checkout.repository, [`--work-tree=${tree}`, 'checkout-index', '--all', '--quiet'], { cwd: tree, environment });
      await rm(join(part, 'index'), { force: true });
      await writeFile(join(part, 'checkout.json'), JSON.stringify({ ...checkout, files: entries.length, bytes: size }));
      await rename(part, home);
    } catch (error) {
      await rm(part, { recursive: true, force: true });
      if (!(await isThere(join(home, 'tree')))) throw error;
    }
    await this.evict();
  }

  #home({ repository, sha, sparse }: Checkout): string {
    if (!/^[0-9a-f]{40}$/.test(sha)) throw new Fatal(`${JSON.stringify(sha)} is not a commit id: 40 hexadecimal digits are needed.`);
    const digest = createHash('sha256')
      .update(JSON.stringify([...sparse].sort()))
      .digest('hex')
      .slice(0, 12);
    return join(this.#options.dataDir, 'checkouts', String(Number(repository.id)), sparse.length > 0 ? `${sha}-${digest}` : sha);
  }

  async #homes(): Promise<{ home: string; used: number; size: number }[]> {
    const root = join(this.#options.dataDir, 'checkouts');
    const found = [];
    for (const id of await readdir(root).catch(() => [])) {
      for (const name of await readdir(join(root, id)).catch(() => [])) {
        const home = join(root, id, name);
        const seen = await stat(home).catch(() => null);
        const record = await readFile(join(home, 'checkout.json'), 'utf8').catch(() => '');
        const size = Number(/"bytes":(\d+)/.exec(record)?.[1] ?? 0);
        if (seen) found.push({ home, used: seen.mtimeMs, size });
      }
    }
    return found;
  }

  async #touch(home: string): Promise<void> {
    const now = Date.now();
    if (now - (this.#touched.get(home) ?? 0) < TOUCH_MS) return;
    this.#touched.set(home, now);
    await utimes(home, new Date(now), new Date(now)).catch(() => undefined);
  }

  async #drop(home: string): Promise<void> {
    const gone = join(dirname(home), `.${randomUUID()}.gone`);
    this.#touched.delete(home);
    await rename(home, gone).catch(() => undefined);
    await rm(gone, { recursive: true, force: true });
  }
}

/** Throws `Fatal` where a checkout would be over its limits, with the ways out. */
export function refuseTooLarge(fullName: string, size: CheckoutLimits, limits: CheckoutLimits): void {
  if (size.files <= limits.files && size.bytes <= limits.bytes) return;
  const mib = (bytes: number) => `${Math.round(bytes / 1024 ** 2)} MiB`;
  throw new Fatal(
    `A checkout of ${fullName} would hold ${size.files} files and ${mib(size.bytes)}; at most ${limits.files} files and ${mib(limits.bytes)} are checked out. ` +
      'Name the folders that are needed in `cloneOptions.sparseCheckout.paths` of the git.clone step.',
  );
}
