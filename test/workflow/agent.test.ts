import { describe, expect, it } from 'vitest';
import { parseAgentFile } from '../../src/workflow/agent-file.ts';
import { resolveAgent, resolveAgents, roleOf } from '../../src/workflow/agent-role.ts';
import type { Step } from '../../src/workflow/step.ts';

function parse(text: string, path = '.overcut/agents/helper.md') {
  const { agent, problems } = parseAgentFile({ path, text });
  return { agent, told: problems.map((p) => `${p.severity} ${p.line}:${p.column} ${p.path}: ${p.message}`) };
}

describe("an agent's file", () => {
  it('is read with its defaults', () => {
    expect(parse('---\nname: Helper\n---\n\nHelp people.\n\n---\nStill the body.\n')).toEqual({
      told: [],
      agent: {
        ...{ id: 'helper', path: '.overcut/agents/helper.md', name: 'Helper', description: '', type: null, model: null },
        ...{ tools: null, allow: null, deny: [], skills: [], mcpServers: [], runtime: 'subagent', persistent: false },
        ...{ quietHours: null, heartbeat: null, allowAgents: null, mayMessage: null, instructions: 'Help people.\n\n---\nStill the body.' },
      },
    });
  });

  it('is read with all it can say, with Windows line ends and a byte order mark', () => {
    const text = `\uFEFF---
name: Night Watch
description: "Looks: at night"
type: Custom
model: fast
tools: [read_file, code_search]
allow: read_file, code_search
deny:
  - run_terminal_cmd
skills: [triage]
mcpServers: [tracker]
runtime: acp:claude
persistent: true
quietHours: 03:00-08:00
---
Body`.replace(/\n/g, '\r\n');
    const { agent, told } = parse(text);
    expect(told).toEqual([]);
    expect(agent).toMatchObject({
      type: 'Custom',
      tools: ['read_file', 'code_search'],
      allow: ['read_file', 'code_search'],
      deny: ['run_terminal_cmd'],
    });
    expect(agent).toMatchObject({ runtime: 'acp:claude', persistent: true, quietHours: '03:00-08:00', instructions: 'Body' });
  });

  it.each([
    ['no front matter', '# Agent\nHelp', 'error 1:1 $: expected front matter'],
    ['an empty file', '', 'error 1:1 $: expected front matter'],
    ['front matter that never closes', '---\nname: x\n', 'no line of --- that closes it'],
    ['front matter later', 'x\n---\nname: x\n---\n', 'error 1:1 $: expected front matter'],
    ['no name', '---\ntype: Custom\n---\n', 'error 2:1 $.name: expected a text, found nothing'],
    ['empty front matter', '---\n---\n', '$.name: expected a text, found nothing'],
    ['a bad type', '---\nname: x\ntype: Reviewer\n---\n', 'error 3:7 $.type: expected one of "SeniorDeveloper"'],
    ['a near type', '---\nname: x\ntype: CodeReviewer\n---\n', '(did you mean "CodeReview"?)'],
    ['a bad list', '---\nname: x\ntools:\n  - 5\n---\n', 'error 4:5 $.tools[0]: expected a text, found 5'],
    ['a bad flag', '---\nname: x\npersistent: sometimes\n---\n', 'error 3:13 $.persistent: expected true or false, found "sometimes"'],
    ['bad hours', '---\nname: x\nquietHours: at night\n---\n', 'error 3:13 $.quietHours'],
    ['a bad runtime', '---\nname: x\nruntime: acp\n---\n', 'error 3:10 $.runtime'],
    ['an unknown key', '---\nname: x\ntool: [a]\n---\n', 'warning 3:1 $.tool: expected the key "tools"'],
    ['broken YAML', '---\nname: x\n  y: : z\n- a\n---\n', 'expected YAML'],
    ['a key twice', '---\nname: x\nname: y\n---\n', 'error 3:1 $: expected YAML'],
    ['a list', '---\n- name\n---\n', 'expected an object'],
    [
      'too many aliases',
      `---\na: &a [1,1,1,1,1,1,1,1,1]\n${'bcdefgh'
        .split('')
        .map((k, i) => `${k}: &${k} [${Array(9).fill(`*${'abcdefg'[i]}`)}]`)
        .join('\n')}\n---\n`,
      'error',
    ],
  ])('%s', (_, text, wanted) => {
    expect(parse(text).told.some((line) => line.includes(wanted))).toBe(true);
  });

  it('has a name that can be an id', () => {
    expect(parse('---\nname: x\n---\n', 'a b.md')).toMatchObject({ agent: null, told: [expect.stringContaining('file name')] });
  });
});

