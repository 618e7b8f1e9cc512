import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKeys } from '../../src/store/keys.ts';
import type { Redis } from '../../src/store/redis.ts';
import { type Condition, explainCondition, lostAt, renewEpoch, Watch } from '../../src/store/watch.ts';
import { OwnRedis } from './own-redis.ts';

let server: OwnRedis;
let redis: Redis;
let dir: string;
beforeAll(async () => {
  server = await OwnRedis.open();
  redis = await server.connection();
  dir = mkdtempSync(join(tmpdir(), 'pitwall-watch-'));
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

/** An installation on a prefix of its own; each process has a data folder, by its name. */
function installation() {
  const keys = makeKeys(`w${randomUUID()}`);
  const fileOf = (folder: string) => join(dir, `${keys.prefix}-${folder}`);
  return {
    keys,
    fileOf,
    process: (folder: string | null) => new Watch({ redis, keys, file: folder === null ? null : fileOf(folder) }),
    flush: () => redis.del(keys.epoch(), keys.lost(), keys.lostAt(), keys.pulse()),
  };
}

async function stateOf(watch: Watch): Promise<string> {
  return (await watch.look()).state;
}

describe('the epoch', () => {
  it('is written by the first start, and remembered by every data folder', async () => {
    const { process, fileOf, keys } = installation();
    const both = [process('a'), process('b'), process(null)];
    expect(await Promise.all(both.map(stateOf))).toEqual(['ready', 'ready', 'ready']);
    const epoch = await redis.get(keys.epoch());
    expect(epoch).toBeTruthy();
    for (const folder of ['a', 'b']) expect(readFileSync(fileOf(folder), 'utf8').trim()).toBe(epoch);
    await Promise.all(both.map((watch) => watch.refuseLoss()));
  });

  it('that is gone under a process is a loss since the first look, until a new one is started', async () => {
    const { process, flush, keys } = installation();
    const watch = process(null);
    await watch.look();
    expect(await lostAt(redis, keys)).toBeNull();
    const before = Date.now();
    await flush();
    await watch.look();
    const seen = (await lostAt(redis, keys)) ?? 0;
    expect(seen).toBeGreaterThanOrEqual(before);
    await process(null).look();
    expect(await lostAt(redis, keys)).toBe(seen);
    await renewEpoch(redis, keys);
    expect(await lostAt(redis, keys)).toBeNull();
    expect(await stateOf(watch)).toBe('ready');
  });

  it('that is gone under a process is a loss, which all processes see, also those that start later without a memory', async () => {
    const { process, flush } = installation();
    const watch = process(null);
    await watch.look();
    await flush();
    await expect(watch.refuseLoss()).rejects.toThrow('pitwall recover');
    expect(await watch.look()).toMatchObject({ state: 'lost', reason: expect.stringContaining('pitwall recover') });
    const fresh = process(null);
    expect(await stateOf(fresh)).toBe('lost');
    await expect(fresh.refuseLoss()).rejects.toThrow('flushed');
  });

  it('that is gone while nobody ran is a loss to the data folder that remembers it', async () => {
    const { process, flush } = installation();
    await process('a').look();
    await flush();
    expect(await stateOf(process('a'))).toBe('lost');
  });

  it('that a fresh process wrote after a flush is a loss to those who had the one before', async () => {
    const { process, flush } = installation();
    const old = process(null);
    await old.look();
    await flush();
    const fresh = process(null);
    expect(await stateOf(fresh)).toBe('ready');
    expect(await stateOf(old)).toBe('lost');
    expect(await stateOf(fresh)).toBe('lost');
  });

  it('of another Redis stops only who came to the wrong place', async () => {
    const [one, other] = [installation(), installation()];
    await one.process('a').look();
    const there = other.process(null);
    await there.look();
    const astray = new Watch({ redis, keys: other.keys, file: one.fileOf('a') });
    expect(await astray.look()).toMatchObject({ state: 'lost', reason: expect.stringContaining('PITWALL_REDIS_URL names another Redis') });
    expect(await stateOf(there)).toBe('ready');
  });

  it('that was renewed is taken by all, and nothing is lost any more', async () => {
    const { process, flush, fileOf, keys } = installation();
    const [a, b] = [process('a'), process(null)];
    await Promise.all([a.look(), b.look()]);
    await flush();
    await Promise.all([a.look(), b.look()]);
    await renewEpoch(redis, keys);
    expect(await Promise.all([a, b, process('a'), process('late')].map(stateOf))).toEqual(['ready', 'ready', 'ready', 'ready']);
    expect(readFileSync(fileOf('a'), 'utf8')).toContain('recovered-');
    await a.refuseLoss();
    await flush();
    expect(await stateOf(a)).toBe('lost');
  });
});

describe('a Redis', () => {
  it('that is full is told with its own words, and is ready again once it has room', async () => {
    const { process } = installation();
    const seen: Condition[] = [];
    const watch = process(null);
    await watch.start((condition) => seen.push(condition));
    await server.fill();
    await expect.poll(() => seen.at(-1)?.state).toBe('full');
    await server.empty();
    await expect.poll(() => seen.at(-1)?.state).toBe('ready');
    watch.stop();
    expect(seen.map(({ state }) => state)).toEqual(['ready', 'full', 'ready']);
    expect(explainCondition(seen[1] ?? { state: 'ready' })).toMatch(/on hold.*maxmemory.*OOM command not allowed/);
  });

  it('that is full and was flushed is lost all the same', async () => {
    const { process, flush } = installation();
    const watch = process(null);
    await watch.look();
    await flush();
    await server.fill();
    expect(await stateOf(watch)).toBe('lost');
    await server.empty();
    expect(await stateOf(watch)).toBe('lost');
  });
});

it('has a sentence for each condition but the good one', () => {
  expect(explainCondition({ state: 'ready' })).toBeNull();
  expect(explainCondition({ state: 'away' })).toContain('does not answer');
  expect(explainCondition({ state: 'lost', reason: 'why' })).toBe('why');
});
