import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeKeys } from '../../src/store/keys.ts';
import { redisTime } from '../../src/store/redis.ts';
import type { Store } from '../../src/store/store.ts';
import { Processes } from './processes.ts';
import { eachPair } from './stores.ts';

const CONTENT = { content: true };
const MINUTE = 60_000;
const HOUR = 3_600_000;

let installation = 0;

async function take(store: Store, at: number, content = true): Promise<{ release(): Promise<void> }> {
  return vi.waitFor(
    async () => {
      const turn = await store.writes.take(at, { content });
      if ('wait' in turn) throw new Error(`wait ${turn.wait}`);
      return turn;
    },
    { interval: 2, timeout: 30_000 },
  );
}

async function waitOf(store: Store, at: number, options = CONTENT): Promise<number> {
  const turn = await store.writes.take(at, options);
  if ('wait' in turn) return turn.wait;
  await turn.release();
  return 0;
}

eachPair('turns', (pair) => {
  describe('turns to write', () => {
    it('are one at a time over all processes, and apart by installation', async () => {
      const at = ++installation;
      let inside = 0;
      let most = 0;
      await Promise.all(
        Array.from({ length: 30 }, async (_, k) => {
          const turn = await take(k % 2 ? pair.first : pair.second, at, k % 3 !== 0);
          most = Math.max(most, ++inside);
          await pair.second.isUp();
          inside--;
          await turn.release();
        }),
      );
      expect(most).toBe(1);
      const held = await take(pair.first, at);
      expect(await waitOf(pair.second, at)).toBeGreaterThan(0);
      expect(await waitOf(pair.second, ++installation)).toBe(0);
      await held.release();
      expect(await waitOf(pair.second, at)).toBe(0);
    });

    it('stop where GitHub asked for a pause, whatever kind they are, and the longer pause counts', async () => {
      const at = ++installation;
      await pair.first.writes.block(at, Date.now() + 60_000);
      await pair.second.writes.block(at, Date.now() + 50);
      for (const content of [true, false]) {
        const wait = await waitOf(pair.second, at, { content });
        expect(wait).toBeGreaterThan(59_000);
        expect(wait).toBeLessThanOrEqual(60_001);
      }
      expect(await pair.second.writes.blockedFor(at)).toBeGreaterThan(59_000);
      expect(await pair.second.writes.blockedFor(++installation)).toBe(0);
      await pair.first.writes.block(at, Date.now() + 90_000);
      expect(await waitOf(pair.second, at)).toBeGreaterThan(89_000);
    });

    it('go on when the pause is over', async () => {
      const at = ++installation;
      await pair.first.writes.block(at, Date.now() + 80);
      const before = Date.now();
      await (await take(pair.second, at)).release();
      expect(Date.now() - before).toBeGreaterThanOrEqual(70);
      await pair.first.writes.block(at, Date.now() - 5_000);
      await (await take(pair.second, at)).release();
    });
  });
});

describe('in Redis, turns to write', () => {
  let processes: Processes;
  let first: Store;
  let second: Store;
  beforeAll(async () => {
    processes = await Processes.open('turns-kept');
    [first, second] = [await processes.start(), await processes.start()];
  });
  afterAll(() => processes.close());

  /** Writes that were made so many ms ago. */
  async function remember(at: number, ages: number[]): Promise<void> {
    const now = await redisTime(processes.raw);
    await processes.raw.zadd(makeKeys(processes.prefix).writeTimes(at), ...ages.flatMap((age, k) => [now - age, `old${k}`]));
  }

  it('are 60 a minute: the next waits until the oldest of the last 60 is a minute old', async () => {
    const at = ++installation;
    await remember(at, [50_000, ...Array.from({ length: 58 }, (_, k) => 100 + k), ...Array.from({ length: 100 }, (_, k) => 70_000 + k)]);
    expect(await waitOf(first, at)).toBe(0);
    const wait = await waitOf(second, at);
    expect(wait).toBeGreaterThan(9_000);
    expect(wait).toBeLessThanOrEqual(10_001);
    expect(await waitOf(second, at, { content: false })).toBe(0);
  });

  it('are 400 an hour, and what is older does not count', async () => {
    const at = ++installation;
    await remember(at, [
      ...Array.from({ length: 399 }, (_, k) => HOUR - 20_000 - k * 1_000),
      ...Array.from({ length: 50 }, (_, k) => HOUR + 1 + k),
    ]);
    expect(await waitOf(first, at)).toBe(0);
    const wait = await waitOf(second, at);
    expect(wait).toBeGreaterThan(19_000);
    expect(wait).toBeLessThanOrEqual(20_001);
    const oldest = await processes.raw.zcount(
      makeKeys(processes.prefix).writeTimes(at),
      '-inf',
      (await redisTime(processes.raw)) - HOUR - 10,
    );
    expect(oldest).toBe(0);
  });

  it('that create nothing are not counted', async () => {
    const at = ++installation;
    await remember(
      at,
      Array.from({ length: 59 }, () => 1_000),
    );
    for (let k = 0; k < 5; k++) expect(await waitOf(first, at, { content: false })).toBe(0);
    expect(await waitOf(first, at)).toBe(0);
    expect(await waitOf(first, at)).toBeGreaterThan(MINUTE - 3_000);
  });

  it('that are never given back end by themselves, and their late return takes nothing from the next', async () => {
    const at = ++installation;
    const lock = makeKeys(processes.prefix).writeLock(at);
    const lost = await take(first, at);
    const lease = await processes.raw.pttl(lock);
    expect(lease).toBeGreaterThan(5_000);
    expect(lease).toBeLessThanOrEqual(6_000);
    await processes.raw.pexpire(lock, 20);
    const next = await take(second, at);
    await lost.release();
    expect(await waitOf(first, at)).toBeGreaterThan(0);
    await next.release();
    expect(await waitOf(first, at)).toBe(0);
  });
});
