import type { Effect, Outcome } from '../journal/effect.ts';
import type { Event } from '../journal/event.ts';
import type { Writer } from './writer.ts';

type Rerun = Extract<Effect, { type: 'ci.rerun' }>;

interface RunRow {
  id: number;
  run_attempt?: number;
  status: string;
  conclusion: string | null;
  head_branch: string | null;
  head_repository: { full_name: string } | null;
  run_started_at?: string;
  html_url: string;
}

/** GitHub's clock and ours may differ by this much (ms). */
const SKEW = 60_000;
const RUN = 'GET /repos/{owner}/{repo}/actions/runs/{run_id}';

/**
 * Runs a CI run again, or one job of it: what failed, or all where nothing did. Only one that belongs to the run's own pull request or branch, or that the
 * event is about. A second attempt that began since this was first tried is taken for its own.
 */
export async function rerunCi(writer: Writer, { run, job }: Rerun): Promise<Outcome> {
  const read = await writer.read<RunRow>(RUN, { run_id: run });
  if (read.status === 'refused')
    return { status: 'refused', reason: `there is no CI run ${run} here: list_pr_ci_runs has those of a pull request` };
  const before = read.value;
  if (!isOwn(writer.event, before))
    return { status: 'refused', reason: `CI run ${run} does not belong to this run's pull request or branch` };
  if (writer.resumed && attemptOf(before) > 1 && Date.parse(before.run_started_at ?? '') >= writer.since - SKEW) return done(before);
  if (before.status !== 'completed')
    return { status: 'refused', reason: `CI run ${run} is under way (${before.status}): wait for its end` };
  if (job !== undefined && !(await hasJob(writer, run, job))) return { status: 'refused', reason: `CI run ${run} has no job ${job}` };
  const [route, named] =
    job === undefined
      ? [
          `POST /repos/{owner}/{repo}/actions/runs/{run_id}/${before.conclusion === 'success' ? 'rerun' : 'rerun-failed-jobs'}`,
          { run_id: run },
        ]
      : ['POST /repos/{owner}/{repo}/actions/jobs/{job_id}/rerun', { job_id: job }];
  const reply = await writer.settle<unknown>({
    doubt: false,
    act: () => writer.write(route, named, { content: false }),
    async look() {
      const now = await writer.read<RunRow>(RUN, { run_id: run });
      return now.status === 'done' && attemptOf(now.value) > attemptOf(before) ? now.value : null;
    },
  });
  return reply.status === 'refused' ? reply : done(before, attemptOf(before) + 1);
}

function done(row: RunRow, attempt = attemptOf(row)): Outcome {
  return { status: 'done', result: { runId: row.id, attempt, url: row.html_url } };
}

function attemptOf({ run_attempt = 1 }: RunRow): number {
  return run_attempt;
}

function isOwn({ resource, repository, context }: Event, row: RunRow): boolean {
  if (context.ciWorkflow?.runId === row.id) return true;
  const from = row.head_repository?.full_name.toLowerCase() ?? '';
  switch (resource.kind) {
    case 'pr':
      return row.head_branch === resource.head.ref && from === (resource.head.fullName ?? '').toLowerCase();
    case 'branch':
      return row.head_branch === resource.branch && from === repository.fullName.toLowerCase();
    default:
      return false;
  }
}

async function hasJob(writer: Writer, run: number, job: number): Promise<boolean> {
  const read = await writer.read<{ run_id: number }>('GET /repos/{owner}/{repo}/actions/jobs/{job_id}', { job_id: job });
  return read.status === 'done' && read.value.run_id === run;
}
