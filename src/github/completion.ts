import type { Event } from '../journal/event.ts';
import type { Api } from './api.ts';
import { buildCiContext, buildPullContext, toActor, toBranches } from './context.ts';
import { CiPayload, PullPayload } from './webhook.ts';

/**
 * Fetches what the delivery did not tell: the pull request of a comment, a review or a CI run. An event that is complete comes back as it is. Call it
 * only for events that some workflow waits for: each costs a request. Throws `GitHubError`s.
 */
export async function completeEvent(event: Event, api: Api): Promise<Event> {
  if (!event.partial) return event;
  const number = event.resource.kind === 'pr' ? event.resource.number : await findPull(event, api);
  const { partial: _, ...known } = event;
  if (number === null) return known;
  const { data } = await api.rest.pulls.get({ ...placeOf(event), pull_number: number });
  const pull = PullPayload.parse(data);
  const { ciWorkflow } = event.context;
  const ci = ciWorkflow ? { ciWorkflow: { ...ciWorkflow, isPullRequest: true, pullRequestId: number } } : {};
  const trigger = { ...event.context.trigger, branch: pull.head.ref, triggerObjectNumber: number };
  return {
    ...known,
    resource: { kind: 'pr', repository: event.repository, number, url: pull.html_url, ...toBranches(pull, event.repository) },
    author: toActor(pull.user),
    context: { ...event.context, ...ci, pullRequest: buildPullContext(pull), trigger },
  };
}

/**
 * Fills `ciWorkflow` for a command on a pull request: with the newest failed run of its head, else with branch and commit only. `event` must be
 * complete. Throws `GitHubError`s.
 */
export async function completeCi(event: Event, api: Api): Promise<Event> {
  if (event.resource.kind !== 'pr' || event.context.ciWorkflow) return event;
  const { head, number } = event.resource;
  const query = { ...placeOf(event), head_sha: head.sha, status: 'failure' as const, per_page: 20 };
  const { data } = await api.rest.actions.listWorkflowRunsForRepo(query);
  const runs = data.workflow_runs.map((run) => CiPayload.parse(run));
  const newest = runs.sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at) || b.id - a.id)[0];
  const empty = { id: 0, status: '', conclusion: '', head_branch: head.ref, head_sha: head.sha, pull_requests: [] };
  const ci = buildCiContext(newest ?? CiPayload.parse(empty));
  const told = newest ? {} : { runId: '' as const, status: '' as const };
  return { ...event, context: { ...event.context, ciWorkflow: { ...ci, ...told, isPullRequest: true, pullRequestId: number } } };
}

/** A CI run of a fork's pull request does not name it in its webhook; GitHub finds it by the commit. */
async function findPull(event: Event, api: Api): Promise<number | null> {
  const sha = event.context.ciWorkflow?.commitSha;
  if (!sha) return null;
  const { data } = await api.rest.repos.listPullRequestsAssociatedWithCommit({ ...placeOf(event), commit_sha: sha });
  return data.find((pull) => pull.state === 'open' && pull.head.sha === sha)?.number ?? null;
}

function placeOf({ repository }: Event): { owner: string; repo: string } {
  return { owner: repository.owner, repo: repository.name };
}
