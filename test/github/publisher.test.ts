import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Governor } from '../../src/github/governor.ts';
import type { Performance } from '../../src/github/publisher.ts';
import { CLOCK } from '../../src/journal/clock.ts';
import type { Effect } from '../../src/journal/effect.ts';
import { Pending, Superseded } from '../../src/journal/errors.ts';
import { House, resultOf, rows } from './house.ts';
import { MemoryTurns } from './turns.ts';

const COMMENTS = 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments';
const CHECKS = 'POST /repos/{owner}/{repo}/check-runs';
const REPLIES = 'POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies';
const LIST = 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments';

const FAULTS = [
  ['502 before', { status: 502 }],
  ['502 after', { status: 502, when: 'after' }],
  ['reset before', { kind: 'reset' }],
  ['reset after', { kind: 'reset', when: 'after' }],
  ['502 after, twice', { status: 502, when: 'after', times: 2 }],
] as const;

let house: House;
let run = '';

beforeAll(async () => {
  house = await House.open({}, { 'src/a.ts': rows(20) });
});
afterAll(() => house.close());
beforeEach(() => {
  run = house.run;
});
afterEach(() => {
  house.clear();
  expect(house.turns.peak).toBeLessThanOrEqual(1);
});

const comment = (body: string, more: Partial<Performance> = {}) => house.call({ type: 'comment.create', body }, more);
const saying = async (text: string) => (await house.comments()).filter((c) => c.body.includes(text));

