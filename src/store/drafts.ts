import type { DraftReviews, Finding, Rung } from '../journal/finding.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** How near to its line a finding stands, by its rung; of two that say the same the higher stays. */
export const HEIGHT: Record<Rung, number> = { line: 3, 'range-cut': 2, file: 1, body: 0 };

/**
 * One field a finding, one where it is posted, and one that maps path and body to the findings that say it. A finding whose twin stands on a lower
 * rung takes the twin's id and place in the order; anything else with a new id is added at the end.
 */
const ADD = defineScript(`
local id, height = ARGV[1], tonumber(ARGV[2])
local function answer(of) return { redis.call('HGET', KEYS[1], 'f:' .. of), redis.call('HGET', KEYS[1], 'p:' .. of) or '' } end
if redis.call('HEXISTS', KEYS[1], 'f:' .. id) == 1 then return answer(id) end
local moved = redis.call('HGET', KEYS[1], 'm:' .. id)
if moved then return answer(moved) end
local twins = redis.call('HGET', KEYS[1], 't:' .. ARGV[3])
for twin in string.gmatch(twins or '', '%S+') do
  local other = tonumber(redis.call('HGET', KEYS[1], 'h:' .. twin))
  if other < height and redis.call('HEXISTS', KEYS[1], 'p:' .. twin) == 0 then
    redis.call('HSET', KEYS[1], 'm:' .. id, twin, 'h:' .. twin, height, 'f:' .. twin, ARGV[4] .. twin .. ARGV[5])
    return answer(twin)
  end
  if other > height then
    redis.call('HSET', KEYS[1], 'm:' .. id, twin)
    return answer(twin)
  end
end
local n = redis.call('HINCRBY', KEYS[1], 'count', 1)
redis.call('HSET', KEYS[1], 'f:' .. id, ARGV[4] .. id .. ARGV[5], 'h:' .. id, height, 'n:' .. n, id, 't:' .. ARGV[3], (twins and (twins .. ' ') or '') .. id)
return answer(id)
`);

const POST = defineScript(`
if redis.call('HEXISTS', KEYS[1], 'f:' .. ARGV[1]) == 1 then redis.call('HSET', KEYS[1], 'p:' .. ARGV[1], ARGV[2]) end
return 1
`);

/** The findings of runs, before and after they were posted. Written by parallel delegations; every write is one script. */
export function makeDrafts(redis: Redis, keys: Keys): DraftReviews {
  return {
    async add(run, finding) {
      const [before, after] = splitAtId(finding);
      const args = [finding.id, HEIGHT[finding.rung], `${finding.path}\n${finding.body}`, before, after];
      const [text, posted] = (await runScript(redis, ADD, [keys.draft(run)], args)) as [string, string];
      return joinPosted(text, posted);
    },
    async list(run) {
      const all = await redis.hgetall(keys.draft(run));
      const order = Array.from({ length: Number(all.count ?? 0) }, (_, k) => all[`n:${k + 1}`]);
      return order.flatMap((id) => {
        const text = all[`f:${id}`];
        return text ? [joinPosted(text, all[`p:${id}`])] : [];
      });
    },
    async markPosted(run, id, posted) {
      await runScript(redis, POST, [keys.draft(run)], [id, JSON.stringify(posted)]);
    },
  };
}

function joinPosted(text: string, posted: string | undefined): Finding {
  const finding = JSON.parse(text) as Finding;
  return posted ? { ...finding, posted: JSON.parse(posted) as NonNullable<Finding['posted']> } : finding;
}

/** The text of a finding around its id, so that the script can put another's id there without writing JSON itself. */
function splitAtId(finding: Finding): [string, string] {
  const { id, ...rest } = finding;
  return ['{"id":"', `",${JSON.stringify(rest).slice(1)}`];
}
