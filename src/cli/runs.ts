import { addUsage, NO_USAGE } from '../journal/cost.ts';
import type { Event } from '../journal/event.ts';
import { type RunView, viewRun } from '../journal/view.ts';
import { costLine, duration } from '../run/report-text.ts';
import { priceOf } from '../session/services.ts';
import { isStoreTrouble } from '../store/redis.ts';
import type { Store } from '../store/store.ts';
import { loadSettings } from './doctor/environment.ts';
import { type RunsIo, withStore } from './open-store.ts';
import type { Survey } from './survey.ts';
import { printable, tableOf } from './table.ts';

const PAGE = 50;

/** Lists the newest runs, newest first. Answers 0, also where there is none. */
export function listRuns({ limit, format }: { limit: number; format: 'text' | 'json' }, io: RunsIo): Promise<number> {
  return withStore(io, async (store) => {
    const refusal = await store.refusal();
    const views = (await newestViews(store, limit, io)).map((view) => heldBy(refusal, view));
    const now = await store.now();
    if (format === 'json') io.out(`${JSON.stringify(views.map(briefOf), null, 2)}\n`);
    else if (views.length === 0) io.out('No run is known.\n');
    else io.out(tableOf([['RUN', 'STATE', 'WORKFLOW', 'WHERE', 'STARTED', 'TIME'], ...views.map((view) => rowOf(view, now))]));
    return 0;
  });
}

/** Shows one run as its journal tells it. Answers 1 where it is not known. */
export function showRun({ run, format }: { run: string; format: 'text' | 'json' }, io: RunsIo): Promise<number> {
  return withStore(io, async (store) => {
    const known = viewRun(await store.journals.read(run));
    if (!known) return refuseUnknown(run, io);
    const view = heldBy(await store.refusal(), known);
    if (format === 'json') io.out(`${JSON.stringify({ ...briefOf(view), ...detailsOf(view) }, null, 2)}\n`);
    else io.out(textOf(view, { now: await store.now(), cost: await costOf(view, io.survey) }));
    return 0;
  });
}

/** Says that a run is not known, and what to do. Answers the exit code. */
export function refuseUnknown(run: string, { err }: Pick<RunsIo, 'err'>): number {
  err(`pitwall: no run "${printable(run)}" is known here: pitwall runs lists the runs there are\n`);
  return 1;
}

/** Where a run is at work, as people write it: `owner/repo#n`. */
export function placeOf({ repository, resource }: Event): string {
  switch (resource.kind) {
    case 'pr':
    case 'issue':
      return `${repository.fullName}#${resource.number}`;
    case 'branch':
      return `${repository.fullName}@${resource.branch}`;
    case 'schedule':
      return `${repository.fullName} (schedule)`;
  }
}

/** Journals are kept for a while only: what is gone does not count. */
async function newestViews(store: Store, limit: number, io: RunsIo): Promise<RunView[]> {
  const views: RunView[] = [];
  for (let known = 0, asked = PAGE; views.length < limit; asked += PAGE) {
    const ids = (await store.newestRuns(asked)).slice(known);
    if (ids.length === 0) break;
    known += ids.length;
    for (const id of ids.slice(0, PAGE)) {
      const view = views.length < limit ? await viewOf(store, id, io) : null;
      if (view) views.push(view);
    }
  }
  return views;
}

/** One journal that cannot be read, because a newer build wrote it or because it is broken, is named and hides no other. */
async function viewOf(store: Store, id: string, { err }: RunsIo): Promise<RunView | null> {
  try {
    return viewRun(await store.journals.read(id));
  } catch (error) {
    if (isStoreTrouble(error)) throw error;
    err(`pitwall: run ${printable(id)} is left out: ${printable(error instanceof Error ? error.message : String(error))}\n`);
    return null;
  }
}

/** While Redis takes no writes every open run is on hold, which no journal can tell. */
function heldBy(refusal: string | null, view: RunView): RunView {
  if (refusal === null || view.endedAt !== null) return view;
  return { ...view, state: 'OnHold', reason: `Redis takes no writes, and says: ${refusal}` };
}

/** Of a run that only waits for people, its step says more than its own state. */
function stateOf(view: RunView): string {
  const open = view.steps.filter((step) => step.endedAt === null);
  const waits = view.endedAt === null && open.length > 0 && open.every((step) => step.state === 'WaitingForReply');
  return waits && view.state !== 'OnHold' ? 'WaitingForReply' : view.state;
}

function rowOf(view: RunView, now: number): string[] {
  const { start, startedAt, endedAt } = view;
  return [start.run, stateOf(view), start.workflow.name, placeOf(start.event), timeOf(startedAt), duration((endedAt ?? now) - startedAt)];
}

function briefOf(view: RunView) {
  const { start, state, reason, startedAt, endedAt } = view;
  return {
    run: start.run,
    state,
    reason,
    workflow: { name: start.workflow.name, path: start.workflow.path, sha: start.workflow.sha },
    where: placeOf(start.event),
    event: start.event.name,
    actor: start.event.actor.login,
    trust: start.trust,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: endedAt === null ? null : new Date(endedAt).toISOString(),
  };
}

function detailsOf({ steps, delegations, agents, turns, usage, status, message }: RunView) {
  const told = steps.map(({ id, state, reason, startedAt, endedAt }) => ({
    id,
    state,
    reason,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: endedAt === null ? null : new Date(endedAt).toISOString(),
  }));
  return { steps: told, delegations, agents, turns, usage, status, message };
}

/** By the prices of this machine's settings; those of the server may be others. */
async function costOf(view: RunView, survey: Survey): Promise<string> {
  const read = await loadSettings(survey);
  if (read instanceof Error || !read.settings) return 'not known: pitwall settings says what is wrong with the settings';
  const { settings } = read;
  return costLine({ view, priceOf: (model) => priceOf(settings, model) });
}

function textOf(view: RunView, { now, cost }: { now: number; cost: string }): string {
  const { start, steps, delegations, turns, usage, startedAt, endedAt } = view;
  const tokens = Object.values(usage).reduce(addUsage, NO_USAGE);
  const said = view.endedAt === null ? view.status : view.message;
  const head: [string, string][] = [
    ['Run', start.run],
    ['State', `${stateOf(view)}${view.reason ? `: ${view.reason}` : ''}`],
    ['Workflow', `${start.workflow.name} (${start.workflow.path} at ${start.workflow.sha.slice(0, 12)})`],
    ['Where', placeOf(start.event)],
    ['Event', `${start.event.name} by @${start.event.actor.login}, ${start.trust}`],
    ['Started', timeOf(startedAt)],
    ['Time', duration((endedAt ?? now) - startedAt)],
    ['Turns', `${turns}; ${delegations.ended} of ${delegations.queued} delegations ended, ${delegations.failed} failed`],
    ['Tokens', `${tokens.input + tokens.cacheRead + tokens.cacheWrite} in (${tokens.cacheRead} from the cache), ${tokens.output} out`],
    ['Cost', cost],
  ];
  const rows = steps.map((step) => [
    step.id,
    step.state,
    step.endedAt === null ? '' : duration(step.endedAt - step.startedAt),
    step.reason,
  ]);
  const table = rows.length > 0 ? `\n${tableOf([['STEP', 'STATE', 'TIME', 'REASON'], ...rows])}` : '';
  return `${tableOf(head)}${table}${said ? `\n${linesOf(said)}\n` : ''}`;
}

function linesOf(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** To the second, in UTC. */
export function timeOf(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}
