import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { maxDelegations, readToolTable, type ToolTable } from '../../src/agent/tool-table.ts';

const none: ToolTable = { allow: null, prohibit: [] };
const allow = (...names: string[]): ToolTable => ({ allow: names.map((name) => ({ name })), prohibit: [] });
const prohibit = (...names: string[]): ToolTable => ({ allow: null, prohibit: names });

const LIMITS = `### Allowed Tools

You may ONLY use these tools:

| Tool | Purpose | Max Calls |
|------|---------|-----------|
| \`read_scratchpad\` | ONLY for \`pad-1\` | 1 |
| \`get_pull_request_diff_line_numbers\` | Lines | 1 per unique file |
| \`add_pull_request_review_thread\` | Post | 1 per finding |
| \`code_search\` | Look | as needed |

**Send several calls in one turn.**`;

describe('tables of allowed tools', () => {
  it('limits, once per argument, and the scratchpad that "ONLY for" binds', () => {
    expect(readToolTable(LIMITS)).toEqual({
      allow: [
        { name: 'read_scratchpad', maxCalls: 1, only: { name: 'pad-1' } },
        { name: 'get_pull_request_diff_line_numbers', perArgument: true },
        { name: 'add_pull_request_review_thread', perArgument: true },
        { name: 'code_search' },
      ],
      prohibit: [],
    });
  });

  const row = (cells: string) => `## Allowed tools\n| Tool | Max Calls | Why |\n|---|:-:|---|\n| ${cells} |`;
  const cells: [string, string, object][] = [
    ['a number', '`read_file` | 3 | x', { name: 'read_file', maxCalls: 3 }],
    ['a number in bold', '`read_file` | **3** | x', { name: 'read_file', maxCalls: 3 }],
    ['zero', '`read_file` | 0 | x', { name: 'read_file', maxCalls: 0 }],
    ['no number', '`read_file` | up to 3 | x', { name: 'read_file' }],
    ['a number of more than one per', '`read_file` | 2 per file | x', { name: 'read_file' }],
    ['once per', '`read_file` | Once per file | x', { name: 'read_file', perArgument: true }],
    ['a name without ticks', 'read_file | 2 | x', { name: 'read_file', maxCalls: 2 }],
    ['an older name', '`terminal_command` | 2 | x', { name: 'run_terminal_cmd', maxCalls: 2 }],
    ['a pattern', '`read_scratchpad` | | ONLY for `pad*` pads', { name: 'read_scratchpad', only: { name: 'pad*' } }],
    ['several pads', '`read_scratchpad` | | only for `a` and `b`', { name: 'read_scratchpad', only: { name: '{a,b}' } }],
    ['a pad that is only named', '`read_scratchpad` | | Read the `a` pad', { name: 'read_scratchpad' }],
    ['a template that was not filled', '`read_scratchpad` | 1 | ONLY for `{pad}`', { name: 'read_scratchpad', maxCalls: 1 }],
    ['a path is not bound', '`read_file` | | ONLY for `a.ts`', { name: 'read_file' }],
    ['a tool of a server', '`mcp__jira__find` | 1 | x', { name: 'mcp__jira__find', maxCalls: 1 }],
  ];
  it.each(cells)('%s', (_, text, expected) => {
    expect(readToolTable(row(text)).allow).toEqual([expected]);
  });

  const yesNo =
    '## Tool Constraints\n\n| Tool | Allowed | Purpose |\n|---|---|---|\n| `read_file` | Yes | |\n| `write_file` | **No** | |\n| `delete_file` | ❌ | |\n| `code_search` | ✅ | |';
  const tables: [string, string, ToolTable][] = [
    ['a column Allowed', yesNo, { allow: [{ name: 'read_file' }, { name: 'code_search' }], prohibit: ['write_file', 'delete_file'] }],
    ['only No', '| Tool | Allowed |\n|---|---|\n| `read_file` | No |', prohibit('read_file')],
    [
      'Max Calls under any heading',
      '## Budget\n| Tool | Max Calls |\n|---|---|\n| `read_file` | 2 |',
      { allow: [{ name: 'read_file', maxCalls: 2 }], prohibit: [] },
    ],
    [
      'several names in a cell',
      '## Allowed Tools\n| Tool | Why |\n|---|---|\n| `read_file`, `list_dir` | x |',
      allow('read_file', 'list_dir'),
    ],
    [
      'two tables are one list',
      '## Allowed Tools\n### A\n| Tool | x |\n|---|---|\n| `read_file` | |\n### B\n| Tool | x |\n|---|---|\n| `list_dir` | |',
      allow('read_file', 'list_dir'),
    ],
    ['a list under the heading', '**Allowed Tools:**\n- `read_file` — read\n- list_dir\n- think first', allow('read_file', 'list_dir')],
    ['a table of something else', '## Tools we ship\n| Tool | Version |\n|---|---|\n| `some_tool` | 2 |', none],
    ['a table without ruler', '## Allowed Tools\n| Tool | Max Calls |\n| `read_file` | 2 |', none],
    ['in a fence', `\`\`\`\n${LIMITS}\n\`\`\``, none],
    ['in a fence of tildes that never ends', `~~~md\n${LIMITS}`, none],
    ['in an indented fence', `1. x\n   \`\`\`\n${LIMITS}\n   \`\`\``, none],
    ['in a quote', LIMITS.replace(/^/gm, '> '), none],
    [
      'after a fence',
      `\`\`\`\nx\n\`\`\`\n## Allowed Tools\n| Tool | Max Calls |\n|---|---|\n| \`read_file\` | 2 |`,
      { allow: [{ name: 'read_file', maxCalls: 2 }], prohibit: [] },
    ],
    ['line ends of Windows', '## Allowed Tools\r\n| Tool | Why |\r\n|---|---|\r\n| `read_file` | x |\r\n', allow('read_file')],
    ['nothing', 'Review the change.', none],
  ];
  it.each(tables)('%s', (_, text, expected) => {
    expect(readToolTable(text)).toEqual(expected);
  });

  it('the stricter of two rows counts', () => {
    const text = '## Allowed Tools\n| Tool | Max Calls |\n|---|---|\n| `read_file` | 2 |\n| `read_file` | 5 |\n| `read_file` | any |';
    expect(readToolTable(text).allow).toEqual([{ name: 'read_file', maxCalls: 2 }]);
  });
});

