import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AppRequests } from '../github/app-request.ts';
import { type DeliveryRow, listDeliveries, readDelivery } from '../github/deliveries.ts';
import { GitHubError } from '../github/error.ts';
import type { Store } from '../store/store.ts';

/** What a poller works with. */
export interface PollerParts {
  requests(): Promise<AppRequests>;
  store: Pick<Store, 'deliveries' | 'claims' | 'queues' | 'now'>;
  log: Logger;
  /** Time between two looks (ms). */
  everyMs: number;
}

/** Deliveries stand in GitHub's list only after their attempt, so a later one may be there first: each look reaches back by as much (ms). */
const OVERLAP_MS = 10 * 60_000;
/** How far back the very first look takes deliveries that nobody answered (ms). */
const FIRST_LOOK_MS = 3_600_000;
const LONGEST_PAUSE_MS = 300_000;
/** How long a stop waits for a look that is under way (ms). */
const STOP_MS = 1_000;

/**
 * Reads the App's deliveries from GitHub's own list and puts them into the queue as if they had come in by the webhook: for machines without a public
 * address. Of all processes one reads at a time; what one has taken, no other takes again. Failures are logged and tried again after growing pauses.
 */
export class Poller {
  readonly #parts: PollerParts;
  readonly #holder = randomUUID();
  readonly #leaving = new AbortController();
  #working: Promise<void> = Promise.resolve();
  #etag = '';
  #failures = 0;

  constructor(parts: PollerParts) {
    this.#parts = parts;
  }

  start(): void {
    const { log, everyMs } = this.#parts;
    log.info({ everyMs }, "polling: deliveries are read from GitHub's list of the App's deliveries");
    this.#working = this.#work();
  }

  /** Takes nothing more, and leaves the reading to other processes. What was not taken yet is found at the next start. */
  async stop(): Promise<void> {
    this.#leaving.abort();
    const late = new AbortController();
    await Promise.race([this.#working, sleep(STOP_MS, undefined, { signal: late.signal }).catch(() => undefined)]);
    late.abort();
    await this.#parts.store.deliveries.letGo(this.#holder);
  }

  /** One look: takes what is new. Answers how many deliveries were put into the queue; null where another process reads. */
  async look(): Promise<number | null> {
    const { store, requests, log } = this.#parts;
    if (!(await this.#hold())) return null;
    const now = await store.now();
    const { since, newest } = await store.deliveries.open(now);
    const app = await requests();
    const from = Math.max(since - FIRST_LOOK_MS, newest === null ? 0 : newest - OVERLAP_MS);
    const { signal } = this.#leaving;
    const list = await listDeliveries(app, { from, etag: this.#etag, signal });
    if (list === 'unmodified') return 0;
    const rows = await this.#unseen(list.rows.filter((row) => row.deliveredAt >= since || !row.answered));
    let taken = 0;
    for (const row of rows) {
      if (signal.aborted || !(await this.#hold())) return taken;
      if (await this.#take(app, row)) taken++;
    }
    if (taken > 0) log.info({ taken }, 'deliveries were read from GitHub');
    this.#etag = list.etag;
    return taken;
  }

  async #work(): Promise<void> {
    const { everyMs, log } = this.#parts;
    const { signal } = this.#leaving;
    while (!signal.aborted) {
      let pause = everyMs;
      try {
        await this.look();
        this.#failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        pause = pauseAfter(error, everyMs, this.#failures++);
        log.warn({ err: error, pause }, "GitHub's list of deliveries could not be read: it is tried again");
      }
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Oldest first, each delivery once; those that came in by the webhook and were handled are only marked. */
  async #unseen(rows: DeliveryRow[]): Promise<DeliveryRow[]> {
    const { deliveries, claims } = this.#parts.store;
    const oldestFirst = new Map(rows.toReversed().map((row) => [row.guid, row]));
    const unseen = await deliveries.unseen([...oldestFirst.keys()]);
    const handled = new Set(await claims.finished(unseen));
    const left: DeliveryRow[] = [];
    for (const guid of unseen) {
      const row = oldestFirst.get(guid);
      if (row && handled.has(guid)) await deliveries.see(guid, row.deliveredAt);
      else if (row) left.push(row);
    }
    return left;
  }

  async #take(app: AppRequests, row: DeliveryRow): Promise<boolean> {
    const { store, log } = this.#parts;
    const delivery = await readDelivery(app, row, this.#leaving.signal);
    if (delivery) await store.queues.addDelivery(delivery);
    else log.warn({ delivery: row.guid, event: row.event }, 'GitHub does not have the payload of this delivery any more: it is left out');
    await store.deliveries.see(row.guid, row.deliveredAt);
    return delivery !== null;
  }

  /** Long enough for the next look to renew it, with one request that hangs. */
  #hold(): Promise<boolean> {
    const { store, everyMs } = this.#parts;
    return store.deliveries.hold(this.#holder, 3 * everyMs + 5_000);
  }
}

function pauseAfter(error: unknown, everyMs: number, failures: number): number {
  const growing = Math.min(LONGEST_PAUSE_MS, everyMs * 2 ** Math.min(failures + 1, 10));
  const told = error instanceof GitHubError && error.retryAt !== undefined ? error.retryAt - Date.now() : 0;
  return Math.max(everyMs, growing, told);
}
