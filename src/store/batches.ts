import type { Keys } from './keys.ts';
import { type Redis, sendAll } from './redis.ts';
import { defineScript, runScript } from './script.ts';

const KEPT_SECONDS = 31 * 86_400;

const END = defineScript(`
redis.call('SREM', KEYS[1], ARGV[1])
return redis.call('SCARD', KEYS[1])
`);

/** Which delegations of a run are open, so that the last to end wakes the run at once and the others need not. Only a hint: journals hold the truth. */
export interface Batches {
  open(run: string, delegations: string[]): Promise<void>;
  /** Ends one; answers how many are left. */
  end(run: string, delegation: string): Promise<number>;
  /** Those that are open. */
  look(run: string): Promise<string[]>;
}

/** Batches in Redis. */
export function makeBatches(redis: Redis, keys: Keys): Batches {
  return {
    async open(run, delegations) {
      const commands = redis.pipeline().sadd(keys.batch(run), ...delegations);
      await sendAll(commands.expire(keys.batch(run), KEPT_SECONDS));
    },
    async end(run, delegation) {
      return Number(await runScript(redis, END, [keys.batch(run)], [delegation]));
    },
    look: (run) => redis.smembers(keys.batch(run)),
  };
}
