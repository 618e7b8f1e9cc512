import { randomUUID } from 'node:crypto';
import { CLOCK, type Clock } from '../journal/clock.ts';
import type { Draft, Entry } from '../journal/entry.ts';
import { OpenJournal } from './journal.ts';
import { runOf } from './keys.ts';
import type { Streams } from './streams.ts';

const KEPT_OPEN = 2_000;
const MOST_KNOWN = 20_000;

/** The journals of runs and delegations, as one process has them open. */
export class Journals {
  readonly #streams: Streams;
  readonly #clock: Clock;
  readonly #writer = randomUUID().slice(0, 8);
  readonly #open = new Map<string, OpenJournal>();
  /** Installations by run. */
  readonly #installations = new Map<string, number>();

  constructor(streams: Streams, clock: Clock = CLOCK) {
    this.#streams = streams;
    this.#clock = clock;
  }

  /** Starts a journal with its first entry; false where it exists already (the start is then somebody's repeated try, and changes nothing). */
  async create(id: string, first: Draft): Promise<boolean> {
    const at = await this.#streams.write(id, { from: 1, nonce: `create-${randomUUID()}`, drafts: [first] });
    if (at === null) return false;
    this.#learn(id, first);
    this.#keep(id, this.#make(id, `${this.#writer}-create`)).load([{ ...(JSON.parse(JSON.stringify(first)) as Draft), at } as Entry]);
    return true;
  }

  /**
   * Opens a journal for writing and reads what has come since it was open here last; who opened it here before is `Superseded`, as one in another
   * process would be. An empty one has no entries: it was never created or is gone.
   */
  async open(id: string): Promise<OpenJournal> {
    const known = this.#open.get(id);
    const writer = `${this.#writer}-${randomUUID().slice(0, 8)}`;
    const journal = known?.handOver(writer) ?? this.#make(id, writer);
    this.#keep(id, journal);
    const news = isOver(journal.entries) ? [] : await this.#streams.read(id, journal.entries.length + 1);
    journal.load(news);
    journal.resumed = news.length > 0 && journal.entries.length > 1;
    this.#learn(id, journal.entries[0]);
    return journal;
  }

  /** The installation that a run, or a delegation of it, works for; null where its journal is not there. Looked up once. */
  async installationOf(id: string): Promise<number | null> {
    const known = this.#installations.get(runOf(id));
    if (known !== undefined) return known;
    const [first] = await this.firstOf([id]);
    this.#learn(id, first ?? undefined);
    return this.#installations.get(runOf(id)) ?? null;
  }

  /** How many entries a journal has, without reading them. */
  lengthOf(id: string): Promise<number> {
    return this.#streams.length(id);
  }

  /**
   * Ends a journal that nobody can read any more: of its entries the first is left, these follow, and none comes after them. False, and nothing is changed,
   * where it has not exactly `length` entries.
   */
  async setAside(id: string, length: number, drafts: Draft[]): Promise<boolean> {
    this.close(id);
    return await this.#streams.setAside(id, length, drafts);
  }

  /** Forgets the memory of a journal: after `Superseded`, or when it ended. */
  close(id: string): void {
    this.#open.delete(id);
  }

  /** Reads a journal without becoming its writer. */
  read(id: string): Promise<Entry[]> {
    return this.#streams.read(id, 1);
  }

  /** The last entries of several journals in one round trip; null for one without entries. */
  lastOf(ids: string[]): Promise<(Entry | null)[]> {
    return this.#streams.ends(ids, 'last');
  }

  /** The first entries of several journals in one round trip; null for one without entries. */
  firstOf(ids: string[]): Promise<(Entry | null)[]> {
    return this.#streams.ends(ids, 'first');
  }

  /** Sets how long a run's journal is kept from now on (seconds). */
  expire(id: string, seconds: number): Promise<void> {
    return this.#streams.expire(id, seconds);
  }

  #learn(id: string, first: Draft | undefined): void {
    if (first?.type !== 'run.started' && first?.type !== 'delegation.started') return;
    if (this.#installations.size >= MOST_KNOWN) this.#installations.clear();
    this.#installations.set(runOf(id), first.start.event.installation);
  }

  #make(id: string, writer: string): OpenJournal {
    return new OpenJournal(id, writer, { write: (batch) => this.#streams.write(id, batch), clock: this.#clock });
  }

  #keep(id: string, journal: OpenJournal): OpenJournal {
    this.#open.delete(id);
    this.#open.set(id, journal);
    const oldest = this.#open.size > KEPT_OPEN ? this.#open.keys().next().value : undefined;
    if (oldest !== undefined) this.#open.delete(oldest);
    return journal;
  }
}

/** After its end nothing comes any more. */
function isOver(entries: readonly Entry[]): boolean {
  const last = entries.at(-1);
  return last?.type === 'run.ended' || (last?.type === 'delegation.ended' && last.key === 'end');
}
