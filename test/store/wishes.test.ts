import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/journal/clock.ts';
import { Wishes } from '../../src/store/wishes.ts';

/** Time that passes when the test says so. */
class Time implements Clock {
  #now = 1_000_000;
  #due: { at: number; work: () => void }[] = [];

  now = () => this.#now;
  sleep = () => new Promise<void>(() => {});
  later = (ms: number, work: () => void) => void this.#due.push({ at: this.#now + ms, work });

  async pass(ms: number): Promise<void> {
    this.#now += ms;
    const due = this.#due.filter(({ at }) => at <= this.#now);
    this.#due = this.#due.filter(({ at }) => at > this.#now);
    for (const { work } of due) work();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

let time: Time;
let wishes: Wishes;
let granted: string[];
let away: boolean;

beforeEach(() => {
  [time, granted, away] = [new Time(), [], false];
  wishes = new Wishes(time, async (id) => {
    if (away) throw new Error('away');
    granted.push(id);
  });
});

describe('a wish', () => {
  it('is granted at once; all that follow within a moment are one more, after it', async () => {
    for (let k = 0; k < 5; k++) await wishes.wish('a');
    await wishes.wish('b');
    expect(granted).toEqual(['a', 'b']);
    await time.pass(2_000);
    expect(granted).toEqual(['a', 'b', 'a']);
    await wishes.wish('a');
    expect(granted).toHaveLength(3);
    await time.pass(2_000);
    await time.pass(2_000);
    expect(granted).toEqual(['a', 'b', 'a', 'a']);
    await wishes.wish('a');
    expect(granted).toHaveLength(5);
  });

  it('that cannot wait is granted at once, with those before it', async () => {
    await wishes.wish('a');
    await wishes.wish('a');
    await wishes.grant('a');
    expect(granted).toEqual(['a', 'a']);
    await time.pass(2_000);
    expect(granted).toHaveLength(2);
  });

  it('that could not be granted is told, and granted in a moment', async () => {
    away = true;
    await expect(wishes.wish('a')).rejects.toThrow('away');
    await time.pass(2_000);
    away = false;
    await time.pass(2_000);
    expect(granted).toEqual(['a']);
    await time.pass(2_000);
    expect(granted).toEqual(['a']);
  });

  it('that was kept for later is granted at the end', async () => {
    for (const id of ['a', 'a', 'b']) await wishes.wish(id);
    await wishes.grantAll();
    expect(granted).toEqual(['a', 'b', 'a']);
    await time.pass(2_000);
    expect(granted).toHaveLength(3);
  });
});
