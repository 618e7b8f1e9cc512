import { pauseOf } from './github/error.ts';
import { NewerJournal, Pending, Superseded } from './journal/errors.ts';
import type { Intake } from './run/intake.ts';
import { giveUpRun, quarantineRun } from './run/quarantine.ts';
import { reportRun } from './run/report.ts';
import { advanceRun } from './run/run.ts';
import { advanceDelegation, giveUpDelegation, quarantineDelegation } from './session/delegation.ts';
import type { Services } from './session/services.ts';
import { dueBy } from './store/expected.ts';
import type { Delivery, Handlers, Timer } from './store/queues.ts';
import { isStoreTrouble } from './store/redis.ts';
import type { Past } from './store/starts.ts';

/** What may crash its process, and is counted: an advance or a report that was woken, or a delivery. */
export type Work = (Timer | { wake: 'delivery'; id: string; delivery: Delivery }) & {
  /** Why it is ended before anything else is done. */
  quarantine?: string;
  /** Its journal is not read any more, but for its first and its last entry; of a delivery, its body. */
  unread?: true;
};
type Advance = Extract<Work, Timer>;

/** What work is done with. */
export interface WorkParts {
  services: Services;
  intake: Pick<Intake, 'take' | 'giveUp'>;
}

/** How work in a process of its own ended; `died` where that process never said so. Before it had `begun` nothing of the work was touched. */
export type AloneEnd = { end: 'done' } | { end: 'failed' | 'died'; how: string; begun: boolean };

/** Does work in a process of its own; when the signal is aborted it is told to leave. Never rejects. */
export type Alone = (work: Work, signal: AbortSignal) => Promise<AloneEnd>;

const LOOK_AGAIN_MS = 2_000;
/** So many crashes without a new entry, and the next try is made alone; so many more there, and it is ended. */
const CRASHES_BESIDE_OTHERS = 2;
const CRASHES_ALONE = 5;
/** Where it crashes even so, it is ended without a look at its journal. */
const CRASHES_AT_ITS_END = 3;
/** So many failures in a row without a new entry, for so long (ms), and it is ended without a look at its journal. */
const MOST_FAILURES = 20;
const FAILING_MS = 3 * 3_600_000;
/** So many failures of a report, and a brief one is made. */
const FAILURES_OF_REPORT = 5;
/** So many failures are tried again soon; then the pauses grow. */
const SOON_AGAIN = 5;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** How many processes of their own one process has at once. */
const MOST_ALONE = 2;
const TRIES_TO_COUNT = 20;
const COUNT_AGAIN_MS = 500;

/**
 * What each kind of job does. What waits sets its timer and leaves; what lost its journal to another writer
 * stops, and looks again a little later, for the other may have died since.
 */
export function makeHandlers(services: Services, intake: WorkParts['intake'], alone: Alone): Handlers {
  const parts = { services, intake, alone, turns: makeTurns(MOST_ALONE), unborn: 0 };
  const counted = (wake: Timer['wake']) => (id: string, signal: AbortSignal) => workCounted(parts, { wake, id }, signal);
  return {
    delivery: (delivery, signal) => workCounted(parts, { wake: 'delivery', id: delivery.id, delivery }, signal),
    run: counted('run'),
    delegation: counted('delegation'),
    report: counted('report'),
    failed(kind, id, error) {
      services.log.error({ kind, id, err: error }, 'a job failed and will be tried again');
    },
  };
}

/** Takes a delivery in, or a run, delegation or report as far as it goes. Throws where it has to be tried again. */
async function doWork({ services, intake }: WorkParts, work: Work, signal: AbortSignal): Promise<void> {
  if (work.wake !== 'delivery') return advance(services, work, signal);
  const { delivery, quarantine, unread = false } = work;
  await (quarantine === undefined ? intake.take(delivery) : intake.giveUp(delivery, quarantine, { unread }));
}

async function advance(services: Services, work: Advance, signal: AbortSignal): Promise<void> {
  const { wake, id, quarantine, unread = false } = work;
  const kind = wake === 'delegation' ? DELEGATIONS : RUNS;
  const go = async () => {
    if (wake === 'report') return reportRun(services, id, { signal, brief: unread });
    if (quarantine !== undefined) await (unread ? kind.giveUp : kind.end)(services, id, quarantine);
    await kind.advance(services, id, signal);
  };
  await leaveOrderly(services, { wake, id }, { signal, work: go });
}

