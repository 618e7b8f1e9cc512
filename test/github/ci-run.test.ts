import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkflowRun } from '../../src/demo/github/ci.ts';
import type { Api } from '../../src/github/api.ts';
import { listCiRuns, readCiLog, readCiRun } from '../../src/github/ci-run.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let api: Api;
let run: WorkflowRun;
let sha: string;

const STEPS = [
  { name: 'Check out', conclusion: 'success' },
  { name: 'Test', conclusion: 'failure' },
];
const LOG = '2026-01-01T00:00:00.0000000Z \u001b[31mone\u001b[0m\r\n2026-01-01T00:00:01.0000000Z ##[error]two\n  2026-01-01 three\n';

beforeAll(async () => {
  stage = await openStage({ 'a.txt': 'a\n' });
  sha = await stage.mara.push(stage.repository.fullName, 'feature', { 'a.txt': 'b\n' });
  const jobs = [
    { name: 'lint', conclusion: 'success', log: 'fine\n' },
    { name: 'test', conclusion: 'failure', steps: STEPS, log: LOG },
  ];
  run = stage.mara.runWorkflow(stage.repository.fullName, { name: 'CI', sha, branch: 'feature', conclusion: 'failure', jobs });
  api = await stage.api();
});
afterAll(() => stage.close());

describe('a CI run', () => {
  it('is read with its jobs and the steps that failed', async () => {
    const read = await readCiRun(api, stage.repository, run.id);
    expect(read).toMatchObject({
      runId: run.id,
      workflow: 'CI',
      branch: 'feature',
      sha,
      status: 'completed',
      conclusion: 'failure',
      attempt: 1,
    });
    expect(read.jobs.map(({ name, conclusion, failedSteps }) => [name, conclusion, failedSteps])).toEqual([
      ['lint', 'success', []],
      ['test', 'failure', ['Test']],
    ]);
    await expect(readCiRun(api, stage.repository, 1)).rejects.toMatchObject({ kind: 'missing' });
  });

  it('is found by its commit', async () => {
    expect((await listCiRuns(api, stage.repository, sha)).map(({ runId }) => runId)).toEqual([run.id]);
    expect(await listCiRuns(api, stage.repository, 'f'.repeat(40))).toEqual([]);
  });

  it('has logs, read without colours and times from where GitHub leads', async () => {
    const { jobs } = await readCiRun(api, stage.repository, run.id);
    expect(await readCiLog(api, stage.repository, jobs[1]?.jobId ?? 0)).toEqual({
      lines: ['one', '##[error]two', '  2026-01-01 three'],
      cut: false,
    });
    await expect(readCiLog(api, stage.repository, 1)).rejects.toMatchObject({ kind: 'missing' });
  });
});
