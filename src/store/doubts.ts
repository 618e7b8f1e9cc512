import type { Doubt, Doubts } from '../journal/effect.ts';
import type { Expected } from './expected.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';

/** Longer than GitHub, or this server, is away: nobody else knows of the double. */
const KEPT_SECONDS = 86_400;

/** A doubt is expected to be looked at, so it outlives its process. */
export function makeDoubts(redis: Redis, keys: Keys, expected: Expected): Doubts {
  return {
    async note(id, doubt, at) {
      await redis.set(keys.doubt(id), JSON.stringify(doubt), 'EX', KEPT_SECONDS);
      await expected.expect([{ wake: 'effect', id }], at);
    },
    async of(id) {
      const text = await redis.get(keys.doubt(id));
      return text === null ? null : (JSON.parse(text) as Doubt);
    },
  };
}
