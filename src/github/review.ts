import type { Diff } from '../journal/diff.ts';
import type { Effect, Outcome } from '../journal/effect.ts';
import type { Event } from '../journal/event.ts';
import type { DraftReviews, Finding, Rung } from '../journal/finding.ts';
import { withheldIn } from '../journal/withheld.ts';
import type { RunRules } from '../workflow/settings.ts';
import { carries, hiddenMarker } from './markers.ts';
import {
  addThread,
  createReview,
  deleteReview,
  keyOfReview,
  listComments,
  listReviews,
  MOST_REVIEWS,
  type ReviewRow,
  removeDoubleRemarks,
  submitPending,
} from './pending-review.ts';
import { composeBody, type Remark, splitSummary, tells, tellWithheld } from './review-body.ts';
import { type Batch, lower, placeFinding, planBatch } from './review-plan.ts';
import { bookStanding, tellStanding } from './standing.ts';
import { type Settled, Withdrawn, type Writer } from './writer.ts';

type ReviewEffect = Extract<Effect, { type: 'review.submit' }>;

/** Which verdicts settings allow (others are posted as COMMENT with the same text), and which findings they leave out. */
export type ReviewPolicy = Pick<RunRules, 'approve' | 'requestChanges' | 'ignore' | 'severityFloor' | 'maxFindings'>;

/** What a review is made from. */
export interface ReviewSources {
  run: string;
  drafts: DraftReviews;
  diff: (event: Event) => Promise<Diff>;
  policy: ReviewPolicy;
}

/** What `review.submit` answers: the reviews that were made, and on which rungs their findings stand. */
export interface ReviewResult {
  reviews: number[];
  event: string;
  posted: number;
  rungs: Record<Rung, number>;
  url: string;
  /** Findings that stood in open threads of earlier reviews already, and were not posted again. */
  earlier: number;
  /** Findings that settings leave out. */
  withheld: number;
  /** Why it is not the event that was asked for. */
  note?: string;
}

interface Work extends ReviewSources {
  writer: Writer;
  commit: string;
  ground: { diff: Diff; before: Diff | null; lowered: Map<string, Rung> };
  verdict: { event: string; note?: string };
  done: ReviewRow[];
}

type Refused = { status: 'refused'; reason: string };

/**
 * Posts the findings of a run that are not posted yet, in as many reviews as they need; the first carries the summary and the verdict. Each is made
 * pending, filled, and submitted by its id, so that all of it can be repeated. A comment that GitHub refuses goes down the ladder alone.
 */
export async function submitReview(writer: Writer, effect: ReviewEffect, sources: ReviewSources): Promise<Outcome> {
  const { resource } = writer.event;
  if (resource.kind !== 'pr') return { status: 'refused', reason: 'this run has no pull request to review' };
  const ground = { diff: await sources.diff(writer.event), before: null, lowered: new Map<string, Rung>() };
  const work: Work = {
    ...sources,
    writer,
    commit: resource.head.sha,
    ground,
    verdict: chooseVerdict(effect.event, sources.policy),
    done: [],
  };
  const parts = splitSummary(effect.body);
  let pending = writer.resumed ? await takeUp(work) : null;
  const earlier = await bookStanding(work);
  const withheld = tellWithheld(withheldIn(await work.drafts.list(work.run), work.policy));
  parts[0] = [parts[0], earlier > 0 ? tellStanding(earlier) : '', withheld].filter(Boolean).join('\n\n');
  for (let index = work.done.length; index < MOST_REVIEWS; index++) {
    const open = await listOpen(work);
    if (index >= parts.length && open.length === 0) break;
    const reply = await postReview(work, { index, summary: parts[index] ?? '', open, pending });
    if (reply.status === 'refused') return refuseReview(work, reply.reason);
    work.done.push(reply.value);
    pending = null;
  }
  return { status: 'done', result: await sumUp(work) };
}

/** Findings that are neither posted nor left out by settings. */
async function listOpen({ drafts, run, policy }: ReviewSources): Promise<Finding[]> {
  const findings = await drafts.list(run);
  const withheld = new Set(withheldIn(findings, policy).map(({ finding }) => finding));
  return findings.filter((finding) => !finding.posted && !withheld.has(finding));
}

function chooseVerdict(event: ReviewEffect['event'], policy: ReviewPolicy): Work['verdict'] {
  if (event === 'APPROVE' && !policy.approve) return { event: 'COMMENT', note: 'posted as COMMENT: the setting "approve" is off' };
  if (event === 'REQUEST_CHANGES' && !policy.requestChanges)
    return { event: 'COMMENT', note: 'posted as COMMENT: the setting "requestChanges" is off' };
  return { event };
}

