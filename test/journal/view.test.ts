import { describe, expect, it } from 'vitest';
import type { Usage } from '../../src/journal/answer.ts';
import { addUsage, costOf, NO_USAGE } from '../../src/journal/cost.ts';
import type { DelegationEnd, Draft, Entry } from '../../src/journal/entry.ts';
import type { Blob } from '../../src/journal/tree.ts';
import { endedSteps, endOfRun, treeOf, viewRun } from '../../src/journal/view.ts';
import { agentStep, startOf } from '../session/house.ts';

const START = startOf({ steps: [agentStep('a')] });
const EMPTY = { checkouts: [], changes: {} };

/** A journal of these entries, a second apart. */
function journal(...drafts: Draft[]): Entry[] {
  return [{ type: 'run.started' as const, start: START }, ...drafts].map((draft, k) => ({ ...draft, at: k * 1_000 }) as Entry);
}

function view(...drafts: Draft[]) {
  const seen = viewRun(journal(...drafts));
  if (!seen) throw new Error('no view');
  return seen;
}

const usage = (input: number, output = 0): Usage => ({ ...NO_USAGE, input, output });
const ended = (step: string, state: 'Completed' | 'Failed' | 'Skipped' | 'Canceled', output: unknown = null, reason = ''): Draft => ({
  type: 'step.ended',
  step,
  state,
  output,
  reason,
});
const answered = (key: string, model: string, tokens: number): Draft => ({
  type: 'turn.answered',
  key,
  ms: 1,
  answer: { content: [], stop: 'end_turn', usage: usage(tokens), model },
});
const gathered = (delegation: string, more: Partial<DelegationEnd> = {}): Draft => ({
  type: 'delegation.ended',
  key: delegation,
  delegation,
  end: { status: 'completed', result: '', turns: 2, calls: {}, usage: { m: usage(100, 10) }, changes: {}, ...more },
});

describe('the view of a run', () => {
  it('is none where the journal is empty or another’s', () => {
    expect(viewRun([])).toBeNull();
    expect(viewRun([{ type: 'noted', key: 'x', value: 1, at: 0 }])).toBeNull();
  });

  it('tells its state, steps, delegations, tokens and newest status from its entries', () => {
    const queued = (delegation: string, agent: string): Draft => ({
      type: 'delegation.queued',
      key: delegation,
      delegation,
      agent,
      label: '',
    });
    const seen = view(
      { type: 'run.state', state: 'Running', reason: '' },
      { type: 'step.started', step: 'a' },
      { type: 'status', key: '1', message: 'first' },
      answered('t0', 'm', 5),
      queued('d1', 'Ann'),
      queued('d2', 'Bob'),
      queued('d3', 'Ann'),
      gathered('d1'),
      gathered('d2', { status: 'timed out', usage: { n: usage(1) } }),
      { type: 'status', key: '2', message: 'second' },
      { type: 'step.state', step: 'a', state: 'WaitingForReply' },
    );
    expect(seen).toMatchObject({
      state: 'Running',
      startedAt: 0,
      endedAt: null,
      status: 'second',
      turns: 5,
      agents: ['Ann', 'Bob'],
      delegations: { queued: 3, ended: 2, failed: 1 },
      usage: { m: usage(105, 10), n: usage(1) },
      steps: [{ id: 'a', state: 'WaitingForReply', startedAt: 2_000, endedAt: null }],
    });
  });

  it('shows a skipped step, which never began, with its reason', () => {
    expect(view(ended('b', 'Skipped', null, 'the condition does not hold')).steps).toMatchObject([
      { id: 'b', state: 'Skipped', reason: 'the condition does not hold', startedAt: 1_000, endedAt: 1_000 },
    ]);
  });

  it('ends with what its last entry says', () => {
    expect(view({ type: 'run.ended', state: 'Failed', reason: 'r', message: 'm' })).toMatchObject({
      state: 'Failed',
      reason: 'r',
      message: 'm',
      endedAt: 1_000,
    });
  });
});

