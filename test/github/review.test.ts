import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Governor, type Turn } from '../../src/github/governor.ts';
import type { Performance, Publisher } from '../../src/github/publisher.ts';
import type { ReviewResult } from '../../src/github/review.ts';
import type { Effect } from '../../src/journal/effect.ts';
import type { Event } from '../../src/journal/event.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { House } from './house.ts';

const REVIEWS = 'POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews';
const SUBMIT = `${REVIEWS}/{review_id}/events`;
const QUOTED = 'docs/quo"ted päth.md';

const rows = (count: number, word = 'row') => `${Array.from({ length: count }, (_, k) => `${word} ${k + 1}`).join('\n')}\n`;
const BASE = { 'src/old.ts': rows(30, 'kept'), 'src/edit.ts': rows(60), [QUOTED]: rows(12), 'logo.png': Buffer.from([0, 1, 2]) };
const HEAD = {
  'src/old.ts': null,
  'src/new.ts': rows(30, 'kept').replace('kept 9', 'changed 9'),
  'src/a.ts': rows(60, 'added'),
  'src/edit.ts': rows(60).replace('row 5\n', '').replace('row 50', 'changed 50'),
  [QUOTED]: rows(12).replace('row 7', 'wrong 7'),
  'logo.png': Buffer.from([0, 3, 4]),
};

let house: House;
let n = 0;
let run = '';

beforeAll(async () => {
  house = await House.open(BASE, { 'first.txt': 'x\n' });
});
afterAll(() => house.close());
beforeEach(async () => {
  run = `run${++n}`;
  await house.openPull(`branch-${n}`, HEAD);
});
afterEach(() => house.clear());

const submit = (event: Extract<Effect, { type: 'review.submit' }>['event'] = 'COMMENT', body = 'The summary.'): Performance => ({
  run,
  key: 'submit',
  event: house.event,
  effect: { type: 'review.submit', event, body },
});

async function post(publisher: Publisher = house.publisher(), call = submit()): Promise<ReviewResult> {
  const outcome = await publisher.perform(call);
  if (outcome.status !== 'done') throw new Error(JSON.stringify(outcome));
  return outcome.result as ReviewResult;
}

/** Where each finding stands on GitHub: `id: path:line SIDE`, `id: path file`, `id: body`. Fails on a double. */
async function standing(): Promise<Record<string, string>> {
  const reviews = await house.reviews();
  expect(reviews.map((r) => r.state)).not.toContain('PENDING');
  const comments = await house.reviewComments();
  const places: Record<string, string> = {};
  for (const { id } of await house.drafts.list(run)) {
    const named = (text: string) => text.includes(`Finding ${id}.`);
    const told = [
      ...comments
        .filter((c) => named(c.body))
        .map((c) => `${c.path}${c.subject_type === 'file' ? ' file' : `:${c.start_line ? `${c.start_line}-` : ''}${c.line} ${c.side}`}`),
      ...reviews.filter((r) => named(r.body)).map(() => 'body'),
    ];
    places[id] = told.join(' AND ');
  }
  return places;
}

const SEVERAL = [
  { id: 'line', line: 5 },
  { id: 'range', line: 9, startLine: 7 },
  { id: 'deleted', path: 'src/edit.ts', side: 'LEFT' as const, line: 5 },
  { id: 'quoted', path: QUOTED, line: 7 },
  { id: 'zero', line: 0 },
  { id: 'outside', path: 'src/edit.ts', line: 30 },
  { id: 'cut', path: 'src/edit.ts', line: 47, startLine: 30 },
  { id: 'left', side: 'LEFT' as const, line: 5 },
  { id: 'renamed', path: 'src/old.ts', line: 9 },
  { id: 'binary', path: 'logo.png', line: 1 },
  { id: 'whole', path: 'src/edit.ts' },
  { id: 'nowhere', path: 'src/elsewhere.ts', line: 3 },
];

const PLACES = {
  line: 'src/a.ts:5 RIGHT',
  range: 'src/a.ts:7-9 RIGHT',
  deleted: 'src/edit.ts:5 LEFT',
  quoted: `${QUOTED}:7 RIGHT`,
  zero: 'src/a.ts file',
  outside: 'src/edit.ts file',
  cut: 'src/edit.ts:46-47 RIGHT',
  left: 'src/a.ts file',
  renamed: 'src/new.ts file',
  binary: 'logo.png file',
  whole: 'src/edit.ts file',
  nowhere: 'body',
};

