import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Superseded } from '../../src/journal/errors.ts';
import { Journals } from '../../src/store/journals.ts';
import { makeKeys } from '../../src/store/keys.ts';
import { connectCommands, type Redis, waitReady } from '../../src/store/redis.ts';

const keys = makeKeys(`test-journals-${randomUUID()}`);
let redis: Redis;
const journals = () => new Journals(redis, keys);
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
});
