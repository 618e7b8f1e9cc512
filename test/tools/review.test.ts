import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/journal/finding.ts';
import { makeDrafts } from '../../src/store/drafts.ts';
import { makeScratchpads } from '../../src/store/scratchpads.ts';
import { ownPlace } from '../store/place.ts';
import { call, fault, type Given, ISSUE, makeContext } from './call-context.ts';
import { diffOf, type Files, randomChange, seeded } from './repository.ts';

const { redis, keys } = ownPlace('tools-review');
const lines = (count: number) => Array.from({ length: count }, (_, k) => `line ${k + 1}`);
const text = lines(60).join('\n');
const change = diffOf(
  { 'src/a.ts': text, 'gone.ts': 'a\n', 'old.ts': text, 'image.bin': Buffer.from([0, 1]) },
  {
    'src/a.ts': text.replace('line 10\n', 'line ten\n').replace('line 40\n', ''),
    'gone.ts': null,
    'old.ts': null,
    'new.ts': `${text}\nmore`,
    'image.bin': Buffer.from([0]),
  },
);

function open(given: Given & { run?: string } = {}) {
  const run = given.run ?? randomUUID();
  return makeContext({ change, drafts: makeDrafts(redis, keys), pads: makeScratchpads(redis, keys, run), ...given, run });
}
const add = async (context: ReturnType<typeof open>, input: object) =>
  JSON.parse(await call(context, 'add_pull_request_review_thread', { body: 'wrong', ...input })) as Record<string, unknown>;

