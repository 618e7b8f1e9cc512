import type { Delivery } from '../github/webhook.ts';
import type { Entry } from '../journal/entry.ts';
import type { Services } from '../session/services.ts';

/** What ends a suspension or an archive, by the delivery's name. */
const FREEING: Record<string, string> = { installation: 'unsuspend', repository: 'unarchived' };
/** Those that are not found among so many go on by their own timer, within five minutes. */
const MOST_LOOKED_AT = 500;

/**
 * Wakes the open runs and delegations of an installation, where a delivery tells that it, or a repository of it, is free again: some of them are on hold. Waking
 * one too many is no harm.
 */
export async function wakeHeld({ store }: Pick<Services, 'store'>, delivery: Delivery): Promise<void> {
  const installation = freedBy(delivery);
  if (installation === null) return;
  const { journals, queues } = store;
  const runs = await store.newestRuns(MOST_LOOKED_AT);
  const last = await journals.lastOf(runs);
  for (const run of runs.filter((_, at) => last[at] && last[at]?.type !== 'run.ended')) {
    if ((await journals.installationOf(run)) !== installation) continue;
    await queues.wakeRun(run);
    for (const delegation of openDelegations(await journals.read(run))) await queues.wakeDelegation(delegation);
  }
}

function freedBy({ name, payload }: Delivery): number | null {
  const { action, installation } = (payload ?? {}) as { action?: unknown; installation?: { id?: unknown } | null };
  const id = installation?.id;
  return FREEING[name] !== undefined && action === FREEING[name] && typeof id === 'number' ? id : null;
}

function openDelegations(entries: Entry[]): string[] {
  const ended = new Set(entries.flatMap((entry) => (entry.type === 'delegation.ended' ? [entry.delegation] : [])));
  return entries.flatMap((entry) => (entry.type === 'delegation.queued' && !ended.has(entry.delegation) ? [entry.delegation] : []));
}
