import { describe, expect, it } from 'vitest';
import type { Diff, DiffFile, Hunk } from '../../src/journal/diff.ts';
import type { Entry } from '../../src/journal/entry.ts';
import { viewRun } from '../../src/journal/view.ts';
import { coveredIn, coverFiles, looksIn } from '../../src/run/coverage.ts';
import { checkOutput, conclusionOf, type Reported } from '../../src/run/report-text.ts';
import { agentStep, eventOn, pullOf, startOf } from '../session/house.ts';

const HUNK: Hunk = { header: '@@ -1 +1 @@', oldStart: 1, newStart: 1, lines: [] };

function file(path: string, more: Partial<DiffFile> = {}): DiffFile {
  const text = `diff --git a/${path} b/${path}\n`;
  return { path, status: 'modified', binary: false, additions: 1, deletions: 1, hunks: [HUNK], text, ...more };
}

const DIFF: Diff = {
  base: 'a',
  head: 'b',
  mergeBase: 'a',
  files: [
    file('src/read.ts'),
    file('src/paged.ts'),
    file('src/unread.ts'),
    file('src/failed.ts'),
    file('logo.png', { binary: true }),
    file('moved.ts', { hunks: [], status: 'renamed' }),
    file('huge.ts', { text: 'x'.repeat(300_000) }),
  ],
};
const event = eventOn(pullOf(1));

/** A turn with calls, and their ends. */
function turn(nth: number, calls: { name: string; input: object; text?: string; error?: boolean }[]): Entry[] {
  const key = `work/turn/${nth}`;
  const content = calls.map(({ name, input }, k) => ({ type: 'tool_use' as const, id: `${k}`, name, input }));
  const usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  return [
    { at: 1, type: 'turn.answered', key, answer: { content, stop: 'tool_use', usage, model: 'm' }, ms: 1 },
    ...calls.map(({ name, text = '', error = false }, k) => ({
      at: 2,
      type: 'call.ended' as const,
      key: `${key}/call/${k}`,
      name,
      result: error ? { text, error } : { text },
    })),
  ];
}

const LOOKS = looksIn(
  [
    ...turn(0, [
      { name: 'read_file', input: { path: '/workspace/acme/app/src/read.ts' } },
      { name: 'read_file', input: { path: 'acme/app/src/failed.ts' }, text: 'no such file', error: true },
      { name: 'read_file', input: { path: 'README.md' } },
    ]),
    ...turn(1, [
      { name: 'get_pull_request_diff', input: {}, text: 'diff --git a/src/paged.ts b/src/paged.ts\n@@ -1 +1 @@\nnext page: 2 (of 2)' },
    ]),
    ...turn(2, [{ name: 'code_search', input: { query: 'x', path: 'src/unread.ts' } }]),
  ],
  'Ann',
);

describe('the coverage of a review', () => {
  const coverage = coverFiles(DIFF, event, { looks: [...LOOKS, { agent: 'Bob', at: ['src/read.ts'], failed: false }] });

  it('tells of every changed file who read it, or why nobody did', () => {
    expect(coverage.files).toEqual([
      { path: 'src/read.ts', state: 'read', by: ['Ann', 'Bob'] },
      { path: 'src/paged.ts', state: 'read', by: ['Ann'] },
      { path: 'src/unread.ts', state: 'unread' },
      { path: 'src/failed.ts', state: 'failed' },
      { path: 'logo.png', state: 'binary' },
      { path: 'moved.ts', state: 'nothing to read' },
      { path: 'huge.ts', state: 'too large' },
    ]);
    expect(coveredIn(coverage)).toBe(4);
  });

  it('says of a file that nobody read which rule of the settings ignores it', () => {
    const ignored = coverFiles(DIFF, event, { looks: LOOKS, ignore: ['*.lock', 'src/'] });
    expect(ignored.files.filter(({ path }) => path.startsWith('src/'))).toEqual([
      { path: 'src/read.ts', state: 'read', by: ['Ann'] },
      { path: 'src/paged.ts', state: 'read', by: ['Ann'] },
      { path: 'src/unread.ts', state: 'ignored', rule: 'src/' },
      { path: 'src/failed.ts', state: 'ignored', rule: 'src/' },
    ]);
    expect(coveredIn(ignored)).toBe(6);
    const view = viewRun([{ type: 'run.started', start: startOf({ steps: [agentStep('a')] }), at: 0 }]);
    if (!view) throw new Error('no view');
    const { summary } = checkOutput({ view, findings: [], priceOf: () => null, now: 1, coverage: ignored });
    expect(summary).toContain('6 of 7 changed files: 2 read, 2 ignored');
    expect(summary).toContain('- `src/unread.ts`: ignored by `src/`');
  });

  it('stands in the check run, which is green only where a review saw all', () => {
    const begun = viewRun([{ type: 'run.started', start: startOf({ steps: [agentStep('a')] }), at: 0 }]);
    if (!begun) throw new Error('no view');
    const report = (more: Partial<Reported>): Reported => ({
      view: { ...begun, state: 'Completed', endedAt: 1 },
      findings: [],
      priceOf: () => null,
      now: 1,
      ...more,
    });
    const { summary } = checkOutput(report({ reviewed: true, coverage }));
    expect(summary).toContain('| Coverage | 4 of 7 changed files: 2 read, 1 unread, 1 failed, 1 binary, 1 nothing to read, 1 too large |');
    expect(summary).toContain('- `src/unread.ts`: unread');
    expect(summary).toContain('- `src/read.ts`: read by Ann, Bob');
    const whole = coverFiles({ ...DIFF, files: DIFF.files.slice(0, 2) }, event, { looks: LOOKS });
    expect(conclusionOf(report({ reviewed: true, coverage }))).toBe('neutral');
    expect(conclusionOf(report({ reviewed: false, coverage }))).toBe('success');
    expect(conclusionOf(report({ reviewed: true, coverage: whole }))).toBe('success');
    expect(conclusionOf(report({ reviewed: true, coverage: null }))).toBe('success');
  });
});
