import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { CLOCK, type Clock } from '../../src/journal/clock.ts';
import { type Account, makeBudgets, RESERVED_MS } from '../../src/store/budgets.ts';
import { budgets as inMemory } from '../../src/store/in-memory/budgets.ts';
import { AT_ONCE, reach } from '../../src/store/in-memory/way.ts';
import { makeKeys } from '../../src/store/keys.ts';
import { connectCommands, waitReady } from '../../src/store/redis.ts';
import type { Store } from '../../src/store/store.ts';
import { eachPair } from './stores.ts';

/** An account of a test's own, which may hold so much. */
const account = (id: string, ceiling: Account['ceiling'] = {}): Account => ({ id, ceiling });

eachPair('budgets', (pair) => {
  const of = (k: number): Store => (k % 2 ? pair.first : pair.second);
  const used = async (id: string) => (await pair.first.budgets.look([account(id)]))[0];
  const place = (run: string, key: string) => ({ run, key });

  describe('a budget', () => {
    it('is never exceeded, whoever reserves at once', async () => {
      const accounts = [account('many', { tokens: 1_000 }), account('wide', { tokens: 5_000, turns: 500 })];
      const states = await Promise.all(
        Array.from({ length: 40 }, (_, k) => of(k).budgets.reserve(place(`r${k % 3}`, `turn ${k}`), { tokens: 90.2, turns: 1 }, accounts)),
      );
      expect(states.filter(({ granted }) => granted)).toHaveLength(10);
      const { granted, used: now } = await pair.first.budgets.reserve(place('late', 'x'), { tokens: 91 }, accounts);
      expect([granted, now[0]?.tokens, now[1]?.tokens, now[1]?.turns]).toEqual([false, 910, 910, 10]);
    });

    it('counts a turn once, whether it is reserved or settled again', async () => {
      const accounts = [account('again', { tokens: 100, microdollars: 50 }), account('day')];
      const again = place('r', 'turn 0');
      for (let k = 0; k < 3; k++) {
        const { granted, used: others } = await of(k).budgets.reserve(again, { tokens: 60, microdollars: 5 }, accounts);
        expect([granted, others[0]?.tokens]).toEqual([true, 0]);
      }
      for (let k = 0; k < 3; k++) await of(k).budgets.settle(again, { tokens: 40.5, microdollars: 7, turns: 1 }, accounts);
      for (const id of ['again', 'day']) expect(await used(id)).toMatchObject({ tokens: 41, microdollars: 7, turns: 1, calls: 0, ms: 0 });
      const next = (estimate: object) => pair.first.budgets.reserve(place('r', 'turn 1'), estimate, accounts);
      expect(await next({ tokens: 60 })).toMatchObject({ granted: false });
      expect(await next({ tokens: 59, microdollars: 44 })).toMatchObject({ granted: false });
      expect(await next({ tokens: 59, microdollars: 43 })).toMatchObject({ granted: true });
      expect(await pair.second.budgets.reserve(again, { tokens: 10_000 }, accounts)).toMatchObject({ granted: true });
      expect(await pair.second.budgets.reserve(place('other', 'turn 0'), { tokens: 1 }, accounts)).toMatchObject({ granted: false });
    });

    it('gets back what a run reserved and will not settle', async () => {
      const accounts = [account('back', { tokens: 100 })];
      const take = (run: string) => pair.first.budgets.reserve(place(run, 'turn 0'), { tokens: 100 }, accounts);
      expect((await take('a')).granted).toBe(true);
      expect((await take('b')).granted).toBe(false);
      await pair.second.budgets.release('b', accounts);
      expect((await take('b')).granted).toBe(false);
      await pair.second.budgets.release('a', accounts);
      expect((await take('b')).granted).toBe(true);
    });
  });

  describe('a run that has not begun', () => {
    it('is one of a workflow and resource, until it is cleared by itself', async () => {
      const named = await Promise.all(Array.from({ length: 10 }, (_, k) => of(k).queued.claim('1:pr:1', 'w', `r${k}`)));
      expect(new Set(named).size).toBe(1);
      const [run = ''] = named;
      await pair.first.queued.clear('1:pr:1', 'w', 'another');
      expect(await pair.second.queued.claim('1:pr:1', 'w', 'late')).toBe(run);
      expect(await pair.second.queued.claim('1:pr:1', 'other', 'late')).toBe('late');
      await pair.first.queued.replace('1:pr:1', 'w', 'newer');
      await pair.second.queued.clear('1:pr:1', 'w', 'newer');
      expect(await pair.first.queued.claim('1:pr:1', 'w', 'last')).toBe('last');
    });
  });

  describe('the place of a status', () => {
    it('shows the run that was started last, and remembers its comment', async () => {
      const { first, second } = pair;
      expect(await first.statusPlaces.look('1:pr:1', 'w')).toBeNull();
      expect(await first.statusPlaces.take('1:pr:1', 'w', { run: 'b', at: 20 })).toBe(true);
      await second.statusPlaces.keep('1:pr:1', 'w', 77);
      expect(await second.statusPlaces.take('1:pr:1', 'w', { run: 'a', at: 10 })).toBe(false);
      expect(await second.statusPlaces.take('1:pr:1', 'w', { run: 'b', at: 20 })).toBe(true);
      expect(await second.statusPlaces.take('1:pr:1', 'w', { run: 'c', at: 30 })).toBe(true);
      expect(await first.statusPlaces.look('1:pr:1', 'w')).toEqual({ run: 'c', comment: 77 });
      expect(await first.statusPlaces.look('1:pr:2', 'w')).toBeNull();
    });
  });

  describe('a duty', () => {
    it('belongs to one process at a time, until it lets go or its time is over', async () => {
      const { first, second } = pair;
      expect(await first.duties.hold('d', 'one', 60_000)).toBe(true);
      expect(await second.duties.hold('d', 'two', 60_000)).toBe(false);
      expect(await first.duties.hold('d', 'one', 60_000)).toBe(true);
      expect(await second.duties.hold('other', 'two', 60_000)).toBe(true);
      await second.duties.letGo('d', 'two');
      expect(await second.duties.hold('d', 'two', 60_000)).toBe(false);
      await first.duties.letGo('d', 'one');
      expect(await second.duties.hold('d', 'two', 30)).toBe(true);
      await expect.poll(() => first.duties.hold('d', 'one', 60_000)).toBe(true);
    });

    it('remembers when its newest round began', async () => {
      expect(await pair.first.duties.begunAt('d')).toBe(0);
      await pair.first.duties.begin('d', 500);
      expect(await pair.second.duties.begunAt('d')).toBe(500);
    });
  });

  describe('the reading of deliveries', () => {
    it('remembers since when, up to when, and what was seen', async () => {
      const { first, second } = pair;
      expect(await first.deliveries.open(500)).toEqual({ since: 500, reached: null });
      expect(await first.deliveries.unseen(['a', 'b', 'a'])).toEqual(['a', 'b']);
      await second.deliveries.see('b', 700);
      await second.deliveries.see('c', 600);
      expect(await first.deliveries.unseen(['c', 'a', 'b'])).toEqual(['a']);
      expect(await first.deliveries.unseen([])).toEqual([]);
      await first.deliveries.reach(700);
      expect(await second.deliveries.open(900)).toEqual({ since: 500, reached: 700 });
      expect(await second.failures.open(900)).toEqual({ since: 900, reached: null });
    });

    it('puts off what could not be read, until it is seen', async () => {
      const { first, second } = pair;
      await first.deliveries.putOff('x', { tries: 1, until: 10 });
      await first.deliveries.putOff('x', { tries: 2, until: 30 });
      expect(await second.deliveries.putOffs(['w', 'x'])).toEqual(new Map([['x', { tries: 2, until: 30 }]]));
      await second.deliveries.see('x', 700);
      expect(await first.deliveries.putOffs(['x'])).toEqual(new Map());
      expect(await first.deliveries.putOffs([])).toEqual(new Map());
    });
  });

  describe('a comment', () => {
    it('is brought by one delivery, which may say so again', async () => {
      const { claims } = pair.first;
      expect(await claims.takeComment('thread-1', 'a')).toBe(true);
      expect(await pair.second.claims.takeComment('thread-1', 'b')).toBe(false);
      expect(await claims.takeComment('thread-1', 'a')).toBe(true);
      expect(await claims.takeComment('conversation-1', 'b')).toBe(true);
      expect(await pair.second.claims.broughtComments(['thread-1', 'thread-2', 'conversation-1'])).toEqual(['thread-1', 'conversation-1']);
      expect(await claims.broughtComments([])).toEqual([]);
    });
  });
});

it('a reservation of a call that was killed counts no more after a while', async () => {
  const redis = connectCommands(inject('redisUrl'), () => {});
  await waitReady(redis, 5_000);
  const prefix = `test-budgets-${randomUUID()}`;
  let now = 1_000_000;
  const clock: Clock = { ...CLOCK, now: () => now };
  const budgets = [makeBudgets(redis, makeKeys(prefix), () => now), reach(AT_ONCE, 'budgets', inMemory(clock))];
  for (const each of budgets) {
    const accounts = [account('killed', { tokens: 100 })];
    const take = async (key: string) => (await each.reserve({ run: 'r', key }, { tokens: 80 }, accounts)).granted;
    expect([await take('a'), await take('b')]).toEqual([true, false]);
    now += RESERVED_MS + 1;
    expect(await take('b')).toBe(true);
    await each.settle({ run: 'r', key: 'a' }, { tokens: 80 }, accounts);
    expect(await each.look(accounts)).toMatchObject([{ tokens: 80 }]);
  }
  redis.disconnect();
});