describe('a review', () => {
  it('puts every finding on the best rung, in one review, without a refusal', async () => {
    await house.find(run, ...SEVERAL);
    const result = await post();
    expect(await standing()).toEqual(PLACES);
    expect(result).toMatchObject({ event: 'COMMENT', posted: 12, rungs: { line: 4, 'range-cut': 1, file: 6, body: 1 } });
    expect(result.reviews).toHaveLength(1);
    const [review] = await house.reviews();
    expect([result.url, review?.body.startsWith('The summary.')]).toEqual([review?.html_url, true]);
    const posted = (await house.drafts.list(run)).map((f) => f.posted);
    const ids = new Set((await house.reviewComments()).map((c) => c.id));
    expect(posted.every((p) => p?.review === review?.id && (p?.rung === 'body' || ids.has(p?.comment ?? 0)))).toBe(true);
    expect(house.gh.audit.breaches).toEqual([]);
  });

  it('posts 45 findings in two reviews, the summary in the first only', async () => {
    await house.find(run, ...Array.from({ length: 45 }, (_, k) => ({ id: `f${k}x`, line: k + 1 })));
    const result = await post();
    expect(Object.values(await standing())).toEqual(Array.from({ length: 45 }, (_, k) => `src/a.ts:${k + 1} RIGHT`));
    expect([result.reviews.length, result.posted]).toEqual([2, 45]);
    expect((await house.reviews()).map((r) => r.body.includes('The summary.'))).toEqual([true, false]);
  });

  it('leaves out what its run’s rules leave out, and says how many', async () => {
    const bodies = ['[NIT] Finding a.', '[MAJOR] Finding b.', '[BLOCKER] Finding c.', '[MAJOR] Finding d.'];
    await house.find(
      run,
      ...bodies.map((body, k) => ({ id: `${'abcd'[k]}`, body, line: k + 1, ...(k === 3 ? { path: 'src/edit.ts' } : {}) })),
    );
    const rules = { ...defaultSettings(), severityFloor: 'minor' as const, ignore: ['edit.ts'], maxFindings: 1 };
    expect(await post(house.publisher(), { ...submit(), rules })).toMatchObject({ posted: 1, withheld: 3 });
    expect((await house.reviewComments()).map(({ body }) => body.split('.')[0])).toEqual(['[BLOCKER] Finding c']);
    const [review, ...others] = await house.reviews();
    expect(review?.body).toContain('Not posted, because the settings say so: 3 findings. The check run lists them.');
    expect(others).toEqual([]);
  });

  it('follows its run’s rules before the app’s own settings', async () => {
    const publisher = house.publisher({ settings: { ...defaultSettings(), approve: true } });
    await post(publisher, { ...submit('APPROVE'), rules: defaultSettings() });
    expect((await house.reviews()).map(({ state }) => state)).toEqual(['COMMENTED']);
  });

  it('says something when there is nothing to say', async () => {
    await post(house.publisher(), submit('COMMENT', ''));
    expect((await house.reviews()).map((r) => [r.state, r.body.split('\n')[0]])).toEqual([['COMMENTED', 'Reviewed: no findings.']]);
  });

  it('posts a summary that is too long for one review in several', async () => {
    await post(house.publisher(), submit('COMMENT', 'A line of words.\n'.repeat(6_000)));
    const bodies = (await house.reviews()).map((r) => r.body);
    expect(bodies.length).toBeGreaterThan(1);
    expect(bodies.join('').match(/A line of words\./g)).toHaveLength(6_000);
  });

  it.each([
    ['APPROVE', false, 'COMMENTED', /"approve" is off/],
    ['APPROVE', true, 'APPROVED', undefined],
    ['REQUEST_CHANGES', false, 'COMMENTED', /"requestChanges" is off/],
    ['REQUEST_CHANGES', true, 'CHANGES_REQUESTED', undefined],
  ] as const)('%s with the settings %s is %s', async (event, allowed, state, note) => {
    const result = await post(
      house.publisher({ settings: { ...defaultSettings(), approve: allowed, requestChanges: allowed } }),
      submit(event),
    );
    expect((await house.reviews()).map((r) => r.state)).toEqual([state]);
    if (note) expect(result.note).toMatch(note);
    else expect(result.note).toBeUndefined();
  });

  it('of its own pull request becomes a comment', async () => {
    const body = { message: 'Unprocessable Entity', errors: ['Can not approve your own pull request'] };
    house.gh.fault({ on: SUBMIT, status: 422, body });
    const result = await post(house.publisher({ settings: { ...defaultSettings(), approve: true } }), submit('APPROVE'));
    expect(result).toMatchObject({ event: 'COMMENT', note: expect.stringContaining('your own pull request') });
  });

  it('on an issue is refused', async () => {
    const { repository } = house.event;
    const event: Event = { ...house.event, resource: { kind: 'issue', repository, number: house.number, url: '' } };
    expect(await house.publisher().perform({ ...submit(), event })).toMatchObject({ status: 'refused' });
  });

  it('on a locked pull request is refused with the words of GitHub, and leaves nothing behind', async () => {
    await house.find(run, { id: 'line', line: 5 });
    house.gh.fault({ on: REVIEWS, status: 422, body: { message: 'Unprocessable Entity', errors: ['lock prevents review'] }, times: 9 });
    expect(await house.publisher().perform(submit())).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('lock prevents review'),
    });
    expect(await house.reviews()).toEqual([]);
  });
});

