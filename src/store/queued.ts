import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

const KEPT_SECONDS = 31 * 86_400;

const CLAIM = defineScript(`
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return redis.call('HGET', KEYS[1], ARGV[1])
`);

const CLEAR = defineScript(`if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end return 1`);

/** Which run of a workflow has not begun yet on a resource: a newer event is merged into it. */
export interface Queued {
  /** Names a run as the one that has not begun; answers the one that is named, which may be another. */
  claim(resource: string, workflow: string, run: string): Promise<string>;
  /** Names a run whatever stood there. */
  replace(resource: string, workflow: string, run: string): Promise<void>;
  /** The run has begun. */
  clear(resource: string, workflow: string, run: string): Promise<void>;
}

/** Runs that have not begun, in Redis. */
export function makeQueued(redis: Redis, keys: Keys): Queued {
  return {
    async claim(resource, workflow, run) {
      return String(await runScript(redis, CLAIM, [keys.queued(resource)], [workflow, run, KEPT_SECONDS]));
    },
    async replace(resource, workflow, run) {
      await redis.hset(keys.queued(resource), workflow, run);
    },
    async clear(resource, workflow, run) {
      await runScript(redis, CLEAR, [keys.queued(resource)], [workflow, run]);
    },
  };
}
