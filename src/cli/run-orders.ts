import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { startOf } from '../journal/view.ts';
import { restartRun } from '../run/start.ts';
import { type RunsIo, withStore } from './open-store.ts';
import { refuseUnknown } from './runs.ts';

/** Tells a run to end; its server does so, with a last turn for what is under way. Answers 1 where it is not known or has ended. */
export function cancelRun(run: string, io: RunsIo): Promise<number> {
  return withStore(io, async (store) => {
    const entries = await store.journals.read(run);
    const last = entries.at(-1);
    if (!last || !startOf(entries)) return refuseUnknown(run, io);
    if (last.type === 'run.ended') {
      io.err(`pitwall: run ${run} has ended already (${last.state}): pitwall retry ${run} runs it again\n`);
      return 1;
    }
    await store.cancels.order([{ id: run, reason: 'cancelled on the command line' }]);
    await store.queues.wakeRun(run);
    io.out(`Run ${run} was told to end; pitwall show ${run} tells when it has.\n`);
    return 0;
  });
}

/** Runs an ended run again, for the same event, under a new id. Answers 1 where it is not known or has not ended. */
export function retryRun(run: string, io: RunsIo): Promise<number> {
  return withStore(io, async (store) => {
    const entries = await store.journals.read(run);
    const start = startOf(entries);
    if (!start) return refuseUnknown(run, io);
    if (entries.at(-1)?.type !== 'run.ended') {
      io.err(`pitwall: run ${run} has not ended: pitwall cancel ${run} ends it\n`);
      return 1;
    }
    const again = await restartRun({ store, log: pino({ level: 'silent' }) }, start, `retry-${randomUUID()}`);
    io.out(again.merged ? `Run ${again.run} waits already, and takes this event too.\n` : `Run ${again.run} was started.\n`);
    return 0;
  });
}
