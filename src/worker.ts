import { pauseOf } from './github/error.ts';
import { NewerJournal, Pending, Superseded } from './journal/errors.ts';
import type { Intake } from './run/intake.ts';
import { quarantineRun } from './run/quarantine.ts';
import { reportRun } from './run/report.ts';
import { advanceRun } from './run/run.ts';
import { advanceDelegation, quarantineDelegation } from './session/delegation.ts';
import type { Services } from './session/services.ts';
import { dueBy } from './store/expected.ts';
import type { Handlers, Timer } from './store/queues.ts';
import type { Crashes } from './store/starts.ts';

/** What may crash its process, and is counted. `quarantine`: why it is ended before anything else is done. */
export interface Work {
  wake: 'run' | 'delegation';
  id: string;
  quarantine?: string;
}

/** How work in a process of its own ended; `died` where that process never said so, before or after it had `begun`. */
export type AloneEnd = { end: 'done' } | { end: 'failed'; message: string } | { end: 'died'; how: string; begun: boolean };

/** Does work in a process of its own; when the signal is aborted it is told to leave. Never rejects. */
export type Alone = (work: Work, signal: AbortSignal) => Promise<AloneEnd>;

const LOOK_AGAIN_MS = 2_000;
/** So many crashes without a new entry, and the next try is made alone; so many more there, and there is no further one. */
const CRASHES_BESIDE_OTHERS = 2;
const CRASHES_ALONE = 5;
/** How many processes of their own one process has at once. */
const MOST_ALONE = 2;
const TRIES_TO_COUNT = 20;
const COUNT_AGAIN_MS = 500;

/**
 * What each kind of job does. What waits sets its timer and leaves; what lost its journal to another writer
 * stops, and looks again a little later, for the other may have died since.
 */
export function makeHandlers(services: Services, intake: Intake, alone: Alone): Handlers {
  const parts = { services, alone, turns: makeTurns(MOST_ALONE) };
  return {
    delivery: (delivery) => intake.take(delivery),
    run: (id, signal) => workCounted(parts, { wake: 'run', id }, signal),
    delegation: (id, signal) => workCounted(parts, { wake: 'delegation', id }, signal),
    report: (id, signal) => leaveOrderly(services, { wake: 'report', id }, { signal, work: () => reportRun(services, id, signal) }),
    failed(kind, id, error) {
      services.log.error({ kind, id, err: error }, 'a job failed and will be tried again');
    },
  };
}

/** Takes a run or delegation as far as it goes. Throws where it has to be tried again. */
export async function doWork(services: Services, work: Work, signal: AbortSignal): Promise<void> {
  const { wake, id, quarantine } = work;
  const [advance, end] = wake === 'run' ? [advanceRun, quarantineRun] : [advanceDelegation, quarantineDelegation];
  const go = async () => {
    if (quarantine !== undefined) await end(services, id, quarantine);
    await advance(services, id, signal);
  };
  await leaveOrderly(services, { wake, id }, { signal, work: go });
}

/** Does work in the process that was started for it: that one counts the start, so that the end of its parent is not held against the work. */
export async function doWorkAlone(
  services: Services,
  work: Work,
  { signal, begun }: { signal: AbortSignal; begun(): void },
): Promise<void> {
  if (signal.aborted) return;
  await services.store.starts.begin(work.id);
  begun();
  await doWork(services, work, signal).finally(() => endStart(services, work));
}

interface Parts {
  services: Services;
  alone: Alone;
  turns(work: () => Promise<void>): Promise<void>;
}

/** Counts the start and its end; what has crashed before goes on alone, and at last not at all. */
async function workCounted(parts: Parts, work: Work, signal: AbortSignal): Promise<void> {
  const { services, turns } = parts;
  const crashes = await services.store.starts.begin(work.id);
  if (crashes.count < CRASHES_BESIDE_OTHERS) {
    await doWork(services, work, signal).finally(() => endStart(services, work));
    return;
  }
  await endStart(services, work);
  await turns(() => workAlone(parts, work, signal));
}

async function workAlone({ services, alone }: Parts, work: Work, signal: AbortSignal): Promise<void> {
  const { store, log } = services;
  if (signal.aborted) return lookAgain(services, work);
  const crashes = await store.starts.look(work.id);
  const quarantine = crashes.count < CRASHES_BESIDE_OTHERS + CRASHES_ALONE ? {} : { quarantine: reasonOf(crashes) };
  log.warn({ ...work, ...quarantine, crashes: crashes.count }, 'this ended its process without getting any further: it goes on alone');
  const end = await alone({ ...work, ...quarantine }, signal);
  if (signal.aborted) return lookAgain(services, work);
  if (end.end === 'failed') throw new Error(end.message);
  if (end.end === 'done') return;
  if (!end.begun) await store.starts.begin(work.id);
  await store.starts.died(work.id, end.how);
  throw new Error(`its own process ended: ${end.how}`);
}

function reasonOf({ count, how }: Crashes): string {
  const last = how === '' ? '' : `: ${how}`;
  return `its process ended ${count} times before it got any further, the last ${CRASHES_ALONE} times while nothing else ran in it${last}`;
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

/** Counts that a start came to an end. Redis may be away just then, and a start without an end would count as a crash. */
async function endStart({ store, log }: Services, { id }: Work): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await store.starts.end(id);
    } catch (error) {
      if (tries === TRIES_TO_COUNT) return log.warn({ id, err: error }, 'the end of a start could not be counted');
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
    const expecting = timer.wake === 'report' ? null : store.expected.expect([timer], dueBy(await store.now(), until));
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

async function lookAgain({ store }: Services, timer: Timer): Promise<void> {
  await store.queues.setTimer(timer, (await store.now()) + LOOK_AGAIN_MS);
}
