import type { Entry, RunStart } from '../journal/entry.ts';
import { Pending } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import { resourceKey } from '../journal/resource.ts';
import { endedSteps, endOfRun, viewRun } from '../journal/view.ts';
import type { Services } from '../session/services.ts';
import { readySteps } from '../workflow/order.ts';
import { postLeftovers } from './leftovers.ts';
import { askReport } from './report.ts';
import { runStep } from './step.ts';

const DAY_SECONDS = 86_400;

/**
 * Walks a run from its top as far as it goes: what the journal holds is not done again. Returns when the run ended, is queued behind another run of
 * its resource, or waits; throws where it has to be tried again.
 */
export async function advanceRun(services: Services, id: string, signal: AbortSignal): Promise<void> {
  const { store } = services;
  const journal = await store.journals.open(id);
  const first = journal.entries[0];
  if (first?.type !== 'run.started') return;
  const { start } = first;
  const resource = resourceKey(start.event.resource);
  if (!isEnded(journal.entries)) {
    if (!(await store.lanes.enter(resource, id, start.workflow.definition.priority))) return;
    await beginRun(services, journal);
    await walk(services, { journal, start, signal });
    await postLeftovers(services, { journal, start });
    await endRun(journal);
  }
  await store.queues.wakeReport(id);
  const next = await store.lanes.leave(resource, id);
  if (next) await store.queues.wakeRun(next);
  await expire(services, journal);
  store.journals.close(id);
}

function isEnded(entries: readonly Entry[]): boolean {
  return entries.at(-1)?.type === 'run.ended';
}

async function beginRun(services: Services, journal: Journal): Promise<void> {
  if (journal.entries.some((entry) => entry.type === 'run.state')) return;
  await journal.append({ type: 'run.state', state: 'Running', reason: '' });
  askReport(services, journal.id);
}

/** Starts every step whose turn it is, until none is left. Branches run together; one that waits does not hold up another. */
async function walk(services: Services, run: { journal: Journal; start: RunStart; signal: AbortSignal }): Promise<void> {
  const { journal, start } = run;
  const { definition } = start.workflow;
  for (;;) {
    const ended = endedSteps(journal.entries);
    const { ready, skipped } = readySteps(definition, ended, start.event.context);
    await journal.append(...skipped.map((one) => ({ type: 'step.ended' as const, ...one, state: 'Skipped' as const, output: null })));
    if (ready.length === 0 && skipped.length === 0) return;
    const settled = await Promise.allSettled(ready.map((step) => runStep(services, { ...run, step })));
    const reasons = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    const progress = skipped.length > 0 || settled.some((one) => one.status === 'fulfilled');
    const fault = reasons.find((reason) => !(reason instanceof Pending));
    if (fault !== undefined) throw fault;
    if (!progress) throw soonest(reasons.filter((reason) => reason instanceof Pending));
  }
}

/** Of several that wait, the one that is due first. */
function soonest(pending: Pending[]): Pending {
  const times = pending.flatMap(({ until }) => (until === null ? [] : [until]));
  return new Pending(pending.map(({ message }) => message).join(' and '), times.length > 0 ? Math.min(...times) : null);
}

async function endRun(journal: Journal): Promise<void> {
  const view = viewRun(journal.entries);
  if (!view) return;
  await journal.append({ type: 'run.ended', ...endOfRun(view) });
}

async function expire({ store, settings }: Services, journal: Journal): Promise<void> {
  const seconds = settings.retention.journalDays * DAY_SECONDS;
  const ids = journal.entries.flatMap((entry) => (entry.type === 'delegation.queued' ? [entry.delegation] : []));
  await Promise.all([journal.id, ...ids].map((id) => store.journals.expire(id, seconds)));
}
