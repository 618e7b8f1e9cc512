import type { Entry, RunStart } from '../journal/entry.ts';
import { Pending, Superseded } from '../journal/errors.ts';
import { type Journal, MOST_ENTRIES } from '../journal/journal.ts';
import { resourceKey } from '../journal/resource.ts';
import { endedSteps, endOfRun, onlyWaits, startOf, viewRun } from '../journal/view.ts';
import { limitsOf } from '../session/accounts.ts';
import { type Deadline, deadlineFrom, earliest } from '../session/deadline.ts';
import type { Services } from '../session/services.ts';
import { askReport } from '../session/services.ts';
import { dueBy, SOON_MS } from '../store/expected.ts';
import { readySteps } from '../workflow/order.ts';
import { budgetRefusal, closeBudgets } from './budget.ts';
import { postLeftovers } from './leftovers.ts';
import { runStep } from './step.ts';

const DAY_SECONDS = 86_400;

/**
 * Walks a run from its top as far as it goes: what the journal holds is not done again. Returns when the run ended, is queued behind another run of
 * its resource, or waits; throws where it has to be tried again.
 */
export async function advanceRun(services: Services, id: string, signal: AbortSignal): Promise<void> {
  const { store } = services;
  const journal = await store.journals.open(id);
  const start = startOf(journal.entries);
  if (!start) return store.expected.forget({ wake: 'run', id });
  const resource = resourceKey(start.event.resource);
  if (!isEnded(journal.entries)) {
    if (journal.resumed) askReport(services, id);
    if ((await store.now()) < start.notBefore) throw new Pending('its delay', start.notBefore);
    const enter = () => store.lanes.enter(resource, id, start.workflow.definition.priority);
    const [order, entered] = await Promise.all([store.cancels.reasonOf(id), enter()]);
    if (order === null && !entered && !hasWaited(journal.entries)) return waitInLane(services, id, resource);
    if (await endShort(services, journal, start)) return advanceRun(services, id, signal);
    const limit = limitOf(services, await beginRun(services, journal, start), start);
    const own = AbortSignal.any([signal, journal.lost]);
    if (!(await walkHeld(services, { journal, start, signal: own, limit, turn: { taken: entered, wanted: false, enter } }))) return;
    await postLeftovers(services, { journal, start, signal: own });
    await endRun(services, journal, start);
  }
  await Promise.all([store.queues.wakeReport(id), store.expected.expect([{ wake: 'report', id }], (await store.now()) + SOON_MS)]);
  await passOn(services, resource, id);
  await expire(services, journal);
  await store.expected.forget({ wake: 'run', id });
  store.journals.close(id);
}

/** Whoever has the lane is woken too: had it ended without passing the lane on, it does so now. */
async function waitInLane(services: Services, id: string, resource: string): Promise<void> {
  const { store } = services;
  askReport(services, id);
  const { active } = await store.lanes.look(resource);
  if (active !== null && active !== id) await store.queues.wakeRun(active);
  await store.expected.expect([{ wake: 'run', id }], dueBy(await store.now(), null));
}

function isEnded(entries: readonly Entry[]): boolean {
  return entries.at(-1)?.type === 'run.ended';
}

/** Leaves the lane and wakes who holds it next: also after a crash between the two, when the lane was left already. */
async function passOn({ store }: Services, resource: string, id: string): Promise<void> {
  const next = await store.lanes.leave(resource, id);
  if (next !== null && next !== id) await store.queues.wakeRun(next);
}

/** Answers when the run began to walk (ms since 1970). */
async function beginRun(services: Services, journal: Journal, start: RunStart): Promise<number> {
  const begun = () => journal.entries.find((entry) => entry.type === 'run.state')?.at;
  const known = begun();
  if (known !== undefined) return known;
  const { event, workflow } = start;
  await Promise.all([
    journal.append({ type: 'run.state', state: 'Running', reason: '' }),
    services.store.queued.clear(resourceKey(event.resource), workflow.path, journal.id),
  ]);
  askReport(services, journal.id);
  return begun() ?? 0;
}

/** Ends a run that has not begun where a budget of its day is used up by now. Answers whether it did. */
async function endShort(services: Services, journal: Journal, start: RunStart): Promise<boolean> {
  if (journal.entries.some((entry) => entry.type === 'run.state')) return false;
  const reason = await budgetRefusal(services, start);
  if (reason === null) return false;
  const { event, workflow } = start;
  const resource = resourceKey(event.resource);
  await services.store.queued.clear(resource, workflow.path, journal.id);
  const decision = { delivery: event.delivery, event: event.name, workflow: workflow.name, verdict: 'not matched' as const, reason };
  await services.store.decisions.record(event.repository.id, resource, [{ at: await services.store.now(), ...decision, run: journal.id }]);
  await journal.append({ type: 'run.ended', state: 'Skipped', reason, message: '' });
  return true;
}

function limitOf({ settings }: Services, begun: number, start: RunStart): Deadline | null {
  const { timeoutMs } = start.workflow.definition;
  const own = timeoutMs === null ? null : deadlineFrom(begun, timeoutMs / 60_000, "the run's limit");
  const { minutes } = limitsOf(settings, start).run;
  return earliest(own, minutes === null ? null : deadlineFrom(begun, minutes, 'the limit of runs'));
}

interface Walked {
  journal: Journal;
  start: RunStart;
  signal: AbortSignal;
  limit: Deadline | null;
  turn: Turn;
}

/** A run's turn on its resource, without which no step begins: whether the run has it, and whether a step waits for it. */
interface Turn {
  taken: boolean;
  wanted: boolean;
  enter(): Promise<boolean>;
}

