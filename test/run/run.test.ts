import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ModelRefused } from '../../src/agent/model.ts';
import { Fatal } from '../../src/journal/errors.ts';
import type { Finding } from '../../src/journal/finding.ts';
import { resourceKey } from '../../src/journal/resource.ts';
import { advanceRun } from '../../src/run/run.ts';
import { MOST_TRIES } from '../../src/session/trouble.ts';
import { gate } from '../gate.ts';
import { agentStep, eventOn, House, over, type Process, pullOf, REPOSITORY, session, startOf } from '../session/house.ts';
import { Remote } from '../workspace/remote.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());
afterEach(() => {
  house.asked = [];
  house.effects.clear();
  house.onEffect = () => ({ status: 'done', result: {} });
});

const advance = (process: Process, run: string, signal = new AbortController().signal) => advanceRun(process.services, run, signal);

/** Edges from pairs of steps; an entry where the first is empty. */
const edges = (...pairs: [string, string][]) => pairs.map(([from, to]) => ({ from, to }));
const stepOf = (told: string) => /Work on ([\w-]+)\./.exec(told)?.[1] ?? '';

describe('the order of a run', () => {
  it('starts independent branches together', async () => {
    const both = gate();
    let asked = 0;
    house.play = async ({ told }) => {
      if (++asked === 2) both.open();
      await both.opened;
      return { text: `${stepOf(told)} done` };
    };
    const run = await house.begin(startOf({ steps: [agentStep('a'), agentStep('b')], flow: edges(['', 'a'], ['', 'b']) }));
    expect(await house.process().drive(run)).toBeNull();
    expect(await house.steps(run)).toEqual({ a: 'Completed', b: 'Completed' });
  });

  it('goes on behind a quick branch while a slow one is still at work', async () => {
    const followed = gate();
    house.play = async ({ told }) => {
      const step = stepOf(told);
      if (step === 'after-quick') followed.open();
      if (step === 'slow') await followed.opened;
      return { text: 'done' };
    };
    const steps = ['slow', 'quick', 'after-quick', 'last'].map((id) => agentStep(id));
    const flow = edges(['', 'slow'], ['', 'quick'], ['quick', 'after-quick'], ['slow', 'last'], ['after-quick', 'last']);
    const run = await house.begin(startOf({ steps, flow }));
    expect(await house.process().drive(run)).toBeNull();
    expect((await house.entriesOf(run, 'step.ended')).map(({ step }) => step)).toEqual(['quick', 'after-quick', 'slow', 'last']);
  });

  it('goes on behind a branch that is done where another waits, and does nothing of it twice', async () => {
    house.play = ({ coordinates, turn, told }) => {
      if (!coordinates) return { text: stepOf(told) || 'a result' };
      if (turn > 0) return { calls: [{ name: 'task_completed', input: { message: 'session over' } }] };
      return { calls: [{ name: 'delegate_to_sub_agent', input: { agentId: 'a', instructions: 'x' } }] };
    };
    const steps = [session('waits'), agentStep('b'), agentStep('c'), agentStep('d')];
    const flow = edges(['', 'waits'], ['', 'b'], ['b', 'c'], ['waits', 'd'], ['c', 'd']);
    const run = await house.begin(startOf({ steps, flow }));
    await expect(advance(house.process(), run)).rejects.toThrow('waiting for 1 of 1 delegations');
    expect(await house.steps(run)).toEqual({ b: 'Completed', c: 'Completed' });
    expect(await house.process().drive(run)).toBeNull();
    expect(await house.steps(run)).toEqual({ b: 'Completed', c: 'Completed', waits: 'Completed', d: 'Completed' });
    expect(house.asked).toHaveLength(6);
    expect(await house.end(run)).toMatchObject({ state: 'Completed', message: 'd' });
  });

  it('skips what a condition turns away, and says why', async () => {
    house.play = ({ told }) => ({ text: stepOf(told) === 'look' ? 'verdict: good' : 'done' });
    const when = (operator: string) => ({ combinator: 'and', rules: [{ field: 'outputs.look.message', operator, value: 'good' }] });
    const run = await house.begin(
      startOf({
        steps: [agentStep('look'), agentStep('praise'), agentStep('mend'), agentStep('after-mend')],
        flow: [
          { from: '', to: 'look' },
          { from: 'look', to: 'praise', condition: when('contains') },
          { from: 'look', to: 'mend', condition: when('notContains') },
          { from: 'mend', to: 'after-mend' },
        ],
      }),
    );
    await house.process().drive(run);
    expect(await house.steps(run)).toEqual({ look: 'Completed', praise: 'Completed', mend: 'Skipped', 'after-mend': 'Skipped' });
    const skipped = (await house.entriesOf(run, 'step.ended')).find((entry) => entry.step === 'mend');
    expect(skipped?.reason).toContain('the condition of the edge from look does not hold');
    expect(await house.end(run)).toMatchObject({ state: 'Completed' });
  });

  it('fails a run whose step fails, skips what follows, and lets the other branch end', async () => {
    house.play = ({ told }) => {
      if (stepOf(told) === 'bad') throw new ModelRefused('the key was not accepted: set another');
      return { text: 'fine' };
    };
    const steps = ['bad', 'after-bad', 'good'].map((id) => agentStep(id));
    const run = await house.begin(startOf({ steps, flow: edges(['', 'bad'], ['bad', 'after-bad'], ['', 'good']) }));
    expect(await house.process().drive(run)).toBeNull();
    expect(await house.steps(run)).toEqual({ bad: 'Failed', 'after-bad': 'Skipped', good: 'Completed' });
    expect(await house.end(run)).toMatchObject({
      state: 'Failed',
      reason: 'step "bad": the key was not accepted: set another',
      message: 'fine',
    });
  });

  it('is skipped where no step had to run', async () => {
    const never = { combinator: 'and', rules: [{ field: 'context.repository.name', operator: 'equals', value: 'other' }] };
    const run = await house.begin(startOf({ steps: [agentStep('a')], flow: [{ from: '', to: 'a', condition: never }] }));
    await house.process().drive(run);
    expect(await house.end(run)).toMatchObject({ state: 'Skipped', reason: 'no step had to run' });
    expect(house.asked).toEqual([]);
  });
});

