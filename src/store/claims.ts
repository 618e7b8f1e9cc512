import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** Longer than github.com lets a delivery be sent again. */
export const DEDUPE_DAYS = 4;
/** Sessions read comments again as long as they are open. */
export const COMMENTS_KEPT_SECONDS = 31 * 86_400;

/** A body that another delivery brought before is the same event under a new id: the signature covers the body only. */
const CLAIM = defineScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
for i = 2, #KEYS do
  local owner = redis.call('GET', KEYS[i])
  if owner and owner ~= ARGV[1] then return i end
end
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[1], 'EX', ARGV[2]) end
return 0
`);

/** Which delivery has an id and a body. */
export interface Claims {
  /**
   * Claims an id and a body (null: none) for a delivery; its own claim from before a crash counts as free. Answers what was taken already, or null.
   * `bodySeconds`: how long the body counts as taken, where the same may soon be said again.
   */
  take(delivery: string, bodyDigest: string | null, options?: { bodySeconds?: number }): Promise<'id' | 'body' | null>;
  /** Marks a delivery as done, so that a redelivery of the same id is known. */
  finish(delivery: string): Promise<void>;
  /** Whether somebody is the first to do a thing within so many seconds; asking again under the same name answers the same. */
  isFirst(thing: string, who: string, seconds: number): Promise<boolean>;
  /** Those of the deliveries that are done. */
  finished(deliveries: string[]): Promise<string[]>;
  /** Claims a created comment for the delivery that brings it; false where another delivery brought it before. */
  takeComment(comment: string, delivery: string): Promise<boolean>;
  /** Those of the comments that some delivery brought. */
  broughtComments(comments: string[]): Promise<string[]>;
}

/** `days`: how long ids and bodies are known, which must be longer than GitHub lets a delivery be sent again. */
export function makeClaims(redis: Redis, keys: Keys, days = DEDUPE_DAYS): Claims {
  const keptSeconds = days * 86_400;
  return {
    async take(delivery, bodyDigest, { bodySeconds = keptSeconds } = {}) {
      const names = [keys.claim('delivery', delivery), ...(bodyDigest === null ? [] : [keys.claim('body', bodyDigest)])];
      const taken = await runScript(redis, CLAIM, names, [delivery, bodySeconds]);
      return taken === 0 ? null : taken === 1 ? 'id' : 'body';
    },
    async finish(delivery) {
      await redis.set(keys.claim('delivery', delivery), '1', 'EX', keptSeconds);
    },
    async isFirst(thing, who, seconds) {
      const name = keys.claim('once', thing);
      return (await redis.set(name, who, 'EX', seconds, 'NX')) === 'OK' || (await redis.get(name)) === who;
    },
    async finished(deliveries) {
      if (deliveries.length === 0) return [];
      const marks = await redis.mget(deliveries.map((delivery) => keys.claim('delivery', delivery)));
      return deliveries.filter((_, index) => marks[index] !== null);
    },
    async takeComment(comment, delivery) {
      const name = keys.claim('comment', comment);
      return (await redis.set(name, delivery, 'EX', COMMENTS_KEPT_SECONDS, 'NX')) === 'OK' || (await redis.get(name)) === delivery;
    },
    async broughtComments(comments) {
      if (comments.length === 0) return [];
      const owners = await redis.mget(comments.map((comment) => keys.claim('comment', comment)));
      return comments.filter((_, index) => owners[index] !== null);
    },
  };
}
