import type { Logger } from 'pino';
import { pauseOf } from './github/error.ts';
import { Pending, Superseded } from './journal/errors.ts';
import type { Intake } from './run/intake.ts';
import { reportRun } from './run/report.ts';
import { advanceRun } from './run/run.ts';
import { advanceDelegation } from './session/delegation.ts';
import type { Services } from './session/services.ts';
import type { Handlers, Timer } from './store/queues.ts';

const LOOK_AGAIN_MS = 2_000;

/**
 * What each kind of job does. What waits sets its timer and leaves; what lost its journal to another writer
 * stops, and looks again a little later, for the other may have died since.
 */
export function makeHandlers(services: Services, intake: Intake, log: Logger): Handlers {
  const leave = (timer: Timer, work: Promise<void>) => work.catch((error: unknown) => suspend(services, timer, error));
  return {
    delivery: (delivery) => intake.take(delivery),
    run: (id, signal) => leave({ wake: 'run', id }, advanceRun(services, id, signal)),
    delegation: (id, signal) => leave({ wake: 'delegation', id }, advanceDelegation(services, id, signal)),
    report: (id, signal) => leave({ wake: 'report', id }, reportRun(services, id, signal)),
    failed(kind, id, error) {
      log.error({ kind, id, err: error }, 'a job failed and will be tried again');
    },
  };
}

async function suspend({ store }: Services, timer: Timer, error: unknown): Promise<void> {
  if (error instanceof Pending) {
    if (error.until !== null) await store.queues.setTimer(timer, error.until);
    return;
  }
  store.journals.close(timer.id);
  const pause = pauseOf(error, Date.now());
  if (pause !== null) return store.queues.setTimer(timer, pause.until);
  if (!(error instanceof Superseded)) throw error;
  await store.queues.setTimer(timer, (await store.now()) + LOOK_AGAIN_MS);
}