describe('comments', () => {
  it('stand once, however often they are asked for', async () => {
    const first = await house.publisher().perform(comment(`Hello ${run}`));
    const again = await house.publisher().perform(comment(`Hello ${run}`));
    const [made, ...more] = await saying(`Hello ${run}`);
    expect(more).toEqual([]);
    expect(first).toEqual({ status: 'done', result: { commentId: made?.id, url: made?.html_url } });
    expect(again).toEqual(first);
  });

  it.each(FAULTS)('%s: exactly one stands', async (_, fault) => {
    house.gh.fault({ on: COMMENTS, ...fault });
    const { commentId } = await resultOf<{ commentId: number }>(await house.publisher().perform(comment(`Hello ${run}`)));
    expect((await saying(`Hello ${run}`)).map((c) => c.id)).toEqual([commentId]);
  });

  it('wait while GitHub is away, and stand once when it is back', async () => {
    house.gh.fault({ on: COMMENTS, status: 502, when: 'after' });
    house.gh.fault({ on: COMMENTS, status: 502, times: 2 });
    house.gh.fault({ on: LIST, status: 500, times: 100 });
    const publisher = house.publisher();
    const waited = publisher.perform(comment(`Hello ${run}`));
    await expect(waited).rejects.toBeInstanceOf(Pending);
    house.gh.clearFaults();
    expect((await publisher.perform(comment(`Hello ${run}`))).status).toBe('done');
    expect(await saying(`Hello ${run}`)).toHaveLength(1);
  });

  it('end as unknown when GitHub gives no clear answer for half an hour', async () => {
    house.gh.fault({ on: COMMENTS, status: 502, times: 100 });
    await expect(house.publisher().perform(comment('x'))).rejects.toBeInstanceOf(Pending);
    house.clock.pass(31 * 60_000);
    expect(await house.publisher().perform(comment('x'))).toMatchObject({ status: 'unknown', reason: expect.stringContaining('502') });
  });

  it('of a worker that died after writing are found again', async () => {
    await house.publisher({ worker: 'dead' }).perform(comment(`Hello ${run}`));
    house.records.rows.set(`${run}:step.1`, JSON.stringify({ state: 'acting', at: house.clock.now(), by: 'dead' }));
    await house.publisher().perform(comment(`Hello ${run}`));
    expect(await saying(`Hello ${run}`)).toHaveLength(1);
  });

  it('of a worker that died before writing are written', async () => {
    house.records.rows.set(`${run}:step.1`, JSON.stringify({ state: 'acting', at: house.clock.now(), by: 'dead' }));
    await house.publisher().perform(comment(`Hello ${run}`));
    expect(await saying(`Hello ${run}`)).toHaveLength(1);
  });

  it('of two publishers with one record stand once', async () => {
    const publishers = Array.from({ length: 4 }, (_, k) => house.publisher({ worker: `worker-${k}` }));
    const ended = await Promise.allSettled(publishers.map((p) => p.perform(comment(`Hello ${run}`))));
    expect(await saying(`Hello ${run}`)).toHaveLength(1);
    expect(ended.filter((e) => e.status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    for (const e of ended) if (e.status === 'rejected') expect(e.reason).toBeInstanceOf(Superseded);
  });

  it('of one publisher asked twice at once stand once', async () => {
    const publisher = house.publisher();
    const [a, b] = await Promise.all([publisher.perform(comment(`Hello ${run}`)), publisher.perform(comment(`Hello ${run}`))]);
    expect(a).toEqual(b);
    expect(await saying(`Hello ${run}`)).toHaveLength(1);
  });

  it('that a lagging list hid are not left twice', async () => {
    house.gh.fault({ on: COMMENTS, status: 502, when: 'after' });
    house.gh.fault({ on: LIST, status: 200, body: [], times: 2 });
    const from = house.clock.now();
    await house.publisher().perform(comment(`Hello ${run}`));
    expect(await saying(`Hello ${run}`)).toHaveLength(2);
    const [[id, { doubt, at }] = ['', { doubt: null, at: 0 }]] = [...house.doubts.rows];
    expect(at - (doubt?.noted ?? 0)).toBe(10_000);
    expect(doubt?.noted).toBeGreaterThanOrEqual(from);
    const other = house.publisher({ worker: 'another-process' });
    expect(await other.lookAgain(id)).toBe((doubt?.noted ?? 0) + 10_000);
    expect(await saying(`Hello ${run}`)).toHaveLength(1);
    house.clock.pass(40_001);
    expect(await other.lookAgain(id)).toBeNull();
    expect(await other.lookAgain('unknown')).toBeNull();
  });

  it('that a process made and did not live to record are looked at again by others, whoever makes them anew', async () => {
    house.gh.fault({ on: COMMENTS, status: 502, when: 'after' });
    house.gh.fault({ on: LIST, status: 200, body: [], times: 2 });
    const dies = { ...house.records, get: house.records.get.bind(house.records) };
    const swap: typeof house.records.swap = async (id, seen, next) => {
      if (next.state === 'ended') throw new Error('killed');
      return house.records.swap(id, seen, next);
    };
    await expect(house.publisher({ records: { ...dies, swap }, worker: 'dead' }).perform(comment(`Hello ${run}`))).rejects.toThrow(
      'killed',
    );
    expect(await saying(`Hello ${run}`)).toHaveLength(2);
    const [id = ''] = [...house.doubts.rows.keys()];
    await house.publisher().lookAgain(id);
    expect(await saying(`Hello ${run}`)).toHaveLength(1);
  });

  it('carry a text that mentions nobody', async () => {
    await house.publisher().perform(comment(`${run} @alice fixes #1 <!-- x -->`));
    expect((await saying(run))[0]?.body).toMatch(
      /`@alice` fixes `#1`\n\n<sub>Pitwall · [0-9a-f]{12}<\/sub>\n<!-- pitwall:run\d+:step\.1 -->$/,
    );
  });

  it('are not written when the run may not act any more', async () => {
    const outcome = await house.publisher().perform(comment(`Hello ${run}`, { mayStillAct: async () => false }));
    expect(outcome.status).toBe('refused');
    expect(await saying(`Hello ${run}`)).toEqual([]);
  });

  it('of a run without a pull request or issue are refused', async () => {
    const { repository } = house.event;
    const event = { ...house.event, resource: { kind: 'branch' as const, repository, branch: 'main' } };
    expect(await house.publisher().perform(comment('x', { event }))).toMatchObject({ status: 'refused' });
  });

  it('that GitHub refuses are refused with its words, once and for all', async () => {
    house.gh.fault({ on: COMMENTS, status: 403, body: { message: 'Unable to create comment because issue is locked.' } });
    const refused = await house.publisher().perform(comment('x'));
    expect(refused).toMatchObject({ status: 'refused', reason: expect.stringContaining('issue is locked') });
    expect(await house.publisher().perform(comment('x'))).toEqual(refused);
  });
});

describe('limits', () => {
  it('short ones are waited for', async () => {
    house.gh.fault({ on: COMMENTS, kind: 'secondary', seconds: 1 });
    const turns = new MemoryTurns(CLOCK);
    const from = Date.now();
    const outcome = await house.publisher({ clock: CLOCK, governor: new Governor({ turns }) }).perform(comment(`Hello ${run}`));
    expect(outcome.status).toBe('done');
    expect(Date.now() - from).toBeGreaterThanOrEqual(1_000);
    expect(await saying(`Hello ${run}`)).toHaveLength(1);
    expect(house.gh.audit.breaches).toEqual([]);
  });
});

describe('edits', () => {
  const update = (id: number, body: string, key = 'step.2') => house.call({ type: 'comment.update', comment: id, body }, { key });
  const make = async (body: string) => (await resultOf<{ commentId: number }>(await house.publisher().perform(comment(body)))).commentId;

  it('change a comment of ours and keep its marker', async () => {
    const id = await make(`Before ${run}`);
    expect((await house.publisher().perform(update(id, `After ${run}`))).status).toBe('done');
    expect((await saying(`After ${run}`))[0]?.body).toContain(`<!-- pitwall:${run}:step.1 -->`);
  });

  it('are refused on comments of others and of other items', async () => {
    const alice = house.gh.person('alice');
    const theirs = alice.comment(house.gh.repository('acme/app'), house.number, 'Mine.');
    expect(await house.publisher().perform(update(theirs.id, 'Ours!'))).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('somebody else'),
    });
    const id = await make(`Hello ${run}`);
    const other = { ...house.event, resource: { ...house.event.resource, number: house.number + 1 } } as typeof house.event;
    const elsewhere = await house.publisher().perform({ ...update(id, 'x', 'step.3'), event: other });
    expect(elsewhere).toMatchObject({ status: 'refused', reason: expect.stringContaining("run's own") });
  });

  it('that wait are merged into the newest', async () => {
    const id = await make(`Before ${run}`);
    const publisher = house.publisher();
    const edits = Array.from({ length: 5 }, (_, k) => publisher.perform(update(id, `Edit ${k}`, `edit.${k}`)));
    const results = await Promise.all(edits.map(async (e) => resultOf<{ merged?: boolean }>(await e)));
    expect(results.filter((r) => !r.merged)).toHaveLength(1);
    expect((await house.comments()).find((c) => c.id === id)?.body).toContain('Edit 4');
  });
});

