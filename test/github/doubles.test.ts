import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Performance } from '../../src/github/publisher.ts';
import type { ReviewResult } from '../../src/github/review.ts';
import type { Effect, Outcome } from '../../src/journal/effect.ts';
import { Pending, Superseded } from '../../src/journal/errors.ts';
import { House, resultOf, rows } from './house.ts';

/** What GitHub shows late, or does late: writes that land after they were given up for lost. */

const REPO = 'acme/app';
const COMMENTS = 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments';
const LIST = 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments';
const CHECKS = 'POST /repos/{owner}/{repo}/check-runs';
const LIST_CHECKS = 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs';
const REVIEWS = 'POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews';
const LIST_REMARKS = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/comments';
const OUTPUT = { title: 'Running', summary: 'See below.' };

let house: House;
let run = '';

beforeAll(async () => {
  house = await House.open({}, { 'src/a.ts': rows(20) });
});
afterAll(async () => {
  expect(house.gh.defects).toEqual([]);
  await house.close();
});
beforeEach(() => {
  run = house.run;
});
afterEach(() => house.clear());

const comment = () => house.call({ type: 'comment.create', body: `Hello ${run}` });
const review = (more: Partial<Performance> = {}) =>
  house.call({ type: 'review.submit', event: 'COMMENT', body: `Seen by ${run}` }, { key: 'review', ...more });
const saying = async (text: string) => (await house.comments()).filter(({ body }) => body.includes(`${text}\n`));
const checks = () => house.gh.checks(REPO, house.head).filter(({ name }) => name === run);
/** Lists that are read so often show nothing of what was made. */
const lag = (on: string, times: number, body: unknown = []) => house.gh.fault({ on, status: 200, body, times });
const place = () => `review:${house.event.repository.id}:${house.number}`;

describe('of two that stand, the one that others know stays', () => {
  it('of comments', async () => {
    house.gh.fault({ on: COMMENTS, status: 502, when: 'after' });
    lag(LIST, 2);
    const { commentId } = await resultOf<{ commentId: number }>(await house.publisher().perform(comment()));
    lag(LIST, 0);
    expect((await saying(`Hello ${run}`)).map(({ id }) => id)).toEqual([expect.any(Number), commentId]);
    await house.publisher({ worker: 'another' }).lookAgain(`${run}:step.1`);
    expect((await saying(`Hello ${run}`)).map(({ id }) => id)).toEqual([commentId]);
    const edit: Effect = { type: 'comment.update', comment: commentId, body: `Done ${run}` };
    expect(await house.publisher().perform(house.call(edit, { key: 'step.2' }))).toMatchObject({ status: 'done' });
    expect(await saying(`Done ${run}`)).toHaveLength(1);
  });

  it('of check runs, and none is left running', async () => {
    house.gh.fault({ on: CHECKS, status: 502, when: 'after' });
    lag(LIST_CHECKS, 2, { total_count: 0, check_runs: [] });
    const create: Effect = { type: 'check.create', sha: house.head, name: run, external: run, output: OUTPUT };
    const { checkId } = await resultOf<{ checkId: number }>(await house.publisher().perform(house.call(create)));
    await house.publisher({ worker: 'another' }).lookAgain(`${run}:step.1`);
    const end: Effect = { type: 'check.update', check: checkId, status: 'completed', conclusion: 'success', output: OUTPUT };
    await house.publisher().perform(house.call(end, { key: 'step.2' }));
    expect(checks().map(({ id, status, conclusion }) => [id === checkId, status, conclusion])).toEqual([
      [false, 'completed', 'skipped'],
      [true, 'completed', 'success'],
    ]);
  });

  it('of those that somebody else copied our marker into, none is touched', async () => {
    await house.publisher().perform(comment());
    const [ours] = await saying(`Hello ${run}`);
    const alice = house.gh.person('alice');
    const copied = alice.comment(REPO, house.number, ours?.body ?? '');
    const quoting = house.call({ type: 'comment.create', body: `> ${ours?.body}\n\nQuoted ${run}` }, { key: 'other' });
    await house.publisher().perform(quoting);
    const { effect, event } = comment();
    await house.doubts.note(`${run}:step.1`, { event, effect, since: house.clock.now(), noted: house.clock.now() }, 0);
    await house.publisher({ worker: 'another' }).lookAgain(`${run}:step.1`);
    const all = await house.comments();
    expect(all.filter(({ id }) => id === ours?.id || id === copied.id)).toHaveLength(2);
    expect(all.filter(({ body }) => body.includes(`Quoted ${run}`))).toHaveLength(1);
  });

  it('is found behind more comments than a page has', async () => {
    await house.publisher({ worker: 'dead' }).perform(comment());
    const bob = house.gh.person('bob', { [REPO]: 'write' });
    for (let k = 0; k < 120; k++) bob.comment(REPO, house.number, `Noise ${k}`);
    house.records.rows.set(`${run}:step.1`, JSON.stringify({ state: 'acting', at: house.clock.now(), by: 'dead' }));
    await house.publisher().perform(comment());
    expect(house.gh.comments(REPO, house.number).filter(({ body }) => body.includes(`Hello ${run}\n`))).toHaveLength(1);
    for (const { id, body } of house.gh.comments(REPO, house.number))
      if (body.startsWith('Noise')) house.gh.repository(REPO).comments.delete(id);
  });
});

