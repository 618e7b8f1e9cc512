import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { eachPair } from './stores.ts';

const NONE = { tokens: null, microdollars: null };

eachPair('budgets', (pair) => {
  const of = (k: number): Store => (k % 2 ? pair.first : pair.second);
  const used = async (run: string) => {
    const { tokens, microdollars } = await pair.first.budgets.reserve(run, 'nobody', { tokens: 0, microdollars: 0 }, NONE);
    return { tokens, microdollars };
  };

  describe('a budget', () => {
    it('is never exceeded, whoever reserves at once', async () => {
      const allowed = { tokens: 1_000, microdollars: null };
      const states = await Promise.all(
        Array.from({ length: 40 }, (_, k) => of(k).budgets.reserve('many', `turn ${k}`, { tokens: 90.2, microdollars: 1 }, allowed)),
      );
      expect(states.filter(({ granted }) => granted)).toHaveLength(10);
      expect(await used('many')).toEqual({ tokens: 910, microdollars: 10 });
    });

    it('counts a turn once, whether it is reserved or settled again', async () => {
      const allowed = { tokens: 100, microdollars: 50 };
      for (let k = 0; k < 3; k++) {
        const state = await of(k).budgets.reserve('again', 'turn 0', { tokens: 60, microdollars: 5 }, allowed);
        expect(state).toEqual({ granted: true, tokens: 0, microdollars: 0, share: 0 });
      }
      for (let k = 0; k < 3; k++) await of(k).budgets.settle('again', 'turn 0', { tokens: 40.5, microdollars: 7 });
      expect(await used('again')).toEqual({ tokens: 41, microdollars: 7 });
      expect(await pair.first.budgets.reserve('again', 'turn 1', { tokens: 60, microdollars: 0 }, allowed)).toMatchObject({
        granted: false,
        share: 0.41,
      });
      expect(await pair.first.budgets.reserve('again', 'turn 1', { tokens: 59, microdollars: 44 }, allowed)).toMatchObject({
        granted: false,
      });
      expect(await pair.first.budgets.reserve('again', 'turn 1', { tokens: 59, microdollars: 43 }, allowed)).toMatchObject({
        granted: true,
      });
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
