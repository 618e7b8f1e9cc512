import { commitTree, mergeTrees } from '../../git/merge.ts';
import { failed, invalid, Refusal } from '../refusal.ts';
import type { Scene } from '../route.ts';
import { accountJson } from '../shape/account.ts';
import type { Account, Item, Pull, PullItem, Repository } from '../state.ts';
import { addItem, closeItem, type NewItem } from './item.ts';
import { moveThreads } from './moved-thread.ts';
import { sendItemEvent } from './pull-event.ts';

/** A branch in a repository: the repository itself or a fork of it. */
export interface Branch {
  repo: Repository;
  ref: string;
}

/** What somebody writes to open a pull request. */
export interface NewPull extends NewItem {
  head: Branch;
  base?: string;
  draft?: boolean;
}

/** Name and address under which the double commits for somebody. */
export function signatureOf(account: Account): { name: string; email: string } {
  return { name: account.login, email: `${account.id}+${account.login}@users.noreply.invalid` };
}

/** Opens a pull request; its commits stand at refs/pull/N/head of the base from now on. Throws Refusal. */
export async function openPull(scene: Scene, fields: NewPull): Promise<PullItem> {
  const { repo } = scene;
  const { head, base = repo.defaultBranch } = fields;
  const headSha = await head.repo.bare.commitOf(`refs/heads/${head.ref}`);
  const baseSha = await repo.bare.commitOf(`refs/heads/${base}`);
  if (!headSha) throw invalid('PullRequest', 'head');
  if (!baseSha) throw invalid('PullRequest', 'base');
  if (head.repo !== repo) await repo.bare.fetch(head.repo.bare.dir, [`refs/heads/${head.ref}`]);
  if (await repo.bare.isAncestor(headSha, baseSha)) throw failed('PullRequest', `No commits between ${base} and ${head.ref}`);
  if (findOpenPull(repo, head, base))
    throw failed('PullRequest', `A pull request already exists for ${head.repo.owner.login}:${head.ref}.`);
  const item = attachPull(addItem(scene, fields), {
    headRepository: head.repo,
    headRef: head.ref,
    headSha,
    baseRef: base,
    baseSha,
    draft: fields.draft ?? false,
    mergedAt: null,
    mergedBy: null,
    mergeCommit: null,
    reviewers: new Set(),
    heads: new Set([headSha]),
    trial: null,
  });
  await repo.bare.setRef(`refs/pull/${item.number}/head`, headSha);
  await sendItemEvent(scene, item, { action: 'opened' });
  return item;
}

function attachPull(item: Item, pull: Pull): PullItem {
  return Object.assign(item, { pull });
}

function findOpenPull(repo: Repository, head: Branch, base: string): boolean {
  return [...repo.items.values()].some(
    ({ state, pull }) => state === 'open' && pull?.headRepository === head.repo && pull.headRef === head.ref && pull.baseRef === base,
  );
}

/** Brings a pull request up to its branch after a push: new head, moved threads, `synchronize`. */
export async function synchronizePull(scene: Scene, item: PullItem, after: string): Promise<void> {
  const { repo } = scene;
  const { pull } = item;
  const before = pull.headSha;
  if (before === after) return;
  if (pull.headRepository !== repo) await repo.bare.fetch(pull.headRepository.bare.dir, [`refs/heads/${pull.headRef}`]);
  await repo.bare.setRef(`refs/pull/${item.number}/head`, after);
  pull.headSha = after;
  pull.baseSha = (await repo.bare.commitOf(`refs/heads/${pull.baseRef}`)) ?? pull.baseSha;
  pull.heads.add(after);
  await moveThreads(scene, item);
  await sendItemEvent(scene, item, { action: 'synchronize', extra: { before, after } });
}

/** Changes the base branch. */
export async function changeBase(scene: Scene, item: PullItem, base: string): Promise<void> {
  const { pull } = item;
  if (base === pull.baseRef) return;
  const sha = await scene.repo.bare.commitOf(`refs/heads/${base}`);
  if (!sha) throw invalid('PullRequest', 'base');
  const changes = { base: { ref: { from: pull.baseRef }, sha: { from: pull.baseSha } } };
  Object.assign(pull, { baseRef: base, baseSha: sha });
  await moveThreads(scene, item);
  await sendItemEvent(scene, item, { action: 'edited', extra: { changes } });
}

export async function setDraft(scene: Scene, item: PullItem, draft: boolean): Promise<void> {
  if (item.pull.draft === draft) return;
  item.pull.draft = draft;
  await sendItemEvent(scene, item, { action: draft ? 'converted_to_draft' : 'ready_for_review' });
}

/** Asks people for a review. Throws a 422 for somebody who is no collaborator. */
export async function requestReviewers(scene: Scene, item: PullItem, logins: readonly string[]): Promise<void> {
  const { world, repo } = scene;
  if (logins.some((login) => !repo.roles.has(login.toLowerCase()))) {
    throw new Refusal(
      422,
      `Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the ${repo.fullName} repository.`,
    );
  }
  for (const login of logins) {
    const account = world.account(login);
    item.pull.reviewers.add(account);
    await sendItemEvent(scene, item, { action: 'review_requested', extra: { requested_reviewer: accountJson(world, account) } });
  }
}

/** How a pull request is merged. */
export interface MergeOptions {
  method?: 'merge' | 'squash';
  title?: string;
  message?: string;
  sha?: string;
}

/** Merges a pull request and closes it; resolves with the commit. The base branch's own push is the caller's to settle. Throws Refusal (405, 409). */
export async function mergePull(scene: Scene, item: PullItem, options: MergeOptions = {}): Promise<string> {
  const { repo, by } = scene;
  const { pull } = item;
  if (item.state === 'closed' || pull.draft) throw new Refusal(405, 'Pull Request is not mergeable');
  if (options.sha !== undefined && options.sha !== pull.headSha)
    throw new Refusal(409, 'Head branch was modified. Review and try the merge again.');
  const tip = await repo.bare.commitOf(`refs/heads/${pull.baseRef}`);
  const tree = tip && (await mergeTrees(repo.bare, tip, pull.headSha));
  if (!tip || !tree) throw new Refusal(405, 'Pull Request is not mergeable');
  const squash = options.method === 'squash';
  const title = options.title ?? (squash ? `${item.title} (#${item.number})` : `Merge pull request #${item.number} from ${pull.headRef}`);
  const parents = squash ? [tip] : [tip, pull.headSha];
  const commit = await commitTree(repo.bare, { tree, parents, message: `${title}\n\n${options.message ?? ''}`, author: signatureOf(by) });
  await repo.bare.setRef(`refs/heads/${pull.baseRef}`, commit);
  await markMerged(scene, item, commit);
  return commit;
}

/** Notes that a pull request's commits are in its base, and closes it. */
export async function markMerged(scene: Scene, item: PullItem, commit: string): Promise<void> {
  Object.assign(item.pull, { mergedAt: Date.now(), mergedBy: scene.by, mergeCommit: commit });
  await closeItem(scene, item);
}