describe('a step', () => {
  it.each([
    { what: 'cannot succeed', error: new Fatal('the commit is gone: push again') },
    { what: 'is refused by the provider', error: new ModelRefused('no such model: name another') },
  ])('that $what fails at once, with what to do', async ({ error }) => {
    house.play = () => {
      throw error;
    };
    const run = await house.begin(startOf({ steps: [agentStep('a')] }));
    await advance(house.process(), run);
    expect(await house.end(run)).toMatchObject({ state: 'Failed', reason: `step "a": ${error.message}` });
    expect(house.asked).toHaveLength(1);
  });

  it('ends after five infrastructure errors in a row, each tried by a job of its own', async () => {
    house.play = () => {
      throw new Error('no route to host');
    };
    const run = await house.begin(startOf({ steps: [agentStep('a'), agentStep('b')], flow: edges(['', 'a'], ['a', 'b']) }));
    for (let tries = 1; tries < MOST_TRIES; tries++) await expect(advance(house.process(), run)).rejects.toThrow('no route to host');
    await advance(house.process(), run);
    expect(await house.end(run)).toMatchObject({ state: 'Failed', reason: 'step "a": tried 5 times: no route to host' });
    expect(house.asked).toHaveLength(MOST_TRIES);
  });

  it('that nobody built yet, or that names another repository, fails with a sentence', async () => {
    const clone = { id: 'c', action: 'git.clone', params: { repoFullName: 'other/repo' } };
    const run = await house.begin(startOf({ steps: [clone] }));
    await advance(house.process(), run);
    expect((await house.end(run))?.reason).toMatch(/^step "c": "other\/repo" is not cloned: either the App is not installed on it/);
  });

  it('clones once, and its agents see the commit', async () => {
    const remote = new Remote(house.root);
    const sha = remote.commit('refs/heads/main', { 'hello.txt': 'hello' });
    const repository = { ...REPOSITORY, cloneUrl: remote.dir };
    const event = eventOn({ kind: 'branch', repository, branch: 'main' }, { repository });
    const steps = [{ id: 'c', action: 'git.clone', params: { repoFullName: 'acme/app', branch: 'main' } }, agentStep('a')];
    house.play = ({ turn, results }) =>
      turn === 0 ? { calls: [{ name: 'read_file', input: { path: 'hello.txt' } }] } : { text: results[0]?.text ?? '' };
    const run = await house.begin(startOf({ steps, flow: edges(['', 'c'], ['c', 'a']) }, { event }));
    await house.process().drive(run);
    expect(await house.end(run)).toMatchObject({ state: 'Completed', message: 'hello' });
    expect(await house.entriesOf(run, 'checkout')).toMatchObject([{ checkout: { sha, branch: 'main' } }]);
    expect((await house.entriesOf(run, 'step.ended'))[0]?.output).toMatchObject({ commit: sha, path: '/workspace/acme/app' });
  });
});

describe('the limit of a run', () => {
  it('gives the step at work its last turn, begins no other, and ends as timed out', async () => {
    let ahead = 0;
    house.play = ({ told }) => {
      if (told.includes('This is your last turn')) return { text: 'half of it' };
      ahead = 60_000;
      return { calls: [{ name: 'list_dir', input: {} }] };
    };
    const run = await house.begin(
      startOf({ steps: [agentStep('a'), agentStep('b')], flow: edges(['', 'a'], ['a', 'b']), timeoutMs: 30_000 }),
    );
    const process = house.process();
    Object.assign(process.services, { store: over(process.services.store, { now: async () => Date.now() + ahead }) });
    expect(await process.drive(run)).toBeNull();
    expect(await house.steps(run)).toEqual({ a: 'Completed', b: 'Canceled' });
    expect(await house.end(run)).toMatchObject({
      state: 'Timeout',
      reason: "the run's limit of 0.5 minutes is over",
      message: 'half of it',
    });
  });
});

