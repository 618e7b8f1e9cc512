import type { Repository } from '../journal/resource.ts';
import { type Amendment, amendLetters, makeAmendments } from './amendments.ts';
import type { Keys } from './keys.ts';
import { pairsOf, type Redis, redisTime } from './redis.ts';
import { makeRooms, type Rooms } from './rooms.ts';
import { defineScript, runScript } from './script.ts';

/** A comment on its way to a session. `signal` says that it is exactly one of the session's exit signals, from somebody who may. */
export interface Letter {
  comment: number;
  author: string;
  place: 'conversation' | 'thread';
  body: string;
  url: string;
  createdAt: string;
  path?: string;
  line?: number | null;
  inReplyTo?: number | null;
  signal: boolean;
}

/** A comment by when it was written. */
export type Written = Pick<Letter, 'comment' | 'createdAt'>;

/** What lies in a box: letters to be heard now, and those `held` back because an earlier comment is still looked at. */
export interface Unheard {
  letters: Letter[];
  held: Letter[];
}

/** A session that takes letters. `listens`: also while it works; else only while it waits for replies. */
export interface Recipient {
  run: string;
  step: string;
  listens: boolean;
  signals: string[];
  /** The author of its pull request or issue, who may talk to it without write permission. */
  author: string;
  /** Where its comments stand on GitHub, so that they can be read again; absent where they cannot. */
  place?: { installation: number; repository: Repository; number: number };
}

/**
 * The mailboxes of resources. Whether a session takes a letter, and whether it may close, is decided by one script each, so that a comment between the last
 * turn and the end is either heard or told that the session is closed, never lost.
 */
export interface Mailboxes extends Rooms {
  /** Opens a session's box; again changes nothing. */
  open(resource: string, recipient: Recipient): Promise<void>;
  /** The sessions that are open on a resource, newest first, since when (ms since 1970), and whether each would take a letter now. */
  recipients(resource: string): Promise<(Recipient & { takes: boolean; since: number })[]>;
  /** Puts a letter into the box of a session that takes it; false where it does not. The same comment again changes nothing, whatever session took it. */
  post(resource: string, recipient: Pick<Recipient, 'run' | 'step'>, letter: Letter): Promise<boolean>;
  /** The session that took a comment, also after its end; null where none did. */
  takerOf(resource: string, comment: number): Promise<{ run: string; step: string } | null>;
  /** Says that a comment is being looked at: later ones are not read before it is settled, so that each is heard in its turn. */
  announce(resource: string, comment: Written): Promise<void>;
  settle(resource: string, comment: Written): Promise<void>;
  /** Keeps what became of a comment, whether or not its letter is there yet. */
  amend(resource: string, amendment: Amendment): Promise<void>;
  /** The letters that were not heard, in the order in which they were written, with their newest texts; those of deleted comments are left out. */
  read(resource: string, session: { run: string; step: string; heard: readonly number[] }): Promise<Unheard>;
  /** From now on letters are taken, also where the session does not listen while it works. */
  wait(run: string, step: string, waiting: boolean): Promise<void>;
  /** Closes a box, unless a letter lies there that was not heard: then false, and it stays open. `force` closes it whatever lies there. */
  close(resource: string, session: { run: string; step: string; heard: readonly number[]; force: boolean }): Promise<boolean>;
}

const OPEN = defineScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'state', 'open', 'waiting', '0', 'recipient', ARGV[1], 'listens', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
local t = redis.call('TIME')
local ms = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
redis.call('ZADD', KEYS[2], ms, ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ms - 1000 * tonumber(ARGV[4]))
redis.call('ZADD', KEYS[3], ms, ARGV[5])
return 1
`);

const POST = defineScript(`
local taker = redis.call('HGET', KEYS[3], ARGV[1])
if taker then return taker == ARGV[4] and 1 or 0 end
if redis.call('HGET', KEYS[1], 'state') ~= 'open' then return 0 end
if redis.call('HGET', KEYS[1], 'listens') ~= '1' and redis.call('HGET', KEYS[1], 'waiting') ~= '1' then return 0 end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[4])
redis.call('EXPIRE', KEYS[3], ARGV[3])
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return 1
`);

const CLOSE = defineScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 1 end
if ARGV[1] ~= '1' then
  local heard = {}
  for i = 4, #ARGV do heard[ARGV[i]] = true end
  for _, text in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    local comment = string.format('%.0f', cjson.decode(text).comment)
    local amended = redis.call('HGET', KEYS[5], comment) or ''
    if not heard[comment] and not string.match(amended, ' null$') then return 0 end
  end
end
redis.call('HSET', KEYS[1], 'state', 'closed')
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('ZREM', KEYS[4], ARGV[3])
return 1
`);

const ANNOUNCE = defineScript(`
local t = redis.call('TIME')
local ms = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
redis.call('HSET', KEYS[1], ARGV[1], ms .. ' ' .. ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
`);

const KEPT_SECONDS = 31 * 86_400;
/** A process that dies while it looks at a comment holds up later ones no longer than this (ms). */
export const LOOKED_AT_MS = 30_000;

function isBefore(a: Written, b: Written): boolean {
  return a.createdAt === b.createdAt ? a.comment < b.comment : a.createdAt < b.createdAt;
}

