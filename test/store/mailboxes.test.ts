import { describe, expect, it } from 'vitest';
import type { Letter, Recipient } from '../../src/store/mailbox.ts';
import { eachPair } from './stores.ts';

const RESOURCE = '1:pr:1';

function letterOf(comment: number, more: Partial<Letter> = {}): Letter {
  const createdAt = new Date(Date.UTC(2026, 0, 1, 0, 0, comment)).toISOString();
  return { comment, author: 'ana', place: 'conversation', body: `remark ${comment}`, url: '', createdAt, signal: false, ...more };
}

function sessionOf(run: string, more: Partial<Recipient> = {}): Recipient {
  return { run, step: 's', listens: true, signals: ['/done'], author: 'ben', ...more };
}

eachPair('mailboxes', (pair) => {
  const ids = async (run: string, heard: number[] = []) => {
    const { letters, held } = await pair.first.mailboxes.read(RESOURCE, { run, step: 's', heard });
    return { letters: letters.map(({ comment }) => comment), held: held.map(({ comment }) => comment) };
  };
  const close = (run: string, heard: number[] = [], force = false) =>
    pair.second.mailboxes.close(RESOURCE, { run, step: 's', heard, force });

  describe('a mailbox', () => {
    it('takes letters of an open session, each comment once, and gives them in the order they were written', async () => {
      const session = sessionOf('a');
      await pair.first.mailboxes.open(RESOURCE, session);
      await pair.second.mailboxes.open(RESOURCE, { ...session, listens: false });
      for (const comment of [3, 1, 2, 3]) expect(await pair.second.mailboxes.post(RESOURCE, session, letterOf(comment))).toBe(true);
      expect(await ids('a')).toEqual({ letters: [1, 2, 3], held: [] });
      expect(await ids('a', [1, 3])).toEqual({ letters: [2], held: [] });
      expect(await pair.first.mailboxes.takerOf(RESOURCE, 2)).toEqual({ run: 'a', step: 's' });
      expect(await pair.first.mailboxes.takerOf(RESOURCE, 9)).toBeNull();
    });

    it('gives a comment to one session only, whatever others ask', async () => {
      await pair.first.mailboxes.open(RESOURCE, sessionOf('b'));
      await pair.first.mailboxes.open(RESOURCE, sessionOf('c'));
      expect(await pair.first.mailboxes.post(RESOURCE, sessionOf('b'), letterOf(11))).toBe(true);
      expect(await pair.second.mailboxes.post(RESOURCE, sessionOf('c'), letterOf(11))).toBe(false);
      const [newest, before] = await pair.second.mailboxes.recipients(RESOURCE);
      expect([newest?.run, before?.run]).toEqual(['c', 'b']);
    });

    it('refuses to close while a letter lies there that was not heard, unless it is forced, and takes none afterwards', async () => {
      await pair.first.mailboxes.open(RESOURCE, sessionOf('d'));
      await pair.first.mailboxes.post(RESOURCE, sessionOf('d'), letterOf(21));
      expect(await close('d')).toBe(false);
      expect(await pair.first.mailboxes.post(RESOURCE, sessionOf('d'), letterOf(22))).toBe(true);
      expect(await close('d', [21])).toBe(false);
      expect(await close('d', [22, 21])).toBe(true);
      expect(await pair.first.mailboxes.post(RESOURCE, sessionOf('d'), letterOf(23))).toBe(false);
      expect(await pair.first.mailboxes.post(RESOURCE, sessionOf('d'), letterOf(22))).toBe(true);
      expect((await pair.first.mailboxes.recipients(RESOURCE)).map(({ run }) => run)).not.toContain('d');
      await pair.first.mailboxes.open(RESOURCE, sessionOf('e'));
      await pair.first.mailboxes.post(RESOURCE, sessionOf('e'), letterOf(24));
      expect(await close('e', [], true)).toBe(true);
      expect(await close('unknown')).toBe(true);
    });

    it('loses no letter that comes while it closes: each is taken before, or refused', async () => {
      for (let k = 0; k < 20; k++) {
        const run = `race${k}`;
        await pair.first.mailboxes.open(RESOURCE, sessionOf(run));
        const [closed, ...posted] = await Promise.all([
          close(run),
          pair.first.mailboxes.post(RESOURCE, sessionOf(run), letterOf(1_000 + 2 * k)),
          pair.second.mailboxes.post(RESOURCE, sessionOf(run), letterOf(1_001 + 2 * k)),
        ]);
        expect(posted).toEqual(closed ? [false, false] : [true, true]);
        expect((await ids(run)).letters).toHaveLength(closed ? 0 : 2);
      }
    });

    it('gives the newest text of a comment, nothing of a deleted one, and closes over that', async () => {
      const session = sessionOf('h');
      const amend = (comment: number, body: string | null, at: string) => pair.second.mailboxes.amend(RESOURCE, { comment, body, at });
      const read = async (heard: number[] = []) => {
        const { letters } = await pair.first.mailboxes.read(RESOURCE, { run: 'h', step: 's', heard });
        return letters.map(({ comment, body, signal }) => [comment, body, signal]);
      };
      await pair.first.mailboxes.open(RESOURCE, session);
      await amend(51, 'newest', '2026-01-01T00:00:09Z');
      for (const comment of [51, 52, 53, 54])
        await pair.first.mailboxes.post(RESOURCE, session, letterOf(comment, { signal: comment === 54 }));
      await amend(51, 'older, but it came later', '2026-01-01T00:00:08Z');
      await amend(52, null, '2026-01-01T00:00:01Z');
      await amend(52, 'edited before it was deleted', '2026-01-01T00:00:05Z');
      await amend(53, ' /done\n', '2026-01-01T00:00:05Z');
      await amend(54, 'no signal any more: null', '2026-01-01T00:00:05Z');
      expect(await read()).toEqual([
        [51, 'newest', false],
        [53, ' /done\n', true],
        [54, 'no signal any more: null', false],
      ]);
      expect(await close('h', [51, 53])).toBe(false);
      await amend(51, null, '2026-01-01T00:00:10Z');
      expect(await read([51])).toHaveLength(2);
      expect(await close('h', [51, 53, 54])).toBe(true);
    });

    it('of a session that does not listen takes letters only while it waits', async () => {
      const session = sessionOf('f', { listens: false });
      await pair.first.mailboxes.open(RESOURCE, session);
      expect(await pair.first.mailboxes.post(RESOURCE, session, letterOf(31))).toBe(false);
      await pair.second.mailboxes.wait('f', 's', true);
      expect((await pair.first.mailboxes.recipients(RESOURCE))[0]).toMatchObject({ run: 'f', takes: true });
      expect(await pair.first.mailboxes.post(RESOURCE, session, letterOf(31))).toBe(true);
      await pair.second.mailboxes.wait('f', 's', false);
      expect(await pair.first.mailboxes.post(RESOURCE, session, letterOf(32))).toBe(false);
      expect((await pair.first.mailboxes.recipients(RESOURCE))[0]).toMatchObject({ run: 'f', takes: false });
    });

    it('holds letters back while an earlier comment is looked at, but never a signal', async () => {
      await pair.first.mailboxes.open(RESOURCE, sessionOf('g'));
      await pair.second.mailboxes.announce(RESOURCE, letterOf(41));
      await pair.first.mailboxes.post(RESOURCE, sessionOf('g'), letterOf(40));
      await pair.first.mailboxes.post(RESOURCE, sessionOf('g'), letterOf(42));
      await pair.first.mailboxes.post(RESOURCE, sessionOf('g'), letterOf(43, { signal: true }));
      expect(await ids('g')).toEqual({ letters: [40, 43], held: [42] });
      await pair.first.mailboxes.settle(RESOURCE, letterOf(41));
      expect(await ids('g')).toEqual({ letters: [40, 42, 43], held: [] });
    });
  });
});