/** Books what earlier tries have submitted, and answers the review that they left pending. */
async function takeUp(work: Work): Promise<ReviewRow | null> {
  const rows = await listReviews(work.writer);
  for (let index = 0; ; index++) {
    const row = rows.find((one) => carries(one.body, keyOfReview(work.writer, index)));
    if (!row || row.state === 'PENDING') return row ?? null;
    work.done.push(row);
    if (index === 0) readVerdict(work, row.state);
    await bookReview(work, row, await work.drafts.list(work.run));
  }
}

function readVerdict(work: Work, state: string): void {
  const event = { APPROVED: 'APPROVE', CHANGES_REQUESTED: 'REQUEST_CHANGES', COMMENTED: 'COMMENT' }[state];
  if (event) work.verdict = { ...work.verdict, event };
}

async function postReview(
  work: Work,
  part: { index: number; summary: string; open: Finding[]; pending: ReviewRow | null },
): Promise<Settled<ReviewRow>> {
  const opened = part.pending ? ({ status: 'done', value: part.pending, single: true } as const) : await openReview(work, part);
  if (opened.status === 'refused') return opened;
  const review = opened.value;
  if (review.state !== 'PENDING') {
    await bookReview(work, review, part.open);
    return { status: 'done', value: review };
  }
  try {
    if (opened.single) await addLines(work, review, part.open);
    await addFiles(work, review, part.open);
    const { line, file, body: remarks } = planBatch(part.open, work.ground);
    const { body, told } = composeBody({ ...part, key: keyOfReview(work.writer, part.index), remarks, threads: line.length + file.length });
    const reply = await submitWith(work, review, { index: part.index, body });
    if (reply.status === 'refused') {
      await deleteReview(work.writer, review.id);
      return reply;
    }
    await bookReview(work, reply.value, part.open, [...line, ...file, ...told]);
    return reply;
  } catch (error) {
    if (error instanceof Withdrawn) await deleteReview(work.writer, review.id);
    throw error;
  }
}

/**
 * Creates the pending review with all its line comments. Refused, they are placed again and it is tried once more; refused again, it is created
 * empty (`single`), so that each comment is judged alone.
 */
async function openReview(
  work: Work,
  part: { index: number; summary: string; open: Finding[] },
): Promise<{ status: 'done'; value: ReviewRow; single: boolean } | Extract<Settled<never>, { status: 'refused' }>> {
  let single = false;
  for (let refusals = 0; ; refusals++) {
    const batch = planBatch(part.open, work.ground);
    const threads = batch.line.length + batch.file.length;
    const { body } = composeBody({ ...part, key: keyOfReview(work.writer, part.index), remarks: batch.body, threads });
    const remarks = single ? [] : batch.line;
    const reply = await createReview(work.writer, { key: keyOfReview(work.writer, part.index), commit: work.commit, body, remarks });
    if (reply.status === 'done') return { ...reply, single };
    const next: { single: boolean } | null =
      reply.code === 422 ? await answerRefusal(work, { open: part.open, batch, reason: reply.reason, refusals, single }) : null;
    if (next === null) return reply;
    single = next.single;
  }
}

/** How to go on after a refused creation: places everything again, and says whether comments are to be tried singly; null if there is nothing to try. */
async function answerRefusal(
  work: Work,
  { open, batch, reason, refusals, single }: { open: Finding[]; batch: Batch; reason: string; refusals: number; single: boolean },
): Promise<{ single: boolean } | null> {
  if (isGone(reason)) return refusals < 3 && (await moveToHead(work)) ? { single: false } : null;
  const tries = batch.line.length === 0 || single ? 1 : 2;
  if (isFinal(reason) || refusals >= tries) return null;
  const moved = await placeAgain(work, open, batch);
  return { single: refusals > 0 || (!moved && isAnchor(reason)) };
}

/** GitHub's words for a commit that a force push has taken out of the pull request. */
function isGone(reason: string): boolean {
  return /commit_?id|not part of the pull request|no commit found/i.test(reason);
}

/** GitHub's words for a refusal that no other comment could change. */
function isFinal(reason: string): boolean {
  return /lock prevents review/i.test(reason);
}

/** GitHub's words for a bad place; without naming the comment. */
function isAnchor(reason: string): boolean {
  return /could not be resolved|must be part of|must precede|not included in the list/i.test(reason);
}

/** Reads the diff anew. True if a finding of the batch now stands elsewhere. */
async function placeAgain(work: Work, open: Finding[], batch: Batch): Promise<boolean> {
  work.ground.diff = await work.diff(work.writer.event);
  return JSON.stringify(planBatch(open, work.ground)) !== JSON.stringify(batch);
}

