import type { EffectRecord, EffectRecords } from '../journal/effect.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

const KEPT_SECONDS = 31 * 86_400;

const SWAP = defineScript(`
local now = redis.call('GET', KEYS[1])
if now ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
`);

/** Effect records in Redis. A record is compared by its exact text, which only we write. */
export function makeEffectRecords(redis: Redis, keys: Keys): EffectRecords {
  const texts = new WeakMap<EffectRecord, string>();
  return {
    async get(id) {
      const text = await redis.get(keys.effect(id));
      if (text === null) return null;
      const record = JSON.parse(text) as EffectRecord;
      texts.set(record, text);
      return record;
    },
    async swap(id, seen, next) {
      const text = JSON.stringify(next);
      texts.set(next, text);
      if (seen === null) return (await redis.set(keys.effect(id), text, 'EX', KEPT_SECONDS, 'NX')) === 'OK';
      const before = texts.get(seen) ?? JSON.stringify(seen);
      return (await runScript(redis, SWAP, [keys.effect(id)], [before, text, KEPT_SECONDS])) === 1;
    },
  };
}
