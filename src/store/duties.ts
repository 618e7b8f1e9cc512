import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

const HOLD = defineScript(`
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

const LET_GO = defineScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`);

/** What one process at a time does for all of them. */
export interface Duties {
  /** Takes or keeps a duty for `ms`; false where another process has it. */
  hold(duty: string, holder: string, ms: number): Promise<boolean>;
  letGo(duty: string, holder: string): Promise<void>;
  /** Notes that a round of a duty begins (ms since 1970). */
  begin(duty: string, at: number): Promise<void>;
  /** When the newest round began; 0 where none did. */
  begunAt(duty: string): Promise<number>;
}

/** Duties in Redis. */
export function makeDuties(redis: Redis, keys: Keys): Duties {
  return {
    async hold(duty, holder, ms) {
      return (await runScript(redis, HOLD, [keys.duty(duty, 'holder')], [holder, Math.ceil(ms)])) === 1;
    },
    async letGo(duty, holder) {
      await runScript(redis, LET_GO, [keys.duty(duty, 'holder')], [holder]);
    },
    async begin(duty, at) {
      await redis.set(keys.duty(duty, 'begun'), at);
    },
    async begunAt(duty) {
      return Number((await redis.get(keys.duty(duty, 'begun'))) ?? 0);
    },
  };
}
