import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** One run at a time per resource; those that wait go by priority (lower first), then first come. */
export interface Lanes {
  /** Enters a lane: true where the run may go now. Entering again changes nothing. */
  enter(resource: string, run: string, priority: number): Promise<boolean>;
  /** Leaves a lane; answers the run that holds it now, if there is one. Leaving again answers the same, so that a crash before its wake loses nothing. */
  leave(resource: string, run: string): Promise<string | null>;
  /** The run that holds the lane, and those that wait, in order. */
  look(resource: string): Promise<{ active: string | null; queued: string[] }>;
}

const ENTER = defineScript(`
local active = redis.call('HGET', KEYS[1], 'active')
if active == ARGV[1] then return 1 end
if not active then
  redis.call('HSET', KEYS[1], 'active', ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 1
end
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
redis.call('ZADD', KEYS[2], 'NX', tonumber(ARGV[2]) * 1000000000 + seq, ARGV[1])
return 0
`);

const LEAVE = defineScript(`
redis.call('ZREM', KEYS[2], ARGV[1])
local active = redis.call('HGET', KEYS[1], 'active')
if active ~= ARGV[1] then return active or '' end
local next = redis.call('ZPOPMIN', KEYS[2])
if #next == 0 then
  redis.call('HDEL', KEYS[1], 'active')
  return ''
end
redis.call('HSET', KEYS[1], 'active', next[1])
return next[1]
`);

/** Lanes in Redis. */
export function makeLanes(redis: Redis, keys: Keys): Lanes {
  const names = (resource: string) => [keys.lane(resource), `${keys.lane(resource)}:queue`];
  return {
    async enter(resource, run, priority) {
      return (await runScript(redis, ENTER, names(resource), [run, priority])) === 1;
    },
    async leave(resource, run) {
      const next = String(await runScript(redis, LEAVE, names(resource), [run]));
      return next === '' ? null : next;
    },
    async look(resource) {
      const [lane, queue] = names(resource);
      return { active: await redis.hget(lane ?? '', 'active'), queued: await redis.zrange(queue ?? '', '0', '-1') };
    },
  };
}