describe('an effect under way', () => {
  it('is taken over before its double is removed: who had it records nothing, and finds what stands', async () => {
    const slow = house.publisher({ worker: 'slow' });
    house.gh.fault({ on: COMMENTS, kind: 'latency', ms: 1_500, when: 'after' });
    house.records.rows.set(`${run}:step.1`, JSON.stringify({ state: 'acting', at: house.clock.now(), by: 'slow' }));
    const writing = slow.perform(comment()).catch((error: unknown) => error);
    while ((await saying(`Hello ${run}`)).length === 0) await new Promise((done) => setTimeout(done, 10));
    await house.read('POST /repos/{owner}/{repo}/issues/{n}/comments', { body: (await saying(`Hello ${run}`))[0]?.body });
    await house.publisher({ worker: 'another' }).lookAgain(`${run}:step.1`);
    expect(await writing).toBeInstanceOf(Superseded);
    const { commentId } = await resultOf<{ commentId: number }>(await slow.perform(comment()));
    expect((await saying(`Hello ${run}`)).map(({ id }) => id)).toEqual([commentId]);
  });

  it('in the same process is left alone', async () => {
    const publisher = house.publisher();
    house.gh.fault({ on: COMMENTS, kind: 'latency', ms: 200 });
    const writing = publisher.perform(comment());
    expect(await publisher.lookAgain(`${run}:step.1`)).toBeGreaterThan(house.clock.now());
    expect((await writing).status).toBe('done');
  });

  it('stands although GitHub refuses the second try', async () => {
    house.gh.fault({ on: COMMENTS, status: 502, when: 'after' });
    house.gh.fault({ on: COMMENTS, status: 403, body: { message: 'Unable to create comment because issue is locked.' } });
    lag(LIST, 1);
    const outcome = await house.publisher().perform(comment());
    expect(outcome).toMatchObject({ status: 'done', result: { commentId: (await saying(`Hello ${run}`))[0]?.id } });
  });

  it('is not given up after a long wait for a limit, because GitHub fails for a moment then', async () => {
    const publisher = house.publisher();
    house.turns.blocked.set(house.event.installation, house.clock.now() + 3_600_000);
    await expect(publisher.perform(comment())).rejects.toBeInstanceOf(Pending);
    house.clock.pass(3_600_001);
    house.gh.fault({ on: COMMENTS, status: 502, times: 3 });
    await expect(publisher.perform(comment())).rejects.toBeInstanceOf(Pending);
    house.clock.pass(15_000);
    expect(await publisher.perform(comment())).toMatchObject({ status: 'done' });
  });
});

