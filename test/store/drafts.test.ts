import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/journal/finding.ts';
import { eachPair } from './stores.ts';

function finding(id: string, given: Partial<Finding> = {}): Finding {
  return { id, path: 'a.ts', side: 'RIGHT', line: 3, body: 'This leaks.', rung: 'line', key: `key of ${id}`, ...given };
}

const POSTED = { review: 5, comment: 9, rung: 'line' as const };

eachPair('drafts', (pair) => {
  describe('a draft review', () => {
    it('keeps findings in the order they came, and answers a repeated call with the one that is there', async () => {
      const all = [finding('1'), finding('2', { line: 4 }), finding('3', { path: 'b.ts', body: 'ä "q" \\ 😀\n' })];
      for (const one of all) expect(await pair.first.drafts.add('order', one)).toEqual(one);
      expect(await pair.second.drafts.add('order', { ...finding('1'), key: 'another call' })).toEqual(finding('1'));
      expect(await pair.second.drafts.list('order')).toEqual(all);
      expect(await pair.second.drafts.list('another run')).toEqual([]);
    });

    it.each([
      ['body', 'file'],
      ['body', 'range-cut'],
      ['file', 'range-cut'],
      ['file', 'line'],
      ['range-cut', 'line'],
    ] as const)('moves what stands at %s up to %s, in its place and under its id', async (low, high) => {
      const run = `up ${low} ${high}`;
      await pair.first.drafts.add(run, finding('low', { rung: low, line: 999 }));
      await pair.first.drafts.add(run, finding('other', { body: 'Something else.' }));
      const moved = finding('low', { rung: high, line: 12, key: 'key of high', suggestion: 'x' });
      expect(await pair.second.drafts.add(run, { ...moved, id: 'high' })).toEqual(moved);
      expect(await pair.first.drafts.list(run)).toEqual([moved, finding('other', { body: 'Something else.' })]);
      expect(await pair.first.drafts.add(run, { ...moved, id: 'high' })).toEqual(moved);
      expect(await pair.first.drafts.add(run, finding('low', { rung: low, line: 999 }))).toEqual(moved);
      expect(await pair.first.drafts.list(run)).toHaveLength(2);
    });

    it.each([
      ['line', 'body'],
      ['line', 'file'],
      ['range-cut', 'body'],
    ] as const)('says nothing twice: what stands at %s is not added at %s', async (high, low) => {
      const run = `down ${low} ${high}`;
      await pair.first.drafts.add(run, finding('high', { rung: high }));
      expect(await pair.first.drafts.add(run, finding('low', { rung: low, line: 999 }))).toEqual(finding('high', { rung: high }));
      expect(await pair.first.drafts.list(run)).toEqual([finding('high', { rung: high })]);
    });

    it('goes up only: what was moved to its line is not brought down again', async () => {
      await pair.first.drafts.add('climb', finding('1', { rung: 'body' }));
      await pair.first.drafts.add('climb', finding('2', { rung: 'file' }));
      const top = { ...finding('1'), key: 'key of 3' };
      expect(await pair.first.drafts.add('climb', { ...top, id: '3' })).toEqual(top);
      expect(await pair.first.drafts.add('climb', finding('4', { rung: 'range-cut', line: 9 }))).toEqual(top);
      expect(await pair.first.drafts.list('climb')).toEqual([top]);
    });

    it('keeps the same remark on two lines, in two files and with two texts apart', async () => {
      const all = [finding('1'), finding('2', { line: 4 }), finding('3', { path: 'b.ts' }), finding('4', { body: 'This leaks!' })];
      for (const one of all) await pair.first.drafts.add('apart', one);
      expect(await pair.first.drafts.list('apart')).toEqual(all);
    });

    it('does not move what is posted: the better place is a finding of its own', async () => {
      await pair.first.drafts.add('posted', finding('low', { rung: 'body' }));
      await pair.first.drafts.markPosted('posted', 'low', { review: 5, comment: null, rung: 'body' });
      expect(await pair.first.drafts.add('posted', finding('high'))).toEqual(finding('high'));
      expect((await pair.first.drafts.list('posted')).map(({ id, posted }) => [id, posted?.review])).toEqual([
        ['low', 5],
        ['high', undefined],
      ]);
    });

    it('remembers where a finding was posted, and tells it to whoever adds it again', async () => {
      await pair.first.drafts.add('again', finding('1'));
      await pair.second.drafts.markPosted('again', '1', POSTED);
      await pair.second.drafts.markPosted('again', 'nobody', POSTED);
      expect(await pair.first.drafts.list('again')).toEqual([finding('1', { posted: POSTED })]);
      expect(await pair.first.drafts.add('again', finding('1'))).toEqual(finding('1', { posted: POSTED }));
    });

    it('loses no finding and doubles none, whoever adds at once', async () => {
      const wanted = Array.from({ length: 60 }, (_, k) => finding(`f${k}`, { line: k + 1, body: `Remark ${k}.` }));
      const calls = wanted.flatMap((one) => [one, { ...one, id: `${one.id}-low`, rung: 'body' as const }, one]);
      await Promise.all(calls.map((one, k) => (k % 2 ? pair.first : pair.second).drafts.add('parallel', one)));
      const list = await pair.first.drafts.list('parallel');
      expect(list.map(({ body, rung, line }) => `${body} ${rung} ${line}`).sort()).toEqual(
        wanted.map(({ body, rung, line }) => `${body} ${rung} ${line}`).sort(),
      );
      expect(new Set(list.map(({ id }) => id)).size).toBe(60);
    });

    it('keeps both a place and a posting that come at once', async () => {
      for (let k = 0; k < 20; k++) {
        const run = `race ${k}`;
        await pair.first.drafts.add(run, finding('low', { rung: 'body' }));
        await Promise.all([pair.first.drafts.add(run, finding('high')), pair.second.drafts.markPosted(run, 'low', POSTED)]);
        const list = await pair.first.drafts.list(run);
        expect(list.filter(({ posted }) => posted)).toHaveLength(1);
        expect(list.filter(({ rung }) => rung === 'line')).toHaveLength(1);
      }
    });

    it('bears half a character, which a model may write', async () => {
      const odd = finding('odd', { body: 'cut \ud83d here' });
      expect(await pair.first.drafts.add('odd', odd)).toEqual(odd);
      expect(await pair.first.drafts.add('odd', { ...odd, id: 'odd2', line: 5 })).toEqual({ ...odd, id: 'odd2', line: 5 });
      expect(await pair.first.drafts.list('odd')).toHaveLength(2);
    });
  });
});
