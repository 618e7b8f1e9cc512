import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReviewResult } from '../../src/github/review.ts';
import type { Finding } from '../../src/journal/finding.ts';
import { type Files, House } from './house.ts';

const rows = (count: number, word = 'row') => Array.from({ length: count }, (_, k) => `${word} ${k + 1}`);
const text = (lines: string[]) => `${lines.join('\n')}\n`;
const BASE = { 'src/edit.ts': text(rows(60)) };
const HEAD = { 'src/a.ts': text(rows(60, 'added')), 'src/edit.ts': text(rows(60)).replace('row 50', 'changed 50') };
const NULL_CHECK = 'The name may be undefined here, which throws in the template: check it first.';

let house: House;
let n = 0;

beforeAll(async () => {
  house = await House.open(BASE, { 'first.txt': 'x\n' });
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.openPull(`branch-${++n}`, HEAD);
});
afterEach(() => house.clear());

/** One run's whole review of the pull request: how many it posted, and how many it knew. */
async function review(run: string, ...findings: (Partial<Finding> & { id: string })[]): Promise<{ posted: number; earlier: number }> {
  await house.find(run, ...findings);
  const effect = { type: 'review.submit', event: 'COMMENT', body: `Summary of ${run}.` } as const;
  const outcome = await house.publisher().perform({ run, key: 'submit', event: house.event, effect });
  if (outcome.status !== 'done') throw new Error(JSON.stringify(outcome));
  const { posted, earlier } = outcome.result as ReviewResult;
  return { posted, earlier };
}

const alice = () => house.gh.person('alice', { 'acme/app': 'write' });

async function push(files: Files): Promise<void> {
  await alice().push(house.gh.repository('acme/app'), `branch-${n}`, files);
  await house.refresh();
}

const again = (change: Partial<Finding> = {}) => ({ id: 'second', line: 9, body: NULL_CHECK, ...change });

describe('a second review of a pull request', () => {
  it('posts nothing that an open thread says already, and says how many there are', async () => {
    expect(await review('one', { id: 'first', line: 9, body: NULL_CHECK }, { id: 'whole', path: 'src/edit.ts', rung: 'file' })).toEqual({
      posted: 2,
      earlier: 0,
    });
    const second = await review('two', again(), { id: 'whole', path: 'src/edit.ts', rung: 'file' }, { id: 'new', line: 30 });
    expect(second).toEqual({ posted: 1, earlier: 2 });
    expect(await house.reviewComments()).toHaveLength(3);
    const [, last] = await house.reviews();
    expect(last?.body).toContain('_2 findings stand in open threads of earlier reviews already and are not repeated._');
    const [kept] = await house.drafts.list('two');
    const first = (await house.drafts.list('one'))[0];
    expect(kept?.posted).toEqual({ ...first?.posted, earlier: true });
  });

  const moved = text(['inserted 1', 'inserted 2', ...rows(60, 'added')]);
  const rewritten = text(rows(60, 'added').map((row, k) => (k === 8 ? 'rewritten' : row)));
  it.each<[string, Files, Partial<Finding>, number]>([
    ['the same words', {}, {}, 0],
    ['nearly the same words', {}, { body: 'The name may be undefined here and throws in the template; check it.' }, 0],
    ['other words on the same line', {}, { body: 'Use a constant for this number.' }, 1],
    ['the same words on another line', {}, { line: 20 }, 1],
    ['the same words in another file', {}, { path: 'src/edit.ts', line: 50 }, 1],
    ['a line that has moved down', { 'src/a.ts': moved }, { line: 11 }, 0],
    ['a line whose text was changed', { 'src/a.ts': rewritten }, {}, 1],
  ])('%s', async (_name, files, change, posted) => {
    await review('one', { id: 'first', line: 9, body: NULL_CHECK });
    if (Object.keys(files).length > 0) await push(files);
    expect(await review('two', again(change))).toEqual({ posted, earlier: 1 - posted });
  });

  it('posts again what was resolved, and pairs a thread with one finding only', async () => {
    await review('one', { id: 'first', line: 9, body: NULL_CHECK });
    const twice = [again(), again({ id: 'third', body: `${NULL_CHECK} Twice.` })] as const;
    expect(await review('two', ...twice)).toEqual({ posted: 1, earlier: 1 });
    for (const { id } of await house.reviewComments()) alice().resolveThread('acme/app', id);
    expect(await review('three', again())).toEqual({ posted: 1, earlier: 0 });
  });

  it("does not take other people's threads, nor its own of this run, for its own", async () => {
    await alice().reviewComment('acme/app', house.number, { path: 'src/a.ts', line: 9, body: NULL_CHECK });
    expect(await review('one', again())).toEqual({ posted: 1, earlier: 0 });
    await house.find('one', { id: 'more', line: 9, body: `${NULL_CHECK} More.` });
    const effect = { type: 'review.submit', event: 'COMMENT', body: '' } as const;
    const outcome = await house.publisher().perform({ run: 'one', key: 'again', event: house.event, effect });
    expect(outcome).toMatchObject({ status: 'done', result: { posted: 1, earlier: 0 } });
  });
});
