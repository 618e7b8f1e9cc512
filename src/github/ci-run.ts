import { z } from 'zod';
import type { Repository } from '../journal/resource.ts';
import type { Api } from './api.ts';
import { repoOf } from './read.ts';
import { CiPayload } from './webhook.ts';

/** A run of the repository's own CI as tools show it. Times are ISO 8601; `conclusion` is empty while it is under way. */
export interface CiRunView {
  runId: number;
  workflow: string;
  event: string;
  /** Who started it first. */
  actor: string;
  branch: string;
  sha: string;
  status: string;
  conclusion: string;
  attempt: number;
  url: string;
  createdAt: string;
  startedAt: string;
}

/** A job of a CI run, with the steps of it that failed. */
export interface CiJobView {
  jobId: number;
  name: string;
  status: string;
  conclusion: string;
  url: string;
  failedSteps: string[];
}

/** The log of a job, line by line, without colours and times. `cut` says that it goes on: only its first 32 MiB were read. */
export interface CiLog {
  lines: string[];
  cut: boolean;
}

const Row = CiPayload.extend({ run_attempt: z.number().default(1), actor: z.object({ login: z.string() }).nullish() });
const Job = z.object({
  id: z.number(),
  name: z.string(),
  status: z.string(),
  conclusion: z.string().nullish(),
  html_url: z.string().nullish(),
  steps: z.array(z.object({ name: z.string(), conclusion: z.string().nullish() })).nullish(),
});

const LONGEST_LOG = 32 * 1024 * 1024;
const MOST_RUNS = 30;

/** Reads a CI run with its jobs. All here throw `GitHubError`s; `missing` where there is none with this id. */
export async function readCiRun(api: Api, repository: Repository, id: number): Promise<CiRunView & { jobs: CiJobView[] }> {
  const place = { ...repoOf({ repository }), run_id: id };
  const [run, jobs] = await Promise.all([
    api.rest.actions.getWorkflowRun(place),
    api.paginate(api.rest.actions.listJobsForWorkflowRun, { ...place, per_page: 100 }),
  ]);
  return { ...toRunView(run.data), jobs: z.array(Job).parse(jobs).map(toJobView) };
}

/** The CI runs of a commit, newest first. */
export async function listCiRuns(api: Api, repository: Repository, sha: string): Promise<CiRunView[]> {
  const { data } = await api.rest.actions.listWorkflowRunsForRepo({ ...repoOf({ repository }), head_sha: sha, per_page: MOST_RUNS });
  return data.workflow_runs.map(toRunView);
}

/** Runs of a workflow (its file's name, or its id) that somebody or something started by hand, newest first. */
export async function listDispatchedRuns(api: Api, repository: Repository, workflow: string): Promise<CiRunView[]> {
  const query = { ...repoOf({ repository }), workflow_id: workflow, event: 'workflow_dispatch', per_page: MOST_RUNS };
  const { data } = await api.rest.actions.listWorkflowRuns(query);
  return data.workflow_runs.map(toRunView);
}

/** Reads the log of a job. GitHub keeps logs for 90 days; it then says `missing`. */
export async function readCiLog(api: Api, repository: Repository, job: number): Promise<CiLog> {
  const { data } = await api.request('GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs', {
    ...repoOf({ repository }),
    job_id: job,
    request: { parseSuccessResponseBody: false },
  });
  const { text, cut } = await readText(data as ReadableStream<Uint8Array> | null);
  const lines = text.replace(COLOURS, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return { lines: lines.map((line) => line.replace(TIME, '')), cut };
}

const COLOURS = /\u001b\[[0-9;]*[A-Za-z]|\ufeff/g;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z /;

async function readText(stream: ReadableStream<Uint8Array> | null): Promise<{ text: string; cut: boolean }> {
  const decoder = new TextDecoder();
  let [text, size] = ['', 0];
  for await (const chunk of stream ?? []) {
    size += chunk.length;
    text += decoder.decode(chunk, { stream: true });
    if (size > LONGEST_LOG) return { text, cut: true };
  }
  return { text: text + decoder.decode(), cut: false };
}

function toRunView(data: unknown): CiRunView {
  const row = Row.parse(data);
  return {
    runId: row.id,
    workflow: row.name,
    event: row.event,
    actor: row.actor?.login ?? '',
    branch: row.head_branch,
    sha: row.head_sha,
    status: row.status,
    conclusion: row.conclusion,
    attempt: row.run_attempt,
    url: row.html_url,
    createdAt: row.created_at,
    startedAt: row.run_started_at,
  };
}

function toJobView({ id, name, status, conclusion, html_url, steps }: z.infer<typeof Job>): CiJobView {
  const failed = (steps ?? []).filter((step) => step.conclusion === 'failure' || step.conclusion === 'timed_out');
  return { jobId: id, name, status, conclusion: conclusion ?? '', url: html_url ?? '', failedSteps: failed.map((step) => step.name) };
}
