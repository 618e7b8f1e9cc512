import { LRUCache } from 'lru-cache';
import type { Repository } from '../journal/resource.ts';
import type { Api } from './api.ts';
import { GitHubError } from './error.ts';

/** What a repository commits for us, at one commit of its default branch. */
export interface Configuration {
  /** The commit; empty for a repository without commits. */
  sha: string;
  /** `.overcut/**` by path. */
  files: Record<string, string>;
  /** `AGENTS.md` and `CLAUDE.md` of the root, under their names. */
  guidance: string;
  /** What was there and not taken, with the reason. */
  skipped: { path: string; reason: string }[];
}

/** A pull request by its number and the commits of its two sides. */
export interface ProposingPull {
  number: number;
  head: string;
  base: string;
}

const FOLDER = '.overcut';
const GUIDANCE = ['AGENTS.md', 'CLAUDE.md'];
/** Bounds (bytes, files) on what is read into memory for one repository. */
const MAX_FILE = 256 * 1024;
const MAX_TOTAL = 2 * 1024 * 1024;
const MAX_FILES = 500;
const MAX_REPOSITORIES = 1000;
const MAX_KEPT = 64 * 1024 * 1024;
/** GitHub lists no more files of a pull request. */
const MAX_LISTED = 3000;

interface TreeEntry {
  path: string;
  mode: string;
  type: string;
  sha: string;
  size?: number;
}

interface Kept {
  branch: string;
  etag: string;
  loaded: Promise<Loaded>;
  sha: string;
}

interface Loaded {
  configuration: Configuration;
  /** Contents by git's blob id, so that an unchanged file is not read again at the next commit. */
  blobs: Map<string, string>;
}

/** Statuses for a default branch without a commit, or with another name than the webhook told. */
const NO_COMMIT = [404, 409, 422];

/**
 * Reads configuration from default branches, never from a pull request's head, and keeps the newest of each repository in memory: while a branch
 * stands still an event costs one conditional request.
 */
export class Configurations {
  readonly #kept: LRUCache<number, Kept>;

  /** `characters`: how much of all repositories together is kept. */
  constructor({ characters = MAX_KEPT }: { characters?: number } = {}) {
    this.#kept = new LRUCache({ max: MAX_REPOSITORIES, maxSize: characters });
  }

  /** The configuration at the default branch's head now. Throws `GitHubError`s. */
  async read(api: Api, repository: Repository): Promise<Configuration> {
    const kept = this.#kept.get(repository.id);
    const head = await headOf(api, repository, kept);
    if (!head) return { sha: '', files: {}, guidance: '', skipped: [] };
    if (kept && head.sha === kept.sha) {
      kept.etag = head.etag;
      return (await kept.loaded).configuration;
    }
    const loaded = load(api, repository, head.sha, kept && (await kept.loaded.catch(() => undefined)));
    this.#keep(repository.id, { ...head, loaded });
    return (await loaded).configuration;
  }

  /**
   * What a pull request proposes: the configuration at its head, or null where it does not touch `.overcut`. It is data to be looked at, and never
   * kept: nothing of it runs. Throws `GitHubError`s.
   */
  async readProposed(api: Api, repository: Repository, pull: ProposingPull): Promise<Configuration | null> {
    const [head, base] = await Promise.all([folderAt(api, repository, pull.head), folderAt(api, repository, pull.base)]);
    if (head === base || !(await touchesFolder(api, repository, pull.number))) return null;
    const kept = await this.#kept.get(repository.id)?.loaded.catch(() => undefined);
    return (await load(api, repository, pull.head, kept)).configuration;
  }

  /** Its length is known once it is loaded. */
  #keep(id: number, { loaded, ...head }: Kept): void {
    this.#kept.set(id, { ...head, loaded }, { size: 1 });
    const current = () => [this.#kept.peek(id)].find((kept) => kept?.loaded === loaded);
    loaded.then(
      (known) => {
        const kept = current();
        if (kept) this.#kept.set(id, { ...kept }, { size: lengthOf(known) });
      },
      () => current() && this.#kept.delete(id),
    );
  }
}

function lengthOf({ configuration }: Loaded): number {
  return Object.values(configuration.files).reduce((sum, text) => sum + text.length, configuration.guidance.length + 1);
}

type Head = Pick<Kept, 'branch' | 'etag' | 'sha'>;

async function headOf(api: Api, repository: Repository, kept: Head | undefined): Promise<Head | null> {
  try {
    return await askHead(api, repository, { branch: repository.defaultBranch, kept });
  } catch (error) {
    if (!(error instanceof GitHubError) || !NO_COMMIT.includes(error.status)) throw error;
    const { data } = await api.rest.repos.get(placeOf(repository));
    if (data.default_branch === repository.defaultBranch) return null;
    return askHead(api, repository, { branch: data.default_branch, kept });
  }
}

async function askHead(api: Api, repository: Repository, { branch, kept }: { branch: string; kept: Head | undefined }): Promise<Head> {
  const seen = kept?.branch === branch ? kept : undefined;
  try {
    const headers = { accept: 'application/vnd.github.sha', ...(seen?.etag ? { 'if-none-match': seen.etag } : {}) };
    const answer = await api.rest.repos.getCommit({ ...placeOf(repository), ref: branch, headers });
    const sha = String(answer.data).trim();
    if (!/^[0-9a-f]{40,64}$/.test(sha))
      throw new GitHubError(`GitHub's answer about the branch ${branch} was cut off`, { kind: 'network' });
    return { branch, etag: answer.headers.etag ?? '', sha };
  } catch (error) {
    if (seen && error instanceof GitHubError && error.kind === 'unmodified') return seen;
    throw error;
  }
}