describe('reactions and checks', () => {
  it('react once, on the own item only', async () => {
    const react = (id: number, key: string) =>
      house.call({ type: 'reaction.add', target: { kind: 'issue', id }, content: 'eyes' }, { key });
    house.gh.fault({ on: 'POST /repos/{owner}/{repo}/issues/{issue_number}/reactions', status: 502, when: 'after' });
    expect((await house.publisher().perform(react(house.number, 'a'))).status).toBe('done');
    expect(await house.publisher().perform(react(house.number + 1, 'b'))).toMatchObject({ status: 'refused' });
    const reactions = await house.read<{ content: string }[]>('GET /repos/{owner}/{repo}/issues/{n}/reactions');
    expect(reactions.map((r) => r.content)).toEqual(['eyes']);
  });

  it.each(FAULTS)('a check run, %s: one is open, and is ended', async (_, fault) => {
    house.gh.fault({ on: CHECKS, ...fault });
    const { resource } = house.event;
    const sha = resource.kind === 'pr' ? resource.head.sha : '';
    const output = { title: 'Running', summary: 'See below.' };
    const create: Effect = { type: 'check.create', sha, name: 'Pitwall', external: run, output };
    const { checkId } = await resultOf<{ checkId: number }>(await house.publisher().perform(house.call(create)));
    const end: Effect = { type: 'check.update', check: checkId, status: 'completed', conclusion: 'neutral', output };
    await house.publisher().perform(house.call(end, { key: 'step.2' }));
    const { check_runs: all } = await house.read<{ check_runs: { id: number; external_id: string; conclusion: string }[] }>(
      'GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
      { ref: sha, filter: 'all' },
    );
    expect(all.filter((c) => c.external_id === run).map((c) => [c.id, c.conclusion])).toEqual([[checkId, 'neutral']]);
  });

  it('a check run has the buttons that were named last, three at most', async () => {
    const { resource } = house.event;
    const sha = resource.kind === 'pr' ? resource.head.sha : '';
    const output = { title: 'Running', summary: 'See below.' };
    const button = (identifier: string) => ({ label: identifier, description: `Press ${identifier}`, identifier });
    const shown = () => house.gh.checks(house.event.repository.fullName, sha).find((check) => check.externalId === run)?.actions;
    const create: Effect = { type: 'check.create', sha, name: 'Pitwall', external: run, output, actions: [button('cancel')] };
    const { checkId } = await resultOf<{ checkId: number }>(await house.publisher().perform(house.call(create)));
    expect(shown()).toEqual([button('cancel')]);
    const update = { type: 'check.update' as const, check: checkId, status: 'in_progress' as const, output };
    await house.publisher().perform(house.call(update, { key: 'step.2' }));
    expect(shown()).toEqual([button('cancel')]);
    await house.publisher().perform(house.call({ ...update, actions: ['a', 'b', 'c', 'd'].map(button) }, { key: 'step.3' }));
    expect(shown()).toEqual(['a', 'b', 'c'].map(button));
  });
});

