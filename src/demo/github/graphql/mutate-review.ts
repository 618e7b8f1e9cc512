import { findAnchor, lostPlace } from '../act/anchor.ts';
import { setDraft } from '../act/pull.ts';
import {
  addReviewComment,
  addThread,
  createReview,
  deletePendingReview,
  dismissReview,
  findPending,
  readReviewedDiff,
  submitReview,
} from '../act/review.ts';
import { replyToThread, resolveThread } from '../act/review-comment.ts';
import { Fields } from '../fields.ts';
import { requireBody } from '../refusal.ts';
import type { Call, Scene } from '../route.ts';
import { isPull, type PullItem, type Review } from '../state.ts';
import { openNode } from './node.ts';
import { GraphRefusal } from './problem.ts';

/** What a mutation answers with: its fields by name. */
export type Payload = Record<string, unknown>;

function requirePull(scene: Scene, number: number): PullItem {
  const item = scene.repo.items.get(number);
  if (!item || !isPull(item)) throw new GraphRefusal('NOT_FOUND', `Could not resolve to a PullRequest with the number of ${number}.`);
  return item;
}

/** Makes a pull request a draft, or ready for review. */
export async function changeDraft(call: Call, input: Fields, draft: boolean): Promise<Payload> {
  const { source, scene } = openNode(call, input.needText('pullRequestId'), { member: 'PullRequest' });
  await setDraft(scene, source.it, draft);
  return { pullRequest: source };
}

/** The pull request and pending review that a thread or a submission is meant for. */
function openReview(call: Call, input: Fields): { scene: Scene; item: PullItem; review: Review | null } {
  const named = input.text('pullRequestReviewId');
  if (named !== undefined) {
    const { source, scene } = openNode(call, named, { member: 'PullRequestReview' });
    if (source.it.author !== scene.by) throw new GraphRefusal('FORBIDDEN', 'Resource not accessible by integration');
    return { scene, item: requirePull(scene, source.it.number), review: source.it };
  }
  const pull = input.text('pullRequestId');
  if (pull === undefined) throw new GraphRefusal('UNPROCESSABLE', 'pullRequestId or pullRequestReviewId is required');
  const { source, scene } = openNode(call, pull, { member: 'PullRequest' });
  return { scene, item: source.it, review: findPending(scene.repo, source.it, scene.by) };
}

/** GitHub answers with success where it loses a comment: an unknown path gives no thread, an unknown line one that vanishes on submission. */
export async function startThread(call: Call, input: Fields): Promise<Payload> {
  const opened = openReview(call, input);
  const { scene, item } = opened;
  const body = requireBody(input.raw('body'), 'PullRequestReviewComment');
  const review = opened.review ?? (await createReview(scene, item, {}));
  if (review.state !== 'PENDING') throw new GraphRefusal('UNPROCESSABLE', 'Can not add a thread to a review that is not pending');
  const diff = await readReviewedDiff(scene, item, review.commit);
  const path = input.needText('path');
  const target = { path, onFile: input.text('subjectType') === 'FILE', ...readLines(input) };
  const found = findAnchor(diff, target);
  if ('problem' in found) scene.world.audit.breach('dropped-thread', `${path}: ${found.problem}`);
  if ('problem' in found && found.problem === 'path') return { thread: null };
  const made = addThread(scene, review, { body, place: 'place' in found ? found.place : lostPlace(diff, path) });
  countContent(call, 'addPullRequestReviewThread');
  scene.world.changes.tell('pull_request_review.pending', scene.repo.fullName, item.number);
  const thread = scene.repo.threads.get(made.threadId);
  return { thread: thread && { repo: scene.repo, it: thread } };
}

function readLines(input: Fields) {
  const [line, startLine] = [input.integer('line'), input.integer('startLine')];
  const [side, startSide] = [input.text('side'), input.text('startSide')];
  return {
    ...(line === undefined ? {} : { line }),
    ...(side === undefined ? {} : { side }),
    ...(startLine === undefined ? {} : { startLine, ...(startSide === undefined ? {} : { startSide }) }),
  };
}

/** A reply joins the caller's pending review when there is one, else it stands at once. */
export function replyInThread(call: Call, input: Fields): Payload {
  const { source, scene } = openNode(call, input.raw('pullRequestReviewThreadId'), { member: 'PullRequestReviewThread' });
  const item = requirePull(scene, source.it.number);
  const root =
    scene.repo.reviewComments.get(source.it.rootId) ?? [...scene.repo.reviewComments.values()].find((one) => one.threadId === source.it.id);
  if (!root) throw new GraphRefusal('NOT_FOUND', 'Could not resolve to a PullRequestReviewThread');
  const pending = findPending(scene.repo, item, scene.by);
  const body = requireBody(input.raw('body'), 'PullRequestReviewComment');
  const it = pending
    ? addReviewComment(scene, pending, { place: root.place, body, threadId: root.threadId, inReplyTo: root.id })
    : replyToThread(scene, item, { root, body });
  countContent(call, 'addPullRequestReviewThreadReply');
  return { comment: { repo: scene.repo, it } };
}

/** Marks a thread as settled, or open again. */
export function settleThread(call: Call, input: Fields, resolved: boolean): Payload {
  const { source, scene } = openNode(call, input.raw('threadId'), { member: 'PullRequestReviewThread' });
  resolveThread(scene, source.it, resolved);
  return { thread: source };
}

/** Makes a review, pending unless an event is given. */
export async function addReview(call: Call, input: Fields): Promise<Payload> {
  const { source, scene } = openNode(call, input.raw('pullRequestId'), { member: 'PullRequest' });
  const [body, event, commit] = [input.text('body'), input.text('event'), input.text('commitOID')];
  const comments = (input.list('threads') ?? []).map((entry) => {
    const thread = new Fields(entry);
    return { path: thread.needText('path'), body: thread.needText('body'), ...readLines(thread) };
  });
  const it = await createReview(scene, source.it, {
    comments,
    ...(body === undefined ? {} : { body }),
    ...(event === undefined ? {} : { event }),
    ...(commit === undefined ? {} : { commit }),
  });
  countContent(call, 'addPullRequestReview');
  return { pullRequestReview: { repo: scene.repo, it } };
}

/** Submits the caller's pending review. */
export async function submit(call: Call, input: Fields): Promise<Payload> {
  const { scene, item, review } = openReview(call, input);
  if (!review) throw new GraphRefusal('NOT_FOUND', 'Could not find a pending pull request review');
  const body = input.text('body');
  await submitReview(scene, item, { review, event: input.needText('event'), ...(body === undefined ? {} : { body }) });
  countContent(call, 'submitPullRequestReview');
  return { pullRequestReview: { repo: scene.repo, it: review } };
}

/** Takes a pending review away. */
export function deleteReview(call: Call, input: Fields): Payload {
  const { source, scene } = openNode(call, input.raw('pullRequestReviewId'), { member: 'PullRequestReview' });
  deletePendingReview(scene, source.it);
  return { pullRequestReview: source };
}

/** Dismisses an approval or a request for changes. */
export function dismiss(call: Call, input: Fields): Payload {
  const { source, scene } = openNode(call, input.raw('pullRequestReviewId'), { member: 'PullRequestReview' });
  dismissReview(scene, requirePull(scene, source.it.number), source.it);
  return { pullRequestReview: source };
}

/** Counts what became visible by a mutation. */
export function countContent(call: Call, what: string): void {
  call.world.audit.countContent(call.caller.key, `graphql ${what}`);
}
