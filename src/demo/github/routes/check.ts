import { createCheckRun, pressCheck, rerequestSuite, suiteOf, updateCheckRun } from '../act/check.ts';
import { created, ok, page } from '../answer.ts';
import { invalid, notFound } from '../refusal.ts';
import { type Answer, type RepoCall, type Route, repoRoute } from '../route.ts';
import { checkRunJson, checkSuiteJson, statusJson } from '../shape/check.ts';
import { repositoryJson, repositoryUrl } from '../shape/repository.ts';
import type { CheckRun, CheckSuite, Status } from '../state.ts';
import { requireCommit } from './commit.ts';

const read = { needs: ['checks:read'] };
const write = { needs: ['checks:write'] };
const STATES = ['error', 'failure', 'pending', 'success'];
const DESCRIPTION_MAX = 140;

/** Check runs, check suites and commit statuses. */
export function checkRoutes(): Route[] {
  return [
    repoRoute('POST /check-runs', write, async (call) => {
      const sha = await requireCommit(call.repo, call.body.needText('head_sha'));
      return created(checkRunJson(call.world, call.repo, createCheckRun(call, sha, call.body)));
    }),
    repoRoute('GET /check-runs/{check_run_id}', read, (call) => ok(checkRunJson(call.world, call.repo, requireRun(call)))),
    repoRoute('PATCH /check-runs/{check_run_id}', write, (call) => {
      const run = requireRun(call);
      updateCheckRun(call, run, call.body);
      return ok(checkRunJson(call.world, call.repo, run));
    }),
    repoRoute('GET /check-runs/{check_run_id}/annotations', read, (call) => page(call, requireRun(call).annotations)),
    repoRoute('POST /check-runs/{check_run_id}/rerequest', write, (call) => {
      pressCheck(call, requireRun(call));
      return created({});
    }),
    repoRoute('GET /commits/{ref}/check-runs', read, async (call) => {
      const sha = await requireCommit(call.repo, call.params.ref ?? '');
      return listRuns(call, (run) => run.sha === sha);
    }),
    repoRoute('GET /check-suites/{check_suite_id}/check-runs', read, (call) => {
      const suite = requireSuite(call);
      return listRuns(call, (run) => run.suite === suite);
    }),
    repoRoute('POST /check-suites', write, async (call) => {
      const sha = await requireCommit(call.repo, call.body.needText('head_sha'));
      return created(checkSuiteJson(call.world, call.repo, suiteOf(call, sha)));
    }),
    repoRoute('GET /check-suites/{check_suite_id}', read, (call) => ok(checkSuiteJson(call.world, call.repo, requireSuite(call)))),
    repoRoute('POST /check-suites/{check_suite_id}/rerequest', write, (call) => {
      rerequestSuite(call, requireSuite(call));
      return created({});
    }),
    repoRoute('GET /commits/{ref}/check-suites', read, listSuites),
    repoRoute('POST /statuses/{sha}', { needs: ['statuses:write'] }, createStatus),
    repoRoute('GET /commits/{ref}/statuses', { needs: ['statuses:read'] }, async (call) => {
      const rows = await statusesOf(call);
      return page(
        call,
        rows.map((status) => statusJson(call.world, call.repo, status)),
      );
    }),
    repoRoute('GET /commits/{ref}/status', { needs: ['statuses:read'] }, answerCombined),
  ];
}

function requireRun({ repo, params }: RepoCall): CheckRun {
  const found = repo.checkRuns.get(Number(params.check_run_id));
  if (!found) throw notFound();
  return found;
}

function requireSuite({ repo, params }: RepoCall): CheckSuite {
  const found = repo.checkSuites.get(Number(params.check_suite_id));
  if (!found) throw notFound();
  return found;
}

/** Of runs with one name only the latest, unless the query wants `filter=all`. */
function listRuns(call: RepoCall, keep: (run: CheckRun) => boolean): Answer {
  const { query, repo, world } = call;
  const [name, status] = [query.get('check_name'), query.get('status')];
  const found = [...repo.checkRuns.values()].filter(
    (run) => keep(run) && (!name || run.name === name) && (!status || run.status === status),
  );
  const rows = query.get('filter') === 'all' ? found : [...new Map(found.map((run) => [run.name, run])).values()];
  const json = rows.map((run) => checkRunJson(world, repo, run));
  return page(call, json, (check_runs, total_count) => ({ total_count, check_runs }));
}

async function listSuites(call: RepoCall): Promise<Answer> {
  const { repo, world } = call;
  const sha = await requireCommit(repo, call.params.ref ?? '');
  const rows = [...repo.checkSuites.values()].filter((suite) => suite.sha === sha).map((suite) => checkSuiteJson(world, repo, suite));
  return page(call, rows, (check_suites, total_count) => ({ total_count, check_suites }));
}

async function createStatus(call: RepoCall): Promise<Answer> {
  const { repo, body, world, by } = call;
  const sha = await requireCommit(repo, call.params.sha ?? '');
  const state = body.needText('state');
  if (!STATES.includes(state)) throw invalid('Status', 'state');
  const description = body.text('description') ?? null;
  if ((description ?? '').length > DESCRIPTION_MAX)
    throw invalid('Status', 'description', 'custom', 'description is too long (maximum is 140 characters)');
  const status: Status = {
    id: world.nextId(),
    sha,
    state,
    description,
    targetUrl: body.text('target_url') ?? null,
    context: body.text('context') ?? 'default',
    author: by,
    createdAt: Date.now(),
  };
  repo.statuses.push(status);
  world.changes.tell('status', repo.fullName);
  return created(statusJson(world, repo, status));
}

async function statusesOf(call: RepoCall): Promise<Status[]> {
  const sha = await requireCommit(call.repo, call.params.ref ?? '');
  return call.repo.statuses.filter((status) => status.sha === sha).reverse();
}

async function answerCombined(call: RepoCall): Promise<Answer> {
  const { repo, world } = call;
  const sha = await requireCommit(repo, call.params.ref ?? '');
  const latest = [...new Map((await statusesOf(call)).reverse().map((status) => [status.context, status])).values()];
  const bad = latest.some(({ state }) => state === 'error' || state === 'failure');
  const good = latest.length > 0 && latest.every(({ state }) => state === 'success');
  return ok({
    state: bad ? 'failure' : good ? 'success' : 'pending',
    statuses: latest.map((status) => statusJson(world, repo, status)),
    sha,
    total_count: latest.length,
    repository: repositoryJson(world, repo),
    commit_url: `${repositoryUrl(world, repo)}/commits/${sha}`,
    url: `${repositoryUrl(world, repo)}/commits/${sha}/status`,
  });
}
