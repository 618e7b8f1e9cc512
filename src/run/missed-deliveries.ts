import type { Logger } from 'pino';
import type { AppRequests } from '../github/app-request.ts';
import { type DeliveryRow, listDeliveries } from '../github/deliveries.ts';
import type { Store } from '../store/store.ts';
import { bringIn, reachOf, unseenOf } from './deliveries.ts';

/** What looking for failed deliveries takes. */
export interface MissedParts {
  requests(): Promise<AppRequests>;
  store: Pick<Store, 'failures' | 'claims' | 'queues' | 'now'>;
  log: Logger;
  /** The first pause (ms) before a delivery is tried again that could not be read. */
  pauseMs: number;
}

/** GitHub keeps deliveries for three days. */
const KEPT_MS = 3 * 86_400_000;
/** GitHub gives up on a webhook after 10 s (30 s on GitHub Enterprise), and only then the delivery stands in the list: each look reaches back by as much (ms). */
const OVERLAP_MS = 10 * 60_000;

/**
 * Looks for deliveries of the last three days that nobody took, and brings them in. Each is read once: what is in the queue is marked, and what cannot be
 * read is put off for longer every time, until GitHub forgets it. Why they are read and not sent again by GitHub: docs/decisions/2026-11-21-missed-deliveries.md.
 */
export class MissedDeliveries {
  readonly #parts: MissedParts;
  #etag = '';
  /** How far it had read when it got the list of that tag; another process, or a loss of Redis, may have changed that since. */
  #reached: number | null = null;

  constructor(parts: MissedParts) {
    this.#parts = parts;
  }

  /** One look; answers how many deliveries were put into the queue. Throws where GitHub's list cannot be read. */
  async look({ signal, keep }: { signal: AbortSignal; keep(): Promise<boolean> }): Promise<number> {
    const { store, requests, log, pauseMs } = this.#parts;
    const cursor = store.failures;
    const inbox = { store, cursor, log, pauseMs };
    const now = await store.now();
    const { reached } = await cursor.open(now);
    const app = await requests();
    const from = Math.max(now - KEPT_MS, reached === null ? 0 : reached - OVERLAP_MS);
    const etag = reached === this.#reached ? this.#etag : '';
    const list = await listDeliveries(app, { from, status: 'failure', etag, signal });
    if (list === 'unmodified') return 0;
    const failed = list.rows.filter((row) => !row.answered);
    const rows = await withoutRedelivered(app, await unseenOf(inbox, failed), signal);
    const { taken, left } = await bringIn(inbox, { app, rows, signal, keep });
    if (taken > 0) log.info({ taken }, 'deliveries that had failed were read from GitHub');
    const reach = reachOf(failed, left);
    if (reach !== null) await cursor.reach(reach);
    this.#reached = reach ?? reached;
    this.#etag = left.length > 0 ? '' : list.etag;
    return taken;
  }
}

/** A delivery that GitHub sent again since, and that was answered then, is not missed. */
async function withoutRedelivered(app: AppRequests, rows: DeliveryRow[], signal: AbortSignal): Promise<DeliveryRow[]> {
  if (rows.length === 0) return [];
  const list = await listDeliveries(app, { from: Math.min(...rows.map((row) => row.deliveredAt)), signal });
  const answered = new Set(list === 'unmodified' ? [] : list.rows.flatMap((row) => (row.answered ? [row.guid] : [])));
  return rows.filter(({ guid }) => !answered.has(guid));
}