describe('types by name', () => {
  it.each([
    ['Senior Developer', 'SeniorDeveloper'],
    ['Backend developer', 'SeniorDeveloper'],
    [' frontend DEVELOPER ', 'SeniorDeveloper'],
    ['Devops', 'SeniorDeveloper'],
    ['System Architect', 'SeniorDeveloper'],
    ['Root-Cause Analysis (RCA) Expert', 'SeniorDeveloper'],
    ['Security Engineer', 'SeniorDeveloper'],
    ['PR Review Fixer', 'SeniorDeveloper fixes'],
    ['Code Reviewer', 'CodeReview'],
    ['Senior Code Review', 'CodeReview'],
    ['Technical Writer', 'TechWriter'],
    ['tech-writer', 'TechWriter'],
    ['Product Manager', 'ProductManager'],
    ['Marcan Strategist', null],
    ['', null],
  ])('%j is %s', (name, wanted) => {
    const role = roleOf(name);
    expect(role && `${role.type}${role.fixesReviews ? ' fixes' : ''}`).toBe(wanted);
  });
});

describe('resolution, the first hit wins', () => {
  const { agent: file } = parse('---\nname: Own\ntype: TechWriter\ntools: [read_file]\n---\nBody');
  const sources = {
    files: file ? [file] : [],
    references: [
      { id: 'helper', name: 'Code Reviewer', type: null },
      { id: 'typed', name: 'Product Manager', type: 'ExploreAgent' },
      { id: 'oddly', name: 'Technical Writer', type: 'Poet' },
      { id: 'odd', name: 'Poet', type: null },
      { id: 'CodeReview', name: 'Product Manager', type: null },
    ],
  };
  it.each([
    ['helper', { type: 'TechWriter', name: 'Own', instructions: 'Body', tools: ['read_file'], warning: null }],
    ['typed', { type: 'ExploreAgent', name: 'Product Manager', tools: null, warning: null }],
    ['oddly', { type: 'TechWriter', warning: null }],
    ['odd', { type: 'SeniorDeveloper', warning: expect.stringContaining('"Poet"') }],
    ['CodeReview', { type: 'ProductManager' }],
    ['SeniorDeveloper', { type: 'SeniorDeveloper', warning: null }],
    ['Custom', { type: 'Custom' }],
    ['ExploreAgent', { type: 'ExploreAgent' }],
    ['Code Reviewer', { type: 'CodeReview' }],
    ['tech-writer', { type: 'TechWriter' }],
    [
      'nobody',
      {
        missing: expect.stringMatching(
          /agents with a file: helper; named in the workflow: helper \(Code Reviewer\).*base types: SeniorDeveloper/,
        ),
      },
    ],
    ['typd', { missing: expect.stringContaining('did you mean "typed"?') }],
  ])('%s', (id, wanted) => {
    expect(resolveAgent(id, sources)).toMatchObject(wanted);
  });

  it('takes all that the steps name, each once', () => {
    const steps = [
      { action: 'git.clone', params: {} },
      { action: 'agent.run', params: { agentId: 'typed' } },
      { action: 'agent.session', params: { agentIds: ['typed', 'nobody', 'helper'] } },
    ] as unknown as Step[];
    const { agents, missing } = resolveAgents(steps, sources);
    expect(agents.map(({ id }) => id)).toEqual(['typed', 'helper']);
    expect(missing.map(({ id }) => id)).toEqual(['nobody']);
  });
});
