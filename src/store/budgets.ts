import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** What work uses up: tokens, millionths of a US dollar, turns, tool calls, delegations, and time of models (ms). */
export interface Spending {
  tokens: number;
  microdollars: number;
  turns: number;
  calls: number;
  delegations: number;
  ms: number;
}

/** The parts of what is spent, in the order in which they are kept. */
export const PARTS = ['tokens', 'microdollars', 'turns', 'calls', 'delegations', 'ms'] as const;

/** What is booked on: a run's account, a session's, or that of a repository, an organisation or the app on one day. A part without a ceiling is only counted. */
export interface Account {
  id: string;
  ceiling: { [Part in keyof Spending]?: number | null };
}

/** Where something is spent: its run, and the place in it. The same place again is the same spending. */
export interface Place {
  run: string;
  key: string;
}

/** What each account had used and reserved, in the order of the accounts, without what the same place had reserved. */
export interface Reservation {
  granted: boolean;
  used: Spending[];
}

/** A reservation that is not settled after this long belonged to a call that was killed, and counts no more (ms). Longer than any answer of a model takes. */
export const RESERVED_MS = 900_000;

/**
 * Budgets, shared by all processes and parallel delegations: reserved before a call and settled after it, each under its place, so that repeating either after a
 * crash changes nothing. A reservation is granted on all accounts or on none.
 */
export interface Budgets {
  reserve(place: Place, estimate: Partial<Spending>, accounts: Account[]): Promise<Reservation>;
  settle(place: Place, spent: Partial<Spending>, accounts: Account[]): Promise<void>;
  /** Gives back what a run has reserved and will not settle any more. */
  release(run: string, accounts: Account[]): Promise<void>;
  /** What each account has used, in their order. */
  look(accounts: Account[]): Promise<Spending[]>;
}

/** Keys: the run's settled places, then for each account its totals and its open reservations, which only one with a ceiling has. */
const RESERVE = defineScript(`
local own, now, parts = ARGV[1], tonumber(ARGV[2]), 6
local granted, answer, limited = 1, {}, {}
local known = redis.call('HEXISTS', KEYS[1], own) == 1
for a = 1, (#KEYS - 1) / 2 do
  local used = {}
  local totals = redis.call('HMGET', KEYS[2 * a], '1', '2', '3', '4', '5', '6')
  for p = 1, parts do used[p] = tonumber(totals[p] or '0') or 0 end
  local open = redis.call('HGETALL', KEYS[2 * a + 1])
  for i = 1, #open, 2 do
    local row = {}
    for number in string.gmatch(open[i + 1], '%S+') do row[#row + 1] = tonumber(number) end
    if row[parts + 1] + ${RESERVED_MS} < now then
      redis.call('HDEL', KEYS[2 * a + 1], open[i])
    elseif open[i] ~= own then
      for p = 1, parts do used[p] = used[p] + row[p] end
    end
  end
  for p = 1, parts do
    local ceiling = ARGV[3 + parts + (a - 1) * parts + p]
    if ceiling ~= '' then limited[a] = true end
    if ceiling ~= '' and used[p] + tonumber(ARGV[3 + p]) > tonumber(ceiling) and not known then granted = 0 end
    answer[#answer + 1] = used[p]
  end
end
if granted == 1 and not known then
  local row = {}
  for p = 1, parts do row[p] = ARGV[3 + p] end
  row[parts + 1] = ARGV[2]
  for a in pairs(limited) do
    redis.call('HSET', KEYS[2 * a + 1], own, table.concat(row, ' '))
    redis.call('EXPIRE', KEYS[2 * a + 1], ARGV[3])
  end
end
return { granted, unpack(answer) }
`);