describe('plain lines', () => {
  const lines: [string, ToolTable][] = [
    ['Allowed tools: code_search, read_file, list_directory (for checks only)', allow('code_search', 'read_file', 'list_dir')],
    ['- **Allowed tools:** `read_file` and `list_dir`.', allow('read_file', 'list_dir')],
    ['Allowed tools: none', { allow: [], prohibit: [] }],
    ['Allowed tools: all', none],
    ['Allowed labels: read_file', none],
    ['Prohibited: write_file, run_terminal_cmd, git commands', prohibit('write_file', 'run_terminal_cmd')],
    ['Prohibited tools: status_update', prohibit('update_status')],
  ];
  it.each(lines)('%s', (text, expected) => {
    expect(readToolTable(text)).toEqual(expected);
  });
});

describe('❌ bans only under a heading with "Prohibited", and where a dash or the end follows the name', () => {
  const under = (line: string) => `### Prohibited Tools\n\n${line}`;
  const cases: [string, string, ToolTable][] = [
    ['a dash', under('❌ `read_file` — do not read'), prohibit('read_file')],
    ['a hyphen', under('❌ `read_file` - do not read'), prohibit('read_file')],
    ['the end', under('❌ **DO NOT** use `read_file`'), prohibit('read_file')],
    ['bold', under('❌ **`read_file`** — no'), prohibit('read_file')],
    ['without ticks', under('❌ read_file — no'), prohibit('read_file')],
    ['another tool in the reason', under('❌ **DO NOT** use `read_file` — use `read_scratchpad` for that'), prohibit('read_file')],
    ['words follow', under('❌ **DO NOT** call `submit_review` more than once - only at the end'), none],
    ['an injected tool, by name', under('❌ `task_completed` — the coordinator ends'), prohibit('task_completed')],
    ['a deeper heading', '## Prohibited\n### Terminal\n❌ `run_terminal_cmd` — no', prohibit('run_terminal_cmd')],
    ['the heading is over', `${under('❌ `read_file` — no')}\n## Notes\n❌ \`write_file\` — no`, prohibit('read_file')],
    ['another heading', '## CRITICAL RESTRICTIONS\n❌ **DO NOT** call `write_file` - no', none],
    ['a bold sentence is no heading', '## Notes\n**Any tool not in the table is PROHIBITED.**\n❌ `write_file` — no', none],
    ['a list', '## Prohibited tools\n- `write_file` — no\n- `delete_file`\n- use `read_file` less', prohibit('write_file', 'delete_file')],
    ['a table', '## Prohibited Tools\n| Tool | Why |\n|---|---|\n| `write_file` | x |', prohibit('write_file')],
  ];
  it.each(cases)('%s', (_, text, expected) => {
    expect(readToolTable(text)).toEqual(expected);
  });
});

