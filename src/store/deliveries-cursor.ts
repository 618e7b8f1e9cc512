import type { Keys } from './keys.ts';
import { type Redis, sendAll } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** Longer than GitHub keeps deliveries. */
const KEPT_MS = 4 * 86_400_000;

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

/** How far the App's deliveries were read from GitHub's list, shared by all processes. Times are ms since 1970. */
export interface DeliveriesCursor {
  /** Takes or keeps the right to read, for `ms`; false where another process has it. */
  hold(holder: string, ms: number): Promise<boolean>;
  letGo(holder: string): Promise<void>;
  /** When reading began for the first time (`now`, where that is now), and the time of the newest delivery that was seen; null where none was. */
  open(now: number): Promise<{ since: number; newest: number | null }>;
  /** Those of the deliveries that were not seen yet, in the order given, each once. */
  unseen(guids: string[]): Promise<string[]>;
  /** Marks a delivery as seen: it is in the queue, was handled before, or cannot be had. */
  see(guid: string, deliveredAt: number): Promise<void>;
}

export function makeDeliveriesCursor(redis: Redis, keys: Keys): DeliveriesCursor {
  const [lease, since, seen] = [keys.polling('lease'), keys.polling('since'), keys.polling('seen')];
  return {
    async hold(holder, ms) {
      return (await runScript(redis, HOLD, [lease], [holder, Math.ceil(ms)])) === 1;
    },
    async letGo(holder) {
      await runScript(redis, LET_GO, [lease], [holder]);
    },
    async open(now) {
      await redis.setnx(since, now);
      const [, score] = await redis.zrange(seen, '-1', '-1', 'WITHSCORES');
      return { since: Number(await redis.get(since)), newest: score === undefined ? null : Number(score) };
    },
    async unseen(guids) {
      const distinct = [...new Set(guids)];
      if (distinct.length === 0) return [];
      const scores = await redis.zmscore(seen, ...distinct);
      return distinct.filter((_, index) => scores[index] === null);
    },
    async see(guid, deliveredAt) {
      const commands = redis.multi().zadd(seen, deliveredAt, guid);
      await sendAll(commands.zremrangebyscore(seen, '-inf', deliveredAt - KEPT_MS));
    },
  };
}
