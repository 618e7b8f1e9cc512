import type { Clock } from '../journal/clock.ts';

/** What making the reports of runs takes. `make` must not throw; `shareOf` tells whose a run is. */
export interface WishesParts {
  clock: Clock;
  make(id: string): Promise<void>;
  shareOf(id: string): Promise<number | null>;
}

/** When a report is wished for: now, soon, or at a time (ms since 1970). */
export type When = 'now' | 'soon' | number;

/** Wishes that come closer than this are one report. */
const MOMENT_MS = 2_000;
/** So many reports of one share are made at once: GitHub takes the writes of an installation one by one. */
const MOST_AT_ONCE = 4;

/** `again`: what was wished for since the report was begun, or made. */
interface Wish {
  state: 'waiting' | 'busy' | 'resting';
  again: When | null;
}

interface Line {
  busy: number;
  waiting: string[];
}

/**
 * The reports that this process makes of the runs it works on: one of a run at a time, at least one after every wish, and a moment between two. Each share has
 * a line of its own, so that one whose writes have to wait holds up no other. Only in memory: whoever wishes lets the report be expected too.
 */
export class Wishes {
  readonly #parts: WishesParts;
  readonly #wishes = new Map<string, Wish>();
  readonly #lines = new Map<number | null, Line>();
  readonly #busy = new Set<Promise<void>>();
  #paused = false;

  constructor(parts: WishesParts) {
    this.#parts = parts;
  }

  wish(id: string, when: When): void {
    const known = this.#wishes.get(id);
    if (typeof when === 'number' && known?.state !== 'busy') this.#rest(id, when, when - this.#parts.clock.now());
    else if (!known || (known.state === 'resting' && when === 'now')) this.#enter(id);
    else if (known.state !== 'waiting' && known.again !== 'now') known.again = when;
  }

  /** Whether a report of this run is at hand here. */
  has(id: string): boolean {
    const known = this.#wishes.get(id);
    return known !== undefined && (known.state !== 'resting' || known.again !== null);
  }

  /** Begins no report until `resume`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const line of this.#lines.values()) this.#pump(line);
  }

  /** Begins no further report; answers the runs of which one was wished for that was not begun. */
  stop(): string[] {
    const left = [...this.#wishes].filter(([, { state, again }]) => state === 'waiting' || again !== null).map(([id]) => id);
    this.#paused = true;
    this.#wishes.clear();
    return left;
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy);
  }

  #enter(id: string): void {
    this.#wishes.set(id, { state: 'waiting', again: null });
    const stand = (share: number | null) => {
      const line = this.#lines.get(share) ?? { busy: 0, waiting: [] };
      this.#lines.set(share, line);
      line.waiting.push(id);
      this.#pump(line);
    };
    this.#parts.shareOf(id).then(stand, () => stand(null));
  }

  #pump(line: Line): void {
    while (!this.#paused && line.busy < MOST_AT_ONCE) {
      const id = line.waiting.shift();
      if (id === undefined) return;
      line.busy++;
      const wish: Wish = { state: 'busy', again: null };
      this.#wishes.set(id, wish);
      const made = this.#parts.make(id).finally(() => {
        this.#busy.delete(made);
        line.busy--;
        this.#end(id, wish);
        this.#pump(line);
      });
      this.#busy.add(made);
    }
  }

  #end(id: string, { again }: Wish): void {
    if (this.#paused && !this.#wishes.has(id)) return;
    if (again === 'now') this.#enter(id);
    else this.#rest(id, again, typeof again === 'number' ? again - this.#parts.clock.now() : MOMENT_MS);
  }

  #rest(id: string, again: When | null, ms: number): void {
    const wish: Wish = { state: 'resting', again };
    this.#wishes.set(id, wish);
    this.#parts.clock.later(Math.max(1, Math.min(ms, LONGEST_MS)), () => {
      if (this.#wishes.get(id) !== wish) return;
      if (wish.again === null) this.#wishes.delete(id);
      else this.#enter(id);
    });
  }
}

/** Timers of Node reach no further. */
const LONGEST_MS = 2 ** 31 - 1;
