import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

const KEPT_SECONDS = 31 * 86_400;

const TAKE = defineScript(`
local run = redis.call('HGET', KEYS[1], 'run')
local at = tonumber(redis.call('HGET', KEYS[1], 'at') or '0')
if run and run ~= ARGV[1] and at > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'at', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
`);

/** The one status comment that runs of a workflow share on a resource: which it is, and whose state it shows. */
export interface StatusPlaces {
  /** The run that it shows, and its comment as far as that is known; null where no run has taken it. */
  look(resource: string, workflow: string): Promise<{ run: string; comment: number | null } | null>;
  /** Shows a run from now on, unless it shows one that was started later; `at`: the time of the run's start (ms since 1970). */
  take(resource: string, workflow: string, run: { run: string; at: number }): Promise<boolean>;
  /** Remembers the comment. */
  keep(resource: string, workflow: string, comment: number): Promise<void>;
}

/** Status places in Redis. */
export function makeStatusPlaces(redis: Redis, keys: Keys): StatusPlaces {
  return {
    async look(resource, workflow) {
      const [run, comment] = await redis.hmget(keys.statusPlace(resource, workflow), 'run', 'comment');
      return run ? { run, comment: comment ? Number(comment) : null } : null;
    },
    async take(resource, workflow, { run, at }) {
      return (await runScript(redis, TAKE, [keys.statusPlace(resource, workflow)], [run, at, KEPT_SECONDS])) === 1;
    },
    async keep(resource, workflow, comment) {
      await redis.hset(keys.statusPlace(resource, workflow), 'comment', comment);
    },
  };
}
