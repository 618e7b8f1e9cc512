import { describe, expect, it } from 'vitest';
import type { CiJobView, CiLog } from '../../src/github/ci-run.ts';
import type { Event } from '../../src/journal/event.ts';
import type { GitHubReading } from '../../src/tools/context.ts';
import { BRANCH, call, eventOn, fault, makeContext } from './call-context.ts';

const job = (jobId: number, conclusion: string): CiJobView => ({
  jobId,
  name: `job${jobId}`,
  status: 'completed',
  conclusion,
  url: '',
  failedSteps: [],
});
const LONG = Array.from({ length: 5000 }, (_, k) => `${k + 1}: ${k === 10 ? '##[error]' : ''}${'x'.repeat(40)}`);

function reading(jobs: CiJobView[], logs: Record<number, CiLog>, asked: unknown[] = []): GitHubReading {
  const readCiRun = async (id: number) => {
    asked.push(id);
    return { runId: id, jobs } as Awaited<ReturnType<GitHubReading['readCiRun']>>;
  };
  const listCiRuns = async (number: number) => {
    asked.push(number);
    return [];
  };
  return { readCiRun, listCiRuns, readCiLog: async (id: number) => logs[id] ?? { lines: [], cut: false } } as unknown as GitHubReading;
}

describe('CI tools', () => {
  it('read the run that the event is about, or the one that is named', async () => {
    const asked: unknown[] = [];
    const event: Event = { ...eventOn(BRANCH), context: { ciWorkflow: { runId: 71 } } as Event['context'] };
    const context = makeContext({ event, github: reading([], {}, asked) });
    await call(context, 'get_ci_run_details');
    await call(context, 'get_ci_run_details', { projectOrRepoFullName: 'acme/shop', runId: '72' });
    await call(context, 'get_ci_run_details', { run_id: 73 });
    await call(makeContext({ github: reading([], {}, asked) }), 'list_pr_ci_runs', { pullRequestNumber: 6 });
    await call(makeContext({ github: reading([], {}, asked) }), 'list_pr_ci_runs');
    expect(asked).toEqual([71, 72, 73, 6, 5]);
    expect(await fault(call(makeContext({ github: reading([], {}) }), 'get_ci_run_details'))).toContain('give runId');
    expect(await fault(call(context, 'get_ci_run_details', { repoFullName: 'other/shop', runId: 1 }))).toContain("not this run's");
  });

  it('show a log from its end, and page back to its beginning without losing a line', async () => {
    const context = makeContext({ github: reading([], { 1: { lines: LONG, cut: false } }) });
    const seen: string[] = [];
    let pages = 0;
    for (let more = true; more; ) {
      const text = await call(context, 'get_ci_job_logs', { jobId: 1, page: ++pages });
      expect(Buffer.byteLength(text)).toBeLessThan(64 * 1024);
      seen.unshift(...text.split('\n').filter((line) => /^\d+: (##\[error\])?x+$/.test(line)));
      more = text.includes(`page ${pages + 1} has`);
    }
    expect(pages).toBeGreaterThan(2);
    expect(seen.filter((line) => line !== `11: ${LONG[10]}`)).toEqual(LONG);
    expect(await call(context, 'get_ci_job_logs', { jobId: 1 })).toMatch(
      /^Errors by line:\n11: 11: ##\[error\]x+\n\n\[lines \d+ to 5000 of 5000; page 2/,
    );
    expect(await fault(call(context, 'get_ci_job_logs', { jobId: 1, page: 99 }))).toContain('the last one is');
  });

  it('show the ends of the logs of failed jobs, of all where none failed', async () => {
    const logs = { 1: { lines: ['fine'], cut: false }, 2: { lines: LONG, cut: true }, 3: { lines: ['bad'], cut: false } };
    const failed = await call(
      makeContext({ github: reading([job(1, 'success'), job(2, 'failure'), job(3, 'timed_out')], logs) }),
      'get_ci_run_logs',
      { runId: 1 },
    );
    expect(failed).not.toContain('fine');
    expect(failed).toContain('# job2 (job 2): failure\nErrors by line:');
    expect(failed).toContain('only its first 32 MiB were read');
    expect(failed).toMatch(/# job3 \(job 3\): timed_out\n\[lines 1 to 1 of 1\]\nbad$/);
    expect(Buffer.byteLength(failed)).toBeLessThan(64 * 1024);
    const fine = await call(makeContext({ github: reading([job(1, 'success')], logs) }), 'get_ci_run_logs', { runId: 1 });
    expect(fine).toContain('fine');
    expect(await fault(call(makeContext({ github: reading([], {}) }), 'get_ci_run_logs', { runId: 1 }))).toContain('no jobs yet');
  });
});
