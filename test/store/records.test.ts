import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EffectRecord } from '../../src/journal/effect.ts';
import { makeDecisions } from '../../src/store/decisions.ts';
import { makeKeys } from '../../src/store/keys.ts';
import type { Store } from '../../src/store/store.ts';
import { Processes } from './processes.ts';
import { eachPair } from './stores.ts';

eachPair('records', (pair) => {
  describe('a claim', () => {
    it('of its own from before a crash is free, until it is finished', async () => {
      expect(await pair.first.claims.take('d1', 'body1')).toBeNull();
      expect(await pair.second.claims.take('d1', 'body1')).toBeNull();
      await pair.first.claims.finish('d1');
      expect(await pair.second.claims.take('d1', 'body1')).toBe('id');
      expect(await pair.second.claims.take('d1', 'another body')).toBe('id');
    });

    it('refuses the same body under another id, also while the first is under way', async () => {
      expect(await pair.first.claims.take('d2', 'body2')).toBeNull();
      expect(await pair.second.claims.take('d3', 'body2')).toBe('body');
      await pair.first.claims.finish('d2');
      expect(await pair.second.claims.take('d3', 'body2')).toBe('body');
      expect(await pair.second.claims.take('d3', 'body3')).toBeNull();
    });

    it('of an id alone leaves every body free', async () => {
      expect(await pair.first.claims.take('d7', null)).toBeNull();
      await pair.first.claims.finish('d7');
      expect(await pair.second.claims.take('d7', null)).toBe('id');
      expect(await pair.second.claims.take('d8', null)).toBeNull();
    });

    it('of one body by many at once goes to one', async () => {
      const taken = await Promise.all(
        Array.from({ length: 40 }, (_, k) => (k % 2 ? pair.first : pair.second).claims.take(`many${k}`, 'body of many')),
      );
      expect(taken.filter((one) => one === null)).toHaveLength(1);
    });
  });

  describe('an effect record', () => {
    it('is changed by exactly one of many who saw the same', async () => {
      const made = await Promise.all(
        Array.from({ length: 20 }, (_, k) => (k % 2 ? pair.first : pair.second).effects.swap('e1', null, { state: 'intent', at: k })),
      );
      expect(made.filter(Boolean)).toHaveLength(1);
      const seen = await Promise.all(Array.from({ length: 20 }, (_, k) => (k % 2 ? pair.first : pair.second).effects.get('e1')));
      const acted = await Promise.all(
        seen.map((record, k) => (k % 2 ? pair.first : pair.second).effects.swap('e1', record, { state: 'acting', at: k, by: `w${k}` })),
      );
      expect(acted.filter(Boolean)).toHaveLength(1);
      expect(await pair.second.effects.get('e1')).toMatchObject({ state: 'acting', by: `w${acted.indexOf(true)}` });
    });

    it('can be counted up by many, none of whom overwrites another', async () => {
      await pair.first.effects.swap('e2', null, { state: 'intent', at: 0 });
      const add = async (store: Store) => {
        for (;;) {
          const seen = await store.effects.get('e2');
          if (seen && (await store.effects.swap('e2', seen, { state: 'intent', at: seen.at + 1 }))) return;
        }
      };
      await Promise.all(Array.from({ length: 25 }, (_, k) => add(k % 2 ? pair.first : pair.second)));
      expect(await pair.first.effects.get('e2')).toEqual({ state: 'intent', at: 25 });
    });

    it('comes back as it was written, and its writer may go on from it', async () => {
      const ended: EffectRecord = { state: 'ended', at: 3, outcome: { status: 'done', result: { commentId: 7, text: 'ä "x" 😀' } } };
      const begun: EffectRecord = { state: 'intent', at: 1 };
      expect(await pair.first.effects.get('e3')).toBeNull();
      expect(await pair.first.effects.swap('e3', null, begun)).toBe(true);
      expect(await pair.first.effects.swap('e3', null, begun)).toBe(false);
      expect(await pair.first.effects.swap('e3', begun, ended)).toBe(true);
      expect(await pair.second.effects.get('e3')).toEqual(ended);
      expect(await pair.second.effects.swap('e3', begun, { state: 'intent', at: 9 })).toBe(false);
    });
  });

  describe('a lane', () => {
    it('lets one run go at a time; the next by priority, then first come', async () => {
      const { lanes } = pair.first;
      expect(await lanes.enter('1:pr:1', 'a', 100)).toBe(true);
      expect(await lanes.enter('1:pr:1', 'b', 100)).toBe(false);
      expect(await pair.second.lanes.enter('1:pr:1', 'c', 100)).toBe(false);
      expect(await pair.second.lanes.enter('1:pr:1', 'urgent', 1)).toBe(false);
      expect(await lanes.enter('1:pr:1', 'b', 100)).toBe(false);
      expect(await lanes.enter('1:pr:1', 'a', 100)).toBe(true);
      expect(await lanes.look('1:pr:1')).toEqual({ active: 'a', queued: ['urgent', 'b', 'c'] });
      expect(await lanes.enter('1:pr:2', 'other', 100)).toBe(true);
      expect(await lanes.leave('1:pr:1', 'a')).toBe('urgent');
      expect(await lanes.enter('1:pr:1', 'b', 100)).toBe(false);
      expect(await pair.second.lanes.leave('1:pr:1', 'urgent')).toBe('b');
      expect(await lanes.leave('1:pr:1', 'b')).toBe('c');
      expect(await lanes.leave('1:pr:1', 'c')).toBeNull();
      expect(await lanes.look('1:pr:1')).toEqual({ active: null, queued: [] });
    });

    it('answers the next run again to one who crashed before it could wake it', async () => {
      const { lanes } = pair.first;
      await lanes.enter('2', 'a', 1);
      await lanes.enter('2', 'b', 1);
      await lanes.enter('2', 'c', 1);
      expect(await lanes.leave('2', 'a')).toBe('b');
      expect(await pair.second.lanes.leave('2', 'a')).toBe('b');
      expect(await lanes.look('2')).toEqual({ active: 'b', queued: ['c'] });
    });

    it('forgets a run that leaves while it waits', async () => {
      const { lanes } = pair.first;
      await lanes.enter('3', 'a', 1);
      await lanes.enter('3', 'b', 1);
      await lanes.leave('3', 'b');
      expect(await lanes.look('3')).toEqual({ active: 'a', queued: [] });
      expect(await lanes.leave('3', 'a')).toBeNull();
    });

    it('has one run in it, whoever comes and goes at once', async () => {
      let inside = 0;
      let most = 0;
      const woken = new Map<string, () => void>();
      const go = async (run: string, store: Store) => {
        const called = new Promise<void>((resolve) => woken.set(run, resolve));
        if (!(await store.lanes.enter('4', run, 1))) await called;
        most = Math.max(most, ++inside);
        await store.lanes.look('4');
        inside--;
        const next = await store.lanes.leave('4', run);
        if (next) woken.get(next)?.();
      };
      await Promise.all(Array.from({ length: 40 }, (_, k) => go(`r${k}`, k % 2 ? pair.first : pair.second)));
      expect(most).toBe(1);
      expect(await pair.first.lanes.look('4')).toEqual({ active: null, queued: [] });
    });
  });

  describe('a batch', () => {
    it('tells exactly one of many who end at once that it was the last', async () => {
      const ids = Array.from({ length: 30 }, (_, k) => `r~${k}`);
      await pair.first.batches.open('r', ids);
      const left = await Promise.all(ids.map((id, k) => (k % 2 ? pair.first : pair.second).batches.end('r', id)));
      expect(left.filter((count) => count === 0)).toHaveLength(1);
      expect(await pair.first.batches.end('r', 'r~0')).toBe(0);
    });

    it('that nobody knows any more is over', async () => {
      expect(await pair.first.batches.end('unknown', 'unknown~1')).toBe(0);
    });
  });

  describe('decisions', () => {
    const decision = (at: number) => ({
      at,
      delivery: 'd',
      event: 'push',
      workflow: 'review',
      verdict: 'not matched' as const,
      reason: `because ${at}`,
      run: null,
    });

    it('are listed newest first, by resource, at most 500', async () => {
      await pair.first.decisions.record(7, 'pr:1', [decision(1), decision(2)]);
      await pair.second.decisions.record(7, 'pr:1', [decision(3)]);
      await pair.first.decisions.record(7, 'pr:2', []);
      expect(await pair.first.decisions.list(7, 'pr:1')).toEqual([decision(3), decision(2), decision(1)]);
      expect(await pair.first.decisions.list(7, 'pr:2')).toEqual([]);
      expect(await pair.first.decisions.list(8, 'pr:1')).toEqual([]);
      await pair.first.decisions.record(
        7,
        'pr:1',
        Array.from({ length: 520 }, (_, k) => decision(k + 10)),
      );
      const all = await pair.first.decisions.list(7, 'pr:1');
      expect(all).toHaveLength(500);
      expect(all[0]).toEqual(decision(529));
    });
  });
});