describe('hostile instructions', () => {
  const long = 200_000;
  const cases: [string, string][] = [
    ['a line of spaces', ' '.repeat(long)],
    ['bold without end', `**${'_'.repeat(long)}`],
    ['pipes', '|'.repeat(long)],
    ['a table of dashes', `| Tool |\n${'|-'.repeat(long / 2)}`],
    ['many lines', '❌ `a_b` x\n## Prohibited\n'.repeat(5000)],
    ['equals', `total delegations ${'= '.repeat(long / 2)}`],
    ['a number of', `total delegations = number of ${'a '.repeat(long / 2)}`],
  ];
  it.each(cases)('%s does not stall', (_, text) => {
    const from = performance.now();
    readToolTable(text);
    maxDelegations(text, text);
    expect(performance.now() - from).toBeLessThan(1000);
  });
});

describe('how many delegations a session may make', () => {
  const cases: [string, string, string, number | undefined, number][] = [
    ['the parameter wins', 'Max delegations: 3', '', 7, 7],
    ['a parameter of 0', '', '', 0, 0],
    ['a fixed number', 'Max delegations: 3', '', undefined, 3],
    ['a fixed number in bold', '**Max Delegations:** 12', '', undefined, 12],
    ['a sum', 'Total delegations = (number of chunks) + 1. One each.', 'ok\ntotal_chunks: 4', undefined, 5],
    ['a sum of nothing', 'Total delegations = (number of chunks) + 1.', 'total_chunks: 0', undefined, 1],
    ['a sum of two words', 'Total delegations = number of review items + 2', '- **total_review_items**: 3', undefined, 5],
    ['a sum without more', 'Total delegations = (number of files)', 'total_files: 6', undefined, 6],
    ['the last count', 'Total delegations = (number of files) + 0', 'total_files: 6\ntotal_files: 2', undefined, 2],
    ['no count in the output', 'Total delegations = (number of chunks) + 1', 'none', undefined, 25],
    ['a heading alone', '### Max Delegations\n\nAs many as needed', '', undefined, 25],
    ['nothing', '', '', undefined, 25],
    ['a count that cannot be meant', 'Total delegations = (number of chunks) + 1', 'total_chunks: 99999', undefined, 100],
  ];
  it.each(cases)('%s', (_, prompt, output, param, expected) => {
    expect(maxDelegations(prompt, output, param)).toBe(expected);
  });
});

const PLAYBOOKS = resolve(import.meta.dirname, '../../../shared/playbooks');

interface Playbook {
  workflow: { definition: { steps: { id: string; action: string; instruction?: string | null }[] } };
}

/** Table of every agent step of the published playbooks that has one; a step that is not here has none. */
const PUBLISHED: Record<string, ToolTable> = {
  'code-review/optimize-review-item': allow('update_status', 'read_scratchpad', 'write_scratchpad', 'list_scratchpads', 'task_completed'),
  'fix-ci/analyze-ci-failure': {
    ...allow('get_ci_run_details', 'get_ci_run_logs', 'get_ci_job_logs', 'list_pr_ci_runs', 'read_file', 'code_search', 'explore_codebase'),
    prohibit: ['write_file', 'edit_file', 'run_terminal_cmd'],
  },
  'fix-ci/fix-and-commit': {
    ...allow(
      'read_file',
      'edit_file',
      'write_file',
      'code_search',
      'run_terminal_cmd',
      'add_comment_to_pull_request',
      'add_pull_request_review_thread',
    ),
    prohibit: ['update_pull_request', 'delete_file', 'create_pull_request', 'merge_pull_request'],
  },
};