describe('add_pull_request_review_thread', () => {
  it.each([
    [
      { path: 'src/a.ts', line: 10 },
      { placed: 'line', path: 'src/a.ts', side: 'RIGHT', line: 10 },
    ],
    [
      { path: 'src/a.ts', line: '10', side: 'left' },
      { placed: 'line', side: 'LEFT', line: 10 },
    ],
    [
      { path: 'acme/shop/src/a.ts', line: 'L10' },
      { placed: 'line', path: 'src/a.ts', line: 10 },
    ],
    [
      { path: 'src/a.ts', line: '8-11' },
      { placed: 'line', startLine: 8, line: 11 },
    ],
    [
      { path: 'src/a.ts', startLine: 11, line: 8 },
      { placed: 'line', startLine: 8, line: 11 },
    ],
    [
      { path: 'src/a.ts', start_line: 9 },
      { placed: 'line', line: 9 },
    ],
    [
      { path: 'src/a.ts', startLine: 1, line: 9 },
      { placed: 'range-cut', startLine: 7, line: 9 },
    ],
    [
      { path: 'src/a.ts', line: 25 },
      {
        placed: 'file',
        nearest: [
          { side: 'RIGHT', line: 13 },
          { side: 'RIGHT', line: 37 },
          { side: 'RIGHT', line: 12 },
        ],
      },
    ],
    [{ path: 'src/a.ts', line: 99_999, side: 'BOTH' }, { placed: 'file' }],
    [{ path: 'src/a.ts', line: 'somewhere' }, { placed: 'file' }],
    [{ path: 'src/a.ts', line: -3 }, { placed: 'file' }],
    [{ path: 'src/a.ts', line: 10.5 }, { placed: 'file' }],
    [{ path: 'src/a.ts', line: { at: 3 } }, { placed: 'file' }],
    [{ path: 'src/a.ts', line: null, subjectType: 'FILE' }, { placed: 'file' }],
    [
      { path: 'gone.ts', line: 1 },
      { placed: 'line', side: 'LEFT', line: 1 },
    ],
    [
      { path: 'old.ts', line: 10 },
      { placed: 'file', path: 'new.ts' },
    ],
    [{ path: 'image.bin', line: 1 }, { placed: 'file' }],
    [
      { path: 'not/in/this/diff.ts', line: 42 },
      { placed: 'body', path: 'not/in/this/diff.ts' },
    ],
  ])('never fails for its place: %j', async (input, expected) => {
    const context = open();
    const answer = await add(context, input);
    expect(answer).toMatchObject(expected);
    expect(answer.threadId).toMatch(/^PRRT_pw[0-9a-f]{20}$/);
    const [stored] = await context.drafts.list(context.run);
    expect(stored).toMatchObject({ id: answer.threadId, rung: answer.placed, body: 'wrong', key: 'call1' });
  });

  it('records the same remark once, moves it to a better line, and keeps it apart on two lines', async () => {
    const context = open();
    const bad = await add(context, { path: 'src/a.ts', line: 25, suggestion: 'x' });
    const good = await add({ ...context, key: 'call2' }, { path: 'src/a.ts', line: 10 });
    expect(good).toMatchObject({ threadId: bad.threadId, placed: 'line', line: 10 });
    expect(await add({ ...context, key: 'call3' }, { path: 'src/a.ts', line: 10 })).toEqual(good);
    const other = await add({ ...context, key: 'call4' }, { path: 'src/a.ts', line: 11 });
    expect((await context.drafts.list(context.run)).map((one) => [one.id, one.line])).toEqual([
      [good.threadId, 10],
      [other.threadId, 11],
    ]);
  });

  it.each([
    ['src/a.ts', 25, { rung: 'file', line: 25 }],
    ['src/a.ts', 0, { rung: 'file' }],
    ['elsewhere.ts', '3-4', { rung: 'body', startLine: 3, line: 4 }],
  ])('keeps where a remark was meant to stand: %s %s', async (path, line, expected) => {
    const context = open();
    expect(await add(context, { path, line })).not.toHaveProperty('line');
    const [{ rung, line: end, startLine }] = (await context.drafts.list(context.run)) as [Finding];
    expect({ rung, ...(end === undefined ? {} : { line: end }), ...(startLine === undefined ? {} : { startLine }) }).toEqual(expected);
  });

  it('takes a body by other names, and wants one', async () => {
    const context = open();
    await call(context, 'add_pull_request_review_thread', { file_path: 'src/a.ts', line_number: 10, comment: 'by another name' });
    expect((await context.drafts.list(context.run)).map((one) => one.body)).toEqual(['by another name']);
    expect(await fault(add(context, { path: 'src/a.ts', body: ' \n' }))).toContain('body is empty');
    expect(await fault(call(context, 'add_pull_request_review_thread', { path: 'src/a.ts' }))).toContain('body: ');
  });

  it('is about the run’s own pull request only', async () => {
    for (const place of [{ owner: 'evil' }, { repoFullName: 'evil/shop' }, { repo: 'other' }, { pullRequestNumber: 6 }, { prNumber: '#6' }])
      expect(await fault(add(open(), { path: 'src/a.ts', ...place }))).toContain('pull request acme/shop#5 only');
    const own = { owner: 'Acme', repo: 'shop', repoFullName: 'acme/Shop', number: 5, pull_number: '5' };
    expect(await add(open(), { path: 'src/a.ts', line: 10, ...own })).toMatchObject({ placed: 'line' });
    expect(await fault(add(open({ resource: ISSUE }), { path: 'src/a.ts' }))).toContain('issue acme/shop#9');
  });

  it('takes every line that the line tool lists, whatever the diff is', async () => {
    const random = seeded(7);
    const [before, after]: [Files, Files] = [{}, {}];
    for (let k = 0; k < 12; k++) [before[`f${k}.ts`], after[`f${k}.ts`]] = randomChange(random, random(50));
    const context = makeContext({ change: diffOf(before, after) });
    let checked = 0;
    for (const path of Object.keys(after)) {
      const listed = JSON.parse(await call(context, 'get_pull_request_diff_line_numbers', { path })) as { side: string; line: number }[];
      for (const { side, line } of listed) {
        const answer = await add(context as never, { path, side, line });
        expect(answer).toMatchObject({ placed: 'line', path, side, line });
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(300);
    expect(await context.drafts.list('run1')).toHaveLength(checked);
  });
});

describe('submit_review', () => {
  const result = { reviews: [{ id: 1, url: 'https://github.example/r/1' }] };
  const post = (context: ReturnType<typeof open>, key: string, input: object = { event: 'COMMENT', body: 'Done.' }) =>
    call({ ...context, key }, 'submit_review', input).then((answer) => JSON.parse(answer) as Record<string, unknown>);

  it('posts once; the second call is told what was submitted', async () => {
    const context = open({ answer: () => ({ status: 'done', result }) });
    await add(context, { path: 'src/a.ts', line: 10 });
    expect(await post(context, 'k1')).toEqual({ submitted: 'COMMENT', findings: 1, result });
    expect(await post(context, 'k2', { event: 'APPROVE', body: 'again' })).toEqual({ alreadySubmitted: 'COMMENT', findings: 1, result });
    expect(context.effects).toEqual([{ type: 'review.submit', event: 'COMMENT', body: 'Done.' }]);
    expect(await call(context, 'list_scratchpads')).toBe('There are no scratchpads yet.');
  });

  it('gives no verdict in a run that is not trusted', async () => {
    const context = { ...open(), trust: 'untrusted' as const };
    expect(await post(context, 'k1', { event: 'APPROVE', body: 'Fine.' })).toMatchObject({ submitted: 'COMMENT' });
    expect(context.effects).toEqual([{ type: 'review.submit', event: 'COMMENT', body: 'Fine.' }]);
  });

  it('asks the publisher again when its own call is repeated, and posts what was found afterwards', async () => {
    const context = open();
    await add(context, { path: 'src/a.ts', line: 10 });
    await post(context, 'k1');
    await post(context, 'k1');
    expect(context.effects).toHaveLength(2);
    const [first] = (await context.drafts.list(context.run)) as [Finding];
    await context.drafts.markPosted(context.run, first.id, { review: 1, comment: 2, rung: 'line' });
    await add(context, { path: 'src/a.ts', line: 11 });
    expect(await post(context, 'k2')).toMatchObject({ submitted: 'COMMENT', findings: 1 });
    expect(await post(context, 'k3')).toMatchObject({ alreadySubmitted: 'COMMENT', findings: 2 });
  });

  it('tells a refusal, and leaves it open; what is unknown is no answer', async () => {
    const refused = open({ answer: () => ({ status: 'refused', reason: 'the pull request is locked' }) });
    expect(await fault(post(refused, 'k1'))).toBe('Not done: the pull request is locked.');
    expect(await fault(post(refused, 'k2'))).toContain('locked');
    await expect(post(open({ answer: () => ({ status: 'unknown', reason: 'no answer' }) }), 'k1')).rejects.toThrow('not known yet');
    expect(await fault(post(open(), 'k1', { event: 'COMMENT' }))).toContain('no findings and body is empty');
    expect(await fault(post(open(), 'k1', { event: 'perhaps', body: 'x' }))).toContain('event: APPROVE | COMMENT | REQUEST_CHANGES');
    expect(await post(open(), 'k1', { event: 'approved', summary: 'Good.' })).toMatchObject({ submitted: 'APPROVE', findings: 0 });
  });
});

describe('threads', () => {
  it('are answered and resolved by the publisher', async () => {
    const context = open({ answer: () => ({ status: 'done', result: { commentId: 3, url: 'u' } }) });
    expect(await call(context, 'add_pull_request_review_thread_reply', { thread_id: 'PRRT_1', comment: 'Fixed.' })).toBe(
      '{"commentId":3,"url":"u"}',
    );
    await call(context, 'resolve_pull_request_review_thread', { threadId: 77 });
    expect(context.effects).toEqual([
      { type: 'thread.reply', thread: 'PRRT_1', body: 'Fixed.' },
      { type: 'thread.resolve', thread: '77' },
    ]);
    expect(await fault(call(context, 'add_pull_request_review_thread_reply', { threadId: 'PRRT_1', body: '' }))).toContain('body is empty');
    expect(await fault(call(context, 'resolve_pull_request_review_thread', { threadId: 'PRRT_1', number: 8 }))).toContain('acme/shop#5');
  });
});
