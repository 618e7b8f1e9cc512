import { join } from 'node:path';
import { BareRepository } from '../../git/bare.ts';
import { runGit } from '../../git/command.ts';
import { commitFiles, type FileChanges } from '../../git/files.ts';
import { Refusal } from '../refusal.ts';
import type { Scene } from '../route.ts';
import type { Repository } from '../state.ts';
import type { World } from '../world.ts';
import { signatureOf } from './pull.ts';
import { settleHeads } from './push.ts';

/** How a repository is made. */
export interface RepositoryOptions {
  private?: boolean;
  defaultBranch?: string;
  description?: string;
}

/** Makes a repository with one commit of these files. Its owner is an organization until a person of that name is known. */
export async function createRepository(
  world: World,
  repository: { fullName: string; files: FileChanges; options?: RepositoryOptions },
): Promise<Repository> {
  const repo = await addRepository(world, repository.fullName, { ...repository.options, parent: null });
  const ref = `refs/heads/${repo.defaultBranch}`;
  await commitFiles(repo.bare, {
    ref,
    parent: null,
    changes: repository.files,
    message: 'Initial commit',
    author: signatureOf(repo.owner),
  });
  repo.heads = await repo.bare.heads();
  return repo;
}

/** Which commits of a local repository are taken: `base` becomes the default branch, `branches` the others (name to revision). */
export interface ImportOptions extends RepositoryOptions {
  base: string;
  branches?: Record<string, string>;
}

/** Makes a repository of commits that a local one holds; nothing is written there. Throws an Error that names a revision it does not know. */
export async function importRepository(
  world: World,
  source: { fullName: string; dir: string; options: ImportOptions },
): Promise<Repository> {
  const { options } = source;
  const dir = await findGitDir(world, source.dir);
  const branches = { ...options.branches, [options.defaultBranch ?? 'main']: options.base };
  const found: string[] = [];
  for (const [name, revision] of Object.entries(branches)) found.push(`${await findCommit(world, dir, revision)}:refs/heads/${name}`);
  const repo = await addRepository(world, source.fullName, { ...options, parent: null });
  await repo.bare.fetch(dir, found);
  repo.heads = await repo.bare.heads();
  return repo;
}

/** Makes somebody's fork with all branches. */
export async function forkRepository(scene: Scene): Promise<Repository> {
  const { world, repo, by } = scene;
  const { defaultBranch } = repo;
  const fork = await addRepository(world, `${by.login}/${repo.name}`, { private: repo.private, defaultBranch, parent: repo });
  await fork.bare.fetch(repo.bare.dir, ['+refs/heads/*:refs/heads/*']);
  fork.heads = await fork.bare.heads();
  return fork;
}

/**
 * A push with the commit it brings. `message`: by default one that names the branch, so that the same change on two branches is two
 * commits within one second too. `from` names where a new branch (or a forced one) starts; default the default branch.
 */
export interface PushOptions {
  message?: string;
  force?: boolean;
  from?: string;
  /** Date of the commit in seconds since 1970. */
  seconds?: number;
}

/** Commits to a branch as somebody and does everything that a push does. Resolves with the commit's id. */
export async function pushFiles(scene: Scene, push: { branch: string; files: FileChanges } & PushOptions): Promise<string> {
  const { repo, by } = scene;
  const ref = `refs/heads/${push.branch}`;
  const tip = await repo.bare.commitOf(ref);
  const start = push.from ?? (push.force || !tip ? repo.defaultBranch : null);
  const parent = start === null ? tip : await repo.bare.resolve(start);
  if (!parent) throw new Refusal(404, `Branch ${start ?? push.branch} not found`);
  const { force = false, seconds } = push;
  const commit = { ref, parent, changes: push.files, message: push.message ?? `Change ${push.branch}`, author: signatureOf(by), force };
  const sha = await commitFiles(repo.bare, seconds === undefined ? commit : { ...commit, seconds });
  await settleHeads(scene);
  return sha;
}

async function addRepository(
  world: World,
  fullName: string,
  options: RepositoryOptions & { parent: Repository | null },
): Promise<Repository> {
  const [login = '', name = '', ...rest] = fullName.split('/');
  if (!/^[\w.-]+$/.test(login) || !/^[\w.-]+$/.test(name) || rest.length > 0)
    throw new Error(`"${fullName}" is no name of a repository: write owner/name`);
  if (world.repository(fullName))
    throw new Refusal(422, 'Repository creation failed.', {
      errors: [{ resource: 'Repository', field: 'name', code: 'custom', message: 'name already exists on this account' }],
    });
  const { defaultBranch = 'main' } = options;
  const owner = world.accounts.get(login.toLowerCase()) ?? world.account(login, 'Organization');
  const bare = await BareRepository.create(join(world.root, login, `${name}.git`), { configFile: world.configFile, branch: defaultBranch });
  const now = Date.now();
  const repo: Repository = {
    id: world.nextId(),
    fullName,
    name,
    owner,
    private: options.private ?? true,
    parent: options.parent,
    description: options.description ?? null,
    defaultBranch,
    createdAt: now,
    pushedAt: now,
    lastNumber: 0,
    bare,
    heads: new Map(),
    settling: Promise.resolve(),
    roles: new Map([[login.toLowerCase(), 'admin']]),
    contributors: new Set(),
    ...emptyTables(),
  };
  world.repositories.set(fullName.toLowerCase(), repo);
  return repo;
}

function emptyTables() {
  return {
    items: new Map(),
    comments: new Map(),
    reviews: new Map(),
    reviewComments: new Map(),
    threads: new Map(),
    labels: new Map(),
    milestones: [],
    checkSuites: new Map(),
    checkRuns: new Map(),
    statuses: [],
    workflows: new Map(),
    workflowRuns: new Map(),
    jobs: new Map(),
  };
}

async function findGitDir(world: World, dir: string): Promise<string> {
  const { configFile } = world;
  const found = await runGit(dir, ['rev-parse', '--path-format=absolute', '--git-common-dir'], { configFile }).catch(() => null);
  if (!found) throw new Error(`${dir} is no git repository: name a folder that git init or git clone has made`);
  return found.toString().trim();
}

async function findCommit(world: World, dir: string, revision: string): Promise<string> {
  const { configFile } = world;
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const out = await runGit(dir, args, { configFile, expect: [0, 1, 128] });
  const sha = out.toString().trim();
  if (!sha) throw new Error(`${dir} has no commit "${revision}": name a branch, a tag or an id that git log shows there`);
  return sha;
}
