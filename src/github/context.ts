import type { Actor, Comment } from '../journal/event.ts';
import type { Branch, Head, Repository } from '../journal/resource.ts';
import type { Context, ContextCi, ContextIssue, ContextPullRequest, ContextTrigger } from '../workflow/context.ts';
import type { EventName } from '../workflow/event-name.ts';
import type { Account, CiPayload, CommentPayload, Envelope, IssuePayload, PullPayload, RepositoryPayload } from './webhook.ts';

/** The parts of a context that every event of a delivery shares. */
export function buildBaseContext({ repository, sender, organization }: Envelope): Pick<Context, 'repository' | 'actor' | 'organization'> {
  const { owner, name, fullName, defaultBranch } = toRepository(repository);
  return {
    repository: {
      name,
      fullName,
      owner,
      url: repository.clone_url,
      defaultBranch,
      description: repository.description,
      provider: 'Github',
      workspacePath: `/workspace/${fullName}`,
      customInstructions: '',
      groupName: '',
      tools: [],
    },
    actor: { login: sender.login, name: sender.name || sender.login, email: sender.email, type: accountType(sender) },
    organization: { login: organization?.login ?? '', name: organization?.name || (organization?.login ?? '') },
  };
}

/** A pull request as conditions and templates see it; figures that a short payload lacks are 0. */
export function buildPullContext(pull: PullPayload): ContextPullRequest {
  return {
    ...itemFields(pull),
    state: isMerged(pull) ? 'merged' : pull.state === 'closed' ? 'closed' : 'open',
    baseBranch: pull.base.ref,
    headBranch: pull.head.ref,
    headSha: pull.head.sha,
    baseSha: pull.base.sha,
    draft: pull.draft,
    mergeCommitSha: pull.merge_commit_sha,
    additions: pull.additions ?? 0,
    deletions: pull.deletions,
    changedFiles: pull.changed_files,
    requestedReviewers: pull.requested_reviewers.map(({ login }) => login).filter(Boolean),
    mergedAt: pull.merged_at,
    autoMerge: Boolean(pull.auto_merge),
    mergeable: pull.mergeable ?? null,
    rebaseable: pull.rebaseable ?? null,
  };
}

/** What the issue side of a pull request tells of it, as a comment's webhook carries it; the rest is empty until it is fetched. */
export function buildPullContextFromIssue(issue: IssuePayload): ContextPullRequest {
  const mergedAt = issue.pull_request?.merged_at ?? '';
  return {
    ...itemFields(issue),
    state: mergedAt ? 'merged' : issue.state === 'closed' ? 'closed' : 'open',
    baseBranch: '',
    headBranch: '',
    headSha: '',
    baseSha: '',
    draft: issue.draft,
    mergeCommitSha: '',
    additions: 0,
    deletions: 0,
    changedFiles: 0,
    requestedReviewers: [],
    mergedAt,
    autoMerge: false,
    mergeable: null,
    rebaseable: null,
  };
}

/** Whether a pull request was merged; lists and reviews' webhooks tell it by its time only. */
export function isMerged(pull: PullPayload): boolean {
  return pull.merged ?? Boolean(pull.merged_at);
}

/** An issue as conditions and templates see it. `workItemType` is the issue's type where the organization uses types. */
export function buildIssueContext(issue: IssuePayload): ContextIssue {
  return { ...itemFields(issue), state: issue.state, workItemType: issue.type?.name ?? '', confidential: false };
}

/** A run of GitHub Actions as conditions and templates see it. `duration` is in seconds; the webhook does not tell the number of jobs. */
export function buildCiContext(ci: CiPayload): ContextCi {
  const completed = ci.status === 'completed';
  return {
    runId: ci.id,
    workflowName: ci.name,
    status: ciStatus(ci),
    conclusion: ci.conclusion,
    branch: ci.head_branch,
    isPullRequest: ci.pull_requests.length > 0 || ci.event.startsWith('pull_request'),
    pullRequestId: ci.pull_requests[0]?.number ?? '',
    commitSha: ci.head_sha,
    queuedAt: ci.created_at,
    startedAt: ci.run_started_at,
    completedAt: completed ? ci.updated_at : '',
    duration: completed ? secondsBetween(ci.run_started_at || ci.created_at, ci.updated_at) : '',
    workflowUrl: ci.html_url,
    jobCount: '',
  };
}

