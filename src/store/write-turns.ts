import { randomUUID } from 'node:crypto';
import type { WriteTurns } from '../journal/effect.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** Ours are below GitHub's 80 a minute and 500 an hour (spec: limits). */
export const PER_MINUTE = 60;
/** Creations of one installation in an hour, likewise. */
export const PER_HOUR = 400;
/** A place is renewed while it is held; one whose process died is free again after this long. */
export const LEASE_MS = 6_000;
/** How often a place is renewed (ms). */
export const RENEW_MS = 2_000;
/** How long who finds the place taken waits before asking again (ms). */
export const POLL_MS = 15;

/** Answers 0 and takes the place, or how many ms to wait. */
const TAKE = defineScript(`
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local blocked = tonumber(redis.call('GET', KEYS[3]) or '0')
if blocked > now then return blocked - now end
if ARGV[2] == '1' then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 3600000)
  local hour = redis.call('ZCARD', KEYS[2])
  if hour >= tonumber(ARGV[4]) then
    local first = redis.call('ZRANGE', KEYS[2], hour - tonumber(ARGV[4]), hour - tonumber(ARGV[4]), 'WITHSCORES')
    return tonumber(first[2]) + 3600001 - now
  end
  local minute = redis.call('ZCOUNT', KEYS[2], now - 60000, '+inf')
  if minute >= tonumber(ARGV[3]) then
    local first = redis.call('ZRANGE', KEYS[2], hour - tonumber(ARGV[3]), hour - tonumber(ARGV[3]), 'WITHSCORES')
    return tonumber(first[2]) + 60001 - now
  end
end
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[5]) then return tonumber(ARGV[6]) end
if ARGV[2] == '1' then
  redis.call('ZADD', KEYS[2], now, ARGV[1])
  redis.call('PEXPIRE', KEYS[2], 3700000)
end
return 0
`);

/** The later of two ends counts. The end comes as a distance, so that the clocks of machines need not agree. */
const BLOCK = defineScript(`
local t = redis.call('TIME')
local till = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[1])
if tonumber(redis.call('GET', KEYS[1]) or '0') < till then redis.call('SET', KEYS[1], till, 'PX', ARGV[1]) end
return 1
`);

const RELEASE = defineScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1`);

const RENEW = defineScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`);

/** The writes of an installation, one at a time over all processes; a place that is never given back is free again after 6 s. */
export function makeWriteTurns(redis: Redis, keys: Keys): WriteTurns {
  return {
    async take(installation, { content }) {
      const id = randomUUID();
      const names = [keys.writeLock(installation), keys.writeTimes(installation), keys.writeBlock(installation)];
      const wait = Number(await runScript(redis, TAKE, names, [id, content ? 1 : 0, PER_MINUTE, PER_HOUR, LEASE_MS, POLL_MS]));
      if (wait > 0) return { wait };
      const lock = keys.writeLock(installation);
      const beat = setInterval(() => runScript(redis, RENEW, [lock], [id, LEASE_MS]).catch(() => 'the lease ends by itself'), RENEW_MS);
      return {
        async release() {
          clearInterval(beat);
          await runScript(redis, RELEASE, [lock], [id]);
        },
      };
    },
    async block(installation, until) {
      const ms = Math.max(1, Math.ceil(until - Date.now()));
      await runScript(redis, BLOCK, [keys.writeBlock(installation)], [ms]);
    },
    async blockedFor(installation) {
      return Math.max(0, await redis.pttl(keys.writeBlock(installation)));
    },
  };
}
