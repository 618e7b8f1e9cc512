import type { Entry } from '../journal/entry.ts';
import { resourceKey } from '../journal/resource.ts';
import { type StepView, viewRun } from '../journal/view.ts';
import { closeSession } from '../session/hearing.ts';
import type { Services } from '../session/services.ts';

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
  const reason = `${what}. Nothing further is tried by itself: comment /retry to run it again; the server's log says what ended the process`;
  await giveUp(services, openDelegations(journal.entries));
  const sessions = start.workflow.definition.steps.filter((step) => step.action === 'agent.session' && steps.includes(step.id));
  for (const { id: step } of sessions)
    await closeSession(services, { journal, start, step, key: `step/${step}`, resource: resourceKey(start.event.resource) });
  await journal.append(...steps.map((step) => ({ type: 'step.ended' as const, step, state: 'Failed' as const, output: null, reason })));
  if (steps.length === 0) await journal.append({ type: 'run.ended', state: 'Failed', reason, message: view.message });
}

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
