import type { Clock } from '../journal/clock.ts';
import type { Draft, Entry } from '../journal/entry.ts';
import { Superseded } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { Batch } from './streams.ts';

/** Before an append is tried again (ms). */
const PAUSES_MS = [100, 400];

/** The stream of one journal, see `Streams.write`, and the clock by which a failed append waits before it is tried again. */
interface Stream {
  write(batch: Batch): Promise<number | null>;
  clock: Clock;
}

interface Waiting {
  drafts: Draft[];
  resolve(): void;
  reject(error: unknown): void;
}

/** An open journal: its entries in memory and one writer. Appends that arrive while one is under way are written together. */
export class OpenJournal implements Journal {
  readonly id: string;
  /** Whether the work goes on from where another process left it, or this one before it forgot: as it was opened, more than its start was read. */
  resumed = false;
  #entries: Entry[] = [];
  #index = new Map<string, Entry>();
  readonly #stream: Stream;
  readonly #writer: string;
  #waiting: Waiting[] = [];
  #writing = false;
  #batches = 0;
  #broken: unknown = null;
  readonly #loss = new AbortController();

  constructor(id: string, writer: string, stream: Stream) {
    this.id = id;
    this.#writer = writer;
    this.#stream = stream;
  }

  get lost(): AbortSignal {
    return this.#loss.signal;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Gives what is in memory to a new writer; this one is refused from now on, as if the new one lived in another process. */
  handOver(writer: string): OpenJournal {
    const next = new OpenJournal(this.id, writer, this.#stream);
    next.#entries = this.#entries;
    next.#index = this.#index;
    this.#lose(`journal ${this.id} was opened again after entry ${this.#entries.length}`);
    return next;
  }

  /** Takes up entries that were read from the stream; throws `Superseded` where another writer has taken this one's place. */
  load(entries: Entry[]): void {
    this.#refuseRetired();
    for (const entry of entries) {
      this.#entries.push(entry);
      if ('key' in entry) this.#index.set(`${entry.type} ${entry.key}`, entry);
      else if ('step' in entry) this.#index.set(`${entry.type} ${entry.step}`, entry);
    }
  }

  find<T extends Entry['type']>(type: T, key: string): Extract<Entry, { type: T }> | undefined {
    return this.#index.get(`${type} ${key}`) as Extract<Entry, { type: T }> | undefined;
  }

  async once<T>(key: string, work: () => Promise<T> | T): Promise<T> {
    const noted = this.find('noted', key);
    if (noted) return noted.value as T;
    const value = await work();
    await this.append({ type: 'noted', key, value: value ?? null });
    return value;
  }

  append(...drafts: Draft[]): Promise<void> {
    if (drafts.length === 0) return Promise.resolve();
    return new Promise<void>((resolve, reject) => {
      this.#waiting.push({ drafts, resolve, reject });
      if (!this.#writing) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#writeBatch(batch.flatMap((waiting) => waiting.drafts));
        for (const waiting of batch) waiting.resolve();
      } catch (error) {
        for (const waiting of batch) waiting.reject(error);
      }
    }
    this.#writing = false;
  }

  async #writeBatch(drafts: Draft[]): Promise<void> {
    const from = this.#entries.length + 1;
    this.#refuseRetired();
    const at = await this.#writeSurely({ from, nonce: `${this.#writer}.${++this.#batches}`, drafts });
    if (at === null) throw this.#lose(`journal ${this.id} has another writer at entry ${from}`);
    this.load(drafts.map((draft) => ({ ...draft, at }) as Entry));
  }

  /**
   * A batch has a nonce of its own, so writing it again after a lost answer changes nothing, and another batch is never taken for it. Where even that does
   * not help nobody knows what the stream holds: this copy writes no more, and a fresh one reads it.
   */
  async #writeSurely(batch: Batch): Promise<number | null> {
    for (const pause of PAUSES_MS) {
      try {
        return await this.#stream.write(batch);
      } catch {
        await this.#stream.clock.sleep(pause);
      }
    }
    try {
      return await this.#stream.write(batch);
    } catch (error) {
      this.#broken = error;
      throw error;
    }
  }

  #lose(how: string): Superseded {
    const reason = new Superseded(how);
    this.#loss.abort(reason);
    return reason;
  }

  #refuseRetired(): void {
    if (this.#broken !== null) throw this.#broken;
    this.#loss.signal.throwIfAborted();
  }
}
