import type { Draft, Entry } from '../journal/entry.ts';
import { NewerJournal } from '../journal/errors.ts';
import { decodeEntry, encodeEntry, JOURNAL_FORMAT, referencesIn, SHARED, unpack } from './encoding.ts';
import { type Keys, runOf } from './keys.ts';
import { type Redis, sendAll } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** Entries that are written together, from number `from` (the first of a journal is 1). Every batch has a nonce of its own. */
export interface Batch {
  from: number;
  nonce: string;
  drafts: readonly Draft[];
}

/** Where journals are kept: one line of numbered entries each, of which nothing is ever changed. */
export interface Streams {
  /**
   * Writes where the last entry is `from - 1`; answers the time (ms since 1970) that the entries got, or null where another's entry stands there. The same
   * nonce again answers what it was told before, so a batch whose answer was lost may be written again.
   */
  write(id: string, batch: Batch): Promise<number | null>;
  /** How many entries there are. */
  length(id: string): Promise<number>;
  /**
   * Ends one that nobody can read any more: in the place of all its entries but the first these stand, and nothing is ever written after them. What stood
   * there is kept under another name. False, and nothing is changed, where it has not exactly `length` entries.
   */
  setAside(id: string, length: number, drafts: readonly Draft[]): Promise<boolean>;
  /** The entries from a number on. Throws `NewerJournal` where a newer build wrote them. */
  read(id: string, from: number): Promise<Entry[]>;
  /** One end of several in one round trip; null for one without entries. */
  ends(ids: string[], end: 'first' | 'last'): Promise<(Entry | null)[]>;
  /** Sets how long one is kept from now on (seconds), with all that stands beside it. */
  expire(id: string, seconds: number): Promise<void>;
}

/** Far longer than any run is open. */
const SHARED_SECONDS = 62 * 86_400;

/** Appends at exactly one place: the last id must be n-1. A refused writer whose own nonce stands at n lost only the answer. */
const APPEND = defineScript(`
local n = tonumber(ARGV[1])
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local at = 0
if #last > 0 then at = tonumber(string.match(last[1][1], '^(%d+)')) end
if at ~= n - 1 then
  local own = redis.call('XRANGE', KEYS[1], n .. '-0', n .. '-0')
  if #own > 0 and own[1][2][2] == ARGV[2] then return own[1][2][4] end
  return ''
end
local time = redis.call('TIME')
local ms = tostring(tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
for i = 4, #ARGV do
  local id = n + i - 4
  if id == 1 then redis.call('XADD', KEYS[1], '1-0', 'w', ARGV[2], 't', ms, 'e', ARGV[i], 'f', ARGV[3])
  else redis.call('XADD', KEYS[1], id .. '-0', 'w', ARGV[2], 't', ms, 'e', ARGV[i]) end
end
return ms
`);

/** No journal has an entry of so high a number, so none that was open when this one was set aside can go on with it. */
const LAST = 1_000_000_000;
const ASIDE_SECONDS = 31 * 86_400;

const SET_ASIDE = defineScript(`
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if #last == 0 or tonumber(string.match(last[1][1], '^(%d+)')) ~= tonumber(ARGV[1]) then return 0 end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
local time = redis.call('TIME')
local ms = tostring(tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('XADD', KEYS[1], '1-0', unpack(first[1][2]))
for i = 3, #ARGV do redis.call('XADD', KEYS[1], (${LAST} + i - 3) .. '-0', 'w', 'aside', 't', ms, 'e', ARGV[i]) end
return 1
`);

/** One Redis stream a journal, long texts in one hash a run. */
export class RedisStreams implements Streams {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async write(id: string, { from, nonce, drafts }: Batch): Promise<number | null> {
    const bodies = await this.#encode(id, drafts);
    const at = await runScript(this.#redis, APPEND, [this.#keys.journal(id)], [from, nonce, JOURNAL_FORMAT, ...bodies]);
    return at === '' ? null : Number(at);
  }

  length(id: string): Promise<number> {
    return this.#redis.xlen(this.#keys.journal(id));
  }

