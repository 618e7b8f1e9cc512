import { describe, expect, it } from 'vitest';
import { NO_USAGE } from '../../src/journal/cost.ts';
import type { Finding, Rung } from '../../src/journal/finding.ts';
import { type RunView, type StepView, viewRun } from '../../src/journal/view.ts';
import { checkOutput, conclusionOf, duration, type Reported, statusComment } from '../../src/run/report-text.ts';
import { agentStep, startOf } from '../session/house.ts';

const START = startOf({ name: 'Code Review', steps: [agentStep('a')] });
const BEGUN = viewRun([{ type: 'run.started', start: START, at: 0 }]) as RunView;
const STEP: StepView = { id: 'review', state: 'Running', startedAt: 1_000, endedAt: null, output: null, reason: '' };

function report(view: Partial<RunView> = {}, more: Partial<Reported> = {}): Reported {
  return {
    view: { ...BEGUN, state: 'Running', ...view },
    findings: [],
    priceOf: () => ({ input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 }),
    now: 61_000,
    ...more,
  };
}

function finding(id: string, rung?: Rung): Finding {
  const posted = rung ? { posted: { review: 1, comment: 1, rung } } : {};
  return { id, path: 'a', side: 'RIGHT', line: 1, body: id, rung: 'line', key: id, ...posted };
}

describe('the status comment', () => {
  it.each<[string, Partial<RunView>, string]>([
    ['queued', { state: 'Queued' }, '⏳ **Code Review** is queued.'],
    ['beginning', {}, '⏳ **Code Review** is running: starting.'],
    ['at a step', { steps: [STEP] }, '⏳ **Code Review** is running: step "review".'],
    [
      'waiting for delegations',
      { steps: [STEP], delegations: { queued: 5, ended: 2, failed: 0 } },
      '⏳ **Code Review** is running: step "review", 2 of 5 delegations done.',
    ],
    ['ending', { state: 'Terminating', steps: [STEP] }, '⏳ **Code Review** is running: step "review".'],
    [
      'in want of a tool',
      { steps: [STEP], lacking: ['run_terminal_cmd'] },
      '⏳ **Code Review** is running: step "review".\n\nAsked for, but not built in this release: `run_terminal_cmd`.',
    ],
    ['telling a status', { steps: [STEP], status: 'two\nlines' }, '⏳ **Code Review** is running: step "review".\n\n> two\n> lines'],
    [
      'done',
      { state: 'Completed', endedAt: 5_500, message: 'Three findings.', status: 'old' },
      '✅ **Code Review** completed in 5.5 s.\n\nThree findings.',
    ],
    [
      'failed',
      { state: 'Failed', endedAt: 1_000, reason: 'step "a": no key' },
      '❌ **Code Review** failed after 1.0 s.\n\nReason: step "a": no key',
    ],
    ['timed out', { state: 'Timeout', endedAt: 60_000, reason: 'over' }, '❌ **Code Review** timed out after 1 min 0 s.\n\nReason: over'],
    [
      'cancelled',
      { state: 'Cancelled', endedAt: 1_000, reason: 'by @ana' },
      '⛔ **Code Review** was cancelled after 1.0 s.\n\nReason: by @ana',
    ],
    ['without work', { state: 'Skipped', endedAt: 1_000 }, '✅ **Code Review** finished: nothing had to be done.'],
  ])('of a run that is %s', (_, view, text) => {
    expect(statusComment(report(view))).toBe(text);
  });

  it('cuts what is too long for a comment and says so', () => {
    const text = statusComment(report({ state: 'Completed', endedAt: 1, message: 'x'.repeat(50_000) }));
    expect(text.length).toBeLessThan(21_000);
    expect(text).toContain('(cut: 50000 characters in all)');
  });
});

describe('the check run', () => {
  it('counts findings, so that each is posted or said not to be', () => {
    const findings = [finding('1', 'line'), finding('2', 'line'), finding('3', 'body'), finding('4')];
    const { title, summary } = checkOutput(report({ state: 'Completed', endedAt: 1 }, { findings }));
    expect(title).toBe('3 of 4 findings posted');
    expect(summary).toContain('| Findings | 4 produced, 3 posted (2 on their lines, 1 in the review body), 1 not posted |');
  });

  it('tells agents, tokens, cost and time', () => {
    const usage = { m: { input: 1_000, output: 200, cacheRead: 50_000, cacheWrite: 2_000 }, other: { ...NO_USAGE, output: 5 } };
    const view = {
      usage,
      agents: ['Ann', 'Bob'],
      turns: 9,
      delegations: { queued: 4, ended: 3, failed: 1 },
      steps: [{ ...STEP, endedAt: 3_000, reason: 'a | b\nc' }],
    };
    const { summary } = checkOutput(
      report(view, { priceOf: (model) => (model === 'm' ? { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 } : null) }),
    );
    expect(summary).toContain('| Agents | Ann, Bob; 3 of 4 delegations, 9 turns |');
    expect(summary).toContain('| Tokens | 53,000 in (50,000 from the cache), 205 out |');
    expect(summary).toContain('| Cost | $0.0285 (without other: no price in the settings) |');
    expect(summary).toContain('| Time | 1 min 1 s |');
    expect(summary).toContain('| review | Running | 2.0 s | a \\| b c |');
  });

  it.each<[Partial<RunView>, Finding[], string, string]>([
    [{ state: 'Completed' }, [], 'success', 'Completed'],
    [{ state: 'Completed' }, [finding('1', 'line')], 'success', '1 of 1 findings posted'],
    [{ state: 'Completed' }, [finding('1', 'line'), finding('2')], 'neutral', '1 of 2 findings posted'],
    [{ state: 'Skipped', reason: 'no step had to run' }, [], 'neutral', 'Skipped: no step had to run'],
    [{ state: 'Failed', reason: 'step "a":\n  no key' }, [], 'failure', 'Failed: step "a": no key'],
    [{ state: 'Completed', reason: 'step "a" ended early: over' }, [], 'neutral', 'Partial: step "a" ended early: over'],
    [{ state: 'Timeout' }, [], 'neutral', 'Timeout'],
    [{ state: 'Cancelled' }, [], 'cancelled', 'Cancelled'],
  ])('of %o concludes', (view, findings, conclusion, title) => {
    const ended = report({ ...view, endedAt: 1 }, { findings });
    expect(conclusionOf(ended)).toBe(conclusion);
    expect(checkOutput(ended).title).toBe(title);
  });

  it('says while it runs what it is doing', () => {
    expect(checkOutput(report({ state: 'Queued' })).title).toBe('Queued');
    expect(checkOutput(report({ steps: [STEP] })).title).toBe('Running: step "review"');
  });
});

describe('durations', () => {
  it.each([
    [-5, '0.0 s'],
    [0, '0.0 s'],
    [5_640, '5.6 s'],
    [9_960, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min 0 s'],
    [119_700, '2 min 0 s'],
    [184_000, '3 min 4 s'],
    [3_599_800, '1 h 0 min'],
    [7_320_000, '2 h 2 min'],
  ])('%i ms are %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
