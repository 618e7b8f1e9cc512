import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript, type Script } from './script.ts';

const KEPT_SECONDS = 31 * 86_400;

/** Every script first forgets what was counted at another length of the journal. */
const KNOWN = `
local length = tostring(redis.call('XLEN', KEYS[2]))
local known = redis.call('HMGET', KEYS[1], 'length', 'open', 'failures', 'since', 'how')
if known[1] and known[1] ~= length then
  redis.call('DEL', KEYS[1])
  known = {}
end
local past = {tonumber(known[2] or '0'), tonumber(known[3] or '0'), known[4] or '0', known[5] or ''}
`;

const LOOK = defineScript(`${KNOWN} return past`);

const BEGIN = defineScript(`${KNOWN}
redis.call('HSET', KEYS[1], 'length', length, 'open', past[1] + 1)
redis.call('EXPIRE', KEYS[1], ${KEPT_SECONDS})
return past
`);

const TAKE_BACK = defineScript(`${KNOWN}
if past[1] > 0 then redis.call('HSET', KEYS[1], 'open', past[1] - 1) end
return past
`);

const END = defineScript(`${KNOWN}
if past[1] > 1 then
  redis.call('HSET', KEYS[1], 'open', past[1] - 1)
  redis.call('HDEL', KEYS[1], 'failures', 'since')
else redis.call('DEL', KEYS[1]) end
return past
`);

const FAILED = defineScript(`${KNOWN}
redis.call('HSET', KEYS[1], 'length', length, 'open', math.max(0, past[1] - 1), 'failures', past[2] + 1, 'how', ARGV[1])
redis.call('HSETNX', KEYS[1], 'since', redis.call('TIME')[1])
redis.call('EXPIRE', KEYS[1], ${KEPT_SECONDS})
return past
`);

const DIED = defineScript(`${KNOWN}
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'how', ARGV[1]) end
return past
`);

/**
 * What became of the starts since the last entry: `count` never came to an end, so their process died; `failures` in a row ended by an error, the first of
 * them at `since` (ms since 1970; 0 without one). `how` the last of all ended, where that was seen.
 */
export interface Past {
  count: number;
  failures: number;
  since: number;
  how: string;
}

/**
 * How often a run or delegation was begun without getting any further: what tells one that kills its process, or cannot even be read, from one that was only
 * unlucky. Every `begin` is followed by `end`, `failed` or `takeBack`, unless the process dies. A new entry in the journal sets all counts back.
 */
export interface Starts {
  /** Counts a start; answers what was before it. */
  begin(id: string): Promise<Past>;
  /** What was so far, without a start. */
  look(id: string): Promise<Past>;
  /** There was no start after all. */
  takeBack(id: string): Promise<void>;
  /** The start came to an end in order. */
  end(id: string): Promise<void>;
  /** The start came to an end by an error. */
  failed(id: string, how: string): Promise<void>;
  /** The start died, and was seen to. */
  died(id: string, how: string): Promise<void>;
  /** Nothing is held against it any more. */
  forget(id: string): Promise<void>;
}

/** Starts in Redis. */
export function makeStarts(redis: Redis, keys: Keys): Starts {
  const ask = async (script: Script, id: string, args: string[] = []): Promise<Past> => {
    const told = (await runScript(redis, script, [keys.starts(id), keys.journal(id)], args)) as [number, number, string, string];
    const [count, failures, seconds, how] = told;
    return { count, failures, since: Number(seconds) * 1_000, how };
  };
  return {
    begin: (id) => ask(BEGIN, id),
    look: (id) => ask(LOOK, id),
    async takeBack(id) {
      await ask(TAKE_BACK, id);
    },
    async end(id) {
      await ask(END, id);
    },
    async failed(id, how) {
      await ask(FAILED, id, [how]);
    },
    async died(id, how) {
      await ask(DIED, id, [how]);
    },
    async forget(id) {
      await redis.del(keys.starts(id));
    },
  };
}
