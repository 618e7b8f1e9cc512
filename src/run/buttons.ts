import type { Api } from '../github/api.ts';
import { type Press, runsOfSuite } from '../github/press.ts';
import type { CheckAction } from '../journal/effect.ts';
import type { Entry, RunStart } from '../journal/entry.ts';
import type { Finding } from '../journal/finding.ts';
import { resourceKey } from '../journal/resource.ts';
import { type RunView, startOf, viewRun } from '../journal/view.ts';
import { stepOrder } from '../session/order-to-end.ts';
import type { Services } from '../session/services.ts';
import type { Decision } from '../store/decisions.ts';
import { restartRun } from './start.ts';

const CANCEL: CheckAction = { label: 'Cancel', description: 'End this run; what was found is posted', identifier: 'cancel' };
const RETRY: CheckAction = { label: 'Retry', description: 'Run this workflow again', identifier: 'retry' };

const POST: CheckAction = { label: 'Post now', description: 'End the review; post what was found', identifier: 'post-now' };

/** What carrying a press out needs; `api` reads the press' repository. */
export interface ButtonParts {
  services: Pick<Services, 'store' | 'log'>;
  api: Api;
  canWrite(login: string): Promise<boolean>;
}

/** The buttons that a run's check has: each where it does something. */
export function buttonsOf({ view, findings }: { view: RunView; findings: Finding[] }): CheckAction[] {
  if (view.endedAt !== null) return [RETRY];
  const postable = findings.some((finding) => !finding.posted) && stepsAtWork(view).length > 0;
  return postable ? [POST, CANCEL] : [CANCEL];
}

/** The agents' steps that are under way. */
function stepsAtWork({ steps, start }: RunView): string[] {
  const agents = start.workflow.definition.steps.filter(({ action }) => action === 'agent.run' || action === 'agent.session');
  return steps.flatMap(({ id, endedAt }) => (endedAt === null && agents.some((step) => step.id === id) ? [id] : []));
}

/**
 * Carries out what somebody pressed: ends the run, or runs the workflow again. Only people with write permission are heard; of others, and of what could
 * not be done, a decision tells. Runs of other repositories, and those that are forgotten, are left alone. May be repeated after a crash.
 */
export async function pressButton(press: Press, parts: ButtonParts): Promise<void> {
  const { services } = parts;
  const runs = await knownRuns(press, parts);
  if (runs.length === 0) {
    services.log.info({ delivery: press.delivery, event: press.event }, 'a button was pressed on a check of no known run: nothing happens');
    return;
  }
  const { actor, order } = press;
  const may = !actor.bot && (await parts.canWrite(actor.login));
  for (const run of runs) {
    const told = may ? await obey(services, press, run) : refuse(`@${actor.login} may not press "${order}": it needs write permission`);
    const { event, workflow } = run.start;
    await services.store.decisions.record(event.repository.id, resourceKey(event.resource), [
      { at: Date.now(), delivery: press.delivery, event: press.event, workflow: workflow.name, ...told },
    ]);
  }
}

type Told = Pick<Decision, 'verdict' | 'reason' | 'run'>;

interface Known {
  start: RunStart;
  view: RunView | null;
  last: Entry | undefined;
}

/** The pressed run, or of a suite the newest of each workflow and pull request. */
async function knownRuns(press: Press, { services, api }: ButtonParts): Promise<Known[]> {
  const { of, repository } = press;
  const ids = 'run' in of ? [of.run] : await runsOfSuite(api, repository, of.suite);
  const newest = new Map<string, Known>();
  for (const id of ids) {
    const entries = await services.store.journals.read(id);
    const start = startOf(entries);
    if (start?.event.repository.id !== repository.id) continue;
    newest.set(`${start.workflow.path}\n${resourceKey(start.event.resource)}`, { start, view: viewRun(entries), last: entries.at(-1) });
  }
  return [...newest.values()];
}

function obey(services: ButtonParts['services'], press: Press, run: Known): Promise<Told> | Told {
  const end = run.last?.type === 'run.ended' ? run.last : null;
  if (press.order === 'cancel') {
    return end ? refuse(`"cancel" was pressed on ${run.start.run}, which has ended already (${end.state})`) : cancel(services, press, run);
  }
  if (press.order === 'post-now') {
    return end
      ? refuse(`"post-now" was pressed on ${run.start.run}, which has ended already (${end.state})`)
      : postNow(services, press, run);
  }
  return end ? retry(services, press, run) : refuse(`"retry" was pressed on ${run.start.run}, which has not ended: cancel it first`);
}

async function cancel({ store }: ButtonParts['services'], { actor }: Press, { start: { run } }: Known): Promise<Told> {
  await store.cancels.order([{ id: run, reason: `cancelled by @${actor.login}` }]);
  await store.queues.wakeRun(run);
  return { verdict: 'not matched', reason: `@${actor.login} pressed "cancel": the run was told to end`, run };
}

/** The steps at work end orderly, what was found is posted, and the run goes on behind them. */
async function postNow({ store }: ButtonParts['services'], { actor }: Press, { start: { run }, view }: Known): Promise<Told> {
  const steps = view ? stepsAtWork(view) : [];
  if (steps.length === 0) return refuse(`"post-now" was pressed on ${run}, where no agent is at work`);
  const reason = `@${actor.login} pressed "Post now"`;
  await store.cancels.order(steps.map((step) => ({ id: stepOrder(run, `step/${step}`), reason })));
  await store.cancels.interrupt(run);
  await store.queues.wakeRun(run);
  return { verdict: 'not matched', reason: `@${actor.login} pressed "post-now": what was found is posted now`, run };
}

async function retry(services: ButtonParts['services'], press: Press, { start }: Known): Promise<Told> {
  const { run, merged } = await restartRun(services, start, `${press.delivery}/${start.run}`);
  return { verdict: merged ? 'merged' : 'started', reason: `@${press.actor.login} pressed "retry" of ${start.run}`, run };
}

function refuse(reason: string): Told {
  return { verdict: 'not matched', reason, run: null };
}