/** A comment that was announced, and when (ms since 1970). */
export interface Arriving {
  written: Written;
  at: number;
}

/** What a session has not heard of its letters, in the order in which they were written. An announced comment whose process seems to have died holds up none. */
export function unheardOf(
  letters: Letter[],
  { heard, arriving, now }: { heard: readonly number[]; arriving: Arriving[]; now: number },
): Unheard {
  const waited = arriving.filter(({ at }) => now - at < LOOKED_AT_MS).map(({ written }) => written);
  const unheard = letters.filter((letter) => !heard.includes(letter.comment)).sort((a, b) => (isBefore(a, b) ? -1 : 1));
  const isHeld = (letter: Letter) => !letter.signal && waited.some((one) => isBefore(one, letter));
  return { letters: unheard.filter((letter) => !isHeld(letter)), held: unheard.filter(isHeld) };
}

function arrivingOf(text: string): Arriving {
  const space = text.indexOf(' ');
  return { at: Number(text.slice(0, space)), written: JSON.parse(text.slice(space + 1)) as Written };
}

function sessionOf(id: string): { run: string; step: string } {
  const at = id.indexOf('/');
  return { run: id.slice(0, at), step: id.slice(at + 1) };
}

/** Mailboxes in Redis. */
export function makeMailboxes(redis: Redis, keys: Keys): Mailboxes {
  const box = (run: string, step: string) => `${keys.mailbox(run)}:${step}`;
  const letters = (run: string, step: string) => `${box(run, step)}:letters`;
  return {
    ...makeRooms(redis, keys, box),
    ...makePost(redis, keys, { box, letters }),
    async open(resource, recipient) {
      const { run, step, listens } = recipient;
      const names = [box(run, step), keys.sessions(resource), keys.rooms()];
      await runScript(redis, OPEN, names, [
        JSON.stringify(recipient),
        listens ? 1 : 0,
        `${run}/${step}`,
        KEPT_SECONDS,
        JSON.stringify([resource, run, step]),
      ]);
    },
    async recipients(resource) {
      const rows = pairsOf(await redis.zrevrange(keys.sessions(resource), 0, -1, 'WITHSCORES'));
      const found = await Promise.all(rows.map(([id]) => redis.hmget(boxOf(id), 'recipient', 'state', 'waiting')));
      return found.flatMap(([text, state, waiting], k) => {
        if (!text || state !== 'open') return [];
        const recipient = JSON.parse(text) as Recipient;
        return [{ ...recipient, takes: recipient.listens || waiting === '1', since: rows[k]?.[1] ?? 0 }];
      });
      function boxOf(id: string): string {
        const { run, step } = sessionOf(id);
        return box(run, step);
      }
    },
    async wait(run, step, waiting) {
      await redis.hset(box(run, step), 'waiting', waiting ? '1' : '0');
    },
    async close(resource, { run, step, heard, force }) {
      const names = [box(run, step), letters(run, step), keys.sessions(resource), keys.rooms(), keys.amended(resource)];
      const room = JSON.stringify([resource, run, step]);
      return (await runScript(redis, CLOSE, names, [force ? 1 : 0, `${run}/${step}`, room, ...heard])) === 1;
    },
  };
}

/** How letters come into boxes and out of them; the names of a session's box and of its letters are given. */
function makePost(
  redis: Redis,
  keys: Keys,
  { box, letters }: Record<'box' | 'letters', (run: string, step: string) => string>,
): Pick<Mailboxes, 'post' | 'takerOf' | 'announce' | 'settle' | 'amend' | 'read'> {
  const amendments = makeAmendments(redis, keys, KEPT_SECONDS);
  return {
    async post(resource, { run, step }, letter) {
      const names = [box(run, step), letters(run, step), keys.taken(resource)];
      const args = [letter.comment, JSON.stringify(letter), KEPT_SECONDS, `${run}/${step}`];
      return (await runScript(redis, POST, names, args)) === 1;
    },
    async takerOf(resource, comment) {
      const id = await redis.hget(keys.taken(resource), String(comment));
      return id === null ? null : sessionOf(id);
    },
    async announce(resource, comment) {
      await runScript(redis, ANNOUNCE, [keys.arriving(resource)], [comment.comment, JSON.stringify(comment), LOOKED_AT_MS / 1000]);
    },
    async settle(resource, { comment }) {
      await redis.hdel(keys.arriving(resource), String(comment));
    },
    amend: amendments.amend,
    async read(resource, { run, step, heard }) {
      const [texts, arriving, amended] = await Promise.all([
        redis.lrange(letters(run, step), 0, -1),
        redis.hvals(keys.arriving(resource)),
        amendments.of(resource),
      ]);
      const now = arriving.length > 0 ? await redisTime(redis) : 0;
      const all = texts.map((text) => JSON.parse(text) as Letter);
      const signals = amended.size > 0 ? await signalsOf(run, step) : [];
      return unheardOf(amendLetters(all, amended, signals), { heard, arriving: arriving.map(arrivingOf), now });
    },
  };
  async function signalsOf(run: string, step: string): Promise<string[]> {
    const text = await redis.hget(box(run, step), 'recipient');
    return text === null ? [] : (JSON.parse(text) as Recipient).signals;
  }
}