describe('threads', () => {
  beforeEach(async () => {
    await house.find(run, { id: `${run}f`, line: 3 });
    await house.publisher().perform(house.call({ type: 'review.submit', event: 'COMMENT', body: 'Summary' }, { key: 'review' }));
  });

  const reply = (thread: string, key = 'reply') => house.call({ type: 'thread.reply', thread, body: `Answer ${run}` }, { key });
  const answers = async () => (await house.reviewComments()).filter((c) => c.body.includes(`Answer ${run}`));

  it.each(FAULTS)('are answered once by the id of a finding, %s', async (_, fault) => {
    house.gh.fault({ on: REPLIES, ...fault });
    expect((await house.publisher().perform(reply(`${run}f`))).status).toBe('done');
    expect(await answers()).toHaveLength(1);
  });

  it('are answered although another run left a review pending', async () => {
    await house.read('POST /repos/{owner}/{repo}/pulls/{n}/reviews', { body: 'Left behind.' });
    expect((await house.publisher().perform(reply(`${run}f`))).status).toBe('done');
    expect(await answers()).toHaveLength(1);
    expect((await house.reviews()).map((r) => r.state)).not.toContain('PENDING');
  });

  it('are answered and resolved by their node id', async () => {
    const query =
      'query($owner: String!, $repo: String!, $n: Int!) { repository(owner: $owner, name: $repo) { pullRequest(number: $n) { reviewThreads(last: 1) { nodes { id isResolved } } } } }';
    const newest = async () => {
      const api = await house.app.api(house.event.installation, house.event.repository.id, 'review');
      type Threads = { repository: { pullRequest: { reviewThreads: { nodes: { id: string; isResolved: boolean }[] } } } };
      const { repository } = await api.graphql<Threads>(query, { owner: 'acme', repo: 'app', n: house.number });
      return repository.pullRequest.reviewThreads.nodes[0];
    };
    const id = (await newest())?.id ?? '';
    expect((await house.publisher().perform(reply(id))).status).toBe('done');
    house.gh.fault({ on: /graphql/, status: 502, when: 'after' });
    expect((await house.publisher().perform(house.call({ type: 'thread.resolve', thread: id }, { key: 'resolve' }))).status).toBe('done');
    expect(await newest()).toEqual({ id, isResolved: true });
    expect((await house.publisher().perform(house.call({ type: 'thread.resolve', thread: `${run}f` }, { key: 'again' }))).status).toBe(
      'done',
    );
  });

  it('that do not exist, are not posted or stand elsewhere are refused', async () => {
    await house.find(run, { id: 'later', line: 4 });
    const reason = async (thread: string, key: string) => {
      const outcome = await house.publisher().perform(reply(thread, key));
      return outcome.status === 'refused' ? outcome.reason : outcome.status;
    };
    expect(await reason('PRRT_nothing', 'a')).toContain('there is no thread');
    expect(await reason('later', 'b')).toContain('submit the review first');
    expect(await reason('999999999', 'c')).toContain('cannot be read');
    const theirs = (await house.reviewComments()).at(-1)?.id;
    const mine = house.event;
    house.event = { ...mine, resource: { ...mine.resource, number: house.number + 1 } } as typeof mine;
    expect(await reason(String(theirs), 'd')).toContain("not on this run's own");
    house.event = mine;
  });
});
