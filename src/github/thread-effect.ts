import type { Outcome } from '../journal/effect.ts';
import type { DraftReviews } from '../journal/finding.ts';
import { cleanText } from './clean.ts';
import { carries, sign } from './markers.ts';
import { isCrowded, makeRoom } from './pending-review.ts';
import type { Settled, Writer } from './writer.ts';

interface ThreadComment {
  id: number;
  body: string;
  html_url: string;
  pull_request_url: string;
  in_reply_to_id?: number;
  user: { login: string } | null;
}

interface ThreadNode {
  id: string;
  isResolved: boolean;
  pullRequest?: { number: number; repository: { databaseId: number } };
  comments: { nodes: { databaseId: number }[] };
}

/** What names a thread: a finding of this run, a comment in it, or GitHub's node id; and where the run's findings are. */
export interface ThreadName {
  thread: string;
  run: string;
  drafts: DraftReviews;
}

/** Does work while no review of the pull request is being made; throws `Pending` where one is. */
type Turn = <T>(work: () => Promise<T>) => Promise<T>;

type Found<T> = { status: 'found'; value: T } | { status: 'refused'; reason: string };

/** How far back lists are read (ms). */
const SKEW = 60 * 60_000;

/**
 * Answers in a review thread of the run's own pull request, once. GitHub takes no reply beside a pending review of ours: `inTurn` waits until none is being
 * made, and what is pending then was left behind.
 */
export async function replyInThread(
  writer: Writer,
  { body, inTurn, ...name }: ThreadName & { body: string; inTurn: Turn },
): Promise<Outcome> {
  const root = await findRoot(writer, name);
  if (root.status === 'refused') return root;
  const text = sign(cleanText(body), writer.key);
  const fields = { pull_number: writer.number, comment_id: root.value, body: text };
  const answer = () =>
    writer.settle<ThreadComment>({
      act: () => writer.write('POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies', fields),
      look: () => findReply(writer),
    });
  const first = await answer();
  const crowded = first.status === 'refused' && isCrowded(first.reason);
  const reply = crowded ? await inTurn(async () => ((await makeRoom(writer)) ? answer() : first)) : first;
  if (reply.status === 'refused') return reply;
  const stands = reply.unsure ? ((await findReply(writer)) ?? reply.value) : reply.value;
  return { status: 'done', result: { commentId: stands.id, url: stands.html_url } };
}

/** Finds the reply that this effect made. Doubles are deleted. */
export async function findReply(writer: Writer): Promise<ThreadComment | null> {
  const since = new Date(writer.since - SKEW).toISOString();
  const rows = await writer.list<ThreadComment>('GET /repos/{owner}/{repo}/pulls/{pull_number}/comments', {
    pull_number: writer.number,
    since,
  });
  const { kept, doubles } = writer.part((rows ?? []).filter((row) => writer.owns(row.user) && carries(row.body, writer.key)));
  for (const { id } of doubles) await writer.undo('DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}', { comment_id: id });
  return kept;
}

/** Marks a thread of the run's own pull request as resolved. Can be repeated. */
export async function resolveThread(writer: Writer, name: ThreadName): Promise<Outcome> {
  const found = await findNode(writer, name);
  if (found.status === 'refused') return found;
  const { id, isResolved } = found.value;
  if (isResolved) return { status: 'done', result: { threadId: id } };
  const mutation = 'mutation($input: ResolveReviewThreadInput!) { resolveReviewThread(input: $input) { thread { id isResolved } } }';
  const reply = await writer.settle({
    act: () => writer.mutate(mutation, { input: { threadId: id } }, { content: false }),
    look: async () => null,
  });
  return reply.status === 'refused' ? reply : { status: 'done', result: { threadId: id } };
}