describe('the lane of a resource', () => {
  it('holds a second run back until the first has ended, and then goes by priority', async () => {
    house.play = () => ({ text: 'ok' });
    const event = eventOn(pullOf(9_001));
    const make = (priority: number) => house.begin(startOf({ steps: [agentStep('a')], priority }, { event }));
    const [first, second, urgent] = [await make(5), await make(5), await make(1)];
    const { lanes } = house.store;
    await lanes.enter(resourceKey(event.resource), first, 5);
    const process = house.process();
    await advance(process, second);
    await advance(process, urgent);
    expect(house.asked).toEqual([]);
    expect((await house.entries(second)).map((entry) => entry.type)).toEqual(['run.started']);
    await expect.poll(() => house.waiting('reports')).toEqual(expect.arrayContaining([second, urgent]));
    await advance(process, first);
    expect(await house.waiting('runs')).toContain(urgent);
    expect(await house.waiting('runs')).not.toContain(second);
    await advance(process, second);
    expect(await house.end(second)).toBeNull();
    await advance(process, urgent);
    await advance(process, second);
    expect(await house.end(second)).toMatchObject({ state: 'Completed' });
    expect(await lanes.look(resourceKey(event.resource))).toEqual({ active: null, queued: [] });
  });

  it('is passed on also where the process dies after it left the lane and before it woke the next', async () => {
    house.play = () => ({ text: 'ok' });
    const event = eventOn(pullOf(9_002));
    const [first, second] = [
      await house.begin(startOf({ steps: [agentStep('a')] }, { event })),
      await house.begin(startOf({ steps: [agentStep('a')] }, { event })),
    ];
    const { lanes, queues } = house.store;
    await lanes.enter(resourceKey(event.resource), first, 5);
    const process = house.process();
    await advance(process, second);
    const dying = over(process.services.store, {
      queues: over(queues, { wakeRun: () => Promise.reject(new Error('dead')) }),
    });
    await expect(advanceRun({ ...process.services, store: dying }, first, new AbortController().signal)).rejects.toThrow('dead');
    expect(await house.waiting('runs')).not.toContain(second);
    await advance(house.process(), first);
    expect(await house.waiting('runs')).toContain(second);
  });
});

describe('a run that has ended', () => {
  it('is not changed by another advance, and asks nobody', async () => {
    house.play = () => ({ text: 'ok' });
    const run = await house.begin(startOf({ steps: [agentStep('a')] }));
    await advance(house.process(), run);
    const before = await house.entries(run);
    house.asked = [];
    await advance(house.process(), run);
    expect(await house.entries(run)).toEqual(before);
    expect(house.asked).toEqual([]);
  });

  it('that is not there does nothing', async () => {
    await advance(house.process(), 'r-nowhere');
    expect(await house.entries('r-nowhere')).toEqual([]);
  });
});

describe('findings of a run that submitted no review', () => {
  const finding = (id: string): Finding => ({ id, path: 'a.txt', side: 'RIGHT', line: 1, body: `b ${id}`, rung: 'line', key: id });
  const prepare = async () => {
    house.play = () => ({ text: 'done' });
    const run = await house.begin(startOf({ steps: [agentStep('a')] }));
    await house.store.drafts.add(run, finding('f1'));
    await house.store.drafts.add(run, finding('f2'));
    return run;
  };
  const posted = () => [...house.effects].filter(([, { effect }]) => effect.type === 'review.submit').map(([key]) => key);

  it('are posted once as a comment, before the run ends', async () => {
    const run = await prepare();
    await expect(advance(house.process({ at: 5, after: true }), run)).rejects.toThrow('dead');
    await advance(house.process(), run);
    expect(posted()).toEqual([`${run}:leftovers`]);
    expect(house.effects.get(`${run}:leftovers`)?.effect).toMatchObject({ event: 'COMMENT', body: expect.stringContaining('2 findings') });
    expect((await house.entries(run)).map((entry) => entry.type).slice(-2)).toEqual(['noted', 'run.ended']);
  });

  it('that are posted already are left alone', async () => {
    const run = await prepare();
    for (const id of ['f1', 'f2']) await house.store.drafts.markPosted(run, id, { review: 1, comment: 1, rung: 'line' });
    await advance(house.process(), run);
    expect(posted()).toEqual([]);
  });

  it('never keep a run from ending: what cannot be posted is recorded with the reason', async () => {
    const fatal = await prepare();
    house.onEffect = () => {
      throw new Fatal('the head commit is gone');
    };
    await advance(house.process(), fatal);
    expect((await house.entriesOf(fatal, 'noted')).at(-1)).toMatchObject({
      key: 'leftovers',
      value: { status: 'refused', reason: 'the head commit is gone' },
    });
    expect(await house.end(fatal)).toMatchObject({ state: 'Completed' });
    const flaky = await prepare();
    house.onEffect = () => {
      throw new Error('no connection');
    };
    for (let tries = 1; tries < MOST_TRIES; tries++) await expect(advance(house.process(), flaky)).rejects.toThrow('no connection');
    await advance(house.process(), flaky);
    expect(await house.end(flaky)).toMatchObject({ state: 'Completed' });
  });
});
