import { commentsOf } from '../act/review.ts';
import type { Call } from '../route.ts';
import { associationOf, isoTime, isoTimeOrNull, nodeId } from '../shape/account.ts';
import { isPull, type PullItem, type Repository, type Review, type ReviewComment, type Thread } from '../state.ts';
import { makeConnection } from './connection.ts';
import { type In, seesComment, typedAccount } from './node.ts';
import { type Field, makeField, makeType, type ObjectType } from './schema.ts';

/** Reviews, threads on the diff, their comments and what belongs to them. */
export function reviewTypes(): ObjectType<Call>[] {
  return [
    makeType<In<Review>, Call>('PullRequestReview', reviewFields()),
    makeType<In<Thread>, Call>('PullRequestReviewThread', threadFields()),
    makeType<In<ReviewComment>, Call>('PullRequestReviewComment', { ...commentFields(), ...placeFields() }),
    makeType<string, Call>('Commit', { oid: makeField('GitObjectID', (sha) => sha) }),
    makeType<Record<string, unknown>, Call>('PullRequestChangedFile', {
      path: makeField('String', (file) => file.path),
      additions: makeField('Int', (file) => file.additions),
      deletions: makeField('Int', (file) => file.deletions),
      changeType: makeField('PatchStatus', (file) => file.changeType),
    }),
  ];
}

function pullOf(repo: Repository, number: number): In<PullItem> | null {
  const it = repo.items.get(number);
  return it && isPull(it) ? { repo, it } : null;
}

function reviewFields(): Record<string, Field<In<Review>, Call>> {
  return {
    id: makeField('ID', ({ it }) => nodeId('PRR', it.id)),
    databaseId: makeField('Int', ({ it }) => it.id),
    fullDatabaseId: makeField('BigInt', ({ it }) => String(it.id)),
    body: makeField('String', ({ it }) => it.body),
    bodyText: makeField('String', ({ it }) => it.body),
    state: makeField('PullRequestReviewState', ({ it }) => it.state),
    author: makeField('Actor', ({ it }) => typedAccount(it.author)),
    authorAssociation: makeField('CommentAuthorAssociation', ({ repo, it }) => associationOf(repo, it.author)),
    viewerDidAuthor: makeField('Boolean', ({ it }, _args, { caller }) => it.author === caller.account),
    createdAt: makeField('DateTime', ({ it }) => isoTime(it.createdAt)),
    updatedAt: makeField('DateTime', ({ it }) => isoTime(it.updatedAt)),
    submittedAt: makeField('DateTime', ({ it }) => isoTimeOrNull(it.submittedAt)),
    commit: makeField('Commit', ({ it }) => it.commit),
    isMinimized: makeField('Boolean', ({ it }) => it.minimized !== null),
    minimizedReason: makeField('String', ({ it }) => it.minimized?.toLowerCase() ?? null),
    viewerCanMinimize: makeField('Boolean', () => true),
    url: makeField('URI', ({ repo, it }, _args, { world }) => `${world.url}/${repo.fullName}/pull/${it.number}#pullrequestreview-${it.id}`),
    repository: makeField('Repository', ({ repo }) => repo),
    pullRequest: makeField('PullRequest', ({ repo, it }) => pullOf(repo, it.number)),
    comments: makeConnection('PullRequestReviewComment', ({ repo, it }) => commentsOf(repo, it).map((comment) => ({ repo, it: comment })), {
      name: 'comments',
    }),
  };
}

/** Comments of a thread that the caller sees, oldest first. */
function commentsIn({ repo, it }: In<Thread>, call: Call): ReviewComment[] {
  return [...repo.reviewComments.values()].filter((comment) => comment.threadId === it.id && seesComment(call, comment));
}

