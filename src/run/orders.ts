import type { RunStart } from '../journal/entry.ts';
import type { Event } from '../journal/event.ts';
import { resourceKey } from '../journal/resource.ts';
import { onlyWaits, startOf, viewRun } from '../journal/view.ts';
import type { Services } from '../session/services.ts';
import type { Decision } from '../store/decisions.ts';
import { helpText, statusText, whyText } from './order-text.ts';
import { reactTo, refuseComment, replyTo } from './refusal.ts';
import type { ShelvedWorkflow } from './workflows.ts';

/** Commands that every repository has, beside those of its workflows. */
export const BUILT_IN = ['why', 'status', 'cancel', 'retry', 'ok-to-run', 'help'] as const;
/** The name of a command that every repository has, without its slash. */
export type BuiltIn = (typeof BUILT_IN)[number];

/** What carrying an order out needs. */
export interface Orderly {
  workflows: ShelvedWorkflow[];
  canWrite(login: string): Promise<boolean>;
  /** Starts the workflow of an ended run again, for the same event; answers the new run. */
  retry(start: RunStart): Promise<string>;
  /** Allows runs for the head commit of a pull request from a fork. */
  approve(): Promise<Pick<Decision, 'verdict' | 'reason' | 'run'>>;
}

/** The built-in command of an event, unless a workflow has claimed the name for itself. */
export function builtInOf({ name, command }: Event, workflows: ShelvedWorkflow[]): BuiltIn | null {
  if (name !== 'manual' || !command) return null;
  const taken = workflows.some(({ workflow }) => workflow?.triggers.some((trigger) => trigger.slashCommand?.command === command.name));
  return taken ? null : (BUILT_IN.find((one) => one === command.name) ?? null);
}

/** Carries a built-in command out and answers on the pull request or issue; people without write permission get a "confused" reaction. */
export async function obeyOrder(
  services: Services,
  event: Event,
  order: BuiltIn,
  orderly: Orderly,
): Promise<Pick<Decision, 'verdict' | 'reason' | 'run'>> {
  const told = (reason: string, run: string | null = null) => ({ verdict: 'not matched' as const, reason, run });
  if (event.actor.bot || !(await orderly.canWrite(event.actor.login))) {
    await refuseComment(services, event);
    return told(`@${event.actor.login} may not command here: /${order} needs write permission`);
  }
  switch (order) {
    case 'why':
      await replyTo(services, event, whyText(await services.store.decisions.list(event.repository.id, resourceKey(event.resource))));
      return told('answered /why');
    case 'status':
      await replyTo(services, event, statusText(await viewsOn(services, event)));
      return told('answered /status');
    case 'help':
      await replyTo(services, event, helpText(orderly.workflows));
      return told('answered /help');
    case 'cancel':
      return told(await cancel(services, event));
    case 'retry':
      return retry(services, event, orderly);
    case 'ok-to-run':
      return orderly.approve();
  }
}

/**
 * Tells every run of a resource to end: the one at work, those that wait in its lane, and those that wait for replies (`waiting`: only these). Answers
 * their ids.
 */
export async function endRuns(
  { store }: Services,
  event: Event,
  { reason, except, waiting = false }: { reason: string; except: string[]; waiting?: boolean },
): Promise<string[]> {
  const resource = resourceKey(event.resource);
  const [{ active, queued }, open] = await Promise.all([store.lanes.look(resource), store.mailboxes.recipients(resource)]);
  const all = [...new Set([...(active === null ? [] : [active]), ...queued, ...open.map(({ run }) => run)])];
  const known = all.filter((run) => !except.includes(run));
  const views = waiting ? await Promise.all(known.map(async (run) => viewRun(await store.journals.read(run)))) : [];
  const runs = waiting ? views.flatMap((view) => (view && onlyWaits(view) ? [view.start.run] : [])) : known;
  await store.cancels.order(runs.map((id) => ({ id, reason })));
  for (const run of runs) await store.queues.wakeRun(run);
  return runs;
}

async function cancel(services: Services, event: Event): Promise<string> {
  const runs = await endRuns(services, event, { reason: `cancelled by @${event.actor.login}`, except: [] });
  if (runs.length === 0) await replyTo(services, event, 'Nothing is running here.');
  else await reactTo(services, event, 'rocket');
  return `/cancel ended ${runs.length} runs`;
}

async function retry(services: Services, event: Event, orderly: Orderly) {
  const [last] = await services.store.runsOf(resourceKey(event.resource), 1);
  const entries = last ? await services.store.journals.read(last) : [];
  const start = startOf(entries);
  if (!start || entries.at(-1)?.type !== 'run.ended') {
    await replyTo(
      services,
      event,
      start ? 'The newest run here has not ended yet: /cancel it first.' : 'No run of this pull request or issue is known.',
    );
    return { verdict: 'not matched' as const, reason: 'nothing to retry', run: null };
  }
  const run = await orderly.retry(start);
  await reactTo(services, event, 'rocket');
  return { verdict: 'started' as const, reason: `/retry of ${last}`, run };
}

/** What the runs of a resource look like now, newest first. */
async function viewsOn({ store }: Services, event: Event) {
  const runs = await store.runsOf(resourceKey(event.resource), 5);
  const views = await Promise.all(runs.map(async (run) => viewRun(await store.journals.read(run))));
  return views.filter((view) => view !== null);
}
