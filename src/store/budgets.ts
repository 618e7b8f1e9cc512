import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** What calls of models use up: tokens, and millionths of a US dollar. */
export interface Spending {
  tokens: number;
  microdollars: number;
}

/** What a run may use up in all; null is no limit. */
export interface Allowed {
  tokens: number | null;
  microdollars: number | null;
}

/** Used and reserved so far, against what is allowed: `share` is the fuller of the two, 1 at the limit. */
export interface BudgetState extends Spending {
  granted: boolean;
  share: number;
}

/**
 * The budget of a run, shared by all its parallel delegations: reserved before a call and settled after it, each under the key of its turn, so that
 * repeating either after a crash changes nothing.
 */
export interface Budgets {
  reserve(run: string, key: string, estimate: Spending, allowed: Allowed): Promise<BudgetState>;
  settle(run: string, key: string, spent: Spending): Promise<void>;
}

const RESERVE = defineScript(`
local tokens, micro = 0, 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if all[i] ~= ARGV[1] then
    local t, m = string.match(all[i + 1], '^(%d+) (%d+)$')
    tokens = tokens + tonumber(t)
    micro = micro + tonumber(m)
  end
end
local granted = 1
if ARGV[4] ~= '' and tokens + tonumber(ARGV[2]) > tonumber(ARGV[4]) then granted = 0 end
if ARGV[5] ~= '' and micro + tonumber(ARGV[3]) > tonumber(ARGV[5]) then granted = 0 end
if granted == 1 then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3]) end
redis.call('EXPIRE', KEYS[1], ARGV[6])
return { granted, tokens, micro }
`);

const KEPT_SECONDS = 31 * 86_400;

export function makeBudgets(redis: Redis, keys: Keys): Budgets {
  return {
    async reserve(run, key, estimate, allowed) {
      const limit = (value: number | null) => (value === null ? '' : Math.floor(value));
      const args = [
        key,
        Math.ceil(estimate.tokens),
        Math.ceil(estimate.microdollars),
        limit(allowed.tokens),
        limit(allowed.microdollars),
        KEPT_SECONDS,
      ];
      const [granted, tokens, microdollars] = (await runScript(redis, RESERVE, [keys.budget(run)], args)) as [number, number, number];
      const shares = [allowed.tokens ? tokens / allowed.tokens : 0, allowed.microdollars ? microdollars / allowed.microdollars : 0];
      return { granted: granted === 1, tokens, microdollars, share: Math.max(...shares) };
    },
    async settle(run, key, spent) {
      await redis.hset(keys.budget(run), key, `${Math.ceil(spent.tokens)} ${Math.ceil(spent.microdollars)}`);
    },
  };
}
