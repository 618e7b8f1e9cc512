import { execFile } from 'node:child_process';
import { basename, resolve } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from './usage-error.ts';

/** A change of a local repository, looked at but not touched. */
export interface LocalChange {
  /** Absolute path of the working tree or bare repository. */
  dir: string;
  name: string;
  base: string;
  head: string;
  title: string;
  body: string;
  files: number;
  /** Paths of `.overcut` at the base. */
  configuration: string[];
}

/** Looks a change up. Throws `UsageError` where the folder, a revision or the difference between them is not usable. */
export async function findChange(options: { repo: string; base: string; head: string }): Promise<LocalChange> {
  const dir = resolve(options.repo);
  const git = (...args: string[]) => runGit(dir, args);
  const top = (await git('rev-parse', '--absolute-git-dir').catch(() => null))?.trim();
  if (!top) throw new UsageError(`${options.repo} is not a git repository: give the folder of one with --repo`);
  const base = await findCommit(git, { option: '--base', revision: options.base });
  const head = await findCommit(git, { option: '--head', revision: options.head });
  const mergeBase = (await git('merge-base', base, head).catch(() => '')).trim();
  if (!mergeBase)
    throw new UsageError(
      `${options.base} and ${options.head} have no common commit here: choose a base that the head comes from, or fetch the missing history (git fetch --unshallow)`,
    );
  const changed = listOf(await git('diff', '--name-only', '-z', mergeBase, head));
  if (changed.length === 0)
    throw new UsageError(`nothing is changed between ${options.base} and ${options.head}: choose another --base or --head`);
  const subjects = (await git('log', '--reverse', '--format=%s', `${mergeBase}..${head}`)).trim().split('\n');
  return {
    dir,
    name: repositoryName(dir),
    base,
    head,
    title: subjects.length === 1 ? (subjects[0] ?? '') : `${subjects.at(-1) ?? ''} (${subjects.length} commits)`,
    body: `Commits of ${options.base}..${options.head}:\n\n${subjects
      .slice(-30)
      .map((subject) => `- ${subject}`)
      .join('\n')}`,
    files: changed.length,
    configuration: listOf(await git('ls-tree', '-r', '-z', '--name-only', base, '--', '.overcut')),
  };
}

type Git = (...args: string[]) => Promise<string>;

async function findCommit(git: Git, { option, revision }: { option: string; revision: string }): Promise<string> {
  const found = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`).catch(() => '');
  if (found) return found.trim().split('\n').at(-1) ?? '';
  const branches = listOf((await git('for-each-ref', '--format=%(refname:short)', 'refs/heads').catch(() => '')).replaceAll('\n', '\0'));
  const known = branches.length ? `its branches are ${branches.slice(0, 10).join(', ')}` : 'it has no branches';
  throw new UsageError(`${option} ${revision}: the repository has no such commit; ${known}`);
}

function repositoryName(dir: string): string {
  const name = basename(dir)
    .replace(/\.git$/, '')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^\.+/, '');
  return `local/${name || 'repository'}`;
}

function listOf(text: string): string[] {
  return text.split('\0').filter(Boolean);
}

async function runGit(dir: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['-C', dir, ...args], { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  return stdout;
}
