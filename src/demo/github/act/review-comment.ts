import { failed, type Problem, Refusal, requireBody } from '../refusal.ts';
import type { Scene } from '../route.ts';
import { accountJson, nodeId } from '../shape/account.ts';
import { briefPullJson } from '../shape/pull.ts';
import { reviewCommentJson } from '../shape/review.ts';
import { isPull, type PullItem, type ReviewComment, type Thread } from '../state.ts';
import { type AnchorProblem, findAnchor, type Target } from './anchor.ts';
import { sendEvent } from './event.ts';
import {
  addReview,
  addReviewComment,
  addThread,
  findPending,
  readReviewedDiff,
  removeComment,
  sendReviewCommentEvent,
  sendReviewEvent,
} from './review.ts';

const RESOURCE = 'PullRequestReviewComment';

/** Starts a thread outside any review: GitHub wraps a review of its own around it. Throws Refusal. */
export async function createReviewComment(
  scene: Scene,
  item: PullItem,
  fields: Target & { body: unknown; commit?: string },
): Promise<ReviewComment> {
  const body = requireBody(fields.body, RESOURCE);
  const diff = await readReviewedDiff(scene, item, fields.commit);
  requireFree(scene, item);
  const found = findAnchor(diff, fields);
  if ('problem' in found) throw refuseAnchor(found.problem);
  const review = addReview(scene, item, { body: '', commit: diff.to, implicit: true });
  const comment = addThread(scene, review, { place: found.place, body });
  return announce(scene, item, comment);
}

/** Answers in a thread; `root` is its first comment. Throws Refusal. */
export function replyToThread(scene: Scene, item: PullItem, reply: { root: ReviewComment; body: unknown }): ReviewComment {
  const body = requireBody(reply.body, RESOURCE);
  requireFree(scene, item);
  const { root } = reply;
  const review = addReview(scene, item, { body: '', commit: root.place.commit, implicit: true });
  const comment = addReviewComment(scene, review, { place: root.place, body, threadId: root.threadId, inReplyTo: root.id });
  return announce(scene, item, comment);
}

/** The comment that a thread began with. */
export function rootOf(scene: Scene, comment: ReviewComment): ReviewComment {
  return (comment.inReplyTo === null ? null : scene.repo.reviewComments.get(comment.inReplyTo)) ?? comment;
}

export function editReviewComment(scene: Scene, comment: ReviewComment, text: unknown): void {
  const body = requireBody(text, RESOURCE);
  const from = comment.body;
  Object.assign(comment, { body, updatedAt: Date.now() });
  if (!comment.pending) sendReviewCommentEvent(scene, comment, { action: 'edited', extra: { changes: { body: { from } } } });
}

export function deleteReviewComment(scene: Scene, comment: ReviewComment): void {
  removeComment(scene.repo, comment);
  if (!comment.pending) sendReviewCommentEvent(scene, comment, { action: 'deleted' });
}

/** Marks a thread as settled or open again, with its event. */
export function resolveThread(scene: Scene, thread: Thread, resolved: boolean): void {
  if ((thread.resolvedBy !== null) === resolved) return;
  thread.resolvedBy = resolved ? scene.by : null;
  const { world, repo } = scene;
  const item = repo.items.get(thread.number);
  if (!item || !isPull(item)) return;
  const comments = [...repo.reviewComments.values()].filter((comment) => comment.threadId === thread.id);
  const payload = {
    action: resolved ? 'resolved' : 'unresolved',
    pull_request: briefPullJson(world, repo, item),
    thread: { node_id: nodeId('PRRT', thread.id), comments: comments.map((comment) => reviewCommentJson(world, repo, comment)) },
    updated_at: null,
    sender: accountJson(world, scene.by),
  };
  sendEvent(scene, 'pull_request_review_thread', { payload, number: thread.number });
}

function announce(scene: Scene, item: PullItem, comment: ReviewComment): ReviewComment {
  const review = scene.repo.reviews.get(comment.reviewId);
  if (review) sendReviewEvent(scene, item, { review, action: 'submitted' });
  sendReviewCommentEvent(scene, comment, { action: 'created' });
  return comment;
}

function requireFree(scene: Scene, item: PullItem): void {
  if (item.locked) throw failed(RESOURCE, 'lock prevents review');
  if (!findPending(scene.repo, item, scene.by)) return;
  const message = 'user_id can only have one pending review per pull request';
  throw new Refusal(422, 'Validation Failed', { errors: [{ resource: RESOURCE, code: 'custom', field: 'user_id', message }] });
}

/** Single comments are refused in another way than reviews: by field. */
function refuseAnchor(problem: AnchorProblem): Refusal {
  const hunk: Problem = { resource: RESOURCE, code: 'missing_field', field: 'pull_request_review_thread.diff_hunk' };
  if (problem === 'path')
    return new Refusal(422, 'Validation Failed', { errors: [{ resource: RESOURCE, code: 'invalid', field: 'path' }, hunk] });
  const field = `pull_request_review_thread.${problem.startsWith('start') ? 'start_line' : problem === 'side' ? 'side' : 'line'}`;
  const message = `${field} ${TEXTS[problem] ?? 'must be part of the diff'}`;
  return new Refusal(422, 'Validation Failed', { errors: [{ resource: RESOURCE, code: 'custom', field, message }, hunk] });
}

const TEXTS: Partial<Record<AnchorProblem, string>> = {
  side: 'is not included in the list',
  'start-hunk': 'must be part of the same hunk as the line.',
  'start-order': 'must precede the end line.',
};