describe('the end of a run', () => {
  const begun = (step: string): Draft => ({ type: 'step.started', step });
  const said = (message: string) => ({ message });
  it.each<[string, Draft[], object]>([
    ['nothing had to run', [], { state: 'Skipped', reason: 'no step had to run', message: '' }],
    ['all were skipped', [ended('a', 'Skipped')], { state: 'Skipped' }],
    [
      'its last step completed',
      [begun('a'), ended('a', 'Completed', said('1')), ended('b', 'Completed', said('2'))],
      { state: 'Completed', reason: '', message: '2' },
    ],
    [
      'they ended in another order than they began',
      [begun('a'), begun('b'), ended('b', 'Completed', said('b')), ended('a', 'Completed', said('a'))],
      { message: 'a' },
    ],
    ['its last step says nothing', [ended('a', 'Completed', { commit: 'x' })], { state: 'Completed', message: '' }],
    [
      'a step failed',
      [ended('a', 'Completed', said('1')), ended('b', 'Failed', null, 'no key')],
      { state: 'Failed', reason: 'step "b": no key', message: '1' },
    ],
    ['one was skipped', [ended('a', 'Completed', said('1')), ended('b', 'Skipped')], { state: 'Completed', message: '1' }],
    [
      'its limit ended it',
      [{ type: 'run.state', state: 'Terminating', reason: 'the limit is over' }, ended('a', 'Canceled', null, 'the limit is over')],
      { state: 'Timeout', reason: 'the limit is over' },
    ],
  ])('where %s', (_, drafts, end) => {
    expect(endOfRun(view(...drafts))).toMatchObject(end);
  });
});

describe('what follows from entries', () => {
  const blob = (digest: string): Blob => ({ digest, size: 1, mode: '100644' });
  const call = (key: string, changes: Record<string, Blob | null>): Draft => ({
    type: 'call.ended',
    key,
    name: 'w',
    result: { text: '' },
    changes,
  });

  it('ended steps by their ids', () => {
    expect([...endedSteps(journal(ended('a', 'Completed', 1), { type: 'step.started', step: 'b' }))]).toEqual([
      ['a', { state: 'Completed', output: 1 }],
    ]);
  });

  it('the tree: checkouts, and changes in the order of the entries, over what was there', () => {
    const checkout = { repository: { id: 1, fullName: 'a/b', cloneUrl: '' }, sha: 's', branch: 'main', sparse: [], depth: 0 };
    const base = { checkouts: [], changes: { 'old.txt': blob('0'), 'kept.txt': blob('k') } };
    const tree = treeOf(
      base,
      journal(
        { type: 'checkout', key: 'c', checkout },
        call('1', { 'x.txt': blob('1') }),
        call('2', { 'x.txt': blob('2'), 'old.txt': null }),
      ),
    );
    expect(tree).toEqual({ checkouts: [checkout], changes: { 'x.txt': blob('2'), 'old.txt': null, 'kept.txt': blob('k') } });
    expect(base.changes['old.txt']).toEqual(blob('0'));
    expect(treeOf(EMPTY, [])).toEqual(EMPTY);
  });
});

describe('costs', () => {
  const price = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };
  it.each<[Usage, number]>([
    [NO_USAGE, 0],
    [usage(1_000_000), 3],
    [usage(0, 200_000), 3],
    [{ input: 0, output: 0, cacheRead: 1_000_000, cacheWrite: 1_000_000 }, 4.05],
  ])('are dollars a million tokens: %o', (tokens, dollars) => {
    expect(costOf(tokens, price)).toBeCloseTo(dollars, 10);
  });

  it('add up by kind', () => {
    const one = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 };
    expect(addUsage(one, one)).toEqual({ input: 2, output: 4, cacheRead: 6, cacheWrite: 8 });
    expect(addUsage(NO_USAGE, one)).toEqual(one);
  });
});
