import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import type { Diff } from '../journal/diff.ts';
import type { Repository, Resource } from '../journal/resource.ts';
import type { Blobs, Checkout, Tree } from '../journal/tree.ts';
import { type CheckoutLimits, Checkouts, refuseTooLarge } from './checkout.ts';
import { type DiffRequest, Diffs, findMergeBase } from './diff.ts';
import { foldersOf } from './entries.ts';
import { type Files, openFiles } from './files.ts';
import { Layers } from './layers.ts';
import { type Merged, mergeChanges, type Part } from './merge.ts';
import { Mirrors, type MirrorsOptions } from './mirror.ts';
import { resolveCommit } from './revision.ts';
import { type SearchQuery, type SearchResult, searchCode } from './search.ts';

/** Told what is worth a line in the log. Must not throw. */
export type Log = (message: string, fields: Record<string, unknown>) => void;

/** Where a workspace keeps its checkouts, and what it may fetch. */
export interface WorkspaceOptions extends MirrorsOptions {
  log?: Log;
  /** 50 000 files and 2 GiB by default. */
  limits?: CheckoutLimits;
}

/** `cloneOptions` of `git.clone` that have a meaning here; the others are hints (see `Mirrors`). */
export interface CloneOptions {
  depth?: number;
  sparseCheckout?: { enabled?: boolean; paths?: string[] };
}

/** What is checked out, of which repository. */
export interface CloneRequest {
  repository: Pick<Repository, 'id' | 'fullName' | 'cloneUrl'> & { defaultBranch?: string };
  /** A branch, a tag or a commit; empty for the default branch. */
  branch?: string;
  /** The event's pull request, where it is one of this repository: its head is checked out where `branch` names it, and the folders it changed count. */
  pull?: Pick<Extract<Resource, { kind: 'pr' }>, 'number' | 'head' | 'base'>;
  options?: CloneOptions;
  signal?: AbortSignal;
}

/** Checkouts, files, diffs and search over plain trees, for any process that shares or does not share the data directory. */
export class Workspace {
  readonly #mirrors: Mirrors;
  readonly #checkouts: Checkouts;
  readonly #diffs: Diffs;
  readonly #log: Log;
  readonly #closing = new AbortController();

  constructor(options: WorkspaceOptions) {
    setMaxListeners(0, this.#closing.signal);
    const dataDir = resolve(options.dataDir);
    this.#mirrors = new Mirrors({ ...options, dataDir });
    this.#checkouts = new Checkouts({ dataDir, mirrors: this.#mirrors, limits: options.limits });
    this.#diffs = new Diffs({ mirrors: this.#mirrors });
    this.#log = options.log ?? (() => undefined);
  }

  /**
   * Finds the commit, brings it here and says what was checked out: data for the journal. Over the file limit only the folders that the pull request
   * (else the commit) changed are taken; `sparse` then names them. Throws `Fatal` where another try is no use.
   */
  async clone(request: CloneRequest): Promise<Checkout> {
    const started = Date.now();
    const signal = this.#signal(request.signal);
    const { id, fullName, cloneUrl } = request.repository;
    const { sha, branch } = await resolveCommit(this.#mirrors, { ...request, signal });
    const { enabled, paths = [] } = request.options?.sparseCheckout ?? {};
    const asked: Checkout = {
      repository: { id, fullName, cloneUrl },
      sha,
      branch,
      sparse: enabled === false ? [] : paths,
      depth: request.options?.depth ?? 0,
    };
    const checkout = await this.#fit(asked, request.pull);
    await this.#checkouts.materialise(checkout, { signal });
    this.#log('checked out', { repository: fullName, sha, sparse: checkout.sparse.length, ms: Date.now() - started });
    return checkout;
  }

  /** Opens a tree; nothing is fetched before it is read. `startIn`: see `FilesOptions`. */
  files(tree: Tree, blobs: Blobs, options: { startIn?: string } = {}): Files {
    return openFiles({ tree, blobs, materialise: this.#materialise, ...options });
  }

  /** The read-only directory of one checkout. */
  materialise(checkout: Checkout): Promise<string> {
    return this.#materialise(checkout);
  }

  /** What a pull request changes, from git. The answer is shared: do not change it. */
  diff(repository: DiffRequest['repository'], commits: { base: string; head: string; pull?: number; signal?: AbortSignal }): Promise<Diff> {
    return this.#diffs.read({ repository, ...commits, signal: this.#signal(commits.signal) });
  }

  /** Looks for a text; see `searchCode`. */
  search(tree: Tree, blobs: Blobs, query: SearchQuery & { startIn?: string; signal?: AbortSignal }): Promise<SearchResult> {
    const { startIn, signal, ...search } = query;
    return searchCode({ tree, blobs, materialise: this.#materialise, startIn }, search, { signal: this.#signal(signal) });
  }

  /** Puts the changes of delegations together; see `mergeChanges`. */
  merge(base: Tree, parts: Part[], blobs: Blobs): Promise<Merged> {
    const layers = new Layers(base, { blobs, materialise: this.#materialise });
    return mergeChanges({ base, parts, blobs, readBase: (path) => layers.content(path) });
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the workspace was closed'));
  }

  readonly #materialise = (checkout: Checkout): Promise<string> => this.#checkouts.materialise(checkout, { signal: this.#closing.signal });

  async #fit(checkout: Checkout, pull: CloneRequest['pull']): Promise<Checkout> {
    const { limits } = this.#checkouts;
    const fullName = checkout.repository.fullName;
    const size = await this.#size(checkout);
    if ((size.files <= limits.files && size.bytes <= limits.bytes) || checkout.sparse.length > 0) {
      refuseTooLarge(fullName, size, limits);
      return checkout;
    }
    const changed = { ...checkout, sparse: foldersOf(await this.#changedPaths(checkout, pull)) };
    refuseTooLarge(fullName, await this.#size(changed), limits);
    this.#log('only the changed folders are checked out', {
      repository: fullName,
      sha: checkout.sha,
      files: size.files,
      folders: changed.sparse.length,
    });
    return changed;
  }

  async #size(checkout: Checkout): Promise<CheckoutLimits> {
    const entries = await this.#checkouts.entries(checkout);
    return { files: entries.length, bytes: entries.reduce((sum, entry) => sum + entry.size, 0) };
  }

  async #changedPaths({ repository, sha }: Checkout, pull: CloneRequest['pull']): Promise<string[]> {
    const range =
      pull && pull.head.sha === sha ? [await findMergeBase(this.#mirrors, repository, { base: pull.base.sha, head: sha }), sha] : [sha];
    const args = ['diff-tree', '-r', '-z', '--no-commit-id', '--name-only', '--root', '--diff-filter=d', ...range];
    return (await this.#mirrors.git(repository, args)).toString().split('\0').filter(Boolean);
  }

  #signal(signal?: AbortSignal): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
  }
}