/** The first comment of a thread, to which GitHub wants replies. */
async function findRoot(writer: Writer, name: ThreadName): Promise<Found<number>> {
  const comment = await commentOf(name);
  if (comment.status === 'refused') return comment;
  if (comment.value === null) {
    const node = await findNode(writer, name);
    const first = node.status === 'found' ? node.value.comments.nodes[0]?.databaseId : undefined;
    if (node.status === 'refused') return node;
    return first === undefined ? refuse(`thread ${name.thread} has no comment left to answer`) : { status: 'found', value: first };
  }
  const reply = await writer.read<ThreadComment>('GET /repos/{owner}/{repo}/pulls/comments/{comment_id}', { comment_id: comment.value });
  if (reply.status === 'refused') return refuse(`comment ${comment.value} cannot be read: ${reply.reason}`);
  if (!isOwnPull(writer, reply.value.pull_request_url)) return refuse(foreign(name.thread));
  return { status: 'found', value: reply.value.in_reply_to_id ?? reply.value.id };
}

/** The comment that a name stands for; null where it is a node id. */
async function commentOf({ thread, run, drafts }: ThreadName): Promise<Found<number | null>> {
  if (/^\d{1,16}$/.test(thread)) return { status: 'found', value: Number(thread) };
  const finding = (await drafts.list(run)).find((one) => one.id === thread);
  if (!finding) return { status: 'found', value: null };
  if (!finding.posted) return refuse(`${thread} is not on GitHub yet: submit the review first`);
  if (finding.posted.comment === null) return refuse(`${thread} stands in the review's text and has no thread: add a comment instead`);
  return { status: 'found', value: finding.posted.comment };
}

async function findNode(writer: Writer, name: ThreadName): Promise<Found<ThreadNode>> {
  const comment = await commentOf(name);
  if (comment.status === 'refused') return comment;
  if (comment.value !== null) return findNodeOf(writer, comment.value);
  const query = `query($id: ID!) { node(id: $id) { ... on PullRequestReviewThread {
    id isResolved pullRequest { number repository { databaseId } } comments(first: 1) { nodes { databaseId } } } } }`;
  const reply = await writer.ask<{ node: Partial<ThreadNode> | null }>(query, { id: name.thread });
  if (reply.status === 'refused') return refuse(`there is no thread ${name.thread}: read_pull_request lists the threads with their ids`);
  const { node } = reply.value;
  if (!node?.id) return refuse(`there is no thread ${name.thread}: read_pull_request lists the threads with their ids`);
  const { number, repository } = node.pullRequest ?? {};
  const own = number === writer.number && repository?.databaseId === writer.event.repository.id;
  return own ? { status: 'found', value: node as ThreadNode } : refuse(foreign(name.thread));
}

/** The thread in which a comment of the run's own pull request is the first. */
async function findNodeOf(writer: Writer, comment: number): Promise<Found<ThreadNode>> {
  if (writer.number === null) return refuse('this run has no pull request');
  const query = `query($owner: String!, $repo: String!, $number: Int!, $after: String) { repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) { reviewThreads(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor } nodes { id isResolved comments(first: 100) { nodes { databaseId } } } } } } }`;
  let after: string | null = null;
  for (;;) {
    const variables: Record<string, unknown> = { owner: writer.owner, repo: writer.repo, number: writer.number, after };
    const reply: Settled<ThreadPage> = await writer.ask<ThreadPage>(query, variables);
    if (reply.status === 'refused') return reply;
    const { nodes, pageInfo }: ThreadPage['repository']['pullRequest']['reviewThreads'] = reply.value.repository.pullRequest.reviewThreads;
    const node = nodes.find((one) => one.comments.nodes.some((row) => row.databaseId === comment));
    if (node) return { status: 'found', value: node };
    if (!pageInfo.hasNextPage) return refuse(`comment ${comment} is in no thread of this pull request`);
    after = pageInfo.endCursor;
  }
}

interface ThreadPage {
  repository: { pullRequest: { reviewThreads: { nodes: ThreadNode[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } } };
}

function isOwnPull(writer: Writer, url: string): boolean {
  return writer.event.resource.kind === 'pr' && url.endsWith(`/pulls/${writer.number}`);
}

function foreign(thread: string): string {
  return `thread ${thread} is not on this run's own pull request: only threads there can be answered or resolved`;
}

function refuse(reason: string): { status: 'refused'; reason: string } {
  return { status: 'refused', reason };
}
