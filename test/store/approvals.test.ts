import { describe, expect, it } from 'vitest';
import { eventOn } from '../session/house.ts';
import { eachPair } from './stores.ts';

const WORD = { by: 'wanda', trust: 'untrusted', comment: 7 } as const;
const [OLD, NEW] = ['2026-01-01T10:00:00Z', '2026-01-01T11:00:00Z'];

eachPair('approvals', (pair) => {
  describe('a word for a head commit', () => {
    it('is known to all, and every event that waits for it by its workflow', async () => {
      const { approvals } = pair.first;
      expect(await approvals.look('a')).toBeNull();
      const [first, second, newer] = [eventOn(), eventOn(), eventOn()];
      await approvals.note('a', { sha: 'one', since: OLD }, { path: 'x.json', event: first });
      await approvals.note('a', { sha: 'one', since: NEW }, { path: 'y.json', event: second });
      const asked = await approvals.note('a', { sha: 'one', since: NEW }, { path: 'x.json', event: newer });
      expect(asked).toEqual({
        head: 'one',
        since: OLD,
        allowed: null,
        events: new Map([
          ['x.json', newer],
          ['y.json', second],
        ]),
      });
      expect(await approvals.allow('a', 'one', WORD)).toBe(true);
      expect(await pair.second.approvals.look('a')).toEqual({ ...asked, allowed: WORD });
      expect(await approvals.look('b')).toBeNull();
    });

    it('is taken back by a newer head, and not by an older one', async () => {
      const { approvals } = pair.second;
      await approvals.note('c', { sha: 'one', since: OLD }, { path: 'x.json', event: eventOn() });
      await approvals.allow('c', 'one', WORD);
      const asked = await approvals.note('c', { sha: 'two', since: NEW });
      expect(asked).toMatchObject({ head: 'two', allowed: null });
      expect([...asked.events.keys()]).toEqual(['x.json']);
      expect(await approvals.allow('c', 'one', WORD)).toBe(false);
      await approvals.allow('c', 'two', WORD);
      expect(await pair.first.approvals.note('c', { sha: 'one', since: OLD }, { path: 'z.json', event: eventOn() })).toMatchObject({
        head: 'two',
        allowed: WORD,
      });
      expect([...((await approvals.look('c'))?.events.keys() ?? [])]).toEqual(['x.json']);
    });
  });

  it('the first to do a thing is the first also when asked again, and another is not', async () => {
    expect(await pair.first.claims.isFirst('thing', 'a', 60)).toBe(true);
    expect(await pair.second.claims.isFirst('thing', 'b', 60)).toBe(false);
    expect(await pair.second.claims.isFirst('thing', 'a', 60)).toBe(true);
    expect(await pair.second.claims.isFirst('other', 'b', 60)).toBe(true);
  });
});
