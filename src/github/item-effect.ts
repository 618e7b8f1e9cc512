import type { Effect, Outcome } from '../journal/effect.ts';
import { cleanText, type Kept } from './clean.ts';
import type { Settled, Writer } from './writer.ts';

type Update = Extract<Effect, { type: 'item.update' }>;

/** Which changes of an item the App's settings allow. */
export interface ItemPolicy {
  closeReopen: boolean;
}

/** A pull request or issue as GitHub's issue side answers it. */
interface ItemRow {
  number: number;
  html_url: string;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  labels: (string | { name?: string })[];
  assignees: { login: string }[] | null;
  milestone: { title: string } | null;
}

interface Work {
  writer: Writer;
  update: Update;
  before: ItemRow;
}

/** GitHub's own limit on a title. */
const LONGEST_TITLE = 256;

/** One write, and what it does in words; null where nothing has to be done. */
type Change = { does: string; act: () => Promise<Settled<unknown>> } | null;

/**
 * Changes the run's own pull request or issue. Only what differs is written, label by label and person by person, so that it can be repeated and undoes nothing that
 * somebody else did meanwhile. Answers the item as it stands afterwards. What is not allowed is refused before anything is written.
 */
export async function updateItem(writer: Writer, update: Update, { policy, kept }: { policy: ItemPolicy; kept: Kept }): Promise<Outcome> {
  const before = await readItem(writer);
  if ('status' in before) return before;
  if (update.state !== undefined && update.state !== before.state && !policy.closeReopen) {
    return {
      status: 'refused',
      reason: 'closing and reopening is off here; the setting closeReopen allows it. Say what you would have done',
    };
  }
  const milestone = await findMilestone(writer, update.milestone);
  if (milestone.status === 'refused') return milestone;
  const work = { writer, update, before };
  const changes = [changeFields(work, milestone.number, kept), ...changeLabels(work), ...changeAssignees(work), await changeDraft(work)];
  const done: string[] = [];
  for (const change of changes) {
    if (change === null) continue;
    const reply = await change.act();
    if (reply.status === 'refused')
      return { status: 'refused', reason: `${change.does}: ${reply.reason}${done.length > 0 ? `; done before: ${done.join(', ')}` : ''}` };
    done.push(change.does);
  }
  const after = done.length > 0 ? await readItem(writer) : before;
  return 'status' in after ? after : { status: 'done', result: describe(after, update, done) };
}

async function readItem(writer: Writer): Promise<ItemRow | { status: 'refused'; reason: string }> {
  if (writer.number === null) return { status: 'refused', reason: 'this run has no pull request or issue to change' };
  const read = await writer.read<ItemRow>('GET /repos/{owner}/{repo}/issues/{issue_number}', { issue_number: writer.number });
  return read.status === 'refused' ? read : read.value;
}

/** The number of an open milestone by its title; undefined where nothing was said of it, null for none. */
async function findMilestone(
  writer: Writer,
  title: string | null | undefined,
): Promise<{ status: 'found'; number: number | null | undefined } | { status: 'refused'; reason: string }> {
  if (title === undefined || title === null) return { status: 'found', number: title };
  const rows = (await writer.list<{ number: number; title: string }>('GET /repos/{owner}/{repo}/milestones', { state: 'open' })) ?? [];
  const found = rows.find((row) => isSame(row.title, title));
  if (found) return { status: 'found', number: found.number };
  const names = rows.map((row) => JSON.stringify(row.title)).slice(0, 20);
  return {
    status: 'refused',
    reason: `there is no open milestone ${JSON.stringify(title)}; there ${names.length > 0 ? `are ${names.join(', ')}` : 'are none'}`,
  };
}

function changeFields({ writer, update, before }: Work, milestone: number | null | undefined, kept: Kept): Change {
  const title = update.title === undefined ? before.title : cleanText(update.title.replace(/\s+/g, ' ').trim(), { limit: LONGEST_TITLE });
  const body = update.body === undefined ? (before.body ?? '') : cleanText(update.body, { kept });
  const state = update.state ?? before.state;
  const sameMilestone = milestone === undefined || isSame(update.milestone ?? '', before.milestone?.title ?? '');
  const fields = {
    ...(title === before.title ? {} : { title }),
    ...(body === (before.body ?? '') ? {} : { body }),
    ...(sameMilestone ? {} : { milestone }),
    ...(state === before.state ? {} : { state }),
  };
  const names = Object.keys(fields);
  if (names.length === 0) return null;
  return { does: names.join(' and '), act: () => send(writer, 'PATCH /repos/{owner}/{repo}/issues/{issue_number}', fields) };
}

