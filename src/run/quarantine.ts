import type { Entry } from '../journal/entry.ts';
import { Superseded } from '../journal/errors.ts';
import { GIVEN_UP } from '../journal/given-up.ts';
import { resourceKey } from '../journal/resource.ts';
import { type StepView, viewRun } from '../journal/view.ts';
import { readEnds } from '../session/ends.ts';
import { closeSession } from '../session/hearing.ts';
import type { Services } from '../session/services.ts';
import { closeBudgets } from './budget.ts';

/**
 * Ends the steps that a run was at when its process had ended too often; between two steps, the run itself. `what` says how often. An advance then posts
 * what was found and ends the run as after any failure. Changes nothing where the run has ended.
 */
export async function quarantineRun(services: Services, id: string, what: string): Promise<void> {
  const { store } = services;
  const journal = await store.journals.open(id);
  const view = viewRun(journal.entries);
  if (!view || view.endedAt !== null) return;
  const { start } = view;
  const steps = stepsAtWork(view.steps);
  const reason = `${what}. ${WHAT_NOW}`;
  await giveUp(services, openDelegations(journal.entries));
  const sessions = start.workflow.definition.steps.filter((step) => step.action === 'agent.session' && steps.includes(step.id));
  for (const { id: step } of sessions)
    await closeSession(services, { journal, start, step, key: `step/${step}`, resource: resourceKey(start.event.resource) });
  const ends = steps.map((step) => ({ type: 'step.ended' as const, step, state: 'Failed' as const, output: null, reason }));
  const end = { type: 'run.ended' as const, state: 'Failed' as const, reason, message: view.message };
  await journal.append(
    { type: 'noted', key: `${GIVEN_UP}/${journal.entries.length}`, value: reason },
    ...(steps.length > 0 ? ends : [end]),
  );
}

/**
 * Ends a run whose journal cannot even be read, by its first and its last entry alone: the others are set aside. An end that stands there already is kept.
 * What was found and not posted stays so. Throws where the journal goes on after all.
 */
export async function giveUpRun(services: Services, id: string, what: string): Promise<void> {
  const { store } = services;
  const length = await store.journals.lengthOf(id);
  const { first, last } = await readEnds(store, id);
  if (first?.type !== 'run.started') return;
  const { start } = first;
  await giveUp(services, await store.batches.look(id));
  const resource = resourceKey(start.event.resource);
  for (const { id: step } of start.workflow.definition.steps.filter(({ action }) => action === 'agent.session'))
    await store.mailboxes.close(resource, { run: id, step, heard: [], force: true });
  const reason = `${what}. What it had done before cannot be shown any more; what it posted stands. ${WHAT_NOW}`;
  const budgets = await closeBudgets(services, start);
  const end = last?.type === 'run.ended' ? last : { type: 'run.ended' as const, state: 'Failed' as const, reason, message: '', ...budgets };
  if (!(await store.journals.setAside(id, length, [{ type: 'noted', key: GIVEN_UP, value: reason }, end])))
    throw new Superseded(`journal ${id} goes on`);
}

const WHAT_NOW = "Nothing further is tried by itself: comment /retry to run it again; the server's log says what happened";

/** Those that only wait for people are no suspects, unless there are no others. */
function stepsAtWork(steps: StepView[]): string[] {
  const open = steps.filter((step) => step.endedAt === null);
  const busy = open.filter((step) => step.state !== 'WaitingForReply');
  return (busy.length > 0 ? busy : open).map((step) => step.id);
}

function openDelegations(entries: readonly Entry[]): string[] {
  const ended = new Set(entries.flatMap((entry) => (entry.type === 'delegation.ended' ? [entry.delegation] : [])));
  return entries.flatMap((entry) => (entry.type === 'delegation.queued' && !ended.has(entry.delegation) ? [entry.delegation] : []));
}

async function giveUp({ store }: Services, delegations: string[]): Promise<void> {
  if (delegations.length === 0) return;
  await store.cancels.order(delegations.map((id) => ({ id, reason: 'its run was given up' })));
  await store.queues.wakeDelegations(delegations);
}
