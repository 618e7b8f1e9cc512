import { setTimeout as sleep } from 'node:timers/promises';
import type { GitHub } from '../demo/github/github.ts';
import type { CheckRun, Comment, Review, ReviewComment } from '../demo/github/state.ts';

/** What a run left on a pull request. */
export interface Posted {
  /** Submitted reviews of the app, oldest first. */
  reviews: Review[];
  /** First comments of the app's review threads, by file and line. */
  threads: ReviewComment[];
  /** The app's comments in the conversation. */
  comments: Comment[];
  checks: CheckRun[];
}

/** How watching ended: the run's check is complete, nothing ever happened, or it took too long. */
export type Ending = 'completed' | 'nothing' | 'timeout';

const QUIET_MS = 1_000;
const STEP_MS = 250;

/** What stands on a pull request now. */
export function readPosted(github: GitHub, at: { repository: string; number: number; sha: string }): Posted {
  const own = ({ author }: { author: { type: string } }) => author.type === 'Bot';
  const reviews = github.reviews(at.repository, at.number).filter((review) => own(review) && review.state !== 'PENDING');
  const threads = github
    .reviewComments(at.repository, at.number)
    .filter((comment) => own(comment) && !comment.pending && !comment.inReplyTo);
  return {
    reviews,
    threads: threads.sort((a, b) => a.place.path.localeCompare(b.place.path) || (a.place.line ?? 0) - (b.place.line ?? 0)),
    comments: github.comments(at.repository, at.number).filter(own),
    checks: github.checks(at.repository, at.sha),
  };
}

/** Tells what changes on a pull request until its run has ended. Rejects when the signal comes. */
export async function watchRun(
  github: GitHub,
  at: { repository: string; number: number; sha: string },
  options: { tell(line: string): void; signal?: AbortSignal; patienceMs: number; limitMs: number },
): Promise<Ending> {
  const told = new Set<string>();
  const begin = Date.now();
  let endedAt = 0;
  for (;;) {
    const posted = readPosted(github, at);
    for (const line of progressOf(posted)) {
      if (told.has(line)) continue;
      told.add(line);
      options.tell(line);
    }
    endedAt = isOver(posted) ? endedAt || Date.now() : 0;
    if (endedAt && Date.now() - endedAt >= QUIET_MS) return 'completed';
    const waited = Date.now() - begin;
    if (waited > options.patienceMs && told.size === 0) return 'nothing';
    if (waited > options.limitMs) return 'timeout';
    await nextChange(github, options.signal);
  }
}

function isOver({ checks }: Posted): boolean {
  return checks.length > 0 && checks.every(({ status }) => status === 'completed');
}

/** Resolves at the next change on the double, or after a moment. */
async function nextChange(github: GitHub, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const woken = new AbortController();
  const stop = github.changes.subscribe(() => woken.abort());
  const either = signal ? AbortSignal.any([signal, woken.signal]) : woken.signal;
  await sleep(STEP_MS, undefined, { signal: either }).catch(() => {});
  stop();
  signal?.throwIfAborted();
}

function progressOf({ checks, comments, reviews }: Posted): string[] {
  const titles = checks.map(
    (check) => `check "${check.name}": ${check.output.title ?? check.status}${check.conclusion ? ` (${check.conclusion})` : ''}`,
  );
  const statuses = comments.flatMap(({ body }) => linesOf(body).map((line) => `comment: ${line}`));
  return [...titles, ...statuses, ...reviews.map(({ state }) => `review submitted (${state})`)];
}

function linesOf(body: string): string[] {
  const rows = body.replace(/<!--[\s\S]*?-->|<sub>.*<\/sub>/g, '').split('\n');
  return rows
    .filter((row) => row.trim() !== '')
    .slice(0, 3)
    .map((row) => row.replace(/\*\*/g, '').slice(0, 160));
}