async function load(api: Api, repository: Repository, sha: string, before: Loaded | undefined): Promise<Loaded> {
  const skipped: Configuration['skipped'] = [];
  const root = await readTree(api, repository, sha, false);
  const wanted = [
    ...(await listFolder(api, repository, root, skipped)),
    ...GUIDANCE.flatMap((name) => root.entries.filter((entry) => entry.path === name)),
  ];
  const taken = choose(wanted, skipped);
  const blobs = new Map<string, string>();
  await Promise.all(
    taken.map(async (entry) => blobs.set(entry.sha, before?.blobs.get(entry.sha) ?? (await readBlob(api, repository, entry.sha)))),
  );
  const files: Record<string, string> = {};
  for (const entry of taken) {
    const text = blobs.get(entry.sha) ?? '';
    if (text.includes('\0')) skipped.push({ path: entry.path, reason: 'it is not a text file' });
    else files[entry.path] = text;
  }
  const guidance = guidanceOf(files);
  for (const name of GUIDANCE) delete files[name];
  return { configuration: { sha, files, guidance, skipped }, blobs };
}

/** Git's id of the folder at a commit, with the kind of entry it is; empty where there is none. */
async function folderAt(api: Api, repository: Repository, sha: string): Promise<string> {
  const { entries } = await readTree(api, repository, sha, false);
  const folder = entries.find((entry) => entry.path === FOLDER);
  return folder ? `${folder.type} ${folder.mode} ${folder.sha}` : '';
}

/** The folder may also differ because the base went on: only the pull request's own changes count. Of those GitHub lists 3 000. */
async function touchesFolder(api: Api, repository: Repository, number: number): Promise<boolean> {
  const isInside = (path: string | undefined) => path === FOLDER || path?.startsWith(`${FOLDER}/`) === true;
  let listed = 0;
  for await (const { data } of api.paginate.iterator(api.rest.pulls.listFiles, {
    ...placeOf(repository),
    pull_number: number,
    per_page: 100,
  })) {
    if (data.some((file) => isInside(file.filename) || isInside(file.previous_filename))) return true;
    listed += data.length;
  }
  return listed >= MAX_LISTED;
}

async function listFolder(api: Api, repository: Repository, root: { entries: TreeEntry[] }, skipped: Configuration['skipped']) {
  const folder = root.entries.find((entry) => entry.path === FOLDER);
  if (!folder) return [];
  if (folder.type !== 'tree') {
    skipped.push({ path: FOLDER, reason: 'it must be a folder of this repository, not a link, a file or a submodule' });
    return [];
  }
  const { entries, truncated } = await readTree(api, repository, folder.sha, true);
  if (truncated) skipped.push({ path: FOLDER, reason: 'it holds more files than GitHub lists' });
  return entries.filter(({ type }) => type !== 'tree').map((entry) => ({ ...entry, path: `${FOLDER}/${entry.path}` }));
}

/** Keeps regular files within the bounds, in git's order. */
function choose(entries: TreeEntry[], skipped: Configuration['skipped']): TreeEntry[] {
  let total = 0;
  const taken: TreeEntry[] = [];
  for (const entry of entries) {
    const size = entry.size ?? 0;
    const reason = refusalOf(entry) ?? (total + size > MAX_TOTAL || taken.length >= MAX_FILES ? 'too much configuration' : null);
    if (reason) {
      skipped.push({ path: entry.path, reason });
      continue;
    }
    total += size;
    taken.push(entry);
  }
  return taken;
}

function refusalOf({ type, mode, size = 0 }: TreeEntry): string | null {
  if (type !== 'blob' || mode === '120000') return 'links and submodules are not followed';
  return size > MAX_FILE ? `it is over ${MAX_FILE / 1024} KiB` : null;
}

/** Both files, once where one is a copy of the other. */
function guidanceOf(files: Record<string, string>): string {
  const parts: string[] = [];
  const seen = new Set<string>();
  for (const name of GUIDANCE) {
    const text = files[name]?.trim() ?? '';
    if (!text || seen.has(text)) continue;
    seen.add(text);
    parts.push(`${name}:\n${text}`);
  }
  return parts.join('\n\n');
}

async function readTree(api: Api, repository: Repository, sha: string, recursive: boolean) {
  const place = { ...placeOf(repository), tree_sha: sha };
  const { data } = await api.rest.git.getTree(recursive ? { ...place, recursive: '1' } : place);
  return { entries: data.tree as TreeEntry[], truncated: data.truncated };
}

async function readBlob(api: Api, repository: Repository, sha: string): Promise<string> {
  const { data } = await api.rest.git.getBlob({ ...placeOf(repository), file_sha: sha });
  return Buffer.from(data.content, data.encoding === 'base64' ? 'base64' : 'utf8').toString('utf8');
}

function placeOf({ owner, name }: Repository): { owner: string; repo: string } {
  return { owner, repo: name };
}
