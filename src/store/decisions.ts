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

/** How long decisions are kept where nothing else is said. */
const KEPT_DAYS = 30;
export const MOST = 500;

/** Decisions by resource, newest first, kept for some days. */
export interface Decisions {
  record(repository: number, resource: string, decisions: Decision[]): Promise<void>;
  list(repository: number, resource: string): Promise<Decision[]>;
}

export function makeDecisions(redis: Redis, keys: Keys, days = KEPT_DAYS): Decisions {
  return {
    async record(repository, resource, decisions) {
      if (decisions.length === 0) return;
      const name = keys.decisions(repository, resource);
      const texts = decisions.map((decision) => JSON.stringify(decision));
      const commands = redis.multi().lpush(name, ...texts);
      await sendAll(commands.ltrim(name, 0, MOST - 1).expire(name, Math.ceil(days * 86_400)));
    },
    async list(repository, resource) {
      const texts = await redis.lrange(keys.decisions(repository, resource), 0, -1);
      return texts.map((text) => JSON.parse(text) as Decision);
    },
  };
}
