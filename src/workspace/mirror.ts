import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Fatal } from '../journal/errors.ts';
import type { Checkout } from '../journal/tree.ts';
import { explainFetch, isMissingCommit, isMissingRef } from './fetch-error.ts';
import { GitFailed, type GitOptions, type GitSettings, runGit } from './git.ts';
import { checkCloneUrl, type Hosts, protocolsOf } from './host.ts';
import { holdLock } from './lock.ts';

/** What git needs to know of a repository. */
export type Source = Checkout['repository'];

/** Where a repository's code is fetched from now, and the token for it. May throw; the error goes to whoever wanted the code. */
export type Credentials = (repository: Source) => Promise<{ url: string; token: string | null }>;

/** Where mirrors are kept, and how they are fetched. */
export interface MirrorsOptions extends Hosts {
  dataDir: string;
  credentials: Credentials;
  /** Milliseconds for one fetch, 120 s by default. A transfer under 1 kB/s for 30 s ends sooner. */
  timeoutMs?: number;
  searchPath?: string;
  environment?: Record<string, string>;
}

/** What has to be in the mirror. */
export interface Wanted {
  repository: Source;
  /** Names on the server whose newest commit is asked for: always goes to the network. */
  refs?: string[];
  /** Commits; where all of them are there already nothing is fetched. */
  shas?: string[];
  /** Names under which the commits may be found where the server does not hand out commits by id. */
  via?: string[];
  signal?: AbortSignal;
}

const SHA = /^[0-9a-f]{40}$/;
const KEEP_COMMITS = 200;
const MAX_PACKS = 32;
const OLD_PART_MS = 60 * 60_000;

/** Git attributes of a repository never change the bytes of a checkout or hide a diff. */
const ATTRIBUTES = '* -text !eol !filter !ident !working-tree-encoding !diff\n';

/**
 * One bare mirror per repository, shared by all runs of a data directory, so that the second clone is cheap.
 *
 * Mirrors always hold whole histories. `depth`, `filter` and `singleBranch` of `git.clone` are hints that change nothing here: the merge base of a
 * pull request needs history, diffs need blobs, and one mirror serves clones with different options. Only what is asked for is fetched (commits
 * and single refs), so a mirror is not a copy of every branch.
 */
export class Mirrors {
  readonly #options: MirrorsOptions;
  readonly #settings: GitSettings;
  readonly #turns = new Map<number, Promise<unknown>>();

  constructor(options: MirrorsOptions) {
    this.#options = { ...options, dataDir: resolve(options.dataDir) };
    this.#settings = { protocols: protocolsOf(options), searchPath: options.searchPath, environment: options.environment };
  }

