import { describe, expect, it } from 'vitest';
import { type Condition, describeMisses, explain, holds, type Rule } from '../../src/workflow/condition.ts';
import { refusalOf } from '../../src/workflow/pattern.ts';

const data = {
  context: {
    pullRequest: {
      draft: false,
      number: 42,
      title: 'fix: the Ring',
      labels: ['bug', 'p1'],
      assignees: [],
      user: { login: 'ann' },
      mergeable: null,
    },
    trigger: {},
  },
  outputs: { plan: { message: 'VERDICT: yes' } },
};

function rule(field: string, operator: Rule['operator'], value: Rule['value']): Condition {
  return { combinator: 'and', not: false, rules: [{ field, operator, value }] };
}

describe('operators', () => {
  it.each<[string, Rule['operator'], Rule['value'], boolean]>([
    ['context.pullRequest.draft', 'equals', 'false', true],
    ['context.pullRequest.draft', 'equals', false, true],
    ['context.pullRequest.number', 'equals', '42', true],
    ['context.pullRequest.number', 'notEquals', 42, false],
    ['context.pullRequest.title', 'equals', 'Fix: the ring', false],
    ['context.pullRequest.title', 'contains', 'Ring', true],
    ['context.pullRequest.title', 'notContains', 'Ring', false],
    ['context.pullRequest.title', 'startsWith', 'fix', true],
    ['context.pullRequest.title', 'endsWith', 'Ring', true],
    ['context.pullRequest.title', 'endsWith', 'ring', false],
    ['context.pullRequest.title', 'matches', '^fix(\\(.*\\))?:', true],
    ['context.pullRequest.title', 'matches', 'the', true],
    ['context.pullRequest.title', 'matches', '^the', false],
    ['context.pullRequest.title', 'matches', '(', false],
    ['context.pullRequest.number', 'in', ['41', 42], true],
    ['context.pullRequest.number', 'in', '41, 42', true],
    ['context.pullRequest.number', 'notIn', ['41', '42'], false],
    ['context.pullRequest.number', 'notIn', [], true],
    ['context.pullRequest.number', 'in', [], false],
    ['context.pullRequest.labels', 'equals', 'p1', true],
    ['context.pullRequest.labels', 'contains', 'bu', true],
    ['context.pullRequest.labels', 'notEquals', 'p1', false],
    ['context.pullRequest.labels', 'notEquals', 'p2', true],
    ['context.pullRequest.labels', 'notContains', 'p', false],
    ['context.pullRequest.labels', 'matches', '^p\\d$', true],
    ['context.pullRequest.labels', 'in', ['x', 'bug'], true],
    ['context.pullRequest.labels', 'notIn', ['x', 'bug'], false],
    ['context.pullRequest.assignees', 'equals', '', false],
    ['context.pullRequest.assignees', 'notEquals', 'x', true],
    ['context.pullRequest.mergeable', 'equals', '', true],
    ['context.pullRequest.user.login', 'equals', 'ann', true],
    ['context.issue.title', 'equals', '', true],
    ['context.issue.title', 'equals', null, true],
    ['context.issue.title', 'notEquals', 'x', true],
    ['context.pullRequest.constructor.name', 'equals', 'Object', false],
    ['context.__proto__', 'equals', '', true],
    ['outputs.plan.message', 'contains', 'yes', true],
    ['outputs.nope.message', 'equals', '', true],
  ])('%s %s %j is %s', (field, operator, value, wanted) => {
    expect(holds(rule(field, operator, value), data)).toBe(wanted);
  });
});

describe('groups', () => {
  const yes: Rule = { field: 'context.pullRequest.number', operator: 'equals', value: 42 };
  const no: Rule = { ...yes, operator: 'notEquals' };
  it.each<[string, Condition | null, boolean]>([
    ['none', null, true],
    ['and of none', { combinator: 'and', rules: [], not: false }, true],
    ['or of none', { combinator: 'or', rules: [], not: false }, true],
    ['not of none', { combinator: 'and', rules: [], not: true }, false],
    ['and', { combinator: 'and', rules: [yes, no], not: false }, false],
    ['or', { combinator: 'or', rules: [yes, no], not: false }, true],
    ['not or', { combinator: 'or', rules: [no, no], not: true }, true],
    [
      'nested',
      {
        combinator: 'and',
        not: false,
        rules: [yes, { combinator: 'or', not: false, rules: [no, { combinator: 'and', not: true, rules: [no] }] }],
      },
      true,
    ],
  ])('%s', (_, condition, wanted) => {
    expect(holds(condition, data)).toBe(wanted);
  });

  it('explains with the values that were compared', () => {
    const { held, comparisons } = explain(
      { combinator: 'and', not: false, rules: [yes, { combinator: 'or', not: false, rules: [no] }] },
      data,
    );
    expect(held).toBe(false);
    expect(comparisons.map((c) => [c.field, c.operator, c.wanted, c.actual, c.held])).toEqual([
      ['context.pullRequest.number', 'equals', '42', '42', true],
      ['context.pullRequest.number', 'notEquals', '42', '42', false],
    ]);
    expect(describeMisses(comparisons)).toBe('context.pullRequest.number notEquals "42", it is "42"');
  });
});

describe('patterns', () => {
  it.each([
    ['a good one', '^release/(?P<n>\\d+)$', null],
    ['look-ahead', '(?=a)', /Perl syntax/],
    ['back-reference', '(a)\\1', /escape/],
    ['too long', 'a'.repeat(1001), /1000/],
    ['too many repeats', '((a{500}){500}){500}', /./],
  ])('%s', (_, pattern, wanted) => {
    if (wanted === null) expect(refusalOf(pattern)).toBeNull();
    else expect(refusalOf(pattern)).toMatch(wanted);
  });

  it('a hostile pattern does not stall', () => {
    const before = Date.now();
    holds(rule('context.pullRequest.body', 'matches', '^(a+)+$'), { context: { pullRequest: { body: `${'a'.repeat(50_000)}!` } } });
    holds(rule('context.pullRequest.body', 'matches', '(.*)*(x|y)*z{0,500}$'), { context: { pullRequest: { body: 'a'.repeat(65_000) } } });
    expect(Date.now() - before).toBeLessThan(3000);
  });
});
