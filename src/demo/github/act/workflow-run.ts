import type { Workflow, WorkflowRun } from '../ci.ts';
import type { Scene } from '../route.ts';
import { workflowJson, workflowRunJson } from '../shape/check.ts';
import type { PullItem } from '../state.ts';
import { sendEvent } from './event.ts';

/** A run of the repository's own CI that took place, or is under way. */
export interface NewWorkflowRun {
  name?: string;
  sha: string;
  branch: string;
  event?: string;
  status?: 'queued' | 'in_progress' | 'completed';
  conclusion?: string;
  pulls?: readonly PullItem[];
  jobs?: readonly { name: string; conclusion?: string; log?: string; steps?: { name: string; conclusion: string | null }[] }[];
}

/** Adds a CI run with its jobs and logs, and sends `workflow_run`. */
export function addWorkflowRun(scene: Scene, fields: NewWorkflowRun): WorkflowRun {
  const { world, repo, by } = scene;
  const workflow = ensureWorkflow(scene, fields.name ?? 'CI');
  const status = fields.status ?? 'completed';
  const conclusion = status === 'completed' ? (fields.conclusion ?? 'success') : null;
  const now = Date.now();
  const run: WorkflowRun = {
    id: world.nextId(),
    suiteId: world.nextId(),
    workflow,
    number: [...repo.workflowRuns.values()].filter((other) => other.workflow === workflow).length + 1,
    attempt: 1,
    branch: fields.branch,
    sha: fields.sha,
    event: fields.event ?? 'pull_request',
    status,
    conclusion,
    actor: by,
    pulls: [...(fields.pulls ?? [])],
    createdAt: now,
    startedAt: now,
    updatedAt: now,
    reruns: [],
  };
  repo.workflowRuns.set(run.id, run);
  for (const job of fields.jobs ?? []) {
    const id = world.nextId();
    const ended = status === 'completed' ? (job.conclusion ?? conclusion) : null;
    const steps = job.steps ?? [{ name: 'Run', conclusion: ended }];
    repo.jobs.set(id, { id, run, name: job.name, status, conclusion: ended, createdAt: now, steps, log: job.log ?? '' });
  }
  sendWorkflowRunEvent(scene, run);
  return run;
}

/** Begins a further attempt of a run, and sends `workflow_run`. */
export function rerunWorkflow(scene: Scene, run: WorkflowRun, kind: string): void {
  run.reruns.push(kind);
  const now = Date.now();
  Object.assign(run, { attempt: run.attempt + 1, status: 'queued', conclusion: null, startedAt: now, updatedAt: now });
  sendWorkflowRunEvent(scene, run);
}

/** Ends a run that was under way. */
export function completeWorkflowRun(scene: Scene, run: WorkflowRun, conclusion: string): void {
  Object.assign(run, { status: 'completed', conclusion, updatedAt: Date.now() });
  for (const job of scene.repo.jobs.values())
    if (job.run === run) Object.assign(job, { status: 'completed', conclusion: job.conclusion ?? conclusion });
  sendWorkflowRunEvent(scene, run);
}

/** The workflow of this name, made on first use. */
export function ensureWorkflow(scene: Scene, name: string): Workflow {
  const { world, repo } = scene;
  const known = [...repo.workflows.values()].find((workflow) => workflow.name === name);
  if (known) return known;
  const workflow = { id: world.nextId(), name, path: `.github/workflows/${name.toLowerCase().replace(/\W+/g, '-')}.yml`, dispatches: [] };
  repo.workflows.set(workflow.id, workflow);
  return workflow;
}

function sendWorkflowRunEvent(scene: Scene, run: WorkflowRun): void {
  const { world, repo } = scene;
  const action = run.status === 'queued' ? 'requested' : run.status;
  const payload = { action, workflow_run: workflowRunJson(world, repo, run), workflow: workflowJson(world, repo, run.workflow) };
  sendEvent(scene, 'workflow_run', { payload, number: run.pulls[0]?.number ?? null });
}
