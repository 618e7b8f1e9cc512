import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NewWorkflowRun } from '../../src/demo/github/act/workflow-run.ts';
import type { WorkflowRun } from '../../src/demo/github/ci.ts';
import type { Outcome } from '../../src/journal/effect.ts';
import type { Event } from '../../src/journal/event.ts';
import { House } from './house.ts';

let house: House;
let failed: WorkflowRun;
let sha: string;
let n = 0;

const REPO = 'acme/app';
const FAILED = [
  { name: 'lint', conclusion: 'success' },
  { name: 'test', conclusion: 'failure' },
];

beforeAll(async () => {
  house = await House.open({}, { 'a.txt': 'a\n' });
  sha = house.event.resource.kind === 'pr' ? house.event.resource.head.sha : '';
});
afterAll(async () => {
  expect(house.gh.defects).toEqual([]);
  await house.close();
});
beforeEach(() => {
  failed = ciRun({ conclusion: 'failure', jobs: FAILED });
});
afterEach(() => house.clear());

const ciRun = (more: Partial<NewWorkflowRun> = {}): WorkflowRun =>
  house.gh.person('alice', { [REPO]: 'write' }).runWorkflow(REPO, { sha, branch: 'feature', ...more });

const rerun = (
  run: number,
  { job, event = house.event, key = `key${++n}` }: { job?: number; event?: Event; key?: string } = {},
): Promise<Outcome> =>
  house.publisher().perform({ run: 'run', key, event, effect: { type: 'ci.rerun', run, ...(job === undefined ? {} : { job }) } });

const jobOf = (run: WorkflowRun): number => [...house.gh.repository(REPO).jobs.values()].find((job) => job.run === run)?.id ?? 0;

describe('running a CI run again', () => {
  it('takes what failed, or all where nothing did, or one job, with a token for CI alone', async () => {
    const fine = ciRun({ jobs: [{ name: 'test' }] });
    const single = ciRun({ conclusion: 'failure', jobs: FAILED });
    expect(await rerun(failed.id)).toMatchObject({ status: 'done', result: { runId: failed.id, attempt: 2 } });
    await rerun(fine.id);
    await rerun(single.id, { job: jobOf(single) });
    expect([failed, fine, single].map(({ reruns }) => reruns)).toEqual([['rerun-failed-jobs'], ['rerun'], ['job']]);
    const lease = await house.app.lease(house.event.installation, house.event.repository.id, 'ci');
    expect(lease.permissions).toEqual({ metadata: 'read', actions: 'write' });
    lease.release();
  });

  it.each([
    ['502 before', { status: 502 }],
    ['502 after', { status: 502, when: 'after' }],
    ['reset after', { kind: 'reset', when: 'after' }],
  ] as const)('happens once after %s', async (_, fault) => {
    house.gh.fault({ on: 'POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun-failed-jobs', ...fault });
    expect((await rerun(failed.id, { key: 'once' })).status).toBe('done');
    expect((await rerun(failed.id, { key: 'once' })).status).toBe('done');
    expect(failed.reruns).toEqual(['rerun-failed-jobs']);
  });

  it('that a worker began before it died is found by its attempt', async () => {
    house.records.rows.set('run:dead', JSON.stringify({ state: 'acting', at: house.clock.now(), by: 'another' }));
    await rerun(failed.id);
    house.gh.person('alice').endWorkflow(REPO, failed, 'failure');
    expect(await rerun(failed.id, { key: 'dead' })).toMatchObject({ status: 'done', result: { attempt: 2 } });
    expect(failed.reruns).toHaveLength(1);
  });

  it('is refused for other branches and forks, for what is under way, and for what is not there', async () => {
    const elsewhere = ciRun({ branch: 'main', conclusion: 'failure', jobs: FAILED });
    const busy = ciRun({ status: 'in_progress' });
    const about: Event = { ...house.event, context: { ciWorkflow: { runId: elsewhere.id } } as Event['context'] };
    expect(await rerun(elsewhere.id)).toMatchObject({ status: 'refused', reason: expect.stringContaining('does not belong') });
    expect(await rerun(busy.id)).toMatchObject({ status: 'refused', reason: expect.stringContaining('under way') });
    expect(await rerun(1)).toMatchObject({ status: 'refused', reason: expect.stringContaining('there is no CI run 1') });
    expect(await rerun(failed.id, { job: jobOf(elsewhere) })).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('has no job'),
    });
    expect([elsewhere, busy, failed].flatMap(({ reruns }) => reruns)).toEqual([]);
    expect(await rerun(elsewhere.id, { event: about })).toMatchObject({ status: 'done' });
  });
});
