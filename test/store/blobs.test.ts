import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ToolError } from '../../src/journal/errors.ts';
import { decodeEntry, digestOf, encodeEntry, pack, referencesIn, unpack } from '../../src/store/encoding.ts';
import { InMemoryStore } from '../../src/store/in-memory/store.ts';
import { makeKeys } from '../../src/store/keys.ts';
import type { Store } from '../../src/store/store.ts';
import { Processes } from './processes.ts';
import { eachPair } from './stores.ts';

eachPair('blobs', (pair) => {
  describe('blobs', () => {
    it.each([
      ['nothing', Buffer.alloc(0)],
      ['a short text', Buffer.from('hello')],
      ['a long text', Buffer.from('hello '.repeat(5_000))],
      ['noise', randomBytes(70_000)],
      ['a byte that looks like a mark', Buffer.from([1, 2, 3])],
    ])('give back %s as it was put, in any process, under its digest', async (_, content) => {
      const digest = await pair.first.blobs('run').put(content);
      expect(digest).toBe(digestOf(content));
      expect(await pair.second.blobs('run').get(digest)).toEqual(content);
      await expect(pair.first.blobs('another run').get(digest)).rejects.toThrow(/gone from Redis|not kept here/);
    });
  });
});

describe('in Redis', () => {
  let processes: Processes;
  let store: Store;
  beforeAll(async () => {
    processes = await Processes.open('blobs-kept');
    store = await processes.start();
  });
  afterAll(() => processes.close());

  describe('blobs', () => {
    it('keep and count equal contents once, compressed', async () => {
      const content = Buffer.from('the same '.repeat(1_000));
      for (let k = 0; k < 3; k++) await store.blobs('once').put(content);
      const size = Number(await processes.raw.hget(makeKeys(processes.prefix).overlay('once'), 'bytes'));
      expect(size).toBeGreaterThan(0);
      expect(size).toBeLessThan(content.length / 10);
    });

    it('tell the agent, not the engine, when a run wrote too much, and still take what fits', async () => {
      const key = makeKeys(processes.prefix).overlay('full');
      await processes.raw.hset(key, 'bytes', 64 * 1024 * 1024 - 1_000);
      const large = store.blobs('full').put(randomBytes(2_000));
      await expect(large).rejects.toThrow(ToolError);
      await expect(large).rejects.toThrow('64 MiB');
      const small = randomBytes(500);
      expect(await store.blobs('full').get(await store.blobs('full').put(small))).toEqual(small);
    });
  });
});

describe('in memory', () => {
  it('blobs tell the agent, too, when a run wrote too much', async () => {
    const blobs = new InMemoryStore().blobs('full');
    await expect(blobs.put(Buffer.alloc(65 * 1024 * 1024))).rejects.toThrow(ToolError);
    expect(await blobs.get(await blobs.put(Buffer.from('small')))).toEqual(Buffer.from('small'));
  });
});

describe('the encoding of entries', () => {
  const LONG = 'lorem ipsum '.repeat(600);

  it.each([
    ['nothing', ''],
    ['a short text', 'abc'],
    ['the longest that stays inline', 'x'.repeat(4_096)],
    ['the shortest that is kept apart', 'x'.repeat(4_097)],
    ['a long text', LONG],
    ['what looks like a reference', '\u0000blob:x'],
    ['what looks like a reference to a blob that is there', `\u0000blob:${digestOf(LONG)}`],
    ['what looks like an escaped reference', '\u0000blob:\u0000blob:x'],
    ['a long text that looks like a reference', `\u0000blob:${LONG}`],
    ['a reference in quotes', `"\u0000blob:${digestOf(LONG)}"`],
    ['half a character', 'a\ud83d'],
    ['half a character in a long text', `${LONG}\ud83d`],
    ['line ends of all kinds', `\r\n\u2028\f${LONG}\r`],
  ])('gives back %s', (_, text) => {
    const entry = { type: 'noted' as const, key: 'k', value: { text, list: [text, 1, null, true], deep: { [text.slice(0, 9)]: LONG } } };
    const { body, blobs } = encodeEntry(entry);
    expect(referencesIn(body).every((digest) => blobs.has(digest))).toBe(true);
    const kept = new Map([...blobs].map(([digest, packed]) => [digest, unpack(packed).toString()]));
    expect(decodeEntry(body, 7, kept)).toEqual({ ...entry, at: 7 });
  });

  it('keeps long texts out of the stream, once each', () => {
    const { body, blobs } = encodeEntry({ a: LONG, b: [LONG, LONG] });
    expect(blobs.size).toBe(1);
    expect(body.length).toBeLessThan(400);
    expect(new Set(referencesIn(body))).toEqual(new Set([digestOf(LONG)]));
  });

  it('says so where a text is gone', () => {
    const { body } = encodeEntry({ type: 'noted', key: 'k', value: LONG });
    expect(() => decodeEntry(body, 1, new Map())).toThrow('gone from Redis');
  });

  it('packs what is worth it', () => {
    expect(pack(Buffer.from('a'.repeat(255)))).toHaveLength(256);
    expect(pack(Buffer.from('a'.repeat(256))).length).toBeLessThan(20);
    for (const size of [0, 1, 255, 256, 5_000]) {
      const content = randomBytes(size);
      expect(unpack(pack(content))).toEqual(content);
    }
  });
});
