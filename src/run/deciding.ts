import type { Trust } from '../journal/entry.ts';
import type { Event } from '../journal/event.ts';
import { resourceKey } from '../journal/resource.ts';
import { viewRun } from '../journal/view.ts';
import type { Services } from '../session/services.ts';
import type { Decision } from '../store/decisions.ts';
import { ciUseOf } from '../workflow/ci-use.ts';
import type { Workflow } from '../workflow/definition.ts';
import { isAwaited, matchTriggers } from '../workflow/trigger.ts';
import { allowedFor, askApproval } from './approval.ts';
import { linkChain } from './chain.ts';
import { refuseShort } from './not-started.ts';
import { refuseComment, replyTo } from './refusal.ts';
import type { RepositoryRules } from './repository-settings.ts';
import { startRun } from './start.ts';
import { judgeTrust, type TrustVerdict } from './trust.ts';
import type { ShelvedWorkflow } from './workflows.ts';

/** What a decision about one event rests on, beside the event and the workflow. */
export interface WorkflowGrounds {
  services: Services;
  guidance: string;
  /** Commit of the default branch that the workflows were read at. */
  sha: string;
  /** The settings as the repository narrows them. */
  rules: RepositoryRules;
  /** The App's own login. */
  self: string;
  canWrite(login: string): Promise<boolean>;
  /** Tells the other runs of the resource to end; `waiting`: only those that wait for replies. */
  endOthers(reason: string, options?: { waiting?: boolean }): Promise<void>;
}

/** What was decided; `stranger`: its author may not command; `tell`: it was commanded by somebody who may, so that they are told why nothing starts. */
export type Judged = Pick<Decision, 'verdict' | 'reason' | 'run'> & { stranger?: true; tell?: true };

/** Decides whether an event starts a workflow, and starts it. May be repeated after a crash. */
export async function decideWorkflow(event: Event, shelved: ShelvedWorkflow, grounds: WorkflowGrounds): Promise<Judged> {
  const { services, guidance, sha, rules } = grounds;
  const { path, workflow, problem, agents } = shelved;
  if (!workflow) return { verdict: 'not matched', reason: `${path} has mistakes: ${problem}`, run: null };
  const hit = matchTriggers(workflow.triggers, event);
  if ('reason' in hit) return refuse(event, workflow, { grounds, why: hit });
  if ('problem' in rules) return refuse(event, workflow, { grounds, why: { reason: rules.problem } });
  const { delaySeconds, allowOutsiders } = hit.trigger.settings;
  const gate = await passGate(event, { path, workflow, outsiders: allowOutsiders }, grounds);
  if ('reason' in gate) return refuse(event, workflow, { grounds, why: gate });
  const short = await refuseShort(services, event, { path, workflow: workflow.name, limits: rules.kept.limits });
  if (short !== null) return { verdict: 'not matched', reason: short, run: null };
  if (event.name === 'manual') await makeWay(event, workflow, grounds);
  const plan = { path, workflow, agents, guidance, sha, ...gate, ...rules.kept, delaySeconds: delayOf(event, delaySeconds) };
  const { run, merged } = await startRun(services, event, plan);
  const reason = [`trigger ${hit.trigger.event}`, ...rules.refused.map((one) => `not granted: ${one}`)].join('; ');
  return { verdict: merged ? 'merged' : 'started', reason, run };
}

/** Events by which somebody speaks to the app. */
const ADDRESSED = new Set<Event['name']>(['manual', 'mention']);

interface Wanted {
  path: string;
  workflow: Workflow;
  outsiders: boolean;
}

/** Whether an event that a trigger waits for may start its workflow: permission, forks, the CI run it is about, and chains. */
async function passGate(
  event: Event,
  { path, workflow, outsiders }: Wanted,
  grounds: WorkflowGrounds,
): Promise<{ trust: Trust; chain: number } | { reason: string }> {
  const { services, self } = grounds;
  const verdict = await trustOf(event, grounds, outsiders);
  if (verdict.fork && !(verdict.may && verdict.trust === 'trusted')) await askApproval(services, event, { path, shown: !verdict.may });
  if (!verdict.may) return verdict;
  if (event.name === 'manual' && ciUseOf(workflow) === 'run' && !event.context.ciWorkflow?.runId) return { reason: noCi(event) };
  const link = await linkChain(services, event, { path, self });
  return 'reason' in link ? link : { trust: verdict.trust, chain: link.chain };
}

/** Nothing starts; where the command was this workflow's, its author is answered. */
async function refuse(
  event: Event,
  { triggers }: Workflow,
  { grounds, why: { reason } }: { grounds: WorkflowGrounds; why: { reason: string } },
): Promise<Judged> {
  const judged = { verdict: 'not matched' as const, reason, run: null };
  const { name, actor } = event;
  if (!ADDRESSED.has(name) || !isAwaited(triggers, event) || actor.login === grounds.self) return judged;
  if (actor.bot || !(await grounds.canWrite(actor.login))) return { ...judged, stranger: true };
  return name === 'manual' ? { ...judged, tell: true } : judged;
}

/** Somebody who may not command gets a reaction; somebody who may, and whose command started nothing, is told why. */
export async function tellRefused(services: Services, event: Event, judged: Judged[]): Promise<void> {
  if (judged.some(({ stranger }) => stranger)) return refuseComment(services, event);
  const reasons = judged.flatMap(({ tell: told, reason }) => (told ? [reason] : []));
  if (reasons.length === 0 || judged.some(({ run }) => run !== null)) return;
  await replyTo(services, event, `\`/${event.command?.name ?? ''}\` started nothing: ${reasons.join('; ')}.`);
}

function trustOf(event: Event, { services, rules, self, canWrite }: WorkflowGrounds, outsiders: boolean): Promise<TrustVerdict> {
  if (event.comment && event.actor.login === self) return trustOfOwn(services, event);
  const settings = 'settings' in rules ? rules.settings : services.settings;
  return judgeTrust(event, { settings, outsiders, canWrite, allowed: () => allowedFor(services, event) });
}

/** What a run commands is trusted no further than the runs that may have written it. */
async function trustOfOwn({ store }: Services, event: Event): Promise<TrustVerdict> {
  const runs = await store.runsOf(resourceKey(event.resource), 10);
  const views = await Promise.all(runs.map(async (run) => viewRun(await store.journals.read(run))));
  const trusts: Trust[] = views.flatMap((view, index) => (view && (view.endedAt === null || index === 0) ? [view.start.trust] : []));
  return { may: true, trust: trusts.length > 0 && trusts.every((trust) => trust === 'trusted') ? 'trusted' : 'untrusted' };
}

/** A command asks what is under way to end first; one that the app itself wrote queues behind the run that wrote it, unless that only waits for replies. */
async function makeWay({ actor, command }: Event, workflow: Workflow, { self, endOthers }: WorkflowGrounds): Promise<void> {
  const reason = `@${actor.login} started "${workflow.name}" by /${command?.name ?? ''}`;
  await endOthers(reason, { waiting: actor.login === self });
}

function noCi({ resource }: Event): string {
  const what = 'it works on a failed CI run';
  if (resource.kind !== 'pr') return `${what}, and this is no pull request`;
  return `${what}, and GitHub knows none of the newest commit (${resource.head.sha.slice(0, 7)})`;
}

/** Commands and mentions ignore the delay. */
function delayOf(event: Event, seconds: number): number {
  return event.name === 'manual' || event.name === 'mention' ? 0 : seconds;
}
