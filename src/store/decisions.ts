import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

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
/** How many decisions of one resource are kept. */
export const MOST = 500;

const RECORD = defineScript(`
local count = redis.call('LPUSH', KEYS[1], unpack(ARGV, 3))
if count > tonumber(ARGV[1]) then redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[1]) - 1) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
`);

/** Decisions by resource, newest first, kept for some days. */
export interface Decisions {
  record(repository: number, resource: string, decisions: Decision[]): Promise<void>;
  list(repository: number, resource: string): Promise<Decision[]>;
}

/** Decisions in Redis, kept for so many days after the newest. */
export function makeDecisions(redis: Redis, keys: Keys, days = KEPT_DAYS): Decisions {
  return {
    async record(repository, resource, decisions) {
      if (decisions.length === 0) return;
      const texts = decisions.map((decision) => JSON.stringify(decision));
      await runScript(redis, RECORD, [keys.decisions(repository, resource)], [MOST, Math.ceil(days * 86_400), ...texts]);
    },
    async list(repository, resource) {
      const texts = await redis.lrange(keys.decisions(repository, resource), 0, -1);
      return texts.map((text) => JSON.parse(text) as Decision);
    },
  };
}