  /** The mirror's directory, whether it is there yet or not. */
  path(repository: Pick<Source, 'id'>): string {
    return join(this.#options.dataDir, 'mirrors', `${Number(repository.id)}.git`);
  }

  /** Runs git on a mirror. Throws `GitFailed`. */
  git(repository: Pick<Source, 'id'>, args: string[], options: GitOptions = {}): Promise<Buffer> {
    return runGit(this.#settings, [`--git-dir=${this.path(repository)}`, ...args], options);
  }

  /** Which of these commits the mirror lacks. */
  async missing(repository: Pick<Source, 'id'>, shas: string[]): Promise<string[]> {
    if (shas.length === 0 || !(await isThere(this.path(repository)))) return shas;
    const asked = shas.map((sha) => `${sha}^{commit}\n`).join('');
    const lines = (await this.git(repository, ['cat-file', '--batch-check'], { input: asked })).toString().split('\n');
    return shas.filter((_, at) => !/^[0-9a-f]+ commit /.test(lines[at] ?? ''));
  }

  /**
   * Brings commits and refs into the mirror and answers the commit of each ref. One fetch at a time for each mirror, in this process and (by a
   * lock file) in all that share the data directory. Throws `Fatal` where trying again is no use (no access, no such branch, commit gone).
   */
  async fetch(wanted: Wanted): Promise<Map<string, string>> {
    const { repository, refs = [], shas = [], signal } = wanted;
    const wrong = shas.find((sha) => !SHA.test(sha));
    if (wrong !== undefined) throw new Fatal(`${JSON.stringify(wrong)} is not a commit id: 40 hexadecimal digits are needed.`);
    if (refs.length === 0 && (await this.missing(repository, shas)).length === 0) return new Map();
    return this.#inTurn(repository.id, async () => {
      signal?.throwIfAborted();
      await mkdir(join(this.#options.dataDir, 'mirrors'), { recursive: true });
      return holdLock(`${this.path(repository)}.lock`, () => this.#fetchNow(wanted), { signal });
    });
  }

  async #fetchNow(wanted: Wanted): Promise<Map<string, string>> {
    const { repository, refs = [], shas = [], via = [] } = wanted;
    await this.#create(repository);
    const missing = await this.missing(repository, shas);
    if (refs.length + missing.length > 0) {
      await this.#transfer(wanted, [...refs.map(refspecOf), ...missing.map((sha) => `${sha}:refs/pitwall/commit/${sha}`)]).catch(
        async (error: unknown) => {
          if (missing.length === 0 || !isMissingCommit(error)) throw explainFetch(error, repository.fullName);
          await this.#transferNames(wanted, [...refs, ...via]);
        },
      );
    }
    const gone = await this.missing(repository, missing);
    if (gone.length > 0)
      throw new Fatal(
        `${repository.fullName} has no commit ${gone.join(', ')} any more: push again, or start the run again for the newest commit.`,
      );
    await this.#tidy(repository);
    return this.#commitsOf(repository, refs);
  }

  /** For servers that do not hand out commits by id: the names they may be found under, one by one, because one that is missing fails all. */
  async #transferNames(wanted: Wanted, names: string[]): Promise<void> {
    for (const name of names) {
      await this.#transfer(wanted, [refspecOf(name)]).catch((error: unknown) => {
        if (!isMissingRef(error)) throw explainFetch(error, wanted.repository.fullName);
      });
    }
  }

  async #transfer({ repository, signal }: Wanted, refspecs: string[]): Promise<void> {
    const { url, token } = await this.#options.credentials(repository);
    const origin = checkCloneUrl(url, this.#options);
    const args = ['fetch', '--quiet', '--force', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--no-auto-maintenance'];
    await this.git(repository, [...args, '--end-of-options', url, ...refspecs], {
      signal,
      timeoutMs: this.#options.timeoutMs,
      login: token && origin ? { origin, token } : undefined,
    });
  }

  async #commitsOf(repository: Source, refs: string[]): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const ref of refs) {
      const sha = await this.git(repository, ['rev-parse', '--verify', '--end-of-options', `${storedRef(ref)}^{commit}`]);
      found.set(ref, sha.toString().trim());
    }
    return found;
  }

  async #create(repository: Source): Promise<void> {
    const path = this.path(repository);
    if (await isThere(path)) return;
    const part = `${path}.${randomUUID()}.part`;
    await runGit(this.#settings, ['init', '--quiet', '--bare', '--template=', part]);
    await mkdir(join(part, 'info'), { recursive: true });
    await writeFile(join(part, 'info', 'attributes'), ATTRIBUTES);
    await rename(part, path).catch(async (error: unknown) => {
      await rm(part, { recursive: true, force: true });
      if (!(await isThere(path))) throw error;
    });
  }

  /** Keeps a mirror quick: few packs, few names to negotiate with, no parts of transfers that were cut off. Objects are never dropped. */
  async #tidy(repository: Source): Promise<void> {
    const packs = join(this.path(repository), 'objects', 'pack');
    const names = await readdir(packs).catch(() => []);
    for (const name of names.filter((part) => part.startsWith('tmp_'))) {
      const seen = await stat(join(packs, name)).catch(() => null);
      if (seen && Date.now() - seen.mtimeMs > OLD_PART_MS) await rm(join(packs, name), { force: true });
    }
    if (names.filter((name) => name.endsWith('.pack')).length <= MAX_PACKS) return;
    try {
      const refs = await this.git(repository, ['for-each-ref', '--sort=-creatordate', '--format=%(refname)', 'refs/pitwall/']);
      const old = refs.toString().split('\n').filter(Boolean).slice(KEEP_COMMITS);
      if (old.length > 0) await this.git(repository, ['update-ref', '--stdin'], { input: old.map((ref) => `delete ${ref}\n`).join('') });
      await this.git(repository, ['pack-refs', '--all']);
      await this.git(repository, ['repack', '-d', '--quiet', '--geometric=2']);
    } catch (error) {
      if (!(error instanceof GitFailed)) throw error;
    }
  }

  #inTurn<T>(id: number, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#turns.get(id) === settled) this.#turns.delete(id);
      });
    this.#turns.set(id, settled);
    return turn;
  }
}

/** Refs are stored under a digest of their name, so that `a` and a later `a/b` do not stand in each other's way. */
function storedRef(ref: string): string {
  return `refs/pitwall/ref/${createHash('sha256').update(ref).digest('hex').slice(0, 40)}`;
}

function refspecOf(ref: string): string {
  return `+${ref}:${storedRef(ref)}`;
}

/** Whether something is at a path. */
export function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