function changeLabels({ writer, update, before }: Work): Change[] {
  const has = before.labels.map((label) => (typeof label === 'string' ? label : (label.name ?? '')));
  const added = missingFrom(has, update.addLabels);
  const removed = has.filter((label) => update.removeLabels?.some((one) => isSame(one, label)) && !added.includes(label));
  return [
    added.length === 0
      ? null
      : {
          does: `label ${added.join(', ')}`,
          act: () => send(writer, 'POST /repos/{owner}/{repo}/issues/{issue_number}/labels', { labels: added }),
        },
    ...removed.map((name) => ({
      does: `no label ${name}`,
      act: () => take(writer, 'DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}', { name }),
    })),
  ];
}

function changeAssignees({ writer, update, before }: Work): Change[] {
  const has = (before.assignees ?? []).map(({ login }) => login);
  const added = missingFrom(has, update.addAssignees);
  const removed = has.filter((login) => update.removeAssignees?.some((one) => isSame(one, login)));
  const route = '/repos/{owner}/{repo}/issues/{issue_number}/assignees';
  return [
    added.length === 0 ? null : { does: `assign ${added.join(', ')}`, act: () => send(writer, `POST ${route}`, { assignees: added }) },
    removed.length === 0
      ? null
      : { does: `unassign ${removed.join(', ')}`, act: () => send(writer, `DELETE ${route}`, { assignees: removed }) },
  ];
}

/** REST cannot change it. */
async function changeDraft({ writer, update }: Work): Promise<Change> {
  const { draft } = update;
  if (draft === undefined || writer.event.resource.kind !== 'pr') return null;
  const read = () =>
    writer.read<{ node_id: string; draft?: boolean }>('GET /repos/{owner}/{repo}/pulls/{pull_number}', { pull_number: writer.number });
  const before = await read();
  if (before.status === 'refused') return { does: 'draft', act: async () => before };
  if (before.value.draft === draft) return null;
  const [name, input] = draft ? ['convertPullRequestToDraft', 'ConvertPullRequestToDraftInput'] : READY;
  const mutation = `mutation($input: ${input}!) { ${name}(input: $input) { pullRequest { id } } }`;
  const act = () => writer.mutate<unknown>(mutation, { input: { pullRequestId: before.value.node_id } }, { content: false });
  const look = async () => {
    const now = await read();
    return now.status === 'done' && now.value.draft === draft ? now.value : null;
  };
  return { does: draft ? 'draft' : 'ready for review', act: () => writer.settle<unknown>({ act, look, doubt: false }) };
}

const READY = ['markPullRequestReadyForReview', 'MarkPullRequestReadyForReviewInput'];

function send(writer: Writer, route: string, fields: Record<string, unknown>): Promise<Settled<unknown>> {
  const act = () => writer.write(route, { issue_number: writer.number, ...fields }, { content: false });
  return writer.settle({ act, look: async () => null });
}

/** What somebody else took off meanwhile is off. */
async function take(writer: Writer, route: string, fields: Record<string, unknown>): Promise<Settled<unknown>> {
  const reply = await send(writer, route, fields);
  return reply.status === 'refused' && reply.code === 404 ? { status: 'done', value: null } : reply;
}

function describe(item: ItemRow, update: Update, done: string[]): unknown {
  const assignees = (item.assignees ?? []).map(({ login }) => login);
  const left = missingFrom(assignees, update.addAssignees);
  return {
    number: item.number,
    url: item.html_url,
    changed: done.length > 0 ? done : 'nothing: it was so already',
    state: item.state,
    labels: item.labels.map((label) => (typeof label === 'string' ? label : label.name)),
    assignees,
    ...(item.milestone ? { milestone: item.milestone.title } : {}),
    ...(left.length > 0 ? { notAssigned: `${left.join(', ')}: GitHub assigns only people with access to the repository` } : {}),
  };
}

function missingFrom(has: string[], wanted: string[] = []): string[] {
  const unique = wanted.filter((one, at) => wanted.findIndex((other) => isSame(one, other)) === at);
  return unique.filter((one) => !has.some((other) => isSame(one, other)));
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
