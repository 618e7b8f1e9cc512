import { describe, expect, it } from 'vitest';
import type { Condition } from '../../src/workflow/condition.ts';
import type { Edge } from '../../src/workflow/definition.ts';
import { findCycles, graphOf, reachable, reversed } from '../../src/workflow/graph.ts';
import { completeFlow, type EndedStep, lastSteps, readySteps, stepsBefore } from '../../src/workflow/order.ts';
import type { Step } from '../../src/workflow/step.ts';

const yes: Condition = { combinator: 'and', not: false, rules: [{ field: 'outputs.a.message', operator: 'equals', value: 'yes' }] };
const onMain: Condition = {
  combinator: 'and',
  not: false,
  rules: [{ field: 'context.trigger.branch', operator: 'equals', value: 'main' }],
};

function flowOf(text: string, conditions: Record<string, Condition> = {}): { steps: Step[]; flow: Edge[] } {
  const edges = text.split(' ').map((pair) => {
    const [from = '', to = ''] = pair.split('>');
    return { from, to, condition: conditions[pair] ?? null };
  });
  const ids = [...new Set(edges.map(({ to }) => to))];
  return { steps: ids.map((id) => ({ id }) as Step), flow: edges };
}

function endedOf(text: string): Map<string, EndedStep> {
  const states = { C: 'Completed', F: 'Failed', S: 'Skipped', X: 'Canceled' } as const;
  return new Map(
    text
      .split(' ')
      .filter(Boolean)
      .map((pair) => {
        const [id = '', state = 'C', message = ''] = pair.split(':');
        return [id, { state: states[state as keyof typeof states], output: { message } }];
      }),
  );
}

describe('which steps may start', () => {
  it.each<[string, string, string, Record<string, Condition>, string, string]>([
    ['the entry', '>a a>b', '', {}, 'a', ''],
    ['after it', '>a a>b b>c', 'a:C', {}, 'b', ''],
    ['nothing at the end', '>a a>b', 'a:C b:C', {}, '', ''],
    ['after a failure all is skipped', '>a a>b b>c', 'a:F', {}, '', 'b c'],
    ['after a cancelled step too', '>a a>b', 'a:X', {}, '', 'b'],
    ['two branches at once', '>a a>b a>c b>d c>d', 'a:C', {}, 'b c', ''],
    ['a join waits', '>a a>b a>c b>d c>d', 'a:C b:C', {}, 'c', ''],
    ['a join goes on with one branch failed', '>a a>b a>c b>d c>d', 'a:C b:C c:F', {}, 'd', ''],
    ['a join is skipped when none came through', '>a a>b a>c b>d c>d', 'a:C b:F c:F', {}, '', 'd'],
    ['a condition that holds', '>a a>b', 'a:C:yes', { 'a>b': yes }, 'b', ''],
    ['a condition that does not', '>a a>b a>c b>d', 'a:C:no', { 'a>b': yes }, 'c', 'b d'],
    ['a condition on an entry', '>a >b', '', { '>a': onMain }, 'b', 'a'],
    ['an entry that is also led to', '>a >b a>b', 'a:F', {}, 'b', ''],
    ['two entries', '>a >b', '', {}, 'a b', ''],
  ])('%s', (_, flow, ended, conditions, ready, skipped) => {
    const answer = readySteps(flowOf(flow, conditions), endedOf(ended), { trigger: { branch: 'dev' } });
    expect(answer.ready.join(' ')).toBe(ready);
    expect(answer.skipped.map(({ step }) => step).join(' ')).toBe(skipped);
  });

  it('says why a step is skipped', () => {
    const { skipped } = readySteps(flowOf('>a a>b b>c', { 'a>b': yes }), endedOf('a:C:no'), {});
    expect(skipped).toEqual([
      { step: 'b', reason: 'the condition of the edge from a does not hold: outputs.a.message equals "yes", it is "no"' },
      { step: 'c', reason: 'b is Skipped' },
    ]);
  });

  it('completes a flow: array order, entries for what nothing leads to', () => {
    const write = (edges: Edge[]) => edges.map(({ from, to }) => `${from}>${to}`).join(' ');
    expect(write(completeFlow(['a', 'b', 'c'], []))).toBe('>a a>b b>c');
    expect(write(completeFlow(['a', 'b', 'c'], flowOf('a>b').flow))).toBe('>a >c a>b');
    expect(write(completeFlow(['a', 'b'], flowOf('>b b>a').flow))).toBe('>b b>a');
  });

  it('knows what comes last and what comes before', () => {
    const flow = flowOf('>a a>b a>c b>d c>d a>e');
    expect(lastSteps(flow)).toEqual(['d', 'e']);
    expect(stepsBefore(flow, 'd')).toEqual(['b', 'c']);
    expect(stepsBefore(flow, 'a')).toEqual([]);
  });
});

describe('graphs', () => {
  const graph = (text: string) => {
    const { steps, flow } = flowOf(text);
    return graphOf([...new Set([...steps.map(({ id }) => id), ...flow.map(({ from }) => from).filter(Boolean)])], flow);
  };
  it.each([
    ['none', '>a a>b a>c b>d c>d', []],
    ['a ring', '>a a>b b>c c>a', ['a>b>c>a']],
    ['itself', '>a a>a', ['a>a']],
    ['two', '>a a>b b>a a>c c>a', ['a>b>a', 'a>c>a']],
    ['behind a tail', '>a a>b b>c c>b', ['b>c>b']],
  ])('cycles: %s', (_, text, wanted) => {
    expect(findCycles(graph(text)).map((cycle) => cycle.join('>'))).toEqual(wanted);
  });

  it('walks very long chains', () => {
    const ids = Array.from({ length: 50_000 }, (_, k) => `s${k}`);
    const long = graphOf(
      ids,
      ids.slice(1).map((to, k) => ({ from: ids[k] ?? '', to })),
    );
    expect(findCycles(long)).toEqual([]);
    expect(reachable(long, ['s0']).size).toBe(50_000);
    expect(reachable(reversed(long), ['s2'])).toEqual(new Set(['s2', 's1', 's0']));
  });
});