  async setAside(id: string, length: number, drafts: readonly Draft[]): Promise<boolean> {
    const bodies = await this.#encode(id, drafts);
    const names = [this.#keys.journal(id), this.#keys.aside(id)];
    return (await runScript(this.#redis, SET_ASIDE, names, [length, ASIDE_SECONDS, ...bodies])) === 1;
  }

  async read(id: string, from: number): Promise<Entry[]> {
    const rows = (await this.#redis.xrangeBuffer(this.#keys.journal(id), `${from}-0`, '+')) as Row[];
    return this.#decode(id, rows);
  }

  async ends(ids: string[], end: 'first' | 'last'): Promise<(Entry | null)[]> {
    const pipeline = this.#redis.pipeline();
    for (const key of ids.map(this.#keys.journal)) {
      if (end === 'first') pipeline.xrangeBuffer(key, '-', '+', 'COUNT', 1);
      else pipeline.xrevrangeBuffer(key, '+', '-', 'COUNT', 1);
    }
    const rows = await sendAll(pipeline);
    return await Promise.all(
      rows.map(async (answer, k) => {
        const entries = await this.#decode(ids[k] ?? '', answer as Row[]);
        return entries[0] ?? null;
      }),
    );
  }

  async expire(id: string, seconds: number): Promise<void> {
    const { journal, blobs, draft, pads, padWrites, overlay } = this.#keys;
    const commands = this.#redis.pipeline();
    for (const key of [journal(id), ...[blobs, draft, pads, padWrites, overlay].map((of) => of(runOf(id)))]) commands.expire(key, seconds);
    if (seconds > SHARED_SECONDS / 2) {
      const rows = (await this.#redis.xrangeBuffer(journal(id), '-', '+')) as Row[];
      for (const digest of new Set(rows.flatMap(([, fields]) => referencesIn(bodyOf(fields)))))
        commands.expire(this.#keys.text(digest), seconds + SHARED_SECONDS, 'GT');
    }
    await sendAll(commands);
  }

  async #encode(id: string, drafts: readonly Draft[]): Promise<Buffer[]> {
    const encoded = drafts.map(encodeEntry);
    const texts = new Map(encoded.flatMap(({ blobs }) => [...blobs]));
    if (texts.size > 0) await this.#putTexts(id, texts);
    return encoded.map(({ body }) => body);
  }

  async #decode(id: string, rows: Row[]): Promise<Entry[]> {
    refuseNewer(id, rows[0]);
    const digests = [...new Set(rows.flatMap(([, fields]) => referencesIn(bodyOf(fields))))];
    const texts = new Map<string, string>();
    if (digests.length > 0) {
      const [own, shared] = await Promise.all([
        this.#redis.hmgetBuffer(this.#keys.blobs(runOf(id)), ...digests),
        this.#redis.mgetBuffer(digests.map((digest) => this.#keys.text(digest))),
      ]);
      digests.forEach((digest, k) => {
        const packed = own[k] ?? shared[k];
        if (packed) texts.set(digest, unpack(packed).toString());
      });
    }
    return rows.map(([, fields]) => decodeEntry(bodyOf(fields), Number(fields[3]?.toString()), texts));
  }

  /** A text that runs share is kept for a while after it was last written, and by `expire` at least as long as each journal that refers to it. */
  async #putTexts(id: string, texts: Map<string, Buffer>): Promise<void> {
    const commands = this.#redis.pipeline();
    for (const [name, packed] of texts) {
      if (name.startsWith(SHARED)) commands.set(this.#keys.text(name.slice(SHARED.length)), packed, 'EX', SHARED_SECONDS);
      else commands.hset(this.#keys.blobs(runOf(id)), name, packed);
    }
    await sendAll(commands);
  }
}

type Row = [Buffer, Buffer[]];

/** Only the first entry of a journal says its format; those of before it was written are of the first. */
function refuseNewer(id: string, first: Row | undefined): void {
  const format = Number(first?.[1][7]?.toString() ?? 1);
  if (format <= JOURNAL_FORMAT) return;
  throw new NewerJournal(
    `${id} was written by a newer Pitwall (journal format ${format}, this one reads ${JOURNAL_FORMAT}): update this process to look at it or go on with it`,
  );
}

function bodyOf(fields: Buffer[]): Buffer {
  return fields[5] ?? Buffer.alloc(1);
}