describe('a review', () => {
  it('that GitHub made pending after it was given up for lost does not stay', async () => {
    house.gh.fault({ on: REVIEWS, status: 502 });
    await house.publisher().perform(review());
    const { body, state } = (await house.reviews()).at(-1) ?? {};
    expect(state).toBe('COMMENTED');
    await house.read('POST /repos/{owner}/{repo}/pulls/{n}/reviews', { body });
    expect((await house.reviews()).map((one) => one.state)).toContain('PENDING');
    await house.publisher({ worker: 'another' }).lookAgain(`${run}:review`);
    expect((await house.reviews()).map((one) => one.state)).not.toContain('PENDING');
    expect((await house.reviews()).filter((one) => one.body.includes(`Seen by ${run}\n`))).toHaveLength(1);
  });

  it('tells a remark once that was added twice, because a list lagged', async () => {
    await house.find(run, { id: `${run}file`, path: 'src/a.ts', rung: 'file' });
    house.gh.fault({ on: /^POST .*graphql/, status: 502, when: 'after', skip: 1 });
    lag(LIST_REMARKS, 1);
    const { posted } = await resultOf<ReviewResult>(await house.publisher().perform(review()));
    expect(posted).toBe(1);
    expect((await house.reviewComments()).filter(({ body }) => body.includes(`Finding ${run}file.`))).toHaveLength(1);
  });

  it('whose turn another took goes on when that has let go, and loses nothing', async () => {
    await house.find(run, { id: `${run}file`, path: 'src/a.ts', rung: 'file', body: 'Nothing here closes its handle.' });
    let asked = 0;
    const mayStillAct = async () => {
      if (++asked === 2) house.places.rows.set(place(), 'another run');
      return true;
    };
    await expect(house.publisher().perform(review({ mayStillAct }))).rejects.toThrow('another review');
    expect((await house.reviews()).map((one) => one.state)).toContain('PENDING');
    house.places.rows.clear();
    const { posted } = await resultOf<ReviewResult>(await house.publisher().perform(review()));
    expect(posted).toBe(1);
    expect((await house.reviews()).filter((one) => one.body.includes(`Seen by ${run}\n`)).map((one) => one.state)).toEqual(['COMMENTED']);
  });

  it('with more remarks on files than a minute takes is parked on its way, and tells each once', async () => {
    const ids = Array.from({ length: 70 }, (_, k) => `${run}n${k}x`);
    await house.find(run, ...ids.map((id) => ({ id, path: 'src/a.ts', rung: 'file' as const, body: `${id} is a word of its own.` })));
    let outcome: Outcome | null = null;
    let parked = 0;
    while (outcome === null && parked < 5) {
      outcome = await house
        .publisher()
        .perform(review())
        .catch((error: unknown) => {
          if (!(error instanceof Pending)) throw error;
          parked++;
          house.clock.pass((error.until ?? 0) - house.clock.now());
          return null;
        });
    }
    expect(parked).toBe(1);
    expect(outcome).toMatchObject({ status: 'done', result: { posted: 70 } });
    const told = house.gh.reviewComments(REPO, house.number).map(({ body }) => ids.find((id) => body.includes(`${id} is`)));
    expect(told.filter(Boolean).sort()).toEqual([...ids].sort());
  });

  it('that is being made is not deleted for a reply: the reply waits', async () => {
    await house.find(run, { id: `${run}f`, line: 3 });
    await house.publisher().perform(review());
    const root = (await house.drafts.list(run))[0]?.posted?.comment;
    const reply = house.call(
      { type: 'thread.reply', thread: String(root), body: `Answer ${run}` },
      { run: 'event-1', key: `reply/${run}` },
    );
    await house.places.hold(place(), 'another run');
    await house.read('POST /repos/{owner}/{repo}/pulls/{n}/reviews', { body: 'Being made.' });
    await expect(house.publisher().perform(reply)).rejects.toThrow('another review');
    expect((await house.reviews()).map((one) => one.state)).toContain('PENDING');
    await house.places.letGo(place(), 'another run');
    expect(await house.publisher().perform(reply)).toMatchObject({ status: 'done' });
    expect((await house.reviews()).map((one) => one.state)).not.toContain('PENDING');
    expect(house.places.rows.size).toBe(0);
    expect((await house.reviewComments()).filter(({ body }) => body.includes(`Answer ${run}\n`))).toHaveLength(1);
  });
});
