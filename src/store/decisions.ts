import type { Keys } from './keys.ts';
import { type Redis, sendAll } from './redis.ts';

/** What was decided about an event and a workflow, and why; it answers `/why`. */
export interface Decision {
  at: number;
  delivery: string;
  event: string;
  workflow: string | null;
  verdict: 'started' | 'merged' | 'sent to a session' | 'not matched' | 'checked';
  reason: string;
  run: string | null;
}

const KEPT_SECONDS = 30 * 86_400;
export const MOST = 500;

/** Decisions by resource, newest first, kept for 30 days. */
export interface Decisions {
  record(repository: number, resource: string, decisions: Decision[]): Promise<void>;
  list(repository: number, resource: string): Promise<Decision[]>;
}

export function makeDecisions(redis: Redis, keys: Keys): Decisions {
  return {
    async record(repository, resource, decisions) {
      if (decisions.length === 0) return;
      const name = keys.decisions(repository, resource);
      const texts = decisions.map((decision) => JSON.stringify(decision));
      const commands = redis.multi().lpush(name, ...texts);
      await sendAll(commands.ltrim(name, 0, MOST - 1).expire(name, KEPT_SECONDS));
    },
    async list(repository, resource) {
      const texts = await redis.lrange(keys.decisions(repository, resource), 0, -1);
      return texts.map((text) => JSON.parse(text) as Decision);
    },
  };
}
