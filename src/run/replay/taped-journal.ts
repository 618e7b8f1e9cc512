import type { Draft, Entry, EntryOf, EntryType } from '../../journal/entry.ts';
import { Pending } from '../../journal/errors.ts';
import type { Journal } from '../../journal/journal.ts';
import { compareEntries, type Difference, describeEntry, identityOf, type Place, placeOf, type Strictness } from './difference.ts';

/** The replay went another way than the record; everything that is still under way stops. */
export class Diverged extends Error {
  override name = 'Diverged';
}

/** Something that the replay wants and the record has no answer for. */
export interface Wish {
  words: string;
  place: Place;
}

interface Wishing extends Wish {
  refuse(error: Error): void;
}

interface Arrived {
  draft: Draft;
  accept(): void;
  refuse(error: Error): void;
}

/** What is never derived: what a journal starts from. */
const GIVEN: ReadonlySet<EntryType> = new Set(['run.started', 'run.merged', 'delegation.started']);

/**
 * A journal that is written by being compared with its record. What parallel branches append is held back until all that stands before it in the record
 * was appended too, so the order is the recorded one, and an answer comes when it came then.
 */
export class TapedJournal implements Journal {
  readonly id: string;
  readonly tape: readonly Entry[];
  /** Nobody else writes to a record. */
  readonly lost: AbortSignal = new AbortController().signal;
  /** What was derived, by its place in the record. */
  readonly derived = new Map<number, Draft>();
  /** How often each turn's prompt was asked for shorter. */
  readonly shortened = new Map<string, number>();
  readonly #strictness: Strictness;
  readonly #entries: Entry[] = [];
  readonly #index = new Map<string, Entry>();
  readonly #arrived = new Map<number, Arrived>();
  #wishes: Wishing[] = [];
  #difference: Difference | null = null;
  #activity = 0;

  constructor(id: string, tape: readonly Entry[], strictness: Strictness) {
    this.id = id;
    this.tape = tape;
    this.#strictness = strictness;
    while (this.next && GIVEN.has(this.next.type)) this.#load(this.next);
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** The entry that the record has next. */
  get next(): Entry | undefined {
    return this.tape[this.#entries.length];
  }

  /** What the replay wanted and the record has no answer for, in the order of asking. */
  get wishes(): readonly Wish[] {
    return this.#wishes;
  }

  /** Grows with everything that is asked of this journal. */
  get activity(): number {
    return this.#activity;
  }

  get difference(): Difference | null {
    return this.#difference;
  }

  /** Whether the record ends with the end of what it is about, and not where it was exported. */
  get isWhole(): boolean {
    const last = this.tape.at(-1);
    return last?.type === 'run.ended' || (last?.type === 'delegation.ended' && last.key === 'end');
  }

  find<T extends EntryType>(type: T, key: string): EntryOf<T> | undefined {
    this.#activity++;
    return this.#index.get(`${type} ${key}`) as EntryOf<T> | undefined;
  }

  /** Where the record has an entry of this kind and place that was not derived yet; -1 where it has none. */
  positionOf(type: EntryType, key: string): number {
    return this.positionWhere(
      (entry) => entry.type === type && (('key' in entry && entry.key === key) || ('step' in entry && entry.step === key)),
    );
  }

  /** The first place of the record, of those not derived yet, whose entry is meant; -1 where there is none. */
  positionWhere(isMeant: (entry: Entry) => boolean): number {
    for (let at = this.#entries.length; at < this.tape.length; at++) {
      const entry = this.tape[at];
      if (entry && !this.#arrived.has(at) && isMeant(entry)) return at;
    }
    return -1;
  }

  async once<T>(key: string, work: () => Promise<T> | T): Promise<T> {
    const noted = this.find('noted', key);
    if (noted) return noted.value as T;
    const value = await work();
    await this.append({ type: 'noted', key, value: value ?? null });
    return value;
  }

  async append(...drafts: Draft[]): Promise<void> {
    this.#activity++;
    this.#refuseDiverged();
    const written = drafts.map((draft) => this.#place(draft));
    this.#moveOn();
    await Promise.all(written);
  }

  /** Waits: the record has no answer to this. It is told where nothing else goes on either. */
  wish(wish: Wish): Promise<never> {
    this.#refuseDiverged();
    return new Promise<never>((_, refuse) => this.#wishes.push({ ...wish, refuse }));
  }

  /** Ends the advance that is under way, as one that waits: what is held back, and what has no answer yet, is asked for again by the next. */
  giveUp(): void {
    const held = [...this.#arrived.values(), ...this.#wishes];
    this.#arrived.clear();
    this.#wishes = [];
    for (const { refuse } of held) refuse(new Pending('what comes before it'));
  }

  /** Takes an entry over from the record that nobody here can derive. */
  takeOver(): void {
    if (this.next) this.#load(this.next);
    this.#moveOn();
  }

  /** Says that the replay goes no further, in words for what it does instead of the next entry. */
  stop(derived: string): void {
    const { next } = this;
    const wish = this.#wishes[0];
    const [early] = [...this.#arrived].sort(([a], [b]) => a - b).map(([, { draft }]) => describeEntry(draft));
    const place = next ? placeOf(next) : (wish?.place ?? {});
    this.diverge({ place, recorded: next ? describeEntry(next) : null, derived: wish?.words ?? early ?? derived, field: null });
  }

  /** Keeps the first difference; from now on nothing can be written. */
  diverge(difference: Omit<Difference, 'journal' | 'entry'>): void {
    if (this.#difference) return;
    this.#difference = { journal: this.id, entry: this.#entries.length + 1, ...difference };
    for (const { refuse } of this.#arrived.values()) refuse(new Diverged('the replay went another way'));
    this.#arrived.clear();
  }

  #refuseDiverged(): void {
    if (this.#difference) throw new Diverged('the replay went another way');
  }

  #place(draft: Draft): Promise<void> {
    const identity = identityOf(draft);
    const at = this.positionWhere((entry) => identityOf(entry) === identity);
    if (at < 0) return this.wish({ words: describeEntry(draft), place: placeOf(draft) });
    return new Promise<void>((accept, refuse) => this.#arrived.set(at, { draft, accept, refuse }));
  }

  #moveOn(): void {
    for (let at = this.#entries.length; this.#arrived.has(at); at++) {
      const arrived = this.#arrived.get(at);
      const recorded = this.tape[at];
      if (!arrived || !recorded) return;
      const field = compareEntries(recorded, arrived.draft, this.#strictness);
      if (field) {
        this.diverge({ place: placeOf(recorded), recorded: describeEntry(recorded), derived: describeEntry(arrived.draft), field });
        return;
      }
      this.#arrived.delete(at);
      this.derived.set(at, arrived.draft);
      this.#load(recorded);
      arrived.accept();
    }
  }

  #load(entry: Entry): void {
    this.#entries.push(entry);
    if ('key' in entry) this.#index.set(`${entry.type} ${entry.key}`, entry);
    else if ('step' in entry) this.#index.set(`${entry.type} ${entry.step}`, entry);
  }
}
