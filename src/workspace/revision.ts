import { Fatal } from '../journal/errors.ts';
import type { Branch, Head } from '../journal/resource.ts';
import type { Mirrors, Source } from './mirror.ts';

/** What somebody wants to have checked out. */
export interface Revision {
  repository: Source & { defaultBranch?: string };
  /** A branch, a tag or a commit; empty for the default branch. */
  branch?: string;
  /** The event's pull request of this repository. */
  pull?: { number: number; head: Head; base: Branch };
  signal?: AbortSignal;
}

const SHA = /^[0-9a-f]{40}$/;
const BAD_NAME = /^[-/.]|\.\.|@\{|[\s~^:?*[\\\u0000-\u001f\u007f]|\.lock$|[/.]$|\/\//;

/**
 * The commit that a name stands for, brought into the mirror: the event's head where the name is its head branch (a later push changes nothing in a run; a
 * fork's head is found as `refs/pull/<n>/head`), else the tip of that branch, or tag, as it is now. Throws `Fatal` where there is none.
 */
export async function resolveCommit(mirrors: Mirrors, revision: Revision): Promise<{ sha: string; branch: string }> {
  const { repository, pull, signal } = revision;
  const name = (revision.branch ?? '').trim().replace(/^refs\/heads\//, '');
  if (pull && name === pull.head.ref) {
    await fetchPull(mirrors, revision, pull);
    return { sha: pull.head.sha, branch: name };
  }
  if (SHA.test(name)) {
    await mirrors.fetch({ repository, shas: [name], signal });
    return { sha: name, branch: name };
  }
  const branch = name || repository.defaultBranch || '';
  if (BAD_NAME.test(branch))
    throw new Fatal(
      `${JSON.stringify(branch)} cannot be the name of a branch: correct \`branch\` of the git.clone step, or leave it empty for the default branch.`,
    );
  const sha = branch ? await tipOf(mirrors, revision, branch) : await newestOf(mirrors, revision, 'HEAD');
  return { sha, branch: branch || 'HEAD' };
}

/** Head and base in one go, because the diff is wanted next; a base that is gone does not keep the head from being checked out. */
async function fetchPull(mirrors: Mirrors, { repository, signal }: Revision, pull: NonNullable<Revision['pull']>): Promise<void> {
  const via = [`refs/pull/${Number(pull.number)}/head`, `refs/heads/${pull.base.ref}`];
  await mirrors.fetch({ repository, shas: [pull.head.sha, pull.base.sha], via, signal }).catch(async (error: unknown) => {
    if (!(error instanceof Fatal)) throw error;
    await mirrors.fetch({ repository, shas: [pull.head.sha], via, signal });
  });
}

async function tipOf(mirrors: Mirrors, revision: Revision, branch: string): Promise<string> {
  try {
    return await newestOf(mirrors, revision, `refs/heads/${branch}`);
  } catch (error) {
    const tag = error instanceof Fatal ? await newestOf(mirrors, revision, `refs/tags/${branch}`).catch(() => null) : null;
    if (tag) return tag;
    throw error;
  }
}

async function newestOf(mirrors: Mirrors, { repository, signal }: Revision, ref: string): Promise<string> {
  const found = (await mirrors.fetch({ repository, refs: [ref], signal })).get(ref);
  if (!found) throw new Fatal(`${repository.fullName} has no ${ref}: name a branch that exists.`);
  return found;
}
