import { randomUUID } from 'node:crypto';
import type { Draft, Entry } from '../journal/entry.ts';
import { decodeEntry, encodeEntry, referencesIn, SHARED, unpack } from './encoding.ts';
import { OpenJournal } from './journal.ts';
import { type Keys, runOf } from './keys.ts';
import { type Redis, sendAll } from './redis.ts';
import { defineScript, runScript } from './script.ts';

const KEPT_OPEN = 2_000;
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
for i = 3, #ARGV do
  redis.call('XADD', KEYS[1], (n + i - 3) .. '-0', 'w', ARGV[2], 't', ms, 'e', ARGV[i])
end
return ms
`);

/** The journals of runs and delegations: one Redis stream each, long texts in one hash a run. */
export class Journals {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #writer = randomUUID().slice(0, 8);
  readonly #open = new Map<string, OpenJournal>();

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Starts a journal with its first entry; false where it exists already (the start is then somebody's repeated try, and changes nothing). */
  async create(id: string, first: Draft): Promise<boolean> {
    const { body, blobs } = encodeEntry(first);
    const at = await this.#write(id, { from: 1, nonce: `create-${randomUUID()}`, bodies: [body], blobs });
    if (at === null) return false;
    this.#keep(id, this.#make(id, `${this.#writer}-create`)).load([{ ...(JSON.parse(JSON.stringify(first)) as Draft), at } as Entry]);
    return true;
  }

  /**
   * Opens a journal for writing and reads what has come since it was open here last; who opened it here before is `Superseded`, as one in another
   * process would be. An empty one has no entries: it was never created or is gone.
   */
  async open(id: string): Promise<OpenJournal> {
    const known = this.#open.get(id);
    const writer = `${this.#writer}-${randomUUID().slice(0, 8)}`;
    const journal = known?.handOver(writer) ?? this.#make(id, writer);
    this.#keep(id, journal);
    journal.load(await this.#readFrom(id, journal.entries.length + 1));
    return journal;
  }

  /** Forgets the memory of a journal: after `Superseded`, or when it ended. */
  close(id: string): void {
    this.#open.delete(id);
  }

  /** Reads a journal without becoming its writer. */
  read(id: string): Promise<Entry[]> {
    return this.#readFrom(id, 1);
  }

  /** The last entries of several journals in one round trip; null for one without entries. */
  lastOf(ids: string[]): Promise<(Entry | null)[]> {
    return this.#oneOf(ids, (pipeline, key) => pipeline.xrevrangeBuffer(key, '+', '-', 'COUNT', 1));
  }

  /** The first entries of several journals in one round trip; null for one without entries. */
  firstOf(ids: string[]): Promise<(Entry | null)[]> {
    return this.#oneOf(ids, (pipeline, key) => pipeline.xrangeBuffer(key, '-', '+', 'COUNT', 1));
  }

  /** Sets how long a run's journal is kept from now on (seconds). */
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

  async #oneOf(ids: string[], ask: (pipeline: ReturnType<Redis['pipeline']>, key: string) => void): Promise<(Entry | null)[]> {
    const pipeline = this.#redis.pipeline();
    for (const id of ids) ask(pipeline, this.#keys.journal(id));
    const rows = await sendAll(pipeline);
    return await Promise.all(
      rows.map(async (answer, k) => {
        const entries = await this.#decode(ids[k] ?? '', answer as Row[]);
        return entries[0] ?? null;
      }),
    );
  }

  #make(id: string, writer: string): OpenJournal {
    return new OpenJournal(id, writer, (from, nonce, bodies, blobs) => this.#write(id, { from, nonce, bodies, blobs }));
  }

  #keep(id: string, journal: OpenJournal): OpenJournal {
    this.#open.delete(id);
    this.#open.set(id, journal);
    const oldest = this.#open.size > KEPT_OPEN ? this.#open.keys().next().value : undefined;
    if (oldest !== undefined) this.#open.delete(oldest);
    return journal;
  }

  async #readFrom(id: string, from: number): Promise<Entry[]> {
    const rows = (await this.#redis.xrangeBuffer(this.#keys.journal(id), `${from}-0`, '+')) as Row[];
    return this.#decode(id, rows);
  }

  async #decode(id: string, rows: Row[]): Promise<Entry[]> {
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

  async #write(id: string, batch: { from: number; nonce: string; bodies: Buffer[]; blobs: Map<string, Buffer> }): Promise<number | null> {
    if (batch.blobs.size > 0) await this.#putTexts(id, batch.blobs);
    const at = await runScript(this.#redis, APPEND, [this.#keys.journal(id)], [batch.from, batch.nonce, ...batch.bodies]);
    return at === '' ? null : Number(at);
  }
}

type Row = [Buffer, Buffer[]];

function bodyOf(fields: Buffer[]): Buffer {
  return fields[5] ?? Buffer.alloc(1);
}
