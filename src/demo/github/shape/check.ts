import type { Job, Workflow, WorkflowRun } from '../ci.ts';
import type { CheckRun, CheckSuite, Repository, Status } from '../state.ts';
import type { World } from '../world.ts';
import { accountJson, appJson, isoTime, isoTimeOrNull, type Json, nodeId } from './account.ts';
import { pullReferenceJson } from './pull.ts';
import { repositoryJson, repositoryUrl } from './repository.ts';

/** Pull requests whose head is this commit, in the short form. */
function pullsAt(world: World, repo: Repository, sha: string): Json[] {
  const found = [...repo.items.values()].flatMap((item) =>
    item.pull?.headSha === sha && item.state === 'open' ? [{ ...item, pull: item.pull }] : [],
  );
  return found.map((item) => pullReferenceJson(world, repo, item));
}

export function checkSuiteJson(world: World, repo: Repository, suite: CheckSuite): Json {
  const api = `${repositoryUrl(world, repo)}/check-suites/${suite.id}`;
  const person = { name: repo.owner.login, email: `${repo.owner.login}@users.noreply.invalid` };
  return {
    ...hookSuiteJson(world, repo, suite),
    repository: repositoryJson(world, repo),
    latest_check_runs_count: [...repo.checkRuns.values()].filter((run) => run.suite === suite).length,
    rerequestable: true,
    runs_rerequestable: true,
    check_runs_url: `${api}/check-runs`,
    head_commit: { id: suite.sha, tree_id: suite.sha, message: '', timestamp: isoTime(suite.createdAt), author: person, committer: person },
  };
}

/** A suite as it stands inside a check run's webhook. */
export function hookSuiteJson(world: World, repo: Repository, suite: CheckSuite): Json {
  return {
    id: suite.id,
    node_id: nodeId('CS', suite.id),
    head_branch: suite.branch,
    head_sha: suite.sha,
    status: suite.status,
    conclusion: suite.conclusion,
    url: `${repositoryUrl(world, repo)}/check-suites/${suite.id}`,
    before: null,
    after: suite.sha,
    pull_requests: pullsAt(world, repo, suite.sha),
    app: appJson(world),
    created_at: isoTime(suite.createdAt),
    updated_at: isoTime(suite.updatedAt),
  };
}

export function checkRunJson(world: World, repo: Repository, run: CheckRun): Json {
  const api = `${repositoryUrl(world, repo)}/check-runs/${run.id}`;
  return {
    id: run.id,
    node_id: nodeId('CR', run.id),
    head_sha: run.sha,
    external_id: run.externalId,
    url: api,
    html_url: `${world.url}/${repo.fullName}/runs/${run.id}`,
    details_url: run.detailsUrl,
    status: run.status,
    conclusion: run.conclusion,
    started_at: isoTime(run.startedAt),
    completed_at: isoTimeOrNull(run.completedAt),
    output: { ...run.output, annotations_count: run.annotations.length, annotations_url: `${api}/annotations` },
    name: run.name,
    check_suite: { id: run.suite.id },
    app: appJson(world),
    pull_requests: pullsAt(world, repo, run.sha),
  };
}

export function statusJson(world: World, repo: Repository, status: Status): Json {
  return {
    url: `${repositoryUrl(world, repo)}/statuses/${status.sha}`,
    id: status.id,
    node_id: nodeId('SC', status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: isoTime(status.createdAt),
    updated_at: isoTime(status.createdAt),
    creator: accountJson(world, status.author),
  };
}

export function workflowJson(world: World, repo: Repository, workflow: Workflow): Json {
  return {
    id: workflow.id,
    node_id: nodeId('W', workflow.id),
    name: workflow.name,
    path: workflow.path,
    state: 'active',
    created_at: isoTime(repo.createdAt),
    updated_at: isoTime(repo.createdAt),
    url: `${repositoryUrl(world, repo)}/actions/workflows/${workflow.id}`,
    html_url: `${world.url}/${repo.fullName}/blob/${repo.defaultBranch}/${workflow.path}`,
    badge_url: `${world.url}/${repo.fullName}/workflows/${encodeURIComponent(workflow.name)}/badge.svg`,
  };
}

export function workflowRunJson(world: World, repo: Repository, run: WorkflowRun): Json {
  const api = `${repositoryUrl(world, repo)}/actions/runs/${run.id}`;
  const person = { name: run.actor.login, email: `${run.actor.login}@users.noreply.invalid` };
  const title = `${run.workflow.name} #${run.number}`;
  const repository = repositoryJson(world, repo);
  return {
    id: run.id,
    node_id: nodeId('WFR', run.id),
    name: run.workflow.name,
    path: run.workflow.path,
    display_title: title,
    head_branch: run.branch,
    head_sha: run.sha,
    run_number: run.number,
    run_attempt: run.attempt,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    workflow_id: run.workflow.id,
    check_suite_id: run.suiteId,
    url: api,
    html_url: `${world.url}/${repo.fullName}/actions/runs/${run.id}`,
    pull_requests: run.pulls.map((item) => pullReferenceJson(world, repo, item)),
    created_at: isoTime(run.createdAt),
    updated_at: isoTime(run.updatedAt),
    run_started_at: isoTime(run.startedAt),
    actor: accountJson(world, run.actor),
    triggering_actor: accountJson(world, run.actor),
    jobs_url: `${api}/jobs`,
    logs_url: `${api}/logs`,
    check_suite_url: `${repositoryUrl(world, repo)}/check-suites/${run.suiteId}`,
    artifacts_url: `${api}/artifacts`,
    cancel_url: `${api}/cancel`,
    rerun_url: `${api}/rerun`,
    workflow_url: `${repositoryUrl(world, repo)}/actions/workflows/${run.workflow.id}`,
    head_commit: { id: run.sha, tree_id: run.sha, message: title, timestamp: isoTime(run.createdAt), author: person, committer: person },
    repository,
    head_repository: repository,
  };
}

export function jobJson(world: World, repo: Repository, job: Job): Json {
  const api = repositoryUrl(world, repo);
  const [started, ended] = [isoTime(job.createdAt), job.status === 'completed' ? isoTime(job.createdAt) : null];
  return {
    id: job.id,
    run_id: job.run.id,
    node_id: nodeId('CR', job.id),
    workflow_name: job.run.workflow.name,
    head_branch: job.run.branch,
    head_sha: job.run.sha,
    run_url: `${api}/actions/runs/${job.run.id}`,
    run_attempt: job.run.attempt,
    url: `${api}/actions/jobs/${job.id}`,
    html_url: `${world.url}/${repo.fullName}/actions/runs/${job.run.id}/job/${job.id}`,
    status: job.status,
    conclusion: job.conclusion,
    created_at: started,
    started_at: started,
    completed_at: ended,
    name: job.name,
    steps: job.steps.map((step, index) => ({ ...step, status: job.status, number: index + 1, started_at: started, completed_at: ended })),
    check_run_url: `${api}/check-runs/${job.id}`,
    labels: ['ubuntu-latest'],
    runner_id: 1,
    runner_name: 'runner-1',
  };
}
