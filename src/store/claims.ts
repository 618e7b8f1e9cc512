import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** Four days: longer than GitHub keeps deliveries for redelivery (spec 6). */
export const KEPT_SECONDS = 4 * 86_400;

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
   * Claims an id and a body for a delivery; its own claim from before a crash counts as free. Answers what was taken already, or null. `bodySeconds`: how
   * long the body counts as taken, where the same may soon be said again.
   */
  take(delivery: string, bodyDigest: string, options?: { bodySeconds?: number }): Promise<'id' | 'body' | null>;
  /** Marks a delivery as done, so that a redelivery of the same id is known. */
  finish(delivery: string): Promise<void>;
  /** Those of the deliveries that are done. */
  finished(deliveries: string[]): Promise<string[]>;
}

export function makeClaims(redis: Redis, keys: Keys): Claims {
  return {
    async take(delivery, bodyDigest, { bodySeconds = KEPT_SECONDS } = {}) {
      const names = [keys.claim('delivery', delivery), keys.claim('body', bodyDigest)];
      const taken = await runScript(redis, CLAIM, names, [delivery, bodySeconds]);
      return taken === 0 ? null : taken === 1 ? 'id' : 'body';
    },
    async finish(delivery) {
      await redis.set(keys.claim('delivery', delivery), '1', 'EX', KEPT_SECONDS);
    },
    async finished(deliveries) {
      if (deliveries.length === 0) return [];
      const marks = await redis.mget(deliveries.map((delivery) => keys.claim('delivery', delivery)));
      return deliveries.filter((_, index) => marks[index] !== null);
    },
  };
}
