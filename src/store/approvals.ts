import type { Trust } from '../journal/entry.ts';
import type { Event } from '../journal/event.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** A person's word for one head commit: `comment` is where it was said. */
export interface Allowed {
  by: string;
  trust: Trust;
  comment: number;
}

/** What is known of a pull request from a fork: its newest head, and the workflows that wait, or waited, for a person's word, with the event of each. */
export interface Asked {
  head: string;
  /** When that head was seen first, by GitHub's clock. */
  since: string;
  allowed: Allowed | null;
  events: Map<string, Event>;
}

/** Pull requests from forks that need a person's word (the setting `forks`). A word counts for one head commit: a newer one takes it back. */
export interface Approvals {
  /** Notes a head, and the event that a workflow waits with; answers what is known then. A head that is older than the one known changes nothing. */
  note(resource: string, head: { sha: string; since: string }, waits?: { path: string; event: Event }): Promise<Asked>;
  /** Null where nothing of it ever waited. */
  look(resource: string): Promise<Asked | null>;
  /** Gives the word for a head; false where that is not the newest any more. */
  allow(resource: string, head: string, word: Allowed): Promise<boolean>;
}

const KEPT_SECONDS = 31 * 86_400;

const NOTE = defineScript(`
local head = redis.call('HGET', KEYS[1], 'head')
if head ~= ARGV[1] then
  local since = redis.call('HGET', KEYS[1], 'since')
  if since and since > ARGV[2] then return 0 end
  redis.call('HSET', KEYS[1], 'head', ARGV[1], 'since', ARGV[2])
  redis.call('HDEL', KEYS[1], 'allowed')
end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'event:' .. ARGV[4], ARGV[5]) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
`);

const ALLOW = defineScript(`
if redis.call('HGET', KEYS[1], 'head') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'allowed', ARGV[2])
return 1
`);

const EVENT = 'event:';

/** Approvals in Redis. */
export function makeApprovals(redis: Redis, keys: Keys): Approvals {
  const look = async (resource: string): Promise<Asked | null> => {
    const fields = await redis.hgetall(keys.approval(resource));
    const { head, since, allowed } = fields;
    if (head === undefined || since === undefined) return null;
    const events = Object.entries(fields).flatMap(([name, text]) =>
      name.startsWith(EVENT) ? [[name.slice(EVENT.length), JSON.parse(text) as Event] as const] : [],
    );
    return { head, since, allowed: allowed === undefined ? null : (JSON.parse(allowed) as Allowed), events: new Map(events) };
  };
  return {
    look,
    async note(resource, { sha, since }, waits) {
      const event = waits ? [waits.path, JSON.stringify(waits.event)] : ['', ''];
      await runScript(redis, NOTE, [keys.approval(resource)], [sha, since, KEPT_SECONDS, ...event]);
      return (await look(resource)) ?? { head: sha, since, allowed: null, events: new Map() };
    },
    async allow(resource, head, word) {
      return (await runScript(redis, ALLOW, [keys.approval(resource)], [head, JSON.stringify(word)])) === 1;
    },
  };
}
