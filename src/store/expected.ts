import type { Keys } from './keys.ts';
import type { Timer } from './queues.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** Something that has to move: what a timer wakes, or an effect that has to be looked at again. */
export interface Expectable {
  wake: Timer['wake'] | 'effect';
  id: string;
}

/**
 * What has not ended yet, and by when it has to move. Whoever works on something says when it is to be looked at if nothing came before, so that what was
 * lost (a job, a timer, a wake) is found without reading journals. Times are ms since 1970.
 */
export interface Expected {
  /** Expects these to move by a time; again changes the time. */
  expect(all: Expectable[], by: number): Promise<void>;
  /** It ended: nothing is expected of it any more. */
  forget(one: Expectable): Promise<void>;
  /** Takes those that should have moved by `now`, soonest first, and expects them again by another time, so that each is given to one process. */
  take(now: number, options: { again: number; most: number }): Promise<Expectable[]>;
}

/** What was just asked for moves within this time (ms), unless its wake is lost. */
export const SOON_MS = 60_000;
const UNTIMED_MS = 5 * 60_000;
const LONGEST_MS = 3_600_000;

/** By when something that waits `until` a time is looked at if nothing woke it; sooner where it waits for others only (null), and every hour however long it waits. */
export function dueBy(now: number, until: number | null): number {
  return until === null ? now + UNTIMED_MS : Math.min(Math.max(now, until) + SOON_MS, now + LONGEST_MS);
}

const TAKE = defineScript(`
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, one in ipairs(due) do redis.call('ZADD', KEYS[1], ARGV[2], one) end
return due
`);

/** What is expected, in Redis. */
export function makeExpected(redis: Redis, keys: Keys): Expected {
  return {
    async expect(all, by) {
      if (all.length > 0) await redis.zadd(keys.expected(), ...all.flatMap((one) => [Math.ceil(by), nameOf(one)]));
    },
    async forget(one) {
      await redis.zrem(keys.expected(), nameOf(one));
    },
    async take(now, { again, most }) {
      const due = (await runScript(redis, TAKE, [keys.expected()], [now, Math.ceil(again), most])) as string[];
      return due.map(expectableOf);
    },
  };
}

function nameOf({ wake, id }: Expectable): string {
  return `${wake} ${id}`;
}

function expectableOf(name: string): Expectable {
  const at = name.indexOf(' ');
  return { wake: name.slice(0, at) as Expectable['wake'], id: name.slice(at + 1) };
}
