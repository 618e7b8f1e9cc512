import {
  addLabels,
  closeItem,
  editItem,
  ensureLabel,
  findLabel,
  lockItem,
  openIssue,
  removeLabel,
  reopenItem,
  setAssignees,
  setLabels,
  setMilestone,
} from '../act/item.ts';
import { htmlOf } from '../act/upload.ts';
import { created, noContent, ok, page } from '../answer.ts';
import { invalid, notFound } from '../refusal.ts';
import { type Answer, type RepoCall, type Route, repoRoute } from '../route.ts';
import { accountJson, isoTime, type Json, nodeId } from '../shape/account.ts';
import { commentJson, commentsOn, issueJson, labelJson, milestoneJson } from '../shape/item.ts';
import { type Item, isPull, type Milestone, type PullItem } from '../state.ts';

const read = { needs: ['issues:read', 'pull_requests:read'] };
const write = { needs: ['issues:write', 'pull_requests:write'] };

/** Issues, which pull requests are too here, with labels, assignees and locks. */
export function itemRoutes(): Route[] {
  return [
    repoRoute('GET /issues', read, listIssues),
    repoRoute('POST /issues', { needs: ['issues:write'], content: true }, createIssue),
    repoRoute('GET /issues/{issue_number}', read, showIssue),
    repoRoute('PATCH /issues/{issue_number}', write, updateIssue),
    repoRoute('PUT /issues/{issue_number}/lock', write, (call) => changeLock(call, true)),
    repoRoute('DELETE /issues/{issue_number}/lock', write, (call) => changeLock(call, false)),
    repoRoute('GET /issues/{issue_number}/events', read, (call) => page(call, historyOf(call))),
    repoRoute('GET /issues/{issue_number}/timeline', read, listTimeline),
    repoRoute('POST /issues/{issue_number}/assignees', write, (call) => changeAssignees(call, true)),
    repoRoute('DELETE /issues/{issue_number}/assignees', write, (call) => changeAssignees(call, false)),
    ...labelRoutes(),
    ...milestoneRoutes(),
  ];
}

function showIssue(call: RepoCall): Answer {
  const item = requireItem(call);
  const html = call.media === 'full' ? { body_html: htmlOf(call.world, item.body) } : {};
  return ok({ ...issueJson(call.world, call.repo, item), ...html });
}

function labelRoutes(): Route[] {
  return [
    repoRoute('GET /labels', read, (call) =>
      page(
        call,
        [...call.repo.labels.values()].map((label) => labelJson(call.world, call.repo, label)),
      ),
    ),
    repoRoute('GET /labels/{name}', read, (call) => {
      const found = findLabel(call.repo, call.params.name ?? '');
      if (!found) throw notFound();
      return ok(labelJson(call.world, call.repo, found));
    }),
    repoRoute('POST /labels', write, createLabel),
    repoRoute('GET /issues/{issue_number}/labels', read, (call) => page(call, labelsOf(call))),
    repoRoute('POST /issues/{issue_number}/labels', write, async (call) => {
      await addLabels(call, requireItem(call), readNames(call));
      return ok(labelsOf(call));
    }),
    repoRoute('PUT /issues/{issue_number}/labels', write, async (call) => {
      await setLabels(call, requireItem(call), readNames(call));
      return ok(labelsOf(call));
    }),
    repoRoute('DELETE /issues/{issue_number}/labels', write, async (call) => {
      await setLabels(call, requireItem(call), []);
      return noContent();
    }),
    repoRoute('DELETE /issues/{issue_number}/labels/{name}', write, async (call) => {
      await removeLabel(call, requireItem(call), call.params.name ?? '');
      return ok(labelsOf(call));
    }),
  ];
}

function milestoneRoutes(): Route[] {
  const json = ({ world, repo }: RepoCall) => repo.milestones.map((one) => milestoneJson(world, repo, one));
  return [
    repoRoute('GET /milestones', read, (call) => page(call, json(call))),
    repoRoute('POST /milestones', write, (call) => {
      const { repo, world, body } = call;
      const milestone = { id: world.nextId(), number: repo.milestones.length + 1, title: body.needText('title') };
      repo.milestones.push(milestone);
      return created(milestoneJson(world, repo, milestone));
    }),
  ];
}

/** The issue or pull request that an address names. Throws a 404. */
export function requireItem({ repo, params }: RepoCall): Item {
  const item = repo.items.get(Number(params.issue_number ?? params.pull_number));
  if (!item) throw notFound();
  return item;
}

/** The pull request that an address names. Throws a 404. */
export function requirePull(call: RepoCall): PullItem {
  const item = requireItem(call);
  if (!isPull(item)) throw notFound();
  return item;
}

/** Rows in the order a query asks for: by `created` or `updated`, newest first unless told otherwise. */
export function sortRows<T extends { id: number; createdAt: number; updatedAt: number }>(
  rows: T[],
  query: URLSearchParams,
  direction = 'desc',
): T[] {
  const key = query.get('sort') === 'updated' ? 'updatedAt' : 'createdAt';
  const way = (query.get('direction') ?? direction) === 'asc' ? 1 : -1;
  return rows.sort((a, b) => way * (a[key] - b[key] || a.id - b.id));
}

