import { createHash } from 'node:crypto';
import type { Agent, RunStart, Trust } from '../journal/entry.ts';
import { Superseded } from '../journal/errors.ts';
import type { Event } from '../journal/event.ts';
import { resourceKey } from '../journal/resource.ts';
import type { Services } from '../session/services.ts';
import { dueBy } from '../store/expected.ts';
import type { Workflow } from '../workflow/definition.ts';
import type { Limits, RunRules } from '../workflow/settings.ts';

/** What a run is to be started with. */
export interface StartPlan {
  path: string;
  workflow: Workflow;
  agents: Agent[];
  guidance: string;
  sha: string;
  trust: Trust;
  delaySeconds: number;
  /** Length of the chain of runs that the app itself caused; 0 where somebody else did. */
  chain: number;
  /** The limits of its repository; absent for the app's. */
  limits?: Limits;
  /** What it may do, as the repository narrowed the app's settings; absent for the app's of today. */
  rules?: RunRules;
}

/** A run's id comes from its delivery, so that a repeated delivery starts it once. */
export function runIdOf({ delivery }: Event, path: string): string {
  return `r${createHash('sha256').update(`${delivery}\0${path}`).digest('hex').slice(0, 15)}`;
}

/** What starting a run takes of the services. */
type Starting = Pick<Services, 'store' | 'log'>;

/** Runs an ended run's workflow again as it was then, for the same event. `delivery` names who asked, so that asking again under the same name changes nothing. */
export function restartRun(services: Starting, start: RunStart, delivery: string): Promise<{ run: string; merged: boolean }> {
  const { workflow, agents, guidance, trust, event, limits, rules } = start;
  const plan = {
    path: workflow.path,
    workflow: workflow.definition,
    agents,
    guidance,
    sha: workflow.sha,
    trust,
    delaySeconds: 0,
    chain: 0,
    ...(limits ? { limits } : {}),
    ...(rules ? { rules } : {}),
  };
  return startRun(services, { ...event, delivery }, plan);
}

/**
 * Starts a run, or merges the event into a run of the same workflow and resource that has not begun yet, whose delay then starts anew. May be repeated
 * after a crash.
 */
export async function startRun(services: Starting, event: Event, plan: StartPlan): Promise<{ run: string; merged: boolean }> {
  const { store, log } = services;
  const resource = resourceKey(event.resource);
  const run = runIdOf(event, plan.path);
  const notBefore = plan.delaySeconds > 0 ? (await store.now()) + plan.delaySeconds * 1000 : 0;
  const waiting = await store.queued.claim(resource, plan.path, run);
  if (waiting !== run) {
    if (await mergeInto(services, waiting, { event, notBefore, trust: plan.trust })) return { run: waiting, merged: true };
    await store.queued.replace(resource, plan.path, run);
  }
  await store.expected.expect([{ wake: 'run', id: run }], dueBy(await store.now(), notBefore));
  await store.journals.create(run, { type: 'run.started', start: startWith(run, event, { ...plan, notBefore }) });
  await wakeAt(services, run, notBefore);
  await store.listRun(run, resource, await store.now());
  log.info(
    { run, workflow: plan.workflow.name, event: event.name, repository: event.repository.fullName, trust: plan.trust },
    'run started',
  );
  return { run, merged: false };
}

function startWith(run: string, event: Event, plan: StartPlan & { notBefore: number }): RunStart {
  const { path, workflow, agents, guidance, sha, trust, notBefore, chain, limits, rules } = plan;
  const told = { path, name: workflow.name, sha, definition: workflow };
  const kept = { ...(limits ? { limits } : {}), ...(rules ? { rules } : {}) };
  return { run, workflow: told, agents, guidance, event, trust, chain, notBefore, ...kept };
}

async function wakeAt({ store }: Starting, run: string, at: number): Promise<void> {
  if (at > 0) await store.queues.setTimer({ wake: 'run', id: run }, at);
  else await store.queues.wakeRun(run);
}

/** Only a run that has not begun can take another event, and only one that is trusted as far. */
async function mergeInto(
  services: Starting,
  run: string,
  { event, notBefore, trust }: { event: Event; notBefore: number; trust: Trust },
): Promise<boolean> {
  const journal = await services.store.journals.open(run);
  const [first, ...rest] = journal.entries;
  if (first?.type !== 'run.started' || first.start.trust !== trust || rest.some((entry) => entry.type !== 'run.merged')) return false;
  try {
    await journal.append({ type: 'run.merged', event, notBefore });
  } catch (error) {
    services.store.journals.close(run);
    if (error instanceof Superseded) return false;
    throw error;
  }
  await wakeAt(services, run, notBefore);
  return true;
}
