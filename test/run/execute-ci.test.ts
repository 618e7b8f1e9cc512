import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CiRunView } from '../../src/github/ci-run.ts';
import type { Outcome } from '../../src/journal/effect.ts';
import { Crash, House, startOf } from '../session/house.ts';

let house: House;
let runs: CiRunView[] = [];
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());
afterEach(() => {
  [runs, house.reading] = [[], {}];
  house.effects.clear();
  house.onEffect = () => ({ status: 'done', result: {} });
});

const ciRun = (runId: number, more: Partial<CiRunView> = {}): CiRunView => ({
  ...{
    runId,
    workflow: 'Deploy',
    event: 'workflow_dispatch',
    actor: 'pitwall[bot]',
    branch: 'main',
    sha: 'a',
    status: 'queued',
    conclusion: '',
  },
  ...{ attempt: 1, url: `u${runId}`, createdAt: '', startedAt: '' },
  ...more,
});

const DONE: Outcome = { status: 'done', result: { before: 70, by: 'pitwall[bot]' } };

/** GitHub takes a dispatch and shows these runs. */
function open(answer: Outcome = DONE): void {
  house.onEffect = (effect) => (effect.type === 'ci.dispatch' ? answer : { status: 'done', result: {} });
  house.reading = {
    listDispatched: async () => runs,
    readCiRun: async (id) => ({ ...(runs.find(({ runId }) => runId === id) ?? ciRun(id)), jobs: [] }),
  };
}

const begin = (params: object = {}, more: Parameters<typeof startOf>[1] = {}) => {
  const repoFullName = '{{trigger.repository.fullName}}';
  return house.begin(
    startOf({ steps: [{ id: 'ci', action: 'ci.executeWorkflow', params: { repoFullName, workflowId: 'deploy.yml', ...params } }] }, more),
  );
};
const dispatches = () => [...house.effects.values()].flatMap(({ effect }) => (effect.type === 'ci.dispatch' ? [effect] : []));
const outputOf = async (run: string) => (await house.entriesOf(run, 'step.ended'))[0]?.output;

describe('ci.executeWorkflow', () => {
  it('starts the workflow with its inputs and answers the run that this made', async () => {
    open();
    runs = [ciRun(75), ciRun(72), ciRun(71, { actor: 'ana' }), ciRun(73, { branch: 'other' }), ciRun(70)];
    const run = await begin({ ref: '', inputs: { why: 'for {{trigger.trigger.eventType}}' } });
    expect(await house.process().drive(run)).toBeNull();
    expect(dispatches()).toEqual([
      { type: 'ci.dispatch', workflow: 'deploy.yml', ref: 'main', inputs: { why: 'for pull_request_opened' } },
    ]);
    expect(await outputOf(run)).toEqual({ runId: 72, url: 'u72', status: 'queued', conclusion: '' });
  });

  it('waits for the run to be seen and to end, without holding anything, also over deaths', async () => {
    open();
    const run = await begin({ waitForCompletion: true });
    expect(await house.process().drive(run)).toContain('the CI run to begin');
    runs = [ciRun(71, { status: 'in_progress' })];
    expect(await house.process().drive(run)).toContain('CI run 71');
    for (let death = 1; death <= 3; death++)
      await house
        .process({ at: 1, after: death === 2 })
        .drive(run)
        .catch((error: unknown) => expect(error).toBeInstanceOf(Crash));
    expect(await house.entriesOf(run, 'step.state')).toMatchObject([{ state: 'WaitingForExternal' }]);
    runs = [ciRun(71, { status: 'completed', conclusion: 'failure' })];
    expect(await house.process().drive(run)).toBeNull();
    expect(await outputOf(run)).toEqual({ runId: 71, url: 'u71', status: 'completed', conclusion: 'failure' });
    expect(dispatches()).toHaveLength(1);
  });

  it('ends a wait when its run is told to end', async () => {
    open();
    const run = await begin({ waitForCompletion: true });
    await house.process().drive(run);
    await house.store.cancels.order([{ id: run, reason: '@ana cancelled it' }]);
    expect(await house.process().drive(run)).toBeNull();
    expect(await house.end(run)).toMatchObject({ state: 'Cancelled', reason: '@ana cancelled it' });
  });

  it.each([
    ['another repository', { repoFullName: 'other/app' }, {}, DONE, /workflow of "other\/app" is not started/],
    ['a run that is not trusted', {}, { trust: 'untrusted' as const }, DONE, /not trusted/],
    ['what GitHub refuses', {}, {}, { status: 'refused', reason: 'no workflow_dispatch' } as Outcome, /no workflow_dispatch/],
  ])('refuses %s', async (_, params, more, answer, why) => {
    open(answer);
    const run = await begin(params, more);
    expect(await house.process().drive(run)).toBeNull();
    expect((await house.entriesOf(run, 'step.ended'))[0]).toMatchObject({ state: 'Failed', reason: expect.stringMatching(why) });
    if (answer === DONE) expect(dispatches()).toEqual([]);
  });
});