const RUNS = { advance: advanceRun, end: quarantineRun, giveUp: giveUpRun };
const DELEGATIONS = { advance: advanceDelegation, end: quarantineDelegation, giveUp: giveUpDelegation };

/** Under what name starts are counted. */
function countedAs(work: Work): string {
  return hasJournal(work) ? work.id : `${work.wake}/${work.id}`;
}

/** Reports and deliveries have none, so no entry sets their count back, but the end of their work. */
function hasJournal({ wake }: Work): boolean {
  return wake === 'run' || wake === 'delegation';
}

/**
 * Does work in the process that was started for it: that one counts the start, so that the end of its parent is not held against the work. What has got
 * further since its end was decided is not ended.
 */
export async function doWorkAlone(parts: WorkParts, work: Work, { signal, begun }: { signal: AbortSignal; begun(): void }): Promise<void> {
  if (signal.aborted) return;
  const past = await parts.services.store.starts.begin(countedAs(work));
  begun();
  const { quarantine, unread, ...whole } = work;
  await tryCounted(parts, past.count + past.failures > 0 ? work : whole, signal);
}

interface Parts extends WorkParts {
  alone: Alone;
  turns(work: () => Promise<void>): Promise<void>;
  /** How many processes in a row died before they began. */
  unborn: number;
}

/** Counts the start and its end; what has crashed before goes on alone, and at last not at all. */
async function workCounted(parts: Parts, work: Work, signal: AbortSignal): Promise<void> {
  const { services, turns } = parts;
  const past = await services.store.starts.begin(countedAs(work));
  if (past.count >= CRASHES_BESIDE_OTHERS || (await isHopeless(services, work, past))) {
    await countEnd(services, work, (name) => services.store.starts.takeBack(name));
    return turns(() => workAlone(parts, work, signal));
  }
  try {
    await tryCounted(parts, work, signal);
  } catch (error) {
    await tryLater(services, work, error);
  }
}

/** Does work whose start was counted, and counts how it ended. While Redis is away or full nothing is held against it. */
async function tryCounted(parts: WorkParts, work: Work, signal: AbortSignal): Promise<void> {
  const { services } = parts;
  const { starts } = services.store;
  try {
    await doWork(parts, work, signal);
  } catch (error) {
    await countEnd(services, work, (name) => (isStoreTrouble(error) ? starts.end(name) : starts.failed(name, wordsOf(error))));
    throw error;
  }
  await countEnd(services, work, (name) => (hasJournal(work) ? starts.end(name) : starts.forget(name)));
}

async function isHopeless({ store }: Services, { wake }: Work, { failures, since }: Past): Promise<boolean> {
  if (wake === 'report') return failures >= FAILURES_OF_REPORT;
  if (wake === 'delivery') return false;
  return failures >= MOST_FAILURES && (await store.now()) - since >= FAILING_MS;
}

async function workAlone(parts: Parts, work: Work, signal: AbortSignal): Promise<void> {
  const { services, alone } = parts;
  const { store, log } = services;
  if (signal.aborted) return handOver(services, work);
  const past = await store.starts.look(countedAs(work));
  const task = taskOf(work, past, await isHopeless(services, work, past));
  const { wake, id, quarantine, unread } = task;
  log.warn({ wake, id, quarantine, unread, ...past }, 'this ended its process, or failed, without getting any further: it goes on alone');
  const end = await alone(task, signal);
  if (signal.aborted) return handOver(services, work);
  parts.unborn = end.end === 'done' || end.begun ? 0 : parts.unborn + 1;
  if (end.end === 'done') return;
  if (!end.begun) return pauseBefore(services, work, { tries: parts.unborn, why: `its own process did not begin: ${end.how}` });
  if (end.end === 'failed') return tryLater(services, work, new Error(end.how));
  await store.starts.died(countedAs(work), end.how);
  await tryLater(services, work, new Error(`its own process ended: ${end.how}`));
}