/**
 * Walks until the run ends or waits. A word from outside (an exit signal, an order to end) aborts the call in hand; the run is then woken again, to hear it.
 * While all that is open waits for replies, other runs of the resource go on.
 */
async function walkHeld(services: Services, run: Walked): Promise<boolean> {
  const { store } = services;
  const { journal, start, signal } = run;
  let held: AbortSignal = signal;
  try {
    await store.cancels.hold(journal.id, signal, (one) => walk(services, { ...run, signal: (held = one) }));
    return true;
  } catch (error) {
    const view = viewRun(journal.entries);
    if (error instanceof Pending && !run.turn.wanted && view && onlyWaits(view))
      await passOn(services, resourceKey(start.event.resource), journal.id);
    if (error instanceof Pending || error instanceof Superseded || signal.aborted || !held.aborted) throw error;
    await store.queues.wakeRun(journal.id);
    return false;
  }
}

/**
 * Whether a run gave its lane up to wait for replies and has begun no other step since. What people say then is heard and answered at once, whoever has the
 * lane; only a further step waits for it.
 */
function hasWaited(entries: readonly Entry[]): boolean {
  const waited = new Set(
    entries.flatMap((entry) => (entry.type === 'step.state' && entry.state === 'WaitingForReply' ? [entry.step] : [])),
  );
  const open = viewRun(entries)?.steps.filter((step) => step.endedAt === null) ?? [];
  return waited.size > 0 && open.every((step) => waited.has(step.id));
}

/**
 * Starts every step as soon as its turn comes, until none is left. Branches run together: one that waits or takes long holds up no other. Each step is
 * tried once an advance; all that were started have settled when this returns or throws.
 */
async function walk(services: Services, run: Walked): Promise<void> {
  const { journal, start } = run;
  const { definition } = start.workflow;
  const begun = new Set<string>();
  const busy = new Set<Promise<void>>();
  const reasons: unknown[] = [];
  try {
    for (;;) {
      const { ready, skipped } = readySteps(definition, endedSteps(journal.entries), start.event.context);
      await journal.append(...skipped.map((one) => ({ type: 'step.ended' as const, ...one, state: 'Skipped' as const, output: null })));
      const next = reasons.every((reason) => reason instanceof Pending) ? ready.filter((step) => !begun.has(step)) : [];
      if (await cancelLate(services, run, next)) continue;
      const held = await withoutTurn(run, next);
      if (held.length > 0) reasons.push(new Pending('its turn on this pull request or issue'));
      for (const step of next) {
        begun.add(step);
        if (held.includes(step)) continue;
        const work = runStep(services, { ...run, step })
          .catch((reason: unknown) => void reasons.push(reason))
          .finally(() => busy.delete(work));
        busy.add(work);
      }
      if (busy.size === 0) break;
      await Promise.race(busy);
    }
  } finally {
    await Promise.all(busy);
  }
  const fault = reasons.find((reason) => !(reason instanceof Pending));
  if (fault !== undefined) throw fault;
  if (reasons.length > 0) throw soonest(reasons.filter((reason) => reason instanceof Pending));
}

/** The steps that may not begin yet, because another run of the resource has its turn. */
async function withoutTurn({ journal, turn }: Walked, next: string[]): Promise<string[]> {
  const fresh = next.filter((step) => !journal.find('step.started', step));
  if (fresh.length === 0 || turn.taken) return [];
  turn.taken = await turn.enter();
  turn.wanted = !turn.taken;
  return turn.taken ? [] : fresh;
}

/** After the run's limit, or an order to end, or with a journal that is full, no further step begins; those at work get their last turn. */
async function cancelLate(
  { store }: Services,
  { journal, limit }: { journal: Journal; limit: Deadline | null },
  next: string[],
): Promise<boolean> {
  const late = next.filter((step) => !journal.find('step.started', step));
  if (late.length === 0) return false;
  const over = limit && (await store.now()) >= limit.at ? limit.reason : overlong(journal);
  const reason = (await store.cancels.reasonOf(journal.id)) ?? over;
  if (reason === null) return false;
  const canceled = late.map((step) => ({
    type: 'step.ended' as const,
    step,
    state: 'Canceled' as const,
    output: null,
    reason,
  }));
  await journal.append({ type: 'run.state', state: 'Terminating', reason }, ...canceled);
  return true;
}

function overlong({ entries }: Journal): string | null {
  return entries.length >= MOST_ENTRIES ? `the limit of ${MOST_ENTRIES} entries of a run's journal is reached` : null;
}

/** Of several that wait, the one that is due first. */
function soonest(pending: Pending[]): Pending {
  const times = pending.flatMap(({ until }) => (until === null ? [] : [until]));
  return new Pending(pending.map(({ message }) => message).join(' and '), times.length > 0 ? Math.min(...times) : null);
}

async function endRun(services: Services, journal: Journal, start: RunStart): Promise<void> {
  const view = viewRun(journal.entries);
  if (!view) return;
  const [order, budgets] = await Promise.all([services.store.cancels.reasonOf(journal.id), closeBudgets(services, start)]);
  const end = endOfRun(view);
  const cancelled = order === null ? {} : { state: 'Cancelled' as const, reason: order };
  await journal.append({ type: 'run.ended', ...end, ...cancelled, ...budgets });
}

async function expire({ store, settings }: Services, journal: Journal): Promise<void> {
  const seconds = settings.retention.journalDays * DAY_SECONDS;
  const ids = journal.entries.flatMap((entry) => (entry.type === 'delegation.queued' ? [entry.delegation] : []));
  await Promise.all([journal.id, ...ids].map((id) => store.journals.expire(id, seconds)));
}
