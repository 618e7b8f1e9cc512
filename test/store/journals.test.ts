import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Superseded } from '../../src/journal/errors.ts';
import { digestOf } from '../../src/store/encoding.ts';
import { Journals } from '../../src/store/journals.ts';
import { RedisStreams } from '../../src/store/streams.ts';
import { ownPlace } from './place.ts';
import { eachStore, type Stores } from './stores.ts';

const state = (reason: string) => ({ type: 'run.state' as const, state: 'Running' as const, reason });

eachStore('journals', (open) => {
  let stores: Stores;
  beforeAll(async () => {
    stores = await open();
  });
  afterAll(() => stores.close());

  describe('a journal', () => {
    it('is created once, whoever tries', async () => {
      const others = await Promise.all(Array.from({ length: 8 }, async () => (await stores.start()).journals));
      const made = await Promise.all(others.map((one, k) => one.create('once', state(`${k}`))));
      expect(made.filter(Boolean)).toHaveLength(1);
      expect(await (await stores.start()).journals.read('once')).toHaveLength(1);
    });

    it('gives entries that are appended together the order they were asked in', async () => {
      const journal = await (await stores.start()).journals.open('order');
      await Promise.all(Array.from({ length: 50 }, (_, k) => journal.append(state(`${k}`))));
      const read = await (await stores.start()).journals.read('order');
      expect(read.map((entry) => (entry.type === 'run.state' ? entry.reason : ''))).toEqual(Array.from({ length: 50 }, (_, k) => `${k}`));
      expect(read).toEqual(journal.entries);
    });

    it('has one writer: the slower of two is superseded and writes nothing', async () => {
      const first = await (await stores.start()).journals.open('two');
      const second = await (await stores.start()).journals.open('two');
      await first.append(state('first'));
      await expect(second.append(state('second'))).rejects.toThrow(Superseded);
      expect(await (await stores.start()).journals.read('two')).toHaveLength(1);
      await first.append(state('goes on'));
      expect(await (await stores.start()).journals.read('two')).toHaveLength(2);
    });

    it('is resumed where another process has got further than its start', async () => {
      const [here, there] = [(await stores.start()).journals, (await stores.start()).journals];
      await here.create('resumed', state('start'));
      expect((await there.open('resumed')).resumed).toBe(false);
      const journal = await here.open('resumed');
      await journal.append(state('further'));
      expect((await here.open('resumed')).resumed).toBe(false);
      const taken = await there.open('resumed');
      expect(taken.resumed).toBe(true);
      await taken.append(state('on'));
      expect((await here.open('resumed')).resumed).toBe(true);
    });

    it('answers once() from the record', async () => {
      const journal = await (await stores.start()).journals.open('noted');
      let works = 0;
      const work = () => ++works;
      expect(await journal.once('a', work)).toBe(1);
      expect(await journal.once('a', work)).toBe(1);
      expect(await (await (await stores.start()).journals.open('noted')).once('a', work)).toBe(1);
      await expect(journal.once('b', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
      expect(await journal.once('b', () => 'later')).toBe('later');
    });

    it('reads only the tail of what it has open, and the last entry of many', async () => {
      const here = (await stores.start()).journals;
      const journal = await here.open('tail');
      await journal.append(state('1'), state('2'));
      expect((await here.open('tail')).entries).toHaveLength(2);
      const last = await here.lastOf(['tail', 'nobody']);
      expect(last[0]).toMatchObject({ reason: '2' });
      expect(last[1]).toBeNull();
    });

    it('has one writer inside a process, too: who opened it before is superseded, and what was under way is not counted twice', async () => {
      const here = (await stores.start()).journals;
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
      expect(last.entries).toEqual(await (await stores.start()).journals.read('again'));
    });

    it('that is opened by several at once has one writer, who knows every entry once', async () => {
      const here = (await stores.start()).journals;
      await (await (await stores.start()).journals.open('at once')).append(state('1'), state('2'));
      const opened = await Promise.allSettled(Array.from({ length: 5 }, () => here.open('at once')));
      for (const one of opened) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(Superseded);
      const written = await Promise.allSettled(opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value.append(state('3'))] : [])));
      expect(written.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await (await stores.start()).journals.read('at once')).toHaveLength(3);
      expect((await here.open('at once')).entries).toHaveLength(3);
    });

    it('keeps long texts and odd characters unchanged', async () => {
      const long = 'päragraph \u0000blob: 😀\n'.repeat(2_000);
      const { journals } = await stores.start();
      const journal = await journals.open('odd~1');
      await journal.append(state(long), state(long), state('\u0000blob:tricky'));
      const read = await (await stores.start()).journals.read('odd~1');
      expect(read.map((entry) => (entry.type === 'run.state' ? entry.reason : ''))).toEqual([long, long, '\u0000blob:tricky']);
    });

    it('keeps what it was given, whatever becomes of that', async () => {
      const { journals } = await stores.start();
      const value = { list: [1] };
      const journal = await journals.open('own');
      await journal.append({ type: 'noted', key: 'k', value });
      value.list.push(2);
      expect((await journals.read('own'))[0]).toMatchObject({ value: { list: [1] } });
    });

    it('that is set aside keeps its first entry and its end; whoever had it open, however far, reads its end and can write no more', async () => {
      const open = async (count: number) => {
        const { journals } = await stores.start();
        const journal = await journals.open('aside');
        for (let k = journal.entries.length; k < count; k++) await journal.append(state(`${k}`));
        return { journals, journal };
      };
      const [one, two, three, five] = [await open(1), await open(2), await open(3), await open(5)];
      const { journals } = await stores.start();
      const end = { type: 'run.ended' as const, state: 'Failed' as const, reason: 'given up', message: '' };
      expect(await journals.lengthOf('aside')).toBe(5);
      expect(await journals.setAside('aside', 4, [state('why'), end])).toBe(false);
      expect(await journals.setAside('aside', 5, [state('why'), end])).toBe(true);
      expect(await journals.setAside('aside', 3, [state('again'), end])).toBe(false);
      const left = ['0', 'why', 'given up'];
      expect((await journals.read('aside')).map((entry) => ('reason' in entry ? entry.reason : ''))).toEqual(left);
      for (const known of [one, two, three, five]) {
        await expect(known.journal.append(state('late'))).rejects.toThrow(Superseded);
        for (let time = 0; time < 2; time++)
          expect((await known.journals.open('aside')).entries.filter(({ type }) => type === 'run.ended')).toHaveLength(1);
        await expect((await known.journals.open('aside')).append(state('later'))).rejects.toThrow(Superseded);
      }
      expect(await journals.lengthOf('aside')).toBe(3);
      expect(await journals.setAside('nobody', 0, [end])).toBe(false);
    });

    it('is gone after the time it is kept for', async () => {
      const { journals } = await stores.start();
      await (await journals.open('short')).append(state('1'));
      await journals.expire('short', 1);
      expect(await journals.read('short')).toHaveLength(1);
      await expect.poll(() => journals.read('short')).toEqual([]);
    });
  });
});

describe('in Redis, a journal', () => {
  const { redis, keys } = ownPlace('journals');
  const journals = () => new Journals(new RedisStreams(redis, keys));
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

  it('goes on where only the answer of an append was lost', async () => {
    const streams = new RedisStreams(redis, keys);
    const lossy = new Journals({
      read: (id, from) => streams.read(id, from),
      ends: (ids, end) => streams.ends(ids, end),
      expire: (id, seconds) => streams.expire(id, seconds),
      length: (id) => streams.length(id),
      setAside: (id, length, drafts) => streams.setAside(id, length, drafts),
      async write(id, batch) {
        const at = await streams.write(id, batch);
        if (lost++ === 0) throw new Error('the answer was lost');
        return at;
      },
    });
    let lost = 0;
    const journal = await lossy.open('lost');
    await journal.append(state('1'));
    await journal.append(state('2'));
    expect(lost).toBe(3);
    expect(await journals().read('lost')).toHaveLength(2);
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