/** What is done of work that crashed or failed so often. */
function taskOf(work: Work, past: Past, isHopeless: boolean): Work {
  const crashes = past.count - CRASHES_BESIDE_OTHERS - CRASHES_ALONE;
  if (crashes < 0 && !isHopeless) return work;
  if (work.wake === 'report') return { ...work, unread: true };
  if (crashes < 0)
    return { ...work, quarantine: `it failed ${past.failures} times without getting any further: ${past.how}`, unread: true };
  const quarantine = reasonOf(past);
  return crashes < CRASHES_AT_ITS_END ? { ...work, quarantine } : { ...work, quarantine, unread: true };
}

function reasonOf({ count, how }: Past): string {
  const last = how === '' ? '' : `: ${how}`;
  const alone = count - CRASHES_BESIDE_OTHERS;
  return `its process ended ${count} times before it got any further, the last ${alone} times while nothing else ran in it${last}`;
}

/** Throws what is tried again soon; after many tries without getting any further it is put off for longer and longer. A delivery's job has pauses of its own. */
async function tryLater(services: Services, work: Work, error: unknown): Promise<void> {
  if (work.wake === 'delivery') throw error;
  const { count, failures } = await services.store.starts.look(countedAs(work));
  const tries = Math.max(count - CRASHES_BESIDE_OTHERS - CRASHES_ALONE, failures - SOON_AGAIN);
  if (tries <= 0) throw error;
  await pauseBefore(services, work, { tries, why: wordsOf(error) });
}

async function pauseBefore({ store, log }: Services, work: Work, { tries, why }: { tries: number; why: string }): Promise<void> {
  if (work.wake === 'delivery') throw new Error(why);
  const { wake, id } = work;
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 20));
  log.error({ wake, id, pause, reason: why }, 'this does not get any further and is tried again after a pause');
  const now = await store.now();
  await Promise.all([store.queues.setTimer({ wake, id }, now + pause), store.expected.expect([{ wake, id }], dueBy(now, now + pause))]);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Lets a few work at once; the others wait for their turn. */
function makeTurns(most: number): (work: () => Promise<void>) => Promise<void> {
  const waiting: (() => void)[] = [];
  let free = most;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

/** Counts how a start came to an end. Redis may be away just then, and a start without an end would count as a crash. */
async function countEnd({ store, log }: Services, work: Work, count: (name: string) => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await count(countedAs(work));
    } catch (error) {
      if (tries === TRIES_TO_COUNT) return log.warn({ id: work.id, err: error }, 'the end of a start could not be counted');
      await store.clock.sleep(COUNT_AGAIN_MS);
    }
  }
}

/** Does work; where it waits, its timer is set, and where it was taken away, it is looked at again. */
async function leaveOrderly(
  services: Services,
  timer: Timer,
  { signal, work }: { signal: AbortSignal; work(): Promise<void> },
): Promise<void> {
  try {
    await work();
  } catch (error) {
    await suspend(services, timer, { error, signal });
  }
}

async function suspend(services: Services, timer: Timer, { error, signal }: { error: unknown; signal: AbortSignal }): Promise<void> {
  const { store, log } = services;
  if (error instanceof Pending) {
    const { until } = error;
    const expecting = store.expected.expect([timer], dueBy(await store.now(), until));
    await Promise.all([expecting, until === null ? null : store.queues.setTimer(timer, until)]);
    return;
  }
  store.journals.close(timer.id);
  if (error instanceof NewerJournal) return log.warn({ kind: timer.wake, id: timer.id }, error.message);
  const pause = pauseOf(error, await store.now());
  if (pause !== null) return store.queues.setTimer(timer, pause.until);
  if (!(error instanceof Superseded) && !signal.aborted) throw error;
  await lookAgain(services, timer);
}

/** The job of a delivery that fails is taken up by another process. */
async function handOver(services: Services, work: Work): Promise<void> {
  if (work.wake === 'delivery') throw new Error('this process stops');
  await lookAgain(services, work);
}

async function lookAgain({ store }: Services, timer: Timer): Promise<void> {
  await store.queues.setTimer(timer, (await store.now()) + LOOK_AGAIN_MS);
}