function threadFields(): Record<string, Field<In<Thread>, Call>> {
  const place = (source: In<Thread>) =>
    [...source.repo.reviewComments.values()].find((comment) => comment.threadId === source.it.id)?.place;
  return {
    id: makeField('ID', ({ it }) => nodeId('PRRT', it.id)),
    isResolved: makeField('Boolean', ({ it }) => it.resolvedBy !== null),
    isCollapsed: makeField('Boolean', ({ it }) => it.resolvedBy !== null),
    isOutdated: makeField('Boolean', (source) => {
      const at = place(source);
      return at !== undefined && at.subject === 'line' && at.line === null && !at.lost;
    }),
    resolvedBy: makeField('Actor', ({ it }) => typedAccount(it.resolvedBy)),
    path: makeField('String', (source) => place(source)?.path ?? ''),
    line: makeField('Int', (source) => place(source)?.line),
    startLine: makeField('Int', (source) => place(source)?.startLine),
    originalLine: makeField('Int', (source) => place(source)?.originalLine),
    originalStartLine: makeField('Int', (source) => place(source)?.originalStartLine),
    diffSide: makeField('DiffSide', (source) => place(source)?.side),
    startDiffSide: makeField('DiffSide', (source) => place(source)?.startSide),
    subjectType: makeField('PullRequestReviewThreadSubjectType', (source) => place(source)?.subject.toUpperCase()),
    viewerCanReply: makeField('Boolean', () => true),
    viewerCanResolve: makeField('Boolean', ({ it }) => it.resolvedBy === null),
    viewerCanUnresolve: makeField('Boolean', ({ it }) => it.resolvedBy !== null),
    repository: makeField('Repository', ({ repo }) => repo),
    pullRequest: makeField('PullRequest', ({ repo, it }) => pullOf(repo, it.number)),
    comments: makeConnection(
      'PullRequestReviewComment',
      (source, _args, call) => commentsIn(source, call).map((comment) => ({ repo: source.repo, it: comment })),
      { name: 'comments' },
    ),
  };
}

function commentFields(): Record<string, Field<In<ReviewComment>, Call>> {
  return {
    id: makeField('ID', ({ it }) => nodeId('PRRC', it.id)),
    databaseId: makeField('Int', ({ it }) => it.id),
    fullDatabaseId: makeField('BigInt', ({ it }) => String(it.id)),
    body: makeField('String', ({ it }) => it.body),
    bodyText: makeField('String', ({ it }) => it.body),
    author: makeField('Actor', ({ it }) => typedAccount(it.author)),
    authorAssociation: makeField('CommentAuthorAssociation', ({ repo, it }) => associationOf(repo, it.author)),
    viewerDidAuthor: makeField('Boolean', ({ it }, _args, { caller }) => it.author === caller.account),
    createdAt: makeField('DateTime', ({ it }) => isoTime(it.createdAt)),
    updatedAt: makeField('DateTime', ({ it }) => isoTime(it.updatedAt)),
    publishedAt: makeField('DateTime', ({ it }) => (it.pending ? null : isoTime(it.createdAt))),
    state: makeField('PullRequestReviewCommentState', ({ it }) => (it.pending ? 'PENDING' : 'SUBMITTED')),
    isMinimized: makeField('Boolean', ({ it }) => it.minimized !== null),
    minimizedReason: makeField('String', ({ it }) => it.minimized?.toLowerCase() ?? null),
    viewerCanMinimize: makeField('Boolean', () => true),
    url: makeField('URI', ({ repo, it }, _args, { world }) => `${world.url}/${repo.fullName}/pull/${it.number}#discussion_r${it.id}`),
    replyTo: makeField('PullRequestReviewComment', ({ repo, it }) => {
      const root = it.inReplyTo === null ? undefined : repo.reviewComments.get(it.inReplyTo);
      return root && { repo, it: root };
    }),
    repository: makeField('Repository', ({ repo }) => repo),
    pullRequest: makeField('PullRequest', ({ repo, it }) => pullOf(repo, it.number)),
    pullRequestReview: makeField('PullRequestReview', ({ repo, it }) => {
      const review = repo.reviews.get(it.reviewId);
      return review && { repo, it: review };
    }),
  };
}

function placeFields(): Record<string, Field<In<ReviewComment>, Call>> {
  return {
    path: makeField('String', ({ it }) => it.place.path),
    line: makeField('Int', ({ it }) => it.place.line),
    startLine: makeField('Int', ({ it }) => it.place.startLine),
    originalLine: makeField('Int', ({ it }) => it.place.originalLine),
    originalStartLine: makeField('Int', ({ it }) => it.place.originalStartLine),
    position: makeField('Int', ({ it }) => it.place.position),
    originalPosition: makeField('Int', ({ it }) => it.place.originalPosition),
    diffHunk: makeField('String', ({ it }) => it.place.hunk),
    outdated: makeField('Boolean', ({ it }) => it.place.subject === 'line' && it.place.line === null),
    subjectType: makeField('PullRequestReviewThreadSubjectType', ({ it }) => it.place.subject.toUpperCase()),
    commit: makeField('Commit', ({ it }) => it.place.commit),
    originalCommit: makeField('Commit', ({ it }) => it.place.originalCommit),
  };
}
