import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../src/workflow/layout.ts';
import { nearest } from '../../src/workflow/nearest.ts';

describe('where configuration lies', () => {
  it('finds workflows with the prompts beside them, agents, skills and settings, and nothing else', () => {
    const layout = layoutOf([
      'README.md',
      'workflow.json',
      '.overcut/workflow.json',
      '.overcut/review.md',
      '.overcut/notes on it.md',
      '.overcut/settings.json',
      '.overcut/workflows/a.json',
      '.overcut/workflows/plan.md',
      '.overcut/workflows/b/workflow.json',
      '.overcut/workflows/b/step-1.md',
      '.overcut/workflows/b/other.json',
      '.overcut/workflows/b/deep/workflow.json',
      '.overcut/agents/helper.md',
      '.overcut/agents/old/helper.md',
      '.overcut/skills/triage/SKILL.md',
      'sub/.overcut/workflow.json',
    ]);
    expect(layout).toEqual({
      workflows: [
        { path: '.overcut/workflow.json', prompts: { review: '.overcut/review.md' } },
        { path: '.overcut/workflows/a.json', prompts: { plan: '.overcut/workflows/plan.md' } },
        { path: '.overcut/workflows/b/workflow.json', prompts: { 'step-1': '.overcut/workflows/b/step-1.md' } },
      ],
      agents: { helper: '.overcut/agents/helper.md' },
      skills: ['.overcut/skills/triage/SKILL.md'],
      settings: '.overcut/settings.json',
    });
  });
});

describe('the nearest word', () => {
  it.each([
    ['trigers', 'triggers'],
    ['time_out_ms', 'timeoutMs'],
    ['Stpes', 'steps'],
    ['priortiy', 'priority'],
    ['zzz', null],
    ['', null],
    ['x'.repeat(100_000), null],
  ])('%.20s -> %s', (word, wanted) => {
    expect(nearest(word, ['triggers', 'steps', 'timeoutMs', 'priority', 'flow'])).toBe(wanted);
  });
});
