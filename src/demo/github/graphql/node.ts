import { covers, grants } from '../access.ts';
import type { Call, Scene } from '../route.ts';
import { accountNodeId } from '../shape/account.ts';
import {
  type Account,
  type Comment,
  type Item,
  isPull,
  type PullItem,
  type Repository,
  type Review,
  type ReviewComment,
  type Thread,
} from '../state.ts';
import { GraphRefusal } from './problem.ts';
import type { Typed } from './schema.ts';

/** What reading pull requests, or issues with their comments, takes. */
export const PULLS = ['pull_requests:read'];
export const ISSUES = ['issues:read', 'pull_requests:read'];

/** Something in a repository. */
export interface In<T> {
  repo: Repository;
  it: T;
}

/** Everything that has a global id, by its type. */
export type Found =
  | { member: 'Repository'; source: Repository }
  | { member: 'PullRequest'; source: In<PullItem> }
  | { member: 'Issue'; source: In<Item> }
  | { member: 'IssueComment'; source: In<Comment> }
  | { member: 'PullRequestReview'; source: In<Review> }
  | { member: 'PullRequestReviewComment'; source: In<ReviewComment> }
  | { member: 'PullRequestReviewThread'; source: In<Thread> };

/** Finds by global id what the caller may see. Throws NOT_FOUND in GitHub's words. */
export function findNode(call: Call, id: unknown): Found {
  const [, prefix = '', digits = ''] = /^([A-Z]+)_(\d+)$/.exec(String(id)) ?? [];
  for (const repo of call.world.repositories.values()) {
    if (!covers(call.caller, repo)) continue;
    const found = findIn(repo, prefix, Number(digits));
    if (found && found.member !== 'Repository')
      requireReading(call, found.member === 'Issue' || found.member === 'IssueComment' ? ISSUES : PULLS);
    if (found) return found;
  }
  throw new GraphRefusal('NOT_FOUND', `Could not resolve to a node with the global id of '${String(id)}'.`);
}

/** An account as one of the members of Actor. */
export function typedAccount(account: Account | null): Typed | null {
  return account && { member: account.type, source: account };
}

/** An account by the id that accounts have, or null. */
export function findAccount(call: Call, id: unknown): Account | null {
  return [...call.world.accounts.values()].find((account) => accountNodeId(account) === id) ?? null;
}

/** Where a mutation takes place, once the token is known to be good for it. Throws FORBIDDEN. */
export function requireScene(call: Call, repo: Repository, needs: readonly string[]): Scene {
  const { caller, world } = call;
  const granted = caller.kind === 'user' || (caller.kind === 'installation' && grants(caller.token.permissions, needs));
  if (!granted || !caller.account) throw new GraphRefusal('FORBIDDEN', 'Resource not accessible by integration');
  return { world, repo, by: caller.account };
}

type Member<M extends Found['member']> = Extract<Found, { member: M }>['source'];

/** What an id stands for, of the type that is wanted, and the scene of a write there. */
export function openNode<M extends Found['member']>(
  call: Call,
  id: unknown,
  want: { member: M; needs?: readonly string[] },
): { source: Member<M>; scene: Scene } {
  const found = findNode(call, id);
  if (found.member !== want.member || found.member === 'Repository') {
    throw new GraphRefusal('NOT_FOUND', `Could not resolve to ${want.member} node with the global id of '${String(id)}'.`);
  }
  return { source: found.source as Member<M>, scene: requireScene(call, found.source.repo, want.needs ?? ['pull_requests:write']) };
}

/** Refuses an app without one of these permissions. Throws FORBIDDEN. */
export function requireReading({ caller }: Call, needs: readonly string[]): void {
  if (caller.kind === 'installation' && !grants(caller.token.permissions, needs)) {
    throw new GraphRefusal('FORBIDDEN', 'Resource not accessible by integration');
  }
}

/** Says whether the caller sees a comment: a pending one only when it is their own. */
export function seesComment(call: Call, comment: ReviewComment): boolean {
  return !comment.pending || comment.author === call.caller.account;
}

function findIn(repo: Repository, prefix: string, id: number): Found | null {
  switch (prefix) {
    case 'R':
      return repo.id === id ? { member: 'Repository', source: repo } : null;
    case 'PR':
    case 'I':
      return findItem(repo, id);
    case 'IC':
      return wrap(repo, repo.comments.get(id), (source) => ({ member: 'IssueComment', source }));
    case 'PRR':
      return wrap(repo, repo.reviews.get(id), (source) => ({ member: 'PullRequestReview', source }));
    case 'PRRC':
      return wrap(repo, repo.reviewComments.get(id), (source) => ({ member: 'PullRequestReviewComment', source }));
    case 'PRRT':
      return wrap(repo, repo.threads.get(id), (source) => ({ member: 'PullRequestReviewThread', source }));
    default:
      return null;
  }
}

function wrap<T>(repo: Repository, it: T | undefined, make: (source: In<T>) => Found): Found | null {
  return it === undefined ? null : make({ repo, it });
}

function findItem(repo: Repository, id: number): Found | null {
  const it = [...repo.items.values()].find((item) => item.id === id);
  if (!it) return null;
  return isPull(it) ? { member: 'PullRequest', source: { repo, it } } : { member: 'Issue', source: { repo, it } };
}