/** Keeps what changed at or after `since`, when the query has it. */
export function isSince(query: URLSearchParams, row: { updatedAt: number }): boolean {
  const since = query.get('since');
  return since === null || Math.floor(row.updatedAt / 1000) * 1000 >= Date.parse(since);
}

function listIssues(call: RepoCall): Answer {
  const { query, repo, world } = call;
  const state = query.get('state') ?? 'open';
  const [creator, assignee] = [query.get('creator'), query.get('assignee')];
  const labels = (query.get('labels') ?? '').split(',').filter(Boolean);
  const rows = [...repo.items.values()].filter(
    (item) =>
      (state === 'all' || item.state === state) &&
      labels.every((name) => [...item.labels].some((label) => label.name === name)) &&
      (!creator || item.author.login === creator) &&
      (!assignee || [...item.assignees].some((account) => account.login === assignee)) &&
      isSince(query, item),
  );
  return page(
    call,
    sortRows(rows, query).map((item) => issueJson(world, repo, item)),
  );
}

async function createIssue(call: RepoCall): Promise<Answer> {
  const { body } = call;
  const title = body.text('title');
  if (!title) throw invalid('Issue', 'title', 'missing_field');
  const fields = { title, body: body.text('body') ?? null, labels: body.texts('labels') ?? [], assignees: body.texts('assignees') ?? [] };
  return created(issueJson(call.world, call.repo, await openIssue(call, fields)));
}

async function updateIssue(call: RepoCall): Promise<Answer> {
  const { body, world, repo } = call;
  const item = requireItem(call);
  const [title, text, state] = [body.text('title'), body.text('body'), body.text('state')];
  await editItem(call, item, { ...(title === undefined ? {} : { title }), ...(text === undefined ? {} : { body: text }) });
  const [labels, assignees] = [body.texts('labels'), body.texts('assignees')];
  if (labels) await setLabels(call, item, labels);
  const accounts = assignees?.map((login) => world.account(login));
  if (accounts) await setAssignees(call, item, accounts);
  if (body.has('milestone')) await setMilestone(call, item, findMilestone(call));
  if (state === 'closed') await closeItem(call, item, body.text('state_reason'));
  if (state === 'open') await reopenItem(call, item);
  return ok(issueJson(world, repo, item));
}

function findMilestone({ repo, body }: RepoCall): Milestone | null {
  const number = body.integer('milestone');
  if (number === undefined) return null;
  const found = repo.milestones.find((one) => one.number === number);
  if (!found) throw invalid('Issue', 'milestone');
  return found;
}

async function changeLock(call: RepoCall, locked: boolean): Promise<Answer> {
  const reason = call.body.text('lock_reason');
  await lockItem(call, requireItem(call), { locked, ...(reason === undefined ? {} : { reason }) });
  return noContent();
}

async function changeAssignees(call: RepoCall, add: boolean): Promise<Answer> {
  const { world, repo } = call;
  const item = requireItem(call);
  const named = (call.body.texts('assignees') ?? [])
    .filter((login) => !add || repo.roles.has(login.toLowerCase()))
    .map((login) => world.account(login));
  const others = [...item.assignees].filter((account) => !named.includes(account));
  await setAssignees(call, item, add ? [...others, ...named] : others);
  const json = issueJson(world, repo, item);
  return add ? created(json) : ok(json);
}

function createLabel(call: RepoCall): Answer {
  const name = call.body.needText('name');
  if (findLabel(call.repo, name)) throw invalid('Label', 'name', 'already_exists');
  const fields = { color: call.body.text('color') ?? 'ededed', description: call.body.text('description') ?? null };
  return created(labelJson(call.world, call.repo, ensureLabel(call, name, fields)));
}

function labelsOf(call: RepoCall): Json[] {
  return [...requireItem(call).labels].map((label) => labelJson(call.world, call.repo, label));
}

function readNames(call: RepoCall): string[] {
  return call.body.texts('labels') ?? [];
}

function historyOf(call: RepoCall): Json[] {
  const { world, repo } = call;
  return requireItem(call).history.map((row) => ({
    id: row.id,
    node_id: nodeId('EV', row.id),
    url: `${world.apiUrl}/repos/${repo.fullName}/issues/events/${row.id}`,
    actor: accountJson(world, row.actor),
    event: row.event,
    commit_id: null,
    commit_url: null,
    created_at: isoTime(row.at),
  }));
}

function listTimeline(call: RepoCall): Answer {
  const { world, repo } = call;
  const comments = commentsOn(repo, requireItem(call).number).map((comment) => ({
    event: 'commented',
    actor: accountJson(world, comment.author),
    ...commentJson(world, repo, comment),
  }));
  const rows: Json[] = [...historyOf(call), ...comments];
  return page(
    call,
    rows.sort((a, b) => String(a.created_at).localeCompare(String(b.created_at))),
  );
}
