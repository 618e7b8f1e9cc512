import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript, type Script } from './script.ts';

const KEPT_SECONDS = 31 * 86_400;

/** Counts one more start, at the journal's present length; at another length than the last time the count begins anew. */
const BEGIN = defineScript(`
local length = tostring(redis.call('XLEN', KEYS[2]))
if redis.call('HGET', KEYS[1], 'length') ~= length then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'length', length)
end
local count = redis.call('HINCRBY', KEYS[1], 'open', 1)
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {count - 1, redis.call('HGET', KEYS[1], 'how') or ''}
`);

const LOOK = defineScript(`
if redis.call('HGET', KEYS[1], 'length') ~= tostring(redis.call('XLEN', KEYS[2])) then return {0, ''} end
return {tonumber(redis.call('HGET', KEYS[1], 'open') or '0'), redis.call('HGET', KEYS[1], 'how') or ''}
`);

const END = defineScript(`
if tonumber(redis.call('HGET', KEYS[1], 'open') or '0') < 1 then return 0 end
local count = redis.call('HINCRBY', KEYS[1], 'open', -1)
if count == 0 then redis.call('DEL', KEYS[1]) end
return count
`);

const DIED = defineScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'how', ARGV[1]) end
return 0
`);

/** Starts that neither came to an end nor wrote an entry, and how the last of them ended, where that was seen. */
export interface Crashes {
  count: number;
  how: string;
}

/**
 * How often a run or delegation was begun without getting any further: what tells one that kills its process from one that was only unlucky. Every
 * `begin` is followed by an `end`, unless the process dies. A new entry in the journal sets the count back.
 */
export interface Starts {
  /** Counts a start; answers the crashes before it. */
  begin(id: string): Promise<Crashes>;
  /** The crashes so far, without a start. */
  look(id: string): Promise<Crashes>;
  /** The start came to an end, whatever it was. */
  end(id: string): Promise<void>;
  /** The start died, and was seen to. */
  died(id: string, how: string): Promise<void>;
}

export function makeStarts(redis: Redis, keys: Keys): Starts {
  const ask = async (script: Script, id: string, args: number[]): Promise<Crashes> => {
    const [count, how] = (await runScript(redis, script, [keys.starts(id), keys.journal(id)], args)) as [number, string];
    return { count: Number(count), how };
  };
  return {
    begin: (id) => ask(BEGIN, id, [KEPT_SECONDS]),
    look: (id) => ask(LOOK, id, []),
    async end(id) {
      await runScript(redis, END, [keys.starts(id)], []);
    },
    async died(id, how) {
      await runScript(redis, DIED, [keys.starts(id)], [how]);
    },
  };
}
