import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Workflow, WorkflowRun } from '../../src/demo/github/ci.ts';
import { listDispatchedRuns } from '../../src/github/ci-run.ts';
import type { Outcome } from '../../src/journal/effect.ts';
import { Pending } from '../../src/journal/errors.ts';
import { House } from './house.ts';

let house: House;
let n = 0;

const REPO = 'acme/app';
const DISPATCH = 'POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches';
const RUNS = 'GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs';

beforeAll(async () => {
  house = await House.open({}, { 'a.txt': 'a\n' });
});
afterAll(async () => {
  expect(house.gh.defects).toEqual([]);
  await house.close();
});
afterEach(() => house.clear());

/** A workflow of its own, which alice started by hand before. */
async function workflow(): Promise<Workflow & { file: string; byHand: WorkflowRun }> {
  const sha = (await house.gh.repository(REPO).bare.commitOf('refs/heads/main')) ?? '';
  const name = `Deploy ${++n}`;
  const byHand = house.gh.person('alice', { [REPO]: 'write' }).runWorkflow(REPO, { name, sha, branch: 'main', event: 'workflow_dispatch' });
  return Object.assign(byHand.workflow, { file: `deploy-${n}.yml`, byHand });
}

const dispatch = (file: string, key = `key${++n}`, ref = 'main'): Promise<Outcome> =>
  house
    .publisher()
    .perform({ run: 'run', key, event: house.event, effect: { type: 'ci.dispatch', workflow: file, ref, inputs: { a: 'b' } } });

/** Goes on as a run does that has to wait: when its time has come. */
async function insist(file: string, key = `key${++n}`): Promise<Outcome> {
  for (let tries = 0; tries < 20; tries++) {
    try {
      return await dispatch(file, key);
    } catch (error) {
      if (!(error instanceof Pending)) throw error;
      house.clock.pass((error.until ?? 0) - house.clock.now());
    }
  }
  throw new Error('this never ends');
}

async function made(file: string, outcome: Outcome): Promise<number[]> {
  const { before } = (outcome.status === 'done' ? outcome.result : {}) as { before: number };
  const api = await house.app.api(house.event.installation, house.event.repository.id, 'read');
  return (await listDispatchedRuns(api, house.event.repository, file)).filter(({ runId }) => runId > before).map(({ runId }) => runId);
}

describe('starting a workflow', () => {
  it('starts it once with its inputs, and tells how its run is found', async () => {
    const { file, dispatches, byHand } = await workflow();
    const outcome = await dispatch(file, 'same');
    expect(outcome).toEqual({ status: 'done', result: { before: byHand.id, by: house.gh.bot.login } });
    expect(await dispatch(file, 'same')).toEqual(outcome);
    expect(dispatches).toEqual([{ ref: 'main', inputs: { a: 'b' } }]);
    expect(await made(file, outcome)).toHaveLength(1);
  });

  it.each([
    ['502 before', { status: 502 }],
    ['502 after', { status: 502, when: 'after' }],
    ['reset after', { kind: 'reset', when: 'after' }],
  ] as const)('happens once after %s', async (_, fault) => {
    const { file, dispatches } = await workflow();
    house.gh.fault({ on: DISPATCH, ...fault });
    expect(await made(file, await insist(file))).toHaveLength(1);
    expect(dispatches).toHaveLength(1);
  });

  it('is not asked for again before GitHub has had time to show it', async () => {
    const { file, dispatches, byHand } = await workflow();
    house.gh.fault({ on: DISPATCH, status: 502, when: 'after' });
    const hidden = { total_count: 1, workflow_runs: [{ id: byHand.id, head_branch: 'main', actor: { login: 'alice' } }] };
    house.gh.fault({ on: RUNS, status: 200, body: hidden, times: 4, skip: 1 });
    const outcome = await insist(file);
    expect(dispatches).toHaveLength(1);
    expect(await made(file, outcome)).toHaveLength(1);
  });

  it('that a worker began before it died is found', async () => {
    const { file, dispatches, byHand } = await workflow();
    const sent = { at: house.clock.now(), before: byHand.id };
    house.records.rows.set('run:dead', JSON.stringify({ state: 'acting', at: house.clock.now(), by: 'another', sent }));
    await dispatch(file);
    expect(await made(file, await dispatch(file, 'dead'))).toHaveLength(1);
    expect(dispatches).toHaveLength(1);
  });

  it('that a worker had not begun when it died is not taken for one that another step started just before', async () => {
    const { file, dispatches } = await workflow();
    await dispatch(file);
    house.records.rows.set('run:dead', JSON.stringify({ state: 'acting', at: house.clock.now(), by: 'another' }));
    const outcome = await dispatch(file, 'dead');
    expect(dispatches).toHaveLength(2);
    expect(await made(file, outcome)).toHaveLength(1);
  });

  it('is refused where there is no such workflow or branch', async () => {
    const { file } = await workflow();
    expect(await dispatch('none.yml')).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('there is no workflow "none.yml"'),
    });
    expect(await dispatch(file, 'gone', 'nowhere')).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('was not started on nowhere'),
    });
  });
});
