import { addWorkflowRun, rerunWorkflow } from '../act/workflow-run.ts';
import { created, noContent, ok, page } from '../answer.ts';
import type { Job, Workflow, WorkflowRun } from '../ci.ts';
import { isRecord } from '../fields.ts';
import { notFound } from '../refusal.ts';
import { type Answer, type RepoCall, type Route, repoRoute, route } from '../route.ts';
import { jobJson, workflowJson, workflowRunJson } from '../shape/check.ts';
import { zipFiles } from '../zip.ts';
import { requireCommit } from './commit.ts';

const read = { needs: ['actions:read'] };
const write = { needs: ['actions:write'] };

/** The repository's own CI: workflows, runs, jobs and logs. */
export function actionRoutes(): Route[] {
  return [
    repoRoute('GET /actions/workflows', read, (call) => {
      const rows = [...call.repo.workflows.values()].map((workflow) => workflowJson(call.world, call.repo, workflow));
      return page(call, rows, (workflows, total_count) => ({ total_count, workflows }));
    }),
    repoRoute('GET /actions/workflows/{workflow_id}', read, (call) => ok(workflowJson(call.world, call.repo, requireWorkflow(call)))),
    repoRoute('GET /actions/workflows/{workflow_id}/runs', read, (call) => listRuns(call, requireWorkflow(call))),
    repoRoute('POST /actions/workflows/{workflow_id}/dispatches', write, dispatch),
    repoRoute('GET /actions/runs', read, (call) => listRuns(call, null)),
    repoRoute('GET /actions/runs/{run_id}', read, (call) => ok(workflowRunJson(call.world, call.repo, requireRun(call)))),
    repoRoute('GET /actions/runs/{run_id}/jobs', read, (call) => {
      const rows = jobsOf(call, requireRun(call)).map((job) => jobJson(call.world, call.repo, job));
      return page(call, rows, (jobs, total_count) => ({ total_count, jobs }));
    }),
    repoRoute('GET /actions/runs/{run_id}/logs', read, (call) => redirect(call, `run/${requireRun(call).id}.zip`)),
    repoRoute('GET /actions/jobs/{job_id}', read, (call) => ok(jobJson(call.world, call.repo, requireJob(call)))),
    repoRoute('GET /actions/jobs/{job_id}/logs', read, (call) => redirect(call, `job/${requireJob(call).id}.txt`)),
    ...['rerun', 'rerun-failed-jobs', 'cancel'].map((kind) =>
      repoRoute(`POST /actions/runs/{run_id}/${kind}`, write, (call) => repeat(call, kind)),
    ),
    repoRoute('POST /actions/jobs/{job_id}/rerun', write, (call) => {
      rerunWorkflow(call, requireJob(call).run, 'job');
      return created({});
    }),
    route('GET /_logs/{repository_id}/{kind}/{file}', { audience: 'anybody' }, (call) => {
      const repo = [...call.world.repositories.values()].find((one) => one.id === Number(call.params.repository_id));
      if (!repo) throw notFound();
      return answerLog({ ...call, repo, by: repo.owner });
    }),
  ];
}

function requireWorkflow({ repo, params }: RepoCall): Workflow {
  const id = params.workflow_id ?? '';
  const found = [...repo.workflows.values()].find((workflow) => String(workflow.id) === id || workflow.path.endsWith(`/${id}`));
  if (!found) throw notFound();
  return found;
}

function requireRun({ repo, params }: RepoCall): WorkflowRun {
  const found = repo.workflowRuns.get(Number(params.run_id));
  if (!found) throw notFound();
  return found;
}

function requireJob({ repo, params }: RepoCall): Job {
  const found = repo.jobs.get(Number(params.job_id));
  if (!found) throw notFound();
  return found;
}

function jobsOf({ repo }: RepoCall, run: WorkflowRun): Job[] {
  return [...repo.jobs.values()].filter((job) => job.run === run);
}

function listRuns(call: RepoCall, workflow: Workflow | null): Answer {
  const { query, repo, world } = call;
  const [branch, sha, event, status] = [query.get('branch'), query.get('head_sha'), query.get('event'), query.get('status')];
  const rows = [...repo.workflowRuns.values()]
    .reverse()
    .filter((run) => (!workflow || run.workflow === workflow) && (!branch || run.branch === branch) && (!sha || run.sha === sha))
    .filter((run) => (!event || run.event === event) && (!status || run.status === status || run.conclusion === status))
    .map((run) => workflowRunJson(world, repo, run));
  return page(call, rows, (workflow_runs, total_count) => ({ total_count, workflow_runs }));
}

async function dispatch(call: RepoCall): Promise<Answer> {
  const { repo, body } = call;
  const workflow = requireWorkflow(call);
  const ref = body.needText('ref');
  const sha = await requireCommit(repo, ref);
  const inputs = body.raw('inputs');
  workflow.dispatches.push({ ref, inputs: isRecord(inputs) ? inputs : {} });
  addWorkflowRun(call, {
    name: workflow.name,
    sha,
    branch: ref.replace(/^refs\/heads\//, ''),
    event: 'workflow_dispatch',
    status: 'queued',
  });
  return noContent();
}

function repeat(call: RepoCall, kind: string): Answer {
  const run = requireRun(call);
  if (kind === 'cancel') run.reruns.push(kind);
  else rerunWorkflow(call, run, kind);
  return { status: kind === 'cancel' ? 202 : 201, body: {} };
}

/** Logs are fetched from a storage address that needs no token. */
function redirect(call: RepoCall, file: string): Answer {
  return { status: 302, headers: { location: `${call.world.url}/_logs/${call.repo.id}/${file}` } };
}

function answerLog(call: RepoCall): Answer {
  const id = Number.parseInt(call.params.file ?? '', 10);
  if (call.params.kind === 'job')
    return ok(requireJob({ ...call, params: { job_id: String(id) } }).log, { 'content-type': 'text/plain; charset=utf-8' });
  const jobs = jobsOf(call, requireRun({ ...call, params: { run_id: String(id) } }));
  const files = jobs.map((job, index) => ({ name: `${index}_${job.name.replace(/\//g, '_')}.txt`, content: Buffer.from(job.log) }));
  return ok(zipFiles(files), { 'content-type': 'application/zip' });
}
