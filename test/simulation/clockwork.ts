import { generatorFrom } from '../store/generator.ts';

export const BEGIN = Date.UTC(2026, 0, 1);

/** How far what an event set going gets before the next one: about as far as its next call. */
const HOPS = 5;

interface Due {
  at: number;
  /** Of several at one time, which goes first. */
  order: number;
  act(): void;
}

/** Virtual time: nothing happens but what is due, one after another, in an order that the seed decides. */
export class Clockwork {
  /** A whole number below a bound. */
  readonly below: (bound: number) => number;
  /** Everything that happened, where it is wanted. */
  readonly trace: string[] | null;
  now = BEGIN;
  turns = 0;
  readonly #due: Due[] = [];

  constructor(seed: number, options: { trace: boolean }) {
    this.trace = options.trace ? [] : null;
    this.below = generatorFrom(seed);
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  after(ms: number, act: () => void): void {
    this.#push({ at: this.now + Math.max(0, ms), order: this.below(1_000_000), act });
  }

  note(who: string, what: string): void {
    this.trace?.push(`${this.now - BEGIN} ${who} ${what}`);
  }

  /** Goes on until nothing is due any more, or too much has happened: false. */
  async run(most: number): Promise<boolean> {
    for (let due = await this.#next(); due; due = await this.#next()) {
      if (++this.turns > most) return false;
      this.now = due.at;
      due.act();
      for (let hop = 0; hop < HOPS; hop++) await null;
    }
    return true;
  }

  async #next(): Promise<Due | undefined> {
    if (this.#due.length === 0) await new Promise((resolve) => setImmediate(resolve));
    return this.#pop();
  }

  #push(due: Due): void {
    const heap = this.#due;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (!above || isBefore(above, due)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
  }

  #pop(): Due | undefined {
    const heap = this.#due;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      const below = right && left && isBefore(right, left) ? 2 * at + 2 : 2 * at + 1;
      const child = heap[below];
      if (!child || isBefore(last, child)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at === b.at ? a.order <= b.order : a.at < b.at;
}
