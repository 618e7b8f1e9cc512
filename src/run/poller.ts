import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { AppRequests } from '../github/app-request.ts';
import { listDeliveries } from '../github/deliveries.ts';
import type { Store } from '../store/store.ts';
import { bringIn, reachOf, unseenOf } from './deliveries.ts';
import { Rounds } from './rounds.ts';

/** What a poller works with. */
export interface PollerParts {
  requests(): Promise<AppRequests>;
  store: Pick<Store, 'deliveries' | 'duties' | 'claims' | 'queues' | 'now'>;
  log: Logger;
  /** Time between two looks (ms). */
  everyMs: number;
}

const DUTY = 'polling';
/** Deliveries stand in GitHub's list only after their attempt, so a later one may be there first: each look reaches back by as much (ms). */
const OVERLAP_MS = 10 * 60_000;
/** How far back the very first look takes deliveries that nobody answered (ms). */
const FIRST_LOOK_MS = 3_600_000;

/**
 * Reads the App's deliveries from GitHub's own list and puts them into the queue as if they had come in by the webhook: for machines without a public
 * address. Of all processes one reads at a time; what one has taken, no other takes again. Failures are logged and tried again after growing pauses.
 */
export class Poller {
  readonly #parts: PollerParts;
  readonly #holder = randomUUID();
  readonly #rounds: Rounds;
  #etag = '';

  constructor(parts: PollerParts) {
    this.#parts = parts;
    const { store, log, everyMs } = parts;
    const trouble = "GitHub's list of deliveries could not be read: it is tried again";
    this.#rounds = new Rounds({ round: () => this.look(), store, log, everyMs, trouble });
  }

  start(): void {
    const { log, everyMs } = this.#parts;
    log.info({ everyMs }, "polling: deliveries are read from GitHub's list of the App's deliveries");
    this.#rounds.start();
  }

  /** Takes nothing more, and leaves the reading to other processes. What was not taken yet is found at the next start. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
    await this.#parts.store.duties.letGo(DUTY, this.#holder);
  }

  /** One look: takes what is new. Answers how many deliveries were put into the queue; null where another process reads. */
  async look(): Promise<number | null> {
    const { store, requests, log, everyMs } = this.#parts;
    const { signal } = this.#rounds;
    const keep = async () => !signal.aborted && (await this.#hold());
    if (!(await keep())) return null;
    const cursor = store.deliveries;
    const inbox = { store, cursor, log, pauseMs: everyMs };
    const { since, reached } = await cursor.open(await store.now());
    const app = await requests();
    const from = Math.max(since - FIRST_LOOK_MS, reached === null ? 0 : reached - OVERLAP_MS);
    const list = await listDeliveries(app, { from, etag: this.#etag, signal });
    if (list === 'unmodified') return 0;
    const rows = await unseenOf(
      inbox,
      list.rows.filter((row) => row.deliveredAt >= since || !row.answered),
    );
    const { taken, left } = await bringIn(inbox, { app, rows, signal, keep });
    if (taken > 0) log.info({ taken }, 'deliveries were read from GitHub');
    const reach = reachOf(list.rows, left);
    if (reach !== null) await cursor.reach(reach);
    this.#etag = left.length > 0 ? '' : list.etag;
    return taken;
  }

  /** Long enough for the next look to renew it, with one request that hangs. */
  #hold(): Promise<boolean> {
    const { store, everyMs } = this.#parts;
    return store.duties.hold(DUTY, this.#holder, 3 * everyMs + 5_000);
  }
}
