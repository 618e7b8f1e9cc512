import { randomUUID } from 'node:crypto';
import { CLOCK, type Clock } from '../../journal/clock.ts';
import type { Doubts, EffectRecords, WriteTurns } from '../../journal/effect.ts';
import type { DraftReviews } from '../../journal/finding.ts';
import type { Blobs } from '../../journal/tree.ts';
import type { Approvals } from '../approvals.ts';
import type { Batches } from '../batches.ts';
import type { Budgets } from '../budgets.ts';
import type { Cancel, Cancels } from '../cancels.ts';
import type { Claims } from '../claims.ts';
import type { Decisions } from '../decisions.ts';
import type { DeliveriesCursor } from '../deliveries-cursor.ts';
import type { Duties } from '../duties.ts';
import type { Expected } from '../expected.ts';
import { Holds } from '../holds.ts';
import { Journals } from '../journals.ts';
import type { Lanes } from '../lanes.ts';
import type { Mailboxes } from '../mailbox.ts';
import type { Memory } from '../memory.ts';
import type { Queued } from '../queued.ts';
import { Queues } from '../queues.ts';
import type { Scratchpads } from '../scratchpads.ts';
import type { Starts } from '../starts.ts';
import type { StatusPlaces } from '../status-places.ts';
import type { Store } from '../store.ts';
import type { Streams } from '../streams.ts';
import { approvals } from './approvals.ts';
import { budgets } from './budgets.ts';
import { doubts, expected } from './expected.ts';
import { InMemoryJobs, JobBoard } from './jobs.ts';
import { mailboxes } from './mailboxes.ts';
import { blobs, drafts, memory, scratchpads } from './notes.ts';
import { batches, claims, decisions, deliveriesCursor, duties, effectRecords, lanes, queued, starts, statusPlaces } from './records.ts';
import { streams } from './streams.ts';
import { AT_ONCE, type AtOnce, getOr, reach, type Way } from './way.ts';
import { TurnBoard, writeTurns } from './write-turns.ts';

/** What stands in Redis' place: all that processes share. `clock` is the one clock of all. */
export class Shelf {
  readonly clock: Clock;
  readonly streams: AtOnce<Streams>;
  readonly jobs: JobBoard;
  readonly turns: TurnBoard;
  readonly effects = effectRecords();
  readonly drafts = drafts();
  readonly lanes = lanes();
  readonly batches = batches();
  readonly queued = queued();
  readonly statusPlaces = statusPlaces();
  readonly budgets: AtOnce<Budgets>;
  readonly decisions = decisions();
  readonly approvals = approvals();
  readonly mailboxes: AtOnce<Mailboxes>;
  readonly claims: AtOnce<Claims>;
  readonly deliveries = deliveriesCursor();
  readonly failures = deliveriesCursor();
  readonly duties: AtOnce<Duties>;
  readonly expected = expected();
  readonly doubts = doubts(this.expected);
  readonly starts: AtOnce<Starts>;
  readonly orders = new Map<string, string>();
  /** Who hears of published words. */
  readonly listeners = new Set<(id: string) => void>();
  readonly runs = new Map<string, { resource: string; at: number }>();
  readonly #blobs = new Map<string, AtOnce<Blobs>>();
  readonly #pads = new Map<string, AtOnce<Scratchpads>>();
  readonly #memories = new Map<string, AtOnce<Memory>>();
  readonly #memoryCalls = new Set<string>();

  constructor(clock: Clock = CLOCK) {
    this.clock = clock;
    this.streams = streams(clock);
    this.jobs = new JobBoard(clock);
    this.turns = new TurnBoard(clock);
    this.mailboxes = mailboxes(clock);
    this.budgets = budgets(clock);
    this.claims = claims(clock);
    this.duties = duties(clock);
    this.starts = starts((id) => this.streams.length(id), clock);
  }

