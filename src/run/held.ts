import type { Delivery } from '../github/webhook.ts';
import type { Services } from '../session/services.ts';

/** What ends a suspension or an archive, by the delivery's name. */
const FREEING: Record<string, string> = { installation: 'unsuspend', repository: 'unarchived' };
/** Those that are not found among so many go on by their own timer, within five minutes. */
const MOST_LOOKED_AT = 500;

/** Wakes the runs that are on hold, where a delivery tells that an installation or a repository is free again. Waking one too many is no harm. */
export async function wakeHeld({ store }: Pick<Services, 'store'>, { name, payload }: Delivery): Promise<void> {
  if (FREEING[name] === undefined || actionOf(payload) !== FREEING[name]) return;
  const runs = await store.newestRuns(MOST_LOOKED_AT);
  const last = await store.journals.lastOf(runs);
  const held = runs.filter((_, at) => {
    const entry = last[at];
    return entry?.type === 'run.state' && entry.state === 'OnHold';
  });
  await Promise.all(held.map((run) => store.queues.wakeRun(run)));
}

function actionOf(payload: unknown): unknown {
  return typeof payload === 'object' && payload !== null && 'action' in payload ? payload.action : null;
}
