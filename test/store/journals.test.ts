import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Superseded } from '../../src/journal/errors.ts';
import { digestOf } from '../../src/store/encoding.ts';
import { Journals } from '../../src/store/journals.ts';
import { makeKeys } from '../../src/store/keys.ts';
import { connectCommands, type Redis, waitReady } from '../../src/store/redis.ts';
import { RedisStreams } from '../../src/store/streams.ts';

const keys = makeKeys(`test-journals-${randomUUID()}`);
let redis: Redis;
const journals = () => new Journals(new RedisStreams(redis, keys));
const state = (reason: string) => ({ type: 'run.state' as const, state: 'Running' as const, reason });

beforeAll(async () => {
  redis = connectCommands(inject('redisUrl'), () => {});
  await waitReady(redis, 5_000);
});
afterAll(() => redis.disconnect());

describe('a journal', () => {
  it('is created once, whoever tries', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, (_, k) => journals().create('once', state(`${k}`))));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await journals().read('once')).toHaveLength(1);
  });

  it('gives entries that are appended together the order they were asked in', async () => {
    const journal = await journals().open('order');
    await Promise.all(Array.from({ length: 50 }, (_, k) => journal.append(state(`${k}`))));
    const read = await journals().read('order');
    expect(read.map((entry) => (entry.type === 'run.state' ? entry.reason : ''))).toEqual(Array.from({ length: 50 }, (_, k) => `${k}`));
    expect(read).toEqual(journal.entries);
  });

  it('has one writer: the slower of two is superseded and writes nothing', async () => {
    const first = await journals().open('two');
    const second = await journals().open('two');
    await first.append(state('first'));
    await expect(second.append(state('second'))).rejects.toThrow(Superseded);
    expect(await journals().read('two')).toHaveLength(1);
    await first.append(state('goes on'));
    expect(await journals().read('two')).toHaveLength(2);
  });

  it('answers once() from the record', async () => {
    const journal = await journals().open('noted');
    let works = 0;
    const work = () => ++works;
    expect(await journal.once('a', work)).toBe(1);
    expect(await journal.once('a', work)).toBe(1);
    expect(await (await journals().open('noted')).once('a', work)).toBe(1);
    await expect(journal.once('b', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await journal.once('b', () => 'later')).toBe('later');
  });

  it('keeps long texts beside the stream, once per content, and gives them back unchanged', async () => {
    const long = 'päragraph \u0000blob: 😀\n'.repeat(2_000);
    const journal = await journals().open('long~1');
    await journal.append(state(long), state(long), state('\u0000blob:tricky'));
    expect(await redis.hlen(keys.blobs('long'))).toBe(1);
    const read = await journals().read('long~1');
    expect(read.map((entry) => (entry.type === 'run.state' ? entry.reason : ''))).toEqual([long, long, '\u0000blob:tricky']);
  });

  it('keeps the instructions of a workflow once for all its runs, as long as the longest of them is kept', async () => {
    const system = 'You review what people wrote. '.repeat(100);
    const briefed = { type: 'briefed' as const, key: 'work', system, messages: ['where you are'], tools: [] };
    for (const id of ['alike-1', 'alike-2']) await (await journals().open(id)).append(briefed);
    const shared = keys.text(digestOf(system));
    for (const id of ['alike-1', 'alike-2']) {
      expect(await redis.exists(keys.blobs(id))).toBe(0);
      expect((await journals().read(id))[0]).toMatchObject({ system });
    }
    await journals().expire('alike-1', 400 * 86_400);
    await journals().expire('alike-2', 100);
    expect(await redis.ttl(shared)).toBeGreaterThan(400 * 86_400);
  });

  it('reads only the tail of what it has open, and the last entry of many', async () => {
    const here = journals();
    const journal = await here.open('tail');
    await journal.append(state('1'), state('2'));
    expect((await here.open('tail')).entries).toHaveLength(2);
    const last = await here.lastOf(['tail', 'nobody']);
    expect(last[0]).toMatchObject({ reason: '2' });
    expect(last[1]).toBeNull();
  });

  it('goes on where only the answer of an append was lost', async () => {
    const here = journals();
    const journal = await here.open('lost');
    await journal.append(state('1'));
    const evalsha = redis.evalsha.bind(redis);
    let lost = 0;
    redis.evalsha = (async (...args: Parameters<typeof evalsha>) => {
      await evalsha(...args);
      if (lost++ === 0) return evalsha(...args);
      return evalsha(...args);
    }) as typeof redis.evalsha;
    await journal.append(state('2'));
    redis.evalsha = evalsha as typeof redis.evalsha;
    expect(await journals().read('lost')).toHaveLength(2);
  });

  it('has one writer inside a process, too: who opened it before is superseded, and what was under way is not counted twice', async () => {
    const here = journals();
    const old = await here.open('again');
    await old.append(state('1'));
    const underWay = old.append(state('2')).catch((error: unknown) => expect(error).toBeInstanceOf(Superseded));
    const next = await here.open('again');
    await underWay;
    await expect(old.append(state('late'))).rejects.toThrow(Superseded);
    await next.append(state('3')).catch((error: unknown) => expect(error).toBeInstanceOf(Superseded));
    const last = await here.open('again');
    await last.append(state('4'));
    const reasons = last.entries.map((entry) => (entry.type === 'run.state' ? entry.reason : ''));
    expect(reasons).not.toContain('late');
    expect(new Set(reasons).size).toBe(reasons.length);
    expect(last.entries).toEqual(await journals().read('again'));
  });

  it('that is opened by several at once has one writer, who knows every entry once', async () => {
    const here = journals();
    await (await journals().open('at once')).append(state('1'), state('2'));
    const opened = await Promise.allSettled(Array.from({ length: 5 }, () => here.open('at once')));
    for (const one of opened) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(Superseded);
    const written = await Promise.allSettled(opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value.append(state('3'))] : [])));
    expect(written.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await journals().read('at once')).toHaveLength(3);
    expect((await here.open('at once')).entries).toHaveLength(3);
  });

  it('is kept for as long as it is told, with its long texts', async () => {
    const here = journals();
    const journal = await here.open('expires');
    await journal.append(state('long '.repeat(2_000)));
    await here.expire('expires', 100);
    for (const key of [keys.journal('expires'), keys.blobs('expires')]) {
      const ttl = await redis.ttl(key);
      expect(ttl).toBeGreaterThan(90);
      expect(ttl).toBeLessThanOrEqual(100);
    }
  });
});
