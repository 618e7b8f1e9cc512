import type { Diff } from '../../git/diff.ts';
import { BODY_MAX, unprocessable } from '../refusal.ts';
import type { Scene } from '../route.ts';
import type { Json } from '../shape/account.ts';
import { briefPullJson } from '../shape/pull.ts';
import { hookReviewJson, reviewCommentJson } from '../shape/review.ts';
import {
  type Account,
  type CommentPlace,
  isPull,
  type PullItem,
  type Repository,
  type Review,
  type ReviewComment,
  type ReviewState,
} from '../state.ts';
import { type AnchorProblem, findAnchor, SENTENCES, type Target } from './anchor.ts';
import { sendEvent } from './event.ts';
import { readPullDiff } from './pull-event.ts';

/** One comment of a review that is being made. */
export interface NewThread extends Target {
  body: string;
}

/** A review that is being made; without `event` it stays PENDING and only its author sees it. */
export interface NewReview {
  body?: string;
  event?: string;
  commit?: string;
  comments?: readonly NewThread[];
}

const STATES: Record<string, ReviewState> = { APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' };

/**
 * Makes a review with all its comments, or none of it: one bad comment refuses the whole, and the answer does not say which. Throws Refusal (422) with GitHub's
 * sentences.
 */
export async function createReview(scene: Scene, item: PullItem, fields: NewReview): Promise<Review> {
  const { repo, by } = scene;
  const comments = fields.comments ?? [];
  if (item.locked) throw unprocessable('lock prevents review');
  requireEvent(item, by, fields.event);
  requireReviewBody({ body: fields.body ?? '', event: fields.event, comments: comments.length });
  const diff = await readReviewedDiff(scene, item, fields.commit);
  if (findPending(repo, item, by)) throw unprocessable('User can only have one pending review per pull request');
  const places = placeThreads(diff, comments);
  const review = addReview(scene, item, { body: fields.body ?? '', commit: diff.to });
  for (const { place, body } of places) addThread(scene, review, { place, body });
  if (fields.event) await submitReview(scene, item, { review, event: fields.event });
  else scene.world.changes.tell('pull_request_review.pending', repo.fullName, item.number);
  return review;
}

/** The diff of a commit of a pull request (default its head). Throws a 422 for a commit of something else. */
export async function readReviewedDiff(scene: Scene, item: PullItem, commit: string | undefined): Promise<Diff> {
  const head = commit ?? item.pull.headSha;
  if (!item.pull.heads.has(head)) {
    const own = await scene.repo.bare.ids([`${item.pull.baseSha}..${item.pull.headSha}`]);
    if (!own.includes(head)) throw unprocessable('The commit_id is not part of the pull request');
  }
  return readPullDiff(scene, item, head);
}

/** The one pending review that an account may have on a pull request, or null. */
export function findPending(repo: Repository, item: PullItem, account: Account): Review | null {
  return (
    [...repo.reviews.values()].find((review) => review.number === item.number && review.author === account && review.state === 'PENDING') ??
    null
  );
}

/** Adds a review without comments and without telling anybody. */
export function addReview(scene: Scene, item: PullItem, fields: { body: string; commit: string; implicit?: boolean }): Review {
  const { world, repo, by } = scene;
  const now = Date.now();
  const implicit = fields.implicit ?? false;
  const review: Review = {
    id: world.nextId(),
    number: item.number,
    author: by,
    body: fields.body,
    state: implicit ? 'COMMENTED' : 'PENDING',
    commit: fields.commit,
    createdAt: now,
    submittedAt: implicit ? now : null,
    updatedAt: now,
    implicit,
    minimized: null,
  };
  repo.reviews.set(review.id, review);
  return review;
}

/** Adds a comment that begins a thread. */
export function addThread(scene: Scene, review: Review, fields: { place: CommentPlace; body: string }): ReviewComment {
  const { world, repo } = scene;
  const threadId = world.nextId();
  const comment = addReviewComment(scene, review, { ...fields, threadId, inReplyTo: null });
  repo.threads.set(threadId, { id: threadId, number: review.number, rootId: comment.id, resolvedBy: null });
  return comment;
}

/** Adds a comment to a thread that is there or will be. */
export function addReviewComment(
  scene: Scene,
  review: Review,
  fields: Pick<ReviewComment, 'place' | 'body' | 'threadId' | 'inReplyTo'>,
): ReviewComment {
  const now = Date.now();
  const comment: ReviewComment = {
    ...fields,
    id: scene.world.nextId(),
    number: review.number,
    reviewId: review.id,
    author: scene.by,
    pending: review.state === 'PENDING',
    createdAt: now,
    updatedAt: now,
    reactions: [],
    minimized: null,
  };
  scene.repo.reviewComments.set(comment.id, comment);
  return comment;
}

/** Makes a pending review visible. Threads whose line was never in the diff vanish, as on GitHub. Throws Refusal. */
export async function submitReview(
  scene: Scene,
  item: PullItem,
  submission: { review: Review; event: string; body?: string },
): Promise<void> {
  const { review, event } = submission;
  if (review.state !== 'PENDING') throw unprocessable('Can not submit a review that is not pending');
  const own = commentsOf(scene.repo, review);
  requireEvent(item, review.author, event);
  const body = submission.body ?? review.body;
  requireReviewBody({ body, event, comments: own.length });
  const now = Date.now();
  Object.assign(review, { state: STATES[event], body, submittedAt: now, updatedAt: now });
  Object.assign(item, { updatedAt: now });
  for (const comment of own) {
    comment.pending = false;
    if (comment.place.lost) removeComment(scene.repo, comment);
  }
  sendReviewEvent(scene, item, { review, action: 'submitted' });
  for (const comment of own) if (!comment.place.lost) sendReviewCommentEvent(scene, comment, { action: 'created' });
}

/** Changes the text of a review. */
export function editReview(scene: Scene, item: PullItem, edit: { review: Review; body: string }): void {
  const { review } = edit;
  requireReviewBody({ body: edit.body, event: undefined, comments: 1 });
  const from = review.body;
  Object.assign(review, { body: edit.body, updatedAt: Date.now() });
  if (review.state !== 'PENDING') sendReviewEvent(scene, item, { review, action: 'edited', extra: { changes: { body: { from } } } });
}

/** Dismisses an approval or a request for changes. */
export function dismissReview(scene: Scene, item: PullItem, review: Review): void {
  if (review.state !== 'APPROVED' && review.state !== 'CHANGES_REQUESTED') {
    throw unprocessable(`Can not dismiss a ${review.state.toLowerCase()} pull request review`);
  }
  Object.assign(review, { state: 'DISMISSED', updatedAt: Date.now() });
  sendReviewEvent(scene, item, { review, action: 'dismissed' });
}

/** Takes a pending review and its comments away. Throws a 422 for a submitted one: those stay. */
export function deletePendingReview(scene: Scene, review: Review): void {
  if (review.state !== 'PENDING') throw unprocessable('Can not delete a non-pending pull request review');
  scene.repo.reviews.delete(review.id);
  for (const comment of commentsOf(scene.repo, review)) removeComment(scene.repo, comment);
  scene.world.changes.tell('pull_request_review.deleted', scene.repo.fullName, review.number);
}

/** Comments that belong to a review. */
export function commentsOf(repo: Repository, review: Review): ReviewComment[] {
  return [...repo.reviewComments.values()].filter((comment) => comment.reviewId === review.id);
}

/** Takes a comment away, and its thread with the last one. */
export function removeComment(repo: Repository, comment: ReviewComment): void {
  repo.reviewComments.delete(comment.id);
  const left = [...repo.reviewComments.values()].some((other) => other.threadId === comment.threadId);
  if (!left) repo.threads.delete(comment.threadId);
}

/** Sends `pull_request_review`: submitted, edited or dismissed. */
export function sendReviewEvent(
  scene: Scene,
  item: PullItem,
  change: { review: Review; action: string; extra?: Record<string, unknown> },
): void {
  const { world, repo } = scene;
  const { review, action, extra } = change;
  const payload = { action, ...extra, review: hookReviewJson(world, repo, review), pull_request: briefPullJson(world, repo, item) };
  sendEvent(scene, 'pull_request_review', { payload, number: item.number });
}

/** Sends `pull_request_review_comment`: created, edited or deleted. */
export function sendReviewCommentEvent(scene: Scene, comment: ReviewComment, change: { action: string; extra?: Json }): void {
  const { world, repo } = scene;
  const item = repo.items.get(comment.number);
  if (!item || !isPull(item)) return;
  const payload = {
    action: change.action,
    ...change.extra,
    pull_request: briefPullJson(world, repo, item),
    comment: reviewCommentJson(world, repo, comment),
  };
  sendEvent(scene, 'pull_request_review_comment', { payload, number: item.number });
}

function placeThreads(diff: Diff, comments: readonly NewThread[]): { place: CommentPlace; body: string }[] {
  const problems = new Set<string>();
  const places = comments.flatMap((comment) => {
    if (comment.body.trim() === '') problems.add("Pull request review comment body can't be blank");
    if (comment.body.length > BODY_MAX) problems.add(`Pull request review comment body is too long (maximum is ${BODY_MAX} characters)`);
    const found = findAnchor(diff, comment);
    if ('place' in found) return [{ place: found.place, body: comment.body }];
    problems.add(sentenceOf(found.problem));
    return [];
  });
  if (problems.size > 0) throw unprocessable(joinSentences([...problems]));
  return places;
}

function sentenceOf(problem: AnchorProblem): string {
  return SENTENCES[problem];
}

function joinSentences(sentences: readonly string[]): string {
  if (sentences.length < 2) return sentences.join('');
  return `${sentences.slice(0, -1).join(', ')}${sentences.length > 2 ? ',' : ''} and ${sentences.at(-1)}`;
}

function requireEvent(item: PullItem, author: Account, event: string | undefined): void {
  if (event === undefined) return;
  if (!STATES[event]) throw unprocessable('Event is not included in the list');
  if (item.author !== author) return;
  if (event === 'APPROVE') throw unprocessable('Can not approve your own pull request');
  if (event === 'REQUEST_CHANGES') throw unprocessable('Can not request changes on your own pull request');
}

function requireReviewBody(review: { body: string; event: string | undefined; comments: number }): void {
  if (review.body.length > BODY_MAX) throw unprocessable(`Body is too long (maximum is ${BODY_MAX} characters)`);
  const blank = review.body.trim() === '';
  if (blank && (review.event === 'REQUEST_CHANGES' || (review.event === 'COMMENT' && review.comments === 0)))
    throw unprocessable("Body can't be blank");
}
