import { z } from 'zod';
import { defineTool, type Tool } from '../agent/tool.ts';
import type { CiJobView, CiLog } from '../github/ci-run.ts';
import { ToolError } from '../journal/errors.ts';
import type { ToolContext } from './context.ts';
import { cutLine } from './cut.ts';
import { answerJson, publishEffect } from './publishing.ts';
import { checkRepository, numberOf } from './target.ts';

const Id = z.int().min(1);

/** Reading the runs of the repository's own CI, and running them again. */
export const CI_TOOLS: Tool<ToolContext>[] = [
  defineTool({
    name: 'get_ci_run_details',
    description: 'A CI run with its jobs and the steps that failed; the one that started this run by default.',
    effect: 'none',
    input: z.looseObject({ runId: Id.optional() }),
    async run(context, { runId, ...rest }) {
      checkRepository(context.event, rest);
      return answerJson(await context.github.readCiRun(runIdOf(context, runId)));
    },
  }),
  defineTool({
    name: 'list_pr_ci_runs',
    description: "CI runs of a pull request's newest commit; this run's by default.",
    effect: 'none',
    input: z.looseObject({ number: Id.optional() }),
    async run(context, { number, ...rest }) {
      checkRepository(context.event, rest);
      return answerJson(await context.github.listCiRuns(numberOf(context.event, number)));
    },
  }),
  defineTool({
    name: 'get_ci_job_logs',
    description: 'The end of the log of a CI job; page 2 is what stands before it.',
    effect: 'none',
    input: z.looseObject({ jobId: Id, page: Id.default(1) }),
    async run(context, { jobId, page, ...rest }) {
      checkRepository(context.event, rest);
      return { text: pageLog(await context.github.readCiLog(jobId), { page, size: PAGE_SIZE }) };
    },
  }),
  defineTool({
    name: 'get_ci_run_logs',
    description: 'The ends of the logs of the jobs that failed in a CI run (of all jobs where none did).',
    effect: 'none',
    input: z.looseObject({ runId: Id.optional() }),
    async run(context, { runId, ...rest }) {
      checkRepository(context.event, rest);
      const { jobs } = await context.github.readCiRun(runIdOf(context, runId));
      const shown = worstOf(jobs).slice(0, MOST_JOBS);
      if (shown.length === 0) throw new ToolError('This CI run has no jobs yet: look at it later.');
      const size = Math.floor(PAGE_SIZE / shown.length);
      const logs = await Promise.all(shown.map((job) => context.github.readCiLog(job.jobId)));
      const parts = shown.map(
        (job, at) => `# ${job.name} (job ${job.jobId}): ${job.conclusion || job.status}\n${pageLog(logs[at], { page: 1, size })}`,
      );
      return { text: parts.join('\n\n') };
    },
  }),
  defineTool({
    name: 'retry_ci_workflow',
    description: "Runs what failed of a CI run of this run's pull request or branch again, or one job of it.",
    effect: 'github',
    input: z.looseObject({ runId: Id.optional(), jobId: Id.optional() }),
    async run(context, { runId, jobId, ...rest }) {
      checkRepository(context.event, rest);
      const run = runIdOf(context, runId);
      return answerJson(await publishEffect(context, { type: 'ci.rerun', run, ...(jobId === undefined ? {} : { job: jobId }) }));
    },
  }),
];

const PAGE_SIZE = 56 * 1024;
const MOST_JOBS = 8;
const MOST_ERRORS = 20;
const LONGEST_LINE = 2000;

/** A number that the model gave, else that of the CI run that the event is about. */
function runIdOf({ event }: ToolContext, given: number | undefined): number {
  const own = event.context.ciWorkflow?.runId;
  if (given !== undefined) return given;
  if (typeof own === 'number' && own > 0) return own;
  throw new ToolError('This run was not started by a CI run: give runId; list_pr_ci_runs has those of a pull request.');
}

function worstOf(jobs: CiJobView[]): CiJobView[] {
  const failed = jobs.filter(({ conclusion }) => conclusion === 'failure' || conclusion === 'timed_out');
  return failed.length > 0 ? failed : jobs;
}

/** A page of a log, counted from its end, where what went wrong stands; the lines that GitHub marks as errors before the first. */
function pageLog(log: CiLog | undefined, { page, size }: { page: number; size: number }): string {
  const lines = (log?.lines ?? []).map((line) => cutLine(line, LONGEST_LINE));
  const pages = pagesFromEnd(lines, size);
  const found = pages[page - 1];
  if (!found) throw new ToolError(`There is no page ${page}: the last one is ${pages.length}.`);
  const marked = lines.flatMap((line, at) => (line.includes('##[error]') ? [`${at + 1}: ${line}`] : []));
  const errors = page === 1 && marked.length > 0 ? ['Errors by line:', ...marked.slice(-MOST_ERRORS), ''] : [];
  const more = page < pages.length ? `; page ${page + 1} has what stands before` : '';
  const cut = log?.cut ? '; the log goes on, only its first 32 MiB were read' : '';
  return [
    ...errors,
    `[lines ${found.first + 1} to ${found.last} of ${lines.length}${more}${cut}]`,
    ...lines.slice(found.first, found.last),
  ].join('\n');
}

/** Pages of at most `size` bytes, a longer line alone on its own, the last lines first. */
function pagesFromEnd(lines: string[], size: number): { first: number; last: number }[] {
  const pages: { first: number; last: number }[] = [];
  let [last, bytes] = [lines.length, 0];
  for (let at = lines.length - 1; at >= 0; at--) {
    const more = Buffer.byteLength(lines[at] ?? '') + 1;
    if (bytes > 0 && bytes + more > size) {
      pages.push({ first: at + 1, last });
      [last, bytes] = [at + 1, 0];
    }
    bytes += more;
  }
  return [...pages, { first: 0, last }];
}
