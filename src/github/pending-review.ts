import { carries, hiddenMarker, readMarker } from './markers.ts';
import { composeComment, type Remark } from './review-body.ts';
import type { Settled, Writer } from './writer.ts';

/** A review as GitHub answers it. */
export interface ReviewRow {
  id: number;
  node_id: string;
  state: string;
  body?: string | null;
  html_url: string;
  user: { login: string } | null;
}

/** A comment of a review. */
export interface ReviewComment {
  id: number;
  body: string;
  path: string;
  subject_type?: string;
  start_line?: number | null;
  original_start_line?: number | null;
}

/** No run has findings for more reviews than this. */
export const MOST_REVIEWS = 40;

const REVIEWS = '/repos/{owner}/{repo}/pulls/{pull_number}/reviews';

/** What marks one of the reviews that an effect makes. */
export function keyOfReview({ key }: Writer, index: number): string {
  return `${key}:r${index}`;
}

/** Our reviews of the run's pull request, oldest first; GitHub shows a pending one to its author only. */
export async function listReviews(writer: Writer): Promise<ReviewRow[]> {
  const rows = await writer.list<ReviewRow>(`GET ${REVIEWS}`, { pull_number: writer.number });
  return (rows ?? []).filter((row) => writer.owns(row.user)).toSorted((a, b) => a.id - b.id);
}

/** The comments of a review, pending or submitted. */
export async function listComments(writer: Writer, review: number): Promise<ReviewComment[]> {
  return (await writer.list<ReviewComment>(`GET ${REVIEWS}/{review_id}/comments`, { pull_number: writer.number, review_id: review })) ?? [];
}

/**
 * Creates a pending review with comments on lines, once per `key`. GitHub allows one pending review a person: ours is gone on with, a leftover of
 * another run is deleted first. All or nothing: one bad comment refuses the whole.
 */
export async function createReview(
  writer: Writer,
  review: { key: string; commit: string; body: string; remarks: Remark[] },
): Promise<Settled<ReviewRow>> {
  const comments = review.remarks.map(toComment);
  const fields = { pull_number: writer.number, commit_id: review.commit, body: review.body, ...(comments.length > 0 ? { comments } : {}) };
  const create = () =>
    writer.settle<ReviewRow>({
      act: () => writer.write(`POST ${REVIEWS}`, fields),
      look: async () => (await listReviews(writer)).find((row) => carries(row.body, review.key)) ?? null,
    });
  const reply = await create();
  if (reply.status === 'done' || !isCrowded(reply.reason)) return reply;
  const pending = (await listReviews(writer)).find((row) => row.state === 'PENDING');
  if (pending && carries(pending.body, review.key)) return { status: 'done', value: pending };
  if (pending) await deleteReview(writer, pending.id);
  return create();
}

/** GitHub's words where a pending review of ours is in the way. */
export function isCrowded(reason: string): boolean {
  return /one pending review/i.test(reason);
}

/** Deletes a pending review of ours. To be called in the pull request's turn: then nobody is at work on it. False if there is none. */
export async function makeRoom(writer: Writer): Promise<boolean> {
  const pending = (await listReviews(writer)).find((row) => row.state === 'PENDING');
  return pending !== undefined && (await deleteReview(writer, pending.id)).status === 'done';
}

/** Deletes a review that is still pending, with its comments. */
export async function deleteReview(writer: Writer, review: number): Promise<Settled<unknown>> {
  return writer.undo(`DELETE ${REVIEWS}/{review_id}`, { pull_number: writer.number, review_id: review });
}

/** Of the comments of a review that one finding was told by several times, by its hidden marker, deletes all but the oldest; answers the rest. */
export async function removeDoubleRemarks(writer: Writer, comments: ReviewComment[]): Promise<ReviewComment[]> {
  const told = new Set<string>();
  const rest: ReviewComment[] = [];
  for (const comment of comments.toSorted((a, b) => a.id - b.id)) {
    const { key } = readMarker(comment.body);
    if (key === null || !told.has(key)) rest.push(comment);
    else await writer.undo('DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}', { comment_id: comment.id });
    if (key !== null) told.add(key);
  }
  return rest;
}

/**
 * Takes away what tries of an ended review have left: one that GitHub made pending after it had been given up for lost, which would be in the way of the
 * next, and remarks that were told twice.
 */
export async function removeLate(writer: Writer): Promise<void> {
  const keys = Array.from({ length: MOST_REVIEWS }, (_, index) => keyOfReview(writer, index));
  for (const row of (await listReviews(writer)).filter(({ body }) => keys.some((key) => carries(body, key)))) {
    if (row.state === 'PENDING') await deleteReview(writer, row.id);
    else await removeDoubleRemarks(writer, await listComments(writer, row.id));
  }
}

interface ThreadAnswer {
  addPullRequestReviewThread: { thread: { line: number | null; comments: { nodes: { databaseId: number }[] } } | null } | null;
}

const ADD_THREAD = `mutation($input: AddPullRequestReviewThreadInput!) { addPullRequestReviewThread(input: $input) {
  thread { line comments(first: 1) { nodes { databaseId } } } } }`;

/**
 * Adds one remark to a pending review, once. False if it cannot stand there: GitHub answers a bad path with no thread and a bad line with a thread
 * without one, which it would drop at submission.
 */
export async function addThread(writer: Writer, review: ReviewRow, remark: Remark): Promise<boolean> {
  const { path, line, side, startLine } = remark.placing;
  const place =
    line === undefined
      ? { subjectType: 'FILE' }
      : { subjectType: 'LINE', line, side, ...(startLine === undefined ? {} : { startLine, startSide: side }) };
  const input = { pullRequestReviewId: review.node_id, path, body: composeComment(remark), ...place };
  const stands: ThreadAnswer = { addPullRequestReviewThread: { thread: { line: line ?? null, comments: { nodes: [] } } } };
  const reply = await writer.settle<ThreadAnswer>({
    act: () => writer.mutate(ADD_THREAD, { input }),
    look: async () =>
      (await listComments(writer, review.id)).some((c) => c.body.includes(hiddenMarker(remark.finding.id))) ? stands : null,
    doubt: false,
  });
  const thread = reply.status === 'done' ? reply.value.addPullRequestReviewThread?.thread : null;
  if (!thread) return false;
  if (line === undefined || thread.line !== null) return true;
  const lost = thread.comments.nodes[0]?.databaseId;
  if (lost !== undefined) await writer.undo('DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}', { comment_id: lost });
  return false;
}

/** Submits a pending review by its id; one that is submitted already is fine. */
export async function submitPending(writer: Writer, review: number, fields: { event: string; body: string }): Promise<Settled<ReviewRow>> {
  const submit = { pull_number: writer.number, review_id: review, ...fields };
  const look = async () => {
    const known = await writer.read<ReviewRow>(`GET ${REVIEWS}/{review_id}`, { pull_number: writer.number, review_id: review });
    return known.status === 'done' && known.value.state !== 'PENDING' ? known.value : null;
  };
  const reply = await writer.settle<ReviewRow>({
    act: () => writer.write(`POST ${REVIEWS}/{review_id}/events`, submit),
    look,
    doubt: false,
  });
  if (reply.status === 'done' || reply.code !== 422) return reply;
  const stands = await look();
  return stands ? { status: 'done', value: stands } : reply;
}

function toComment(remark: Remark): Record<string, unknown> {
  const { path, side, line, startLine } = remark.placing;
  return {
    path,
    side,
    line,
    ...(startLine === undefined ? {} : { start_line: startLine, start_side: side }),
    body: composeComment(remark),
  };
}
