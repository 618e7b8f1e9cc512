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
    await settle();
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

let time: Time;
let wishes: Wishes;
let begun: string[];
let ends: Map<string, () => void>;

beforeEach(() => {
  [time, begun, ends] = [new Time(), [], new Map()];
  const make = (id: string) => {
    begun.push(id);
    return new Promise<void>((resolve) => ends.set(id, resolve));
  };
  wishes = new Wishes({ clock: time, make, shareOf: async (id) => Number(id.split('.')[0]) });
});

async function wish(id: string, when: 'now' | 'soon' | number = 'soon'): Promise<void> {
  wishes.wish(id, when);
  await settle();
}

async function end(id: string): Promise<void> {
  ends.get(id)?.();
  await settle();
}

describe('a wish for a report', () => {
  it('is fulfilled at once; all that follow while it is made, and a moment after, are one more', async () => {
    await wish('1.a');
    for (let k = 0; k < 5; k++) await wish('1.a');
    await end('1.a');
    for (let k = 0; k < 5; k++) await wish('1.a');
    expect(begun).toEqual(['1.a']);
    await time.pass(2_000);
    expect(begun).toEqual(['1.a', '1.a']);
    await end('1.a');
    await time.pass(2_000);
    expect(begun).toHaveLength(2);
    expect(wishes.has('1.a')).toBe(false);
  });

  it('for now waits for the report that is under way and for nothing else', async () => {
    await wish('1.a');
    await wish('1.a', 'now');
    await wish('1.a');
    expect(begun).toEqual(['1.a']);
    await end('1.a');
    expect(begun).toEqual(['1.a', '1.a']);
    await end('1.a');
    await wish('1.a', 'now');
    expect(begun).toHaveLength(3);
  });

  it('for a time is fulfilled then, also where it comes from the report itself, and not twice where one came before', async () => {
    await wish('1.a');
    await wish('1.a', time.now() + 60_000);
    await end('1.a');
    await time.pass(59_000);
    expect(begun).toHaveLength(1);
    await time.pass(1_000);
    expect(begun).toHaveLength(2);
    await end('1.a');
    await wish('1.b', time.now() + 5_000);
    await wish('1.b', 'now');
    await end('1.b');
    await time.pass(10_000);
    expect(begun).toEqual(['1.a', '1.a', '1.b']);
  });

  it('of one installation waits in its own line', async () => {
    for (let k = 0; k < 10; k++) await wish(`1.${k}`);
    await wish('2.a');
    expect(begun).toEqual(['1.0', '1.1', '1.2', '1.3', '2.a']);
    await end('1.2');
    expect(begun.at(-1)).toBe('1.4');
  });

  it('is not fulfilled while work is paused, nor after it stopped: then it is told what is left', async () => {
    wishes.pause();
    await wish('1.a');
    expect(begun).toEqual([]);
    wishes.resume();
    await wish('1.b');
    await wish('1.b');
    await end('1.a');
    wishes.pause();
    await wish('2.c');
    expect(wishes.stop().sort()).toEqual(['1.b', '2.c']);
    const idle = wishes.idle();
    await end('1.b');
    await idle;
    await time.pass(10_000);
    expect(begun).toEqual(['1.a', '1.b']);
  });
});
