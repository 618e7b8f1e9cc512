import type { Logger } from 'pino';
import type { AppRequests } from '../github/app-request.ts';
import { type DeliveryRow, readDelivery } from '../github/deliveries.ts';
import { GitHubError, type GitHubErrorKind } from '../github/error.ts';
import type { DeliveriesCursor } from '../store/deliveries-cursor.ts';
import type { Store } from '../store/store.ts';

/** What bringing deliveries in takes. */
export interface Inbox {
  store: Pick<Store, 'claims' | 'queues' | 'now'>;
  cursor: DeliveriesCursor;
  log: Logger;
  /** The first pause (ms) before a delivery is tried again that could not be read; it doubles from try to try. */
  pauseMs: number;
}

/** What became of rows: how many were put into the queue, and which are left for later. */
export interface Brought {
  taken: number;
  left: DeliveryRow[];
}

/** After these no other delivery could be read either. */
const STOPS: GitHubErrorKind[] = ['limited', 'unauthorized', 'suspended', 'permission'];
/** So many in a row that GitHub does not answer for: it is away. */
const MOST_FAILURES = 3;
const LONGEST_PAUSE_MS = 6 * 3_600_000;

/** Those of the rows that were neither seen nor handled before, oldest first, each delivery once; those that came in by the webhook and were handled are only marked. */
export async function unseenOf({ store, cursor }: Inbox, rows: DeliveryRow[]): Promise<DeliveryRow[]> {
  const oldestFirst = new Map(rows.toReversed().map((row) => [row.guid, row]));
  const unseen = await cursor.unseen([...oldestFirst.keys()]);
  const handled = new Set(await store.claims.finished(unseen));
  const left: DeliveryRow[] = [];
  for (const guid of unseen) {
    const row = oldestFirst.get(guid);
    if (row && handled.has(guid)) await cursor.see(guid, row.deliveredAt);
    else if (row) left.push(row);
  }
  return left;
}

/**
 * Reads deliveries from GitHub and puts them into the queue as if they had come in by the webhook; what is in the queue is marked, so that it is read once.
 * One that cannot be read holds up no other: it is put off, for longer every time. Throws where GitHub answers for none. `keep` says before each whether to
 * go on.
 */
export async function bringIn(
  inbox: Inbox,
  { app, rows, signal, keep }: { app: AppRequests; rows: DeliveryRow[]; signal: AbortSignal; keep(): Promise<boolean> },
): Promise<Brought> {
  const { store, cursor, log } = inbox;
  const putOffs = await cursor.putOffs(rows.map(({ guid }) => guid));
  const now = await store.now();
  const left: DeliveryRow[] = [];
  let taken = 0;
  let failures = 0;
  for (const [k, row] of rows.entries()) {
    const known = putOffs.get(row.guid);
    if (known && known.until > now) {
      left.push(row);
      continue;
    }
    if (!(await keep())) return { taken, left: [...left, ...rows.slice(k)] };
    try {
      if (await take(inbox, { app, row, signal })) taken++;
      failures = 0;
    } catch (error) {
      if (signal.aborted || (error instanceof GitHubError && STOPS.includes(error.kind))) throw error;
      const tries = (known?.tries ?? 0) + 1;
      const until = now + Math.min(LONGEST_PAUSE_MS, inbox.pauseMs * 2 ** Math.min(tries - 1, 20));
      await cursor.putOff(row.guid, { tries, until });
      log.warn(
        { delivery: row.guid, event: row.event, tries, err: error },
        'this delivery could not be read from GitHub: it is tried again',
      );
      left.push(row);
      if (error instanceof GitHubError && ++failures >= MOST_FAILURES) throw error;
    }
  }
  return { taken, left };
}

async function take(
  { store, cursor, log }: Inbox,
  { app, row, signal }: { app: AppRequests; row: DeliveryRow; signal: AbortSignal },
): Promise<boolean> {
  const delivery = await readDelivery(app, row, signal);
  if (delivery) await store.queues.addDelivery(delivery);
  else log.warn({ delivery: row.guid, event: row.event }, 'GitHub does not have the payload of this delivery any more: it is left out');
  await cursor.see(row.guid, row.deliveredAt);
  return delivery !== null;
}

/** Up to when every delivery of a list was seen, where these are left; null where nothing of it is known. */
export function reachOf(rows: DeliveryRow[], left: DeliveryRow[]): number | null {
  const newest = rows.length > 0 ? Math.max(...rows.map((row) => row.deliveredAt)) : null;
  return left.length > 0 ? Math.min(...left.map((row) => row.deliveredAt)) : newest;
}
