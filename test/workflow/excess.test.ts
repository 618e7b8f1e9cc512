import { describe, expect, it } from 'vitest';
import { parseAgentFile } from '../../src/workflow/agent-file.ts';
import { explain } from '../../src/workflow/condition.ts';
import { loadWorkflow } from '../../src/workflow/load.ts';
import { refusalOf, sizeOf } from '../../src/workflow/pattern.ts';
import { parseRepositorySettings } from '../../src/workflow/settings-file.ts';
import { renderTemplate } from '../../src/workflow/template-render.ts';

const many = <T>(count: number, piece: (k: number) => T): T[] => Array.from({ length: count }, (_, k) => piece(k));
const workflow = (more: object) =>
  JSON.stringify({ name: 'w', triggers: [{ event: 'mention' }], steps: [{ id: 'a', action: 'git.clone' }], ...more });
const session = (agentIds: string[]) => ({ id: 'a', action: 'agent.session', instruction: 'x', params: { goal: 'g', agentIds } });
const rules = (list: object[]) => ({ triggers: [{ event: 'mention', conditions: { rules: list } }] });
const matching = (value: unknown) => rules([{ field: 'context.trigger.commentBody', operator: 'matches', value }]);

function told(text: string, prompts: Record<string, string> = {}): string[] {
  return loadWorkflow({ path: 'w.json', text, prompts }).problems.map(({ path, message }) => `${path}: ${message}`);
}

/** Milliseconds of processor: what is looked for takes a hundred times as long, or grows with the square. */
function cost(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('what nobody writes is refused with a word of its own', () => {
  it.each<[string, string, RegExp]>([
    [
      'agents of a step',
      workflow({ steps: [session(many(3000, (k) => `q${k}`))] }),
      /^\$\.steps: expected steps that name at most 300 agents, found 3000/,
    ],
    ['agents of the workflow', workflow({ refs: { agents: many(301, (k) => ({ id: `q${k}` })) } }), /at most 300 agents, found 301/],
    [
      'rules',
      workflow(rules(many(1001, () => ({ field: 'context.actor.login', operator: 'equals', value: 'x' })))),
      /at most 1000 rules, found 1001/,
    ],
    ['values of a rule', workflow(matching(many(1001, (k) => `${k}`))), /at most 1000 rules/],
    ['patterns', workflow(matching(many(4, (k) => `(x?){400}${k}`))), /patterns of at most 3000 characters together/],
    ['values of any kind', workflow({ extra: many(20_000, () => 1) }), /at most 15000 values/],
  ])('%s', (_, text, expected) => {
    expect(told(text)).toEqual([expect.stringMatching(expected)]);
  });

  it('instructions', () => {
    const steps = many(3, (k) => ({ id: `s${k}`, action: 'agent.run', params: { agentId: 'Senior Developer' } }));
    const prompts = Object.fromEntries(steps.map(({ id }) => [id, 'x'.repeat(200 * 1024)]));
    expect(told(workflow({ steps }), prompts)).toEqual([
      expect.stringMatching(/instructions of at most 524288 characters together, found 614400/),
    ]);
  });

  it('front matter', () => {
    const { agent, problems } = parseAgentFile({ path: 'a.md', text: `---\nname: x\nq: "${'\\q'.repeat(100_000)}"\n---\nGo.` });
    expect([agent, problems[0]?.message]).toEqual([null, expect.stringMatching(/^expected front matter of at most 8192 characters/)]);
  });

  it('rules of files to leave out', () => {
    const { problems } = parseRepositorySettings(JSON.stringify({ ignore: many(201, (k) => `d${k}/`) }), 'settings.json');
    expect(problems[0]?.message).toMatch(/at most 200 entries/);
  });

  it('as much as may be is taken', () => {
    const agentIds = many(300, (k) => `q${k}`);
    const list = many(1000, () => ({ field: 'context.actor.login', operator: 'equals', value: 'x' }));
    const text = workflow({
      ...rules(list),
      steps: [session(agentIds)],
      refs: { agents: agentIds.map((id) => ({ id, type: 'CodeReview' })) },
    });
    expect(loadWorkflow({ path: 'w.json', text, prompts: {} }).workflow).not.toBeNull();
  });
});

it.each([
  ['ab', 2],
  ['(ab){3}', 9],
  ['a{2,5}b', 6],
  ['[a{3}\\]]{4}', 4],
  ['((a{10}){10}){10}', 1110],
  ['\\{3}', 3],
])('the pattern %s has the size %i', (pattern, size) => {
  expect(sizeOf(pattern)).toBe(size);
});

it('a pattern is refused by its size before it is compiled', () => {
  expect(refusalOf(`(?:${'a'.repeat(900)}){999}`)).toMatch(/over 1000 characters once its counts/);
});

it('of mistakes beyond number the first are told', () => {
  const keys = many(7000, (k) => `"k${k}":1`).join(',');
  const strange = `{${keys},${keys}}`;
  expect(parseRepositorySettings(strange, 's.json').problems).toHaveLength(1000);
  const variables = many(5000, (k) => `{{trigger.pullReqest.titl${k}}}`).join(' ');
  const steps = [{ id: 'a', action: 'agent.run', params: { agentId: 'Senior Developer' } }];
  expect(told(workflow({ steps }), { a: variables }).length).toBeLessThan(110);
});

it('a field is read once, however many rules ask for it', () => {
  const context = { pullRequest: { body: 'a"'.repeat(30_000) }, trigger: { commentBody: 'a\n'.repeat(30_000) } };
  const list = many(4000, () => ({ field: 'context', operator: 'contains' as const, value: 'zz' }));
  expect(cost(() => explain({ combinator: 'or', rules: list, not: false }, { context }))).toBeLessThan(3000);
});

it('what helpers look at counts as steps', () => {
  const data = { trigger: { body: '1'.repeat(200_000) }, outputs: {} };
  expect(() => renderTemplate('{{lt trigger.body trigger.body}}'.repeat(4000), data)).toThrow(/over 100000 steps/);
});
