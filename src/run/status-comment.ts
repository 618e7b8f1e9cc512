import { createHash } from 'node:crypto';
import type { Effect, Outcome } from '../journal/effect.ts';
import { resourceKey } from '../journal/resource.ts';
import type { Services } from '../session/services.ts';
import { type Reported, statusComment } from './report-text.ts';

/** A comment that was deleted is replaced, but not without end. */
const MOST_LOST = 2;

/** How an effect ended; `made`: it was carried out just now, as it was given. */
export interface Written {
  outcome: Outcome;
  made: boolean;
}

/** Carries an effect of a run out; `owner` names its record where several runs share it. */
export type Write = (key: string, effect: Effect, owner?: string) => Promise<Written>;

/** How a report is shown. */
export interface Showing {
  write: Write;
  /** What was written last. */
  last: string;
  /** Names this edit among those of the run. */
  at: string;
}

/** Brings a run's status comment up to its journal, by the workflow's `statusUpdateMethod`. Answers what was written last. */
export function showStatus(services: Pick<Services, 'store'>, report: Reported, showing: Showing): Promise<string> {
  const { statusUpdateMethod } = report.view.start.workflow.definition;
  return statusUpdateMethod === 'reuse_comment' ? showShared(services, report, showing) : showOwn(report, showing);
}

/** A comment of the run's own; a static one is written at the start and at the end only. */
async function showOwn(report: Reported, { write, last, at }: Showing): Promise<string> {
  const { view } = report;
  const still = view.start.workflow.definition.statusUpdateMethod === 'static_comment' && view.endedAt === null;
  const body = statusComment(report);
  const { outcome, made } = await write('status', { type: 'comment.create', body });
  const comment = numberIn(outcome, 'commentId');
  const fresh = made || (last === '' && isNew(report));
  if (comment === null || still || body === last || fresh) return body;
  await write(`status/${at}`, { type: 'comment.update', comment, body, marker: `${view.start.run}:status` });
  return body;
}

/**
 * One comment for all runs of a workflow on a resource, which shows the newest that has begun. It is known by its stored id; where that is gone, or the
 * comment was deleted, it is looked for on GitHub before another is made.
 */
async function showShared({ store }: Pick<Services, 'store'>, report: Reported, { write, last, at }: Showing): Promise<string> {
  const { start, startedAt, state } = report.view;
  const [resource, path] = [resourceKey(start.event.resource), start.workflow.path];
  const shown = await store.statusPlaces.look(resource, path);
  if (shown && shown.run !== start.run && state === 'Queued' && !(await hasEnded(store, shown.run))) return last;
  if (!(await store.statusPlaces.take(resource, path, { run: start.run, at: startedAt }))) return last;
  const body = statusComment(report);
  if (body === last) return last;
  const slot = slotOf(resource, path);
  const edit = (comment: number) => write(`status/${at}/${comment}`, { type: 'comment.update', comment, body, marker: slot });
  let known = shown?.comment ?? null;
  for (let lost = 0; lost <= MOST_LOST; lost++) {
    if (known !== null && (await edit(known)).outcome.status !== 'refused') break;
    const { outcome, made } = await write(`status/after-${known ?? 0}`, { type: 'comment.create', body, slot }, slot);
    known = numberIn(outcome, 'commentId');
    if (known === null) break;
    await store.statusPlaces.keep(resource, path, known);
    if (made) break;
  }
  return body;
}

/** Names the shared comment: the same for every run, so that it can be found by its marker. */
function slotOf(resource: string, path: string): string {
  return `s${createHash('sha256').update(`${resource}\0${path}`).digest('hex').slice(0, 15)}`;
}

async function hasEnded({ journals }: Services['store'], run: string): Promise<boolean> {
  const [last] = await journals.lastOf([run]);
  return !last || last.type === 'run.ended';
}

/** A run that has not walked yet: what was just created says all there is. */
function isNew({ view }: Reported): boolean {
  return view.endedAt === null && view.status === null && view.steps.length === 0;
}

/** A number out of what an effect answered; null where it was not carried out. */
export function numberIn(outcome: Outcome, name: string): number | null {
  if (outcome.status !== 'done' || typeof outcome.result !== 'object' || outcome.result === null) return null;
  const value: unknown = Object.entries(outcome.result).find(([key]) => key === name)?.[1];
  return typeof value === 'number' ? value : null;
}