const SETTLE = defineScript(`
local own, parts = ARGV[1], 6
local before = {}
for number in string.gmatch(redis.call('HGET', KEYS[1], own) or '', '%S+') do before[#before + 1] = tonumber(number) end
local row = {}
for p = 1, parts do row[p] = ARGV[2 + p] end
redis.call('HSET', KEYS[1], own, table.concat(row, ' '))
redis.call('EXPIRE', KEYS[1], ARGV[2])
for a = 1, (#KEYS - 1) / 2 do
  local totals, sums = redis.call('HMGET', KEYS[2 * a], '1', '2', '3', '4', '5', '6'), {}
  for p = 1, parts do
    local more = tonumber(row[p]) - (before[p] or 0)
    if more ~= 0 then
      sums[#sums + 1] = p
      sums[#sums + 1] = string.format('%.0f', (tonumber(totals[p] or '0') or 0) + more)
    end
  end
  local limited = ARGV[2 + parts + a] == '1'
  if #sums > 0 then redis.call('HSET', KEYS[2 * a], unpack(sums)) end
  if limited or not totals[1] then redis.call('EXPIRE', KEYS[2 * a], ARGV[2]) end
  if limited then redis.call('HDEL', KEYS[2 * a + 1], own) end
end
return 1
`);

const RELEASE = defineScript(`
for a = 1, #KEYS do
  for _, place in ipairs(redis.call('HKEYS', KEYS[a])) do
    if string.sub(place, 1, string.len(ARGV[1])) == ARGV[1] then redis.call('HDEL', KEYS[a], place) end
  end
end
return 1
`);

const KEPT_SECONDS = 31 * 86_400;

/** Budgets in Redis; `now` is the time by which reservations grow old. */
export function makeBudgets(redis: Redis, keys: Keys, now: () => number = Date.now): Budgets {
  const names = (run: string, accounts: Account[]) => [
    keys.settled(run),
    ...accounts.flatMap(({ id }) => [keys.account(id), keys.reserved(id)]),
  ];
  return {
    async reserve({ run, key }, estimate, accounts) {
      const ceilings = accounts.flatMap(({ ceiling }) => PARTS.map((part) => ceilingOf(ceiling[part])));
      const args = [placeName(run, key), now(), KEPT_SECONDS, ...wholeOf(estimate), ...ceilings];
      const [granted, ...used] = (await runScript(redis, RESERVE, names(run, accounts), args)) as number[];
      return { granted: granted === 1, used: accounts.map((_, at) => spendingOf(used.slice(at * PARTS.length))) };
    },
    async settle({ run, key }, spent, accounts) {
      const limited = accounts.map((account) => (isLimited(account) ? 1 : 0));
      await runScript(redis, SETTLE, names(run, accounts), [placeName(run, key), KEPT_SECONDS, ...wholeOf(spent), ...limited]);
    },
    async release(run, accounts) {
      const reserved = accounts.map(({ id }) => keys.reserved(id));
      await runScript(redis, RELEASE, reserved, [placeName(run, '')]);
    },
    async look(accounts) {
      const rows = await Promise.all(accounts.map(({ id }) => redis.hmget(keys.account(id), ...PARTS.map((_, at) => `${at + 1}`))));
      return rows.map((row) => spendingOf(row.map((text) => Number(text ?? 0))));
    },
  };
}

/** Whether an account has a ceiling: what is reserved on another need not be known. */
export function isLimited({ ceiling }: Account): boolean {
  return PARTS.some((part) => ceiling[part] !== null && ceiling[part] !== undefined);
}

/** The amounts in the order of their parts, whole. */
export function wholeOf(spent: Partial<Spending>): number[] {
  return PARTS.map((part) => Math.ceil(spent[part] ?? 0));
}

/** The opposite of `wholeOf`. */
export function spendingOf(amounts: number[]): Spending {
  const [tokens = 0, microdollars = 0, turns = 0, calls = 0, delegations = 0, ms = 0] = amounts;
  return { tokens, microdollars, turns, calls, delegations, ms };
}

/** A run's places begin alike. */
export function placeName(run: string, key: string): string {
  return `${run} ${key}`;
}

function ceilingOf(value: number | null | undefined): number | '' {
  return value === null || value === undefined ? '' : Math.floor(value);
}