/** The core of `trigger`: which object it was. */
export function buildTrigger(eventType: EventName, item: { title: string; number: number | ''; html_url: string }): ContextTrigger {
  return { eventType, triggerObjectName: item.title, triggerObjectNumber: item.number, triggerObjectUrl: item.html_url };
}

/** The comment's part of `trigger`. */
export function buildCommentTrigger(comment: Comment, location: 'issue' | 'pull_request'): Partial<ContextTrigger> {
  return {
    commentId: comment.id,
    commentAuthor: comment.author.login,
    commentBody: comment.body,
    commentLocation: location,
    commentCreatedAt: comment.createdAt,
  };
}

/** A webhook's repository in our words. */
export function toRepository(repository: RepositoryPayload): Repository {
  const [owner = '', name = ''] = repository.full_name.split('/');
  return {
    id: repository.id,
    fullName: repository.full_name,
    owner,
    name,
    defaultBranch: repository.default_branch,
    private: repository.private,
    cloneUrl: repository.clone_url,
  };
}

/** A pull request's branches. A head whose repository was deleted counts as a fork. */
export function toBranches(pull: PullPayload, repository: { id: number }): { head: Head; base: Branch } {
  const { head, base } = pull;
  const fork = head.repo?.id !== (base.repo?.id ?? repository.id);
  return {
    head: { ref: head.ref, sha: head.sha, fullName: head.repo?.full_name ?? null, fork },
    base: { ref: base.ref, sha: base.sha },
  };
}

/** An account in our words; a deleted one is GitHub's "ghost". */
export function toActor(account: Account | null | undefined): Actor {
  return account ? { id: account.id, login: account.login, bot: account.type === 'Bot' } : { id: 0, login: 'ghost', bot: false };
}

/** A webhook's comment in our words. */
export function toComment(comment: CommentPayload, place: Comment['place']): Comment {
  const base = {
    id: comment.id,
    place,
    author: toActor(comment.user),
    body: comment.body,
    url: comment.html_url,
    createdAt: comment.created_at,
  };
  if (place === 'conversation') return base;
  return { ...base, path: comment.path ?? '', line: comment.line ?? null, inReplyTo: comment.in_reply_to_id ?? null };
}

function itemFields(item: PullPayload | IssuePayload) {
  const author = item.user?.login ?? 'ghost';
  return {
    number: item.number,
    title: item.title,
    labels: item.labels.map(({ name }) => name),
    assignees: item.assignees.map(({ login }) => login),
    author,
    user: { login: author },
    body: item.body,
    milestone: item.milestone?.title ?? '',
    createdAt: item.created_at,
    updatedAt: item.updated_at,
    closedAt: item.closed_at,
  };
}

function accountType(account: Account): Context['actor']['type'] {
  return account.type === 'Bot' || account.type === 'Organization' ? account.type : 'User';
}

function ciStatus({ status, conclusion }: CiPayload): ContextCi['status'] {
  if (status === 'in_progress') return 'InProgress';
  if (status !== 'completed') return 'Queued';
  switch (conclusion) {
    case 'success':
      return 'Succeeded';
    case 'failure':
    case 'startup_failure':
      return 'Failed';
    case 'cancelled':
      return 'Cancelled';
    case 'timed_out':
      return 'TimedOut';
    default:
      return '';
  }
}

function secondsBetween(from: string, to: string): number | '' {
  const ms = Date.parse(to) - Date.parse(from);
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms / 1000)) : '';
}