describe.skipIf(!existsSync(PLAYBOOKS))('the published playbooks (skipped where ../shared/playbooks is absent)', () => {
  const steps = existsSync(PLAYBOOKS)
    ? readdirSync(PLAYBOOKS, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .flatMap(stepsOf)
    : [];

  it('agent.run steps: exactly these tables', () => {
    const found = steps.filter((step) => step.action === 'agent.run').map((step) => [step.key, readToolTable(step.text)] as const);
    expect(found.length).toBeGreaterThan(10);
    expect(Object.fromEntries(found.filter(([, table]) => table.allow || table.prohibit.length > 0))).toEqual(PUBLISHED);
  });

  it('the templates for delegations in a session are not its own', () => {
    const session = steps.find((step) => step.key === 'code-review/submit-review');
    expect(readToolTable(session?.text ?? '').allow?.map((one) => one.name)).not.toContain('add_pull_request_review_thread');
  });

  it('the template for posting, as the coordinator sends it', () => {
    const text = fenced(steps, 'code-review/submit-review', 'STEP 2 (Post Comments)').replaceAll('{chunkName}', 'review-chunk1');
    expect(readToolTable(text)).toEqual({
      allow: [
        { name: 'read_scratchpad', maxCalls: 1, only: { name: 'review-chunk1' } },
        { name: 'get_pull_request_diff_line_numbers', perArgument: true },
        { name: 'add_pull_request_review_thread', perArgument: true },
      ],
      prohibit: [
        'run_terminal_cmd',
        'read_file',
        'get_pull_request_diff',
        'code_search',
        'add_comment_to_pull_request',
        'submit_review',
        'list_dir',
      ],
    });
  });

  it('the template for submitting bans nothing: it must be able to submit', () => {
    expect(readToolTable(fenced(steps, 'code-review/submit-review', 'STEP 3 (Submit Final Review)'))).toEqual(none);
  });

  it('the templates of the design session', () => {
    const design = steps.find((step) => step.key === 'technical-design-proposal/create-design')?.text ?? '';
    const bodies = design.split(/^```\w*$/m).filter((_, k) => k % 2 === 1);
    const tables = bodies.map(readToolTable).filter((table) => table.allow || table.prohibit.length > 0);
    expect(tables).toContainEqual(prohibit('write_file', 'run_terminal_cmd', 'read_ticket', 'code_search', 'read_file'));
    expect(tables).toContainEqual({
      ...allow('code_search', 'read_file', 'list_dir'),
      prohibit: ['write_file', 'run_terminal_cmd', 'read_ticket'],
    });
  });

  it('delegations', () => {
    const submit = steps.find((step) => step.key === 'code-review/submit-review')?.text ?? '';
    expect(maxDelegations(submit, 'chunks_created: yes\ntotal_chunks: 3\nkept_findings: 9')).toBe(4);
    expect(maxDelegations(steps.find((step) => step.key === 'code-review/code-review')?.text ?? '', '')).toBe(25);
  });
});

function stepsOf({ name }: { name: string }) {
  const file = JSON.parse(readFileSync(join(PLAYBOOKS, name, 'workflow.json'), 'utf8')) as Playbook;
  return file.workflow.definition.steps.map(({ id, action, instruction }) => ({ key: `${name}/${id}`, action, text: instruction ?? '' }));
}

function fenced(steps: { key: string; text: string }[], key: string, title: string): string {
  const text = steps.find((step) => step.key === key)?.text ?? '';
  const from = text.indexOf('```\n', text.indexOf(title)) + 4;
  return text.slice(from, text.indexOf('\n```\n\n---', from));
}
