import type { Repository, Review, ReviewComment } from '../state.ts';
import type { World } from '../world.ts';
import { accountJson, associationOf, isoTime, type Json, nodeId } from './account.ts';
import { reactionCounts } from './item.ts';
import { repositoryUrl } from './repository.ts';

export function reviewJson(world: World, repo: Repository, review: Review): Json {
  const html = `${world.url}/${repo.fullName}/pull/${review.number}#pullrequestreview-${review.id}`;
  const pull = `${repositoryUrl(world, repo)}/pulls/${review.number}`;
  return {
    id: review.id,
    node_id: nodeId('PRR', review.id),
    user: accountJson(world, review.author),
    body: review.body,
    state: review.state,
    html_url: html,
    pull_request_url: pull,
    author_association: associationOf(repo, review.author),
    _links: { html: { href: html }, pull_request: { href: pull } },
    ...(review.submittedAt === null ? {} : { submitted_at: isoTime(review.submittedAt) }),
    updated_at: isoTime(review.updatedAt),
    commit_id: review.commit,
  };
}

/** The same as webhooks carry it: the state in small letters, an empty body as null. */
export function hookReviewJson(world: World, repo: Repository, review: Review): Json {
  return { ...reviewJson(world, repo, review), state: review.state.toLowerCase(), body: review.body || null };
}

export function reviewCommentJson(world: World, repo: Repository, comment: ReviewComment): Json {
  const { place } = comment;
  const api = `${repositoryUrl(world, repo)}/pulls/comments/${comment.id}`;
  const html = `${world.url}/${repo.fullName}/pull/${comment.number}#discussion_r${comment.id}`;
  const pull = `${repositoryUrl(world, repo)}/pulls/${comment.number}`;
  const onFile = place.subject === 'file';
  return {
    url: api,
    pull_request_review_id: comment.reviewId,
    id: comment.id,
    node_id: nodeId('PRRC', comment.id),
    diff_hunk: place.hunk,
    path: place.path,
    commit_id: place.commit,
    original_commit_id: place.originalCommit,
    user: accountJson(world, comment.author),
    body: comment.body,
    created_at: isoTime(comment.createdAt),
    updated_at: isoTime(comment.updatedAt),
    html_url: html,
    pull_request_url: pull,
    author_association: associationOf(repo, comment.author),
    _links: { self: { href: api }, html: { href: html }, pull_request: { href: pull } },
    reactions: reactionCounts(api, comment.reactions),
    start_line: place.startLine,
    original_start_line: place.originalStartLine,
    start_side: place.startSide,
    line: onFile ? null : place.line,
    original_line: onFile ? null : place.originalLine,
    side: place.side,
    ...(comment.inReplyTo === null ? {} : { in_reply_to_id: comment.inReplyTo }),
    position: onFile ? 1 : place.position,
    original_position: onFile ? 1 : place.originalPosition,
    subject_type: place.subject,
  };
}
