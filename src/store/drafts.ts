import type { DraftReviews, Finding, Rung } from '../journal/finding.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

const HEIGHT: Record<Rung, number> = { line: 3, 'range-cut': 2, file: 1, body: 0 };

/**
 * One field a finding, and one that maps path and body to the findings that say it. A finding whose twin stands on a lower rung takes the
 * twin's id and place in the order; anything else with a new id is added at the end.
 */
const ADD = defineScript(`
local finding = cjson.decode(ARGV[1])
local height = tonumber(ARGV[2])
local known = redis.call('HGET', KEYS[1], 'f:' .. finding.id)
if known then return known end
local moved = redis.call('HGET', KEYS[1], 'm:' .. finding.id)
if moved then return redis.call('HGET', KEYS[1], 'f:' .. moved) end
local twins = redis.call('HGET', KEYS[1], 't:' .. ARGV[3])
if twins then
  for id in string.gmatch(twins, '%S+') do
    local text = redis.call('HGET', KEYS[1], 'f:' .. id)
    local other = cjson.decode(text)
    if not other.posted and tonumber(redis.call('HGET', KEYS[1], 'h:' .. id)) < height then
      redis.call('HSET', KEYS[1], 'm:' .. finding.id, id, 'h:' .. id, height, 'f:' .. id, ARGV[4] .. id .. ARGV[5])
      return redis.call('HGET', KEYS[1], 'f:' .. id)
    end
    if tonumber(redis.call('HGET', KEYS[1], 'h:' .. id)) > height then
      redis.call('HSET', KEYS[1], 'm:' .. finding.id, id)
      return text
    end
  end
end
local n = redis.call('HINCRBY', KEYS[1], 'count', 1)
redis.call('HSET', KEYS[1], 'f:' .. finding.id, ARGV[1], 'h:' .. finding.id, height, 'n:' .. n, finding.id, 't:' .. ARGV[3], (twins and (twins .. ' ') or '') .. finding.id)
return ARGV[1]
`);

/** The findings of runs, before and after they were posted. Written by parallel delegations; every write is one script. */
export function makeDrafts(redis: Redis, keys: Keys): DraftReviews {
  return {
    async add(run, finding) {
      const [before, after] = splitAtId(finding);
      const args = [JSON.stringify(finding), HEIGHT[finding.rung], `${finding.path}\n${finding.body}`, before, after];
      const text = await runScript(redis, ADD, [keys.draft(run)], args);
      return JSON.parse(String(text)) as Finding;
    },
    async list(run) {
      const all = await redis.hgetall(keys.draft(run));
      const order = Array.from({ length: Number(all.count ?? 0) }, (_, k) => all[`n:${k + 1}`]);
      return order.flatMap((id) => {
        const text = all[`f:${id}`];
        return text ? [JSON.parse(text) as Finding] : [];
      });
    },
    async markPosted(run, id, posted) {
      const text = await redis.hget(keys.draft(run), `f:${id}`);
      if (text) await redis.hset(keys.draft(run), `f:${id}`, JSON.stringify({ ...(JSON.parse(text) as Finding), posted }));
    },
  };
}

/** The text of a finding around its id, so that the script can put another's id there without writing JSON itself. */
function splitAtId(finding: Finding): [string, string] {
  const { id, ...rest } = finding;
  return ['{"id":"', `",${JSON.stringify(rest).slice(1)}`];
}