describe('failures', () => {
  const kinds = [
    ['502 after', { status: 502, when: 'after' }],
    ['reset after', { kind: 'reset', when: 'after' }],
    ['502 before', { status: 502 }],
    ['reset before', { kind: 'reset' }],
  ] as const;
  const calls = [
    ['create', REVIEWS],
    ['thread', /^POST .*graphql/],
    ['submit', SUBMIT],
    ['listing', 'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/comments'],
  ] as const;
  const table = calls.flatMap(([name, on]) => kinds.map(([kind, fault]) => [name, kind, { on, ...fault }] as const));

  it.each(table)('%s, %s: each finding stands once', async (_, __, fault) => {
    await house.find(run, ...SEVERAL);
    house.gh.fault(fault);
    expect((await post()).reviews).toHaveLength(1);
    expect(await standing()).toEqual(PLACES);
    expect(await house.reviews()).toHaveLength(1);
  });

  it('a refusal that passes loses nothing', async () => {
    await house.find(run, ...SEVERAL);
    house.gh.fault({
      on: REVIEWS,
      status: 422,
      body: { message: 'Unprocessable Entity', errors: ['Pull request review thread base is invalid'] },
    });
    await post();
    expect(await standing()).toEqual(PLACES);
  });

  it('a line that GitHub refuses goes down alone, after one refusal', async () => {
    await house.find(run, ...SEVERAL, { id: 'liar', path: 'src/edit.ts', line: 25 }, { id: 'ghost', path: 'src/ghost.ts', line: 1 });
    const publisher = house.publisher({
      diff: async (event) => {
        const diff = await house.diff(event);
        const lie = { kind: ' ' as const, text: 'row 25', old: 25, new: 25 };
        const hunk = { header: '@@ -25 +25 @@', oldStart: 25, newStart: 25, lines: [lie] };
        const ghost = {
          path: 'src/ghost.ts',
          status: 'added' as const,
          binary: false,
          additions: 1,
          deletions: 0,
          hunks: [{ ...hunk, lines: [{ ...lie, new: 1 }] }],
          text: '',
        };
        return { ...diff, files: [...diff.files.map((f) => (f.path === 'src/edit.ts' ? { ...f, hunks: [...f.hunks, hunk] } : f)), ghost] };
      },
    });
    await post(publisher);
    const { cut, ...rest } = PLACES;
    expect(await standing()).toMatchObject({ ...rest, liar: 'src/edit.ts file', ghost: 'body' });
    expect(await house.reviews()).toHaveLength(1);
    expect(cut).toBeDefined();
  });

  it('a leftover of another run makes room, once its turn has run out', async () => {
    await house.find('other', { id: 'stale', line: 5 });
    house.gh.fault({ on: SUBMIT, status: 502, times: 9 });
    await expect(house.publisher().perform({ ...submit(), run: 'other' })).rejects.toThrow();
    house.gh.clearFaults();
    await house.find(run, ...SEVERAL);
    await expect(post()).rejects.toThrow('waiting for another review');
    house.places.rows.clear();
    await post();
    expect(await standing()).toEqual(PLACES);
    expect(await house.reviews()).toHaveLength(1);
  });

  it('a force push moves the review to the new head: lines that say the same stay, others go on the file', async () => {
    await house.find(run, { id: 'same', line: 5 }, { id: 'gone', line: 50 }, { id: 'nowhere', path: 'logo.png' });
    const before = house.event;
    const errors = [`The commit_id ${before.resource.kind === 'pr' ? before.resource.head.sha : ''} is not part of the pull request`];
    house.gh.fault({ on: REVIEWS, status: 422, body: { message: 'Unprocessable Entity', errors } });
    const repo = house.gh.repository('acme/app');
    await house.gh.person('alice').forcePush(repo, `branch-${n}`, { 'src/a.ts': rows(20, 'added') });
    await post(house.publisher(), { ...submit(), event: before });
    await house.refresh();
    const [head, [review]] = [house.event.resource, await house.reviews()];
    expect(head.kind === 'pr' && review?.commit_id === head.head.sha).toBe(true);
    expect(await standing()).toEqual({ same: 'src/a.ts:5 RIGHT', gone: 'src/a.ts file', nowhere: 'body' });
  });

  it('a run that ends before it is submitted leaves nothing behind', async () => {
    await house.find(run, ...SEVERAL);
    let asked = 0;
    const outcome = await house.publisher().perform({ ...submit(), mayStillAct: async () => ++asked < 4 });
    expect(outcome).toMatchObject({ status: 'unknown', reason: expect.stringContaining('ended') });
    expect(await house.reviews()).toEqual([]);
  });

  it('a worker that dies after any request is followed by one that finishes, and each finding stands once', async () => {
    let deaths = 0;
    for (let at = 1; ; at++) {
      run = `run${++n}`;
      await house.openPull(`branch-${n}`, HEAD);
      const many = Array.from({ length: 30 }, (_, k) => ({ id: `f${k}x`, line: k + 20 }));
      await house.find(run, ...SEVERAL.slice(0, 2), ...SEVERAL.slice(9), ...many);
      const dying = house.publisher({ worker: 'dying', governor: new DyingGovernor(at) }).perform(submit());
      const ended = await dying.catch((error: Error) => error.message);
      if (ended !== 'killed') break;
      deaths++;
      await post(house.publisher({ worker: 'heir' }));
      const places = Object.values(await standing());
      expect(
        places.filter((p) => p === '' || p.includes(' AND ')),
        `death after request ${at}`,
      ).toEqual([]);
      expect([places.length, (await house.reviews()).length]).toEqual([35, 2]);
      expect((await house.drafts.list(run)).every((f) => f.posted)).toBe(true);
      house.turns.reset();
    }
    expect(deaths).toBeGreaterThanOrEqual(8);
  });

  it('two workers with one record make one review', async () => {
    await house.find(run, ...SEVERAL);
    const ended = await Promise.allSettled([1, 2, 3].map((k) => house.publisher({ worker: `worker-${k}` }).perform(submit())));
    expect(ended.some((e) => e.status === 'fulfilled')).toBe(true);
    expect(await standing()).toEqual(PLACES);
    expect(await house.reviews()).toHaveLength(1);
  });
});

/** A governor whose process dies when the n-th answer comes: GitHub acted, nobody heard it. */
class DyingGovernor extends Governor {
  readonly #at: number;
  #count = 0;

  constructor(at: number) {
    super({ turns: house.turns, clock: house.clock });
    this.#at = at;
  }

  override async write<T>(installation: number, turn: Turn, act: () => Promise<T>): Promise<T> {
    const answer = await super.write(installation, turn, act);
    if (++this.#count >= this.#at) throw new Error('killed');
    return answer;
  }
}

describe('reviews of two runs on one pull request', () => {
  it('are made one after the other: who comes second waits, and takes nothing of the first away', async () => {
    await house.find(run, ...SEVERAL.slice(0, 1));
    const place = `review:${house.event.repository.id}:${house.event.resource.kind === 'pr' ? house.event.resource.number : 0}`;
    await house.places.hold(place, 'another run');
    await expect(post()).rejects.toThrow('waiting for another review of this pull request');
    expect(await house.reviews()).toEqual([]);
    await house.places.letGo(place, 'another run');
    expect((await post()).posted).toBe(1);
    expect(house.places.rows.size).toBe(0);
  });
});
