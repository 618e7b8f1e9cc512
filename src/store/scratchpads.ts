import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** The scratchpads of one run: texts that its agents share. Every write carries the key of its call, so that a repeated call changes nothing twice. */
export interface Scratchpads {
  read(name: string): Promise<string | null>;
  write(name: string, text: string, key: string): Promise<void>;
  append(name: string, text: string, key: string): Promise<void>;
  list(): Promise<{ name: string; size: number }[]>;
}

const WRITE = defineScript(`
if redis.call('SADD', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1
`);

const APPEND = defineScript(`
if redis.call('SADD', KEYS[2], ARGV[1]) == 0 then return 0 end
local old = redis.call('HGET', KEYS[1], ARGV[2]) or ''
if old ~= '' and string.sub(old, -1) ~= '\\n' then old = old .. '\\n' end
redis.call('HSET', KEYS[1], ARGV[2], old .. ARGV[3])
return 1
`);

/** The scratchpads of one run in Redis. */
export function makeScratchpads(redis: Redis, keys: Keys, run: string): Scratchpads {
  const names = [keys.pads(run), keys.padWrites(run)];
  return {
    read: (name) => redis.hget(keys.pads(run), name),
    async write(name, text, key) {
      await runScript(redis, WRITE, names, [key, name, text]);
    },
    async append(name, text, key) {
      await runScript(redis, APPEND, names, [key, name, text]);
    },
    async list() {
      const all = await redis.hgetall(keys.pads(run));
      return Object.entries(all)
        .map(([name, text]) => ({ name, size: text.length }))
        .sort((a, b) => a.name.localeCompare(b.name));
    },
  };
}