describe('in Redis', () => {
  let processes: Processes;
  let first: Store;
  beforeAll(async () => {
    processes = await Processes.open('records-kept');
    first = await processes.start();
  });
  afterAll(() => processes.close());

  describe('a claim', () => {
    it('of a body that may soon come again is kept for as long as is said', async () => {
      expect(await first.claims.take('d5', 'body5', { bodySeconds: 10 })).toBeNull();
      expect(await first.claims.take('d6', 'body5', { bodySeconds: 10 })).toBe('body');
      const [key = ''] = await processes.raw.keys(`${processes.prefix}:claim:body:body5`);
      expect(await processes.raw.ttl(key)).toBeGreaterThan(7);
      expect(await processes.raw.ttl(key)).toBeLessThanOrEqual(10);
      await processes.raw.del(key);
      expect(await first.claims.take('d6', 'body5', { bodySeconds: 10 })).toBeNull();
    });

    it('is kept for four days', async () => {
      await first.claims.take('d4', 'body4');
      await first.claims.finish('d4');
      const keys = await processes.raw.keys(`${processes.prefix}:claim:*4`);
      expect(keys).toHaveLength(2);
      for (const key of keys) expect(await processes.raw.ttl(key)).toBeGreaterThan(4 * 86_400 - 60);
    });
  });

  it('decisions are kept for 30 days, or as long as is set', async () => {
    const decision = { at: 1, delivery: 'd', event: 'push', workflow: null, verdict: 'not matched' as const, reason: '', run: null };
    await first.decisions.record(7, 'pr:1', [decision]);
    const [key] = await processes.raw.keys(`${processes.prefix}:decisions:*`);
    expect(await processes.raw.ttl(key ?? '')).toBeGreaterThan(30 * 86_400 - 60);
    await makeDecisions(processes.raw, makeKeys(processes.prefix), 1.5).record(7, 'pr:1', [decision]);
    expect(await processes.raw.ttl(key ?? '')).toBeLessThan(1.5 * 86_400 + 1);
  });
});