  blobs(run: string): AtOnce<Blobs> {
    return getOr(this.#blobs, run, blobs);
  }

  pads(run: string): AtOnce<Scratchpads> {
    return getOr(this.#pads, run, scratchpads);
  }

  memory(repository: number, agent: string): AtOnce<Memory> {
    return getOr(this.#memories, `${repository} ${agent}`, () => memory(this.clock, this.#memoryCalls));
  }

  /** Ids of runs, newest first. */
  newest(count: number, resource?: string): string[] {
    const all = [...this.runs].filter(([, run]) => resource === undefined || run.resource === resource);
    return all
      .sort(([a, { at }], [b, other]) => other.at - at || (a < b ? 1 : -1))
      .slice(0, count)
      .map(([run]) => run);
  }
}

/** One process at a shelf. `clock`: its own, by which its timers run; `way`: how its calls get there; `name` makes names that no other has. */
export interface InMemoryOptions {
  clock?: Clock;
  way?: Way;
  name?: () => string;
  lockMs?: number;
  onError?(error: Error): void;
}

/** A store in this process' memory: gone with it, without Redis, with the same promises (`test/store` holds both to them). */
export class InMemoryStore implements Store {
  readonly clock: Clock;
  readonly journals: Journals;
  readonly queues: Queues;
  readonly effects: EffectRecords;
  readonly writes: WriteTurns;
  readonly drafts: DraftReviews;
  readonly lanes: Lanes;
  readonly batches: Batches;
  readonly queued: Queued;
  readonly starts: Starts;
  readonly statusPlaces: StatusPlaces;
  readonly mailboxes: Mailboxes;
  readonly budgets: Budgets;
  readonly cancels: Cancels;
  readonly claims: Claims;
  readonly approvals: Approvals;
  readonly decisions: Decisions;
  readonly deliveries: DeliveriesCursor;
  readonly failures: DeliveriesCursor;
  readonly duties: Duties;
  readonly expected: Expected;
  readonly doubts: Doubts;
  readonly #shelf: Shelf;
  readonly #way: Way;

  /** Stores of one shelf are as several processes at one Redis. */
  constructor(shelf = new Shelf(), options: InMemoryOptions = {}) {
    const { clock = shelf.clock, way = AT_ONCE, name = randomUUID, onError = () => {}, lockMs } = options;
    const hand = { clock, way, name, ...(lockMs === undefined ? {} : { lockMs }) };
    this.clock = clock;
    this.#shelf = shelf;
    this.#way = way;
    this.journals = new Journals(reach<Streams>(way, 'journal', shelf.streams), clock);
    this.queues = new Queues(new InMemoryJobs(shelf.jobs, hand), { onError, clock, shareOf: (id) => this.journals.installationOf(id) });
    this.effects = reach<EffectRecords>(way, 'effects', shelf.effects);
    this.writes = writeTurns(shelf.turns, hand);
    this.drafts = reach<DraftReviews>(way, 'drafts', shelf.drafts);
    this.lanes = reach<Lanes>(way, 'lanes', shelf.lanes);
    this.batches = reach<Batches>(way, 'batches', shelf.batches);
    this.queued = reach<Queued>(way, 'queued', shelf.queued);
    this.starts = reach<Starts>(way, 'starts', shelf.starts);
    this.statusPlaces = reach<StatusPlaces>(way, 'statusPlaces', shelf.statusPlaces);
    this.mailboxes = reach<Mailboxes>(way, 'mailboxes', shelf.mailboxes);
    this.budgets = reach<Budgets>(way, 'budgets', shelf.budgets);
    this.cancels = cancelsOf(shelf, { clock, way });
    this.claims = reach<Claims>(way, 'claims', shelf.claims);
    this.approvals = reach<Approvals>(way, 'approvals', shelf.approvals);
    this.decisions = reach<Decisions>(way, 'decisions', shelf.decisions);
    this.deliveries = reach<DeliveriesCursor>(way, 'deliveries', shelf.deliveries);
    this.failures = reach<DeliveriesCursor>(way, 'failures', shelf.failures);
    this.duties = reach<Duties>(way, 'duties', shelf.duties);
    this.expected = reach<Expected>(way, 'expected', shelf.expected);
    this.doubts = reach<Doubts>(way, 'doubts', shelf.doubts);
  }

  blobs(run: string): Blobs {
    return reach<Blobs>(this.#way, 'blobs', this.#shelf.blobs(run));
  }

  pads(run: string): Scratchpads {
    return reach<Scratchpads>(this.#way, 'pads', this.#shelf.pads(run));
  }

  memory(repository: number, agent: string): Memory {
    return reach<Memory>(this.#way, 'memory', this.#shelf.memory(repository, agent));
  }

  async now(): Promise<number> {
    return this.#shelf.clock.now();
  }

  async isUp(): Promise<boolean> {
    return true;
  }

  listRun(run: string, resource: string, at: number): Promise<void> {
    return this.#way('runs.list', () => {
      if (!this.#shelf.runs.has(run)) this.#shelf.runs.set(run, { resource, at });
    });
  }

  runsOf(resource: string, count: number): Promise<string[]> {
    return this.#way('runs.of', () => this.#shelf.newest(count, resource));
  }

  newestRuns(count: number): Promise<string[]> {
    return this.#way('runs.newest', () => this.#shelf.newest(count));
  }

  async close(): Promise<void> {
    await this.queues.close();
    this.cancels.close();
  }
}

function cancelsOf(shelf: Shelf, { clock, way }: { clock: Clock; way: Way }): Cancels {
  const holds = new Holds();
  const listen = (id: string) => clock.later(0, () => holds.abort(id));
  const publish = (id: string) => {
    for (const tell of shelf.listeners) tell(id);
  };
  shelf.listeners.add(listen);
  return {
    order: (cancels: Cancel[]) =>
      way('cancels.order', () => {
        for (const { id, reason } of cancels) {
          getOr(shelf.orders, id, () => reason);
          publish(id);
        }
      }),
    interrupt: (id) => way('cancels.interrupt', () => publish(id)),
    reasonOf: (...ids) =>
      way('cancels.reasonOf', () => ids.map((id) => shelf.orders.get(id)).find((reason) => reason !== undefined) ?? null),
    hold: (id, outer, work) => holds.hold(id, outer, work),
    close: () => void shelf.listeners.delete(listen),
  };
}
