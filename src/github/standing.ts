import type { Diff } from '../journal/diff.ts';
import type { DraftReviews } from '../journal/finding.ts';
import { type Placing, validLines } from './ladder.ts';
import { hiddenMarker, unsign } from './markers.ts';
import type { Remark } from './review-body.ts';
import { type Ground, placeFinding } from './review-plan.ts';
import type { Settled, Writer } from './writer.ts';

/** An open thread of ours on the run's pull request. `line` is null where its lines have changed since, or where it stands on the whole file. */
interface OpenThread {
  review: number;
  comment: number;
  path: string;
  side: 'LEFT' | 'RIGHT';
  line: number | null;
  onFile: boolean;
  body: string;
  /** The lines that it was written for: the last four of the diff that GitHub shows above it. */
  lines: string[];
}

const QUERY = `query ($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          path line diffSide isResolved subjectType
          comments(first: 1) { nodes { databaseId body diffHunk viewerDidAuthor pullRequestReview { databaseId state } } }
        }
      }
    }
  }
}`;

interface Page {
  repository: { pullRequest: { reviewThreads: Threads } | null } | null;
}

interface Threads {
  pageInfo: { hasNextPage: boolean; endCursor: string };
  nodes: ThreadNode[];
}

interface ThreadNode {
  path: string;
  line: number | null;
  diffSide: 'LEFT' | 'RIGHT';
  isResolved: boolean;
  subjectType: 'LINE' | 'FILE';
  comments: {
    nodes: {
      databaseId: number;
      body: string;
      diffHunk: string;
      viewerDidAuthor: boolean;
      pullRequestReview: { databaseId: number; state: string } | null;
    }[];
  };
}

/** Lines around a remark that are compared, itself included. */
const CONTEXT = 4;
/** How much of the words of two remarks on one line must be the same for them to be one remark. */
const ALIKE = 0.5;

/**
 * Books findings of a run's draft that an open thread of an earlier review says already, so that nobody reads them twice. Answers how many of the draft
 * there are.
 */
export async function bookStanding(work: { writer: Writer; drafts: DraftReviews; run: string; ground: Ground }): Promise<number> {
  const { writer, drafts, run, ground } = work;
  const findings = await drafts.list(run);
  const known = findings.filter(({ posted }) => posted?.earlier).length;
  const open = findings.filter(({ posted }) => !posted);
  const own = new Set(findings.flatMap(({ posted }) => (posted && !posted.earlier ? [posted.review] : [])));
  const threads = open.length === 0 ? [] : await listOpenThreads(writer, own);
  const remarks = open.map((finding) => ({ finding, placing: placeFinding(finding, ground) }));
  const pairs = pairWithThreads(remarks, { diff: ground.diff, threads });
  for (const { finding, placing, thread } of pairs) {
    await drafts.markPosted(run, finding.id, { review: thread.review, comment: thread.comment, rung: placing.rung, earlier: true });
  }
  return known + pairs.length;
}

/** The sentence that a review says about findings that it does not repeat. */
export function tellStanding(count: number): string {
  if (count === 1) return '_One finding stands in an open thread of an earlier review already and is not repeated._';
  return `_${count} findings stand in open threads of earlier reviews already and are not repeated._`;
}

/** Our threads on the run's pull request that are not resolved, of other reviews than `own`. None where GitHub does not let us read them. */
async function listOpenThreads(writer: Writer, own: ReadonlySet<number>): Promise<OpenThread[]> {
  const { owner, repo: name, number } = writer;
  const threads: OpenThread[] = [];
  for (let after: string | null = null; ; ) {
    const reply: Settled<Page> = await writer.ask<Page>(QUERY, { owner, name, number, after });
    const page: Threads | null = (reply.status === 'done' && reply.value.repository?.pullRequest?.reviewThreads) || null;
    if (!page) return threads;
    threads.push(...page.nodes.flatMap((node) => toOpenThread(node, own)));
    if (!page.pageInfo.hasNextPage) return threads;
    after = page.pageInfo.endCursor;
  }
}

function toOpenThread(node: ThreadNode, own: ReadonlySet<number>): OpenThread[] {
  const [first] = node.comments.nodes;
  const review = first?.pullRequestReview;
  if (node.isResolved || !first?.viewerDidAuthor || !review || review.state === 'PENDING' || own.has(review.databaseId)) return [];
  const { path, line, diffSide: side } = node;
  const rows = first.diffHunk.split('\n').filter((row) => !row.startsWith(side === 'RIGHT' ? '-' : '+') && !row.startsWith('@@'));
  const lines = rows.slice(-CONTEXT).map((row) => row.slice(1));
  const onFile = node.subjectType === 'FILE';
  return [{ review: review.databaseId, comment: first.databaseId, path, side, line, onFile, body: first.body, lines }];
}

/**
 * Pairs each remark with the open thread that says it already, at the place where it would be posted: the line that GitHub has carried the thread to, or,
 * where the thread is outdated, a line that reads as the thread's did, under the same lines. Words may differ a little; no thread is paired twice.
 */
function pairWithThreads(remarks: Remark[], { diff, threads }: { diff: Diff; threads: OpenThread[] }): (Remark & { thread: OpenThread })[] {
  const free = new Set(threads);
  return remarks.flatMap((remark) => {
    const here = [...free].filter((thread) => standsAt(thread, remark.placing, diff));
    const thread =
      here.find(({ body }) => body.includes(hiddenMarker(remark.finding.id))) ??
      here.find(({ body }) => likeness(unsign(body), remark.finding.body) >= ALIKE);
    if (!thread) return [];
    free.delete(thread);
    return [{ ...remark, thread }];
  });
}

function standsAt(thread: OpenThread, { rung, path, side, line }: Placing, diff: Diff): boolean {
  if (thread.path !== path) return false;
  if (rung === 'file') return thread.onFile;
  if (rung === 'body' || thread.onFile || thread.side !== side) return false;
  if (thread.line !== null) return thread.line === line;
  const file = diff.files.find((one) => one.path === path);
  const above = file ? validLines(file).filter((one) => one.side === side && one.line <= (line ?? 0)) : [];
  const now = above.slice(-CONTEXT).map(({ text }) => text);
  const [last, before] = [thread.lines.at(-1), thread.lines.slice(0, -1)];
  return last !== undefined && now.at(-1) === last && before.filter((text) => now.slice(0, -1).includes(text)).length * 2 >= before.length;
}

/** How much of two texts' words is the same, 0 to 1 (Sørensen and Dice). */
function likeness(one: string, other: string): number {
  const [a, b] = [wordsOf(one), wordsOf(other)];
  const both = [...a].filter((word) => b.has(word)).length;
  return a.size + b.size === 0 ? 1 : (2 * both) / (a.size + b.size);
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? []);
}