/** Goes over to the pull request's newest head. False if it has not moved. */
async function moveToHead(work: Work): Promise<boolean> {
  const { writer } = work;
  const pull = await writer.read<{ head: { sha: string; ref: string }; base: { sha: string; ref: string } }>(
    'GET /repos/{owner}/{repo}/pulls/{pull_number}',
    { pull_number: writer.number },
  );
  const { resource } = writer.event;
  if (pull.status === 'refused' || resource.kind !== 'pr' || pull.value.head.sha === work.commit) return false;
  const { head, base } = pull.value;
  const now = { ...resource, head: { ...resource.head, sha: head.sha }, base: { ref: base.ref, sha: base.sha } };
  work.ground.before ??= work.ground.diff;
  work.ground.diff = await work.diff({ ...writer.event, resource: now });
  work.commit = head.sha;
  return true;
}

/** Adds the line comments one by one; those that cannot stand go down the ladder. */
async function addLines(work: Work, review: ReviewRow, open: Finding[]): Promise<void> {
  const known = new Set((await listComments(work.writer, review.id)).map((c) => c.body));
  for (const remark of planBatch(open, work.ground).line) await addOne(work, review, remark, known);
}

async function addFiles(work: Work, review: ReviewRow, open: Finding[]): Promise<void> {
  const { file } = planBatch(open, work.ground);
  if (file.length === 0) return;
  const known = work.writer.resumed ? new Set((await listComments(work.writer, review.id)).map((c) => c.body)) : new Set<string>();
  for (const remark of file) await addOne(work, review, remark, known);
}

async function addOne(work: Work, review: ReviewRow, remark: Remark, known: ReadonlySet<string>): Promise<void> {
  const { finding, placing } = remark;
  if ([...known].some((body) => body.includes(hiddenMarker(finding.id)))) return;
  if (!(await addThread(work.writer, review, remark))) work.ground.lowered.set(finding.id, lower(placing.rung));
}

/** The first review carries the verdict. Nobody may approve what is their own: then the same text goes out as COMMENT. */
async function submitWith(work: Work, review: ReviewRow, part: { index: number; body: string }): Promise<Settled<ReviewRow>> {
  const event = part.index === 0 ? work.verdict.event : 'COMMENT';
  const reply = await submitPending(work.writer, review.id, { event, body: part.body });
  if (reply.status === 'done' || reply.code !== 422 || event === 'COMMENT') return reply;
  work.verdict = { event: 'COMMENT', note: `posted as COMMENT: GitHub refused ${event} (${reply.reason})` };
  return submitPending(work.writer, review.id, { event: 'COMMENT', body: part.body });
}

/** Writes into the draft what stands on GitHub, read from the review itself; `made` is known to stand there, even where a list lags. */
async function bookReview(work: Work, review: ReviewRow, findings: Finding[], made: Remark[] = []): Promise<void> {
  const comments = await removeDoubleRemarks(work.writer, await listComments(work.writer, review.id));
  for (const finding of findings.filter((f) => !f.posted)) {
    const comment = comments.find((c) => c.body.includes(hiddenMarker(finding.id)));
    const remark = made.find((r) => r.finding.id === finding.id);
    if (!comment && !remark && !tells(review.body, finding)) continue;
    const rung = comment ? rungOf(work, finding, comment.subject_type) : (remark?.placing.rung ?? 'body');
    await work.drafts.markPosted(work.run, finding.id, { review: review.id, comment: comment?.id ?? null, rung });
  }
}

function rungOf(work: Work, finding: Finding, subject: string | undefined): Rung {
  if (subject === 'file') return 'file';
  const { rung } = placeFinding(finding, work.ground);
  return rung === 'file' || rung === 'body' ? 'line' : rung;
}

async function refuseReview(work: Work, reason: string): Promise<Refused> {
  const { posted } = await sumUp(work);
  return { status: 'refused', reason: posted > 0 ? `${reason} (${posted} findings were posted before)` : reason };
}

async function sumUp({ drafts, run, done, verdict, policy }: Work): Promise<ReviewResult> {
  const ids = done.map((row) => row.id);
  const findings = await drafts.list(run);
  const withheld = withheldIn(findings, policy).length;
  const all = findings.flatMap((f) => f.posted ?? []);
  const posted = all.filter((one) => ids.includes(one.review));
  const earlier = all.filter((one) => one.earlier).length;
  const rungs: Record<Rung, number> = { line: 0, 'range-cut': 0, file: 0, body: 0 };
  for (const { rung } of posted) rungs[rung]++;
  const note = verdict.note === undefined ? {} : { note: verdict.note };
  return { reviews: ids, event: verdict.event, posted: posted.length, rungs, earlier, withheld, url: done[0]?.html_url ?? '', ...note };
}
