import { describe, expect, it } from 'vitest';
import { checkCall, offered, type ToolPolicy, type WantedCall } from '../../src/agent/allowance.ts';
import { readToolTable } from '../../src/agent/tool-table.ts';

const POLICY: ToolPolicy = {
  tools: ['read_file', 'code_search', 'add_pull_request_review_thread'],
  allow: null,
  prohibit: [],
  injected: ['read_scratchpad', 'update_status'],
};

/** Lets the calls of a turn through one by one; answers the reasons of those that were refused, `ok` for the others. */
function run(policy: ToolPolicy, calls: WantedCall[]): string[] {
  const used: WantedCall[] = [];
  return calls.map((call) => {
    const verdict = checkCall(policy, used, call);
    if (verdict.ok) used.push(call);
    return verdict.ok ? 'ok' : verdict.reason;
  });
}

const call = (name: string, input: unknown = {}): WantedCall => ({ name, input });
const thread = (body: string, line = 1, more = {}) => call('add_pull_request_review_thread', { path: 'a.ts', line, body, ...more });

describe('a call', () => {
  const cases: [string, Partial<ToolPolicy>, WantedCall, string][] = [
    ['of an own tool', {}, call('read_file'), 'ok'],
    ['by an older name', {}, call('search_code'), 'ok'],
    ['of an injected tool', {}, call('update_status'), 'ok'],
    ['of a tool it has not', {}, call('write_file'), 'no tool write_file'],
    ['of a prohibited tool', { prohibit: ['read_file'] }, call('read_file'), 'prohibited'],
    ['of an injected tool that is named', { prohibit: ['status_update'] }, call('update_status'), 'prohibited'],
    ['of a tool that settings deny', { denied: ['search_code'] }, call('code_search'), 'the setting deny'],
    ['of an injected tool that settings deny', { denied: ['update_status'] }, call('update_status'), 'the setting deny'],
    ['outside the table', { allow: [{ name: 'read_file' }] }, call('code_search'), 'not among the allowed tools'],
    ['of an injected tool outside the table', { allow: [{ name: 'read_file' }] }, call('update_status'), 'ok'],
    ['of a tool in the table that it has not', { allow: [{ name: 'write_file' }] }, call('write_file'), 'no tool write_file'],
    ['bound to a value', { allow: [{ name: 'read_scratchpad', only: { name: 'a' } }] }, call('read_scratchpad', { name: 'a' }), 'ok'],
    [
      'of another value',
      { allow: [{ name: 'read_scratchpad', only: { name: 'a' } }] },
      call('read_scratchpad', { name: 'b' }),
      'only with name = a',
    ],
    [
      'without the value',
      { allow: [{ name: 'read_scratchpad', only: { name: 'a' } }] },
      call('read_scratchpad', null),
      'only with name = a',
    ],
    [
      'bound to a pattern',
      { allow: [{ name: 'read_scratchpad', only: { name: 'c*k*' } }] },
      call('read_scratchpad', { name: 'chunk12' }),
      'ok',
    ],
    [
      'that misses the pattern',
      { allow: [{ name: 'read_scratchpad', only: { name: 'c*ck*' } }] },
      call('read_scratchpad', { name: 'chunk' }),
      'only with',
    ],
    [
      'that overlaps in the pattern',
      { allow: [{ name: 'read_scratchpad', only: { name: 'ab*ba' } }] },
      call('read_scratchpad', { name: 'aba' }),
      'only with',
    ],
    ['bound to several', { allow: [{ name: 'read_scratchpad', only: { name: '{a,b*}' } }] }, call('read_scratchpad', { name: 'b2' }), 'ok'],
    ['that may not be made', { allow: [{ name: 'read_file', maxCalls: 0 }] }, call('read_file'), '0 calls'],
  ];
  it.each(cases)('%s', (_, change, wanted, expected) => {
    expect(run({ ...POLICY, ...change }, [wanted])[0]).toContain(expected);
  });
});

describe('limits', () => {
  it('count over names, and refused calls do not count', () => {
    const policy = { ...POLICY, allow: [{ name: 'code_search', maxCalls: 2 }] };
    const verdicts = run(policy, [call('code_search'), call('read_file'), call('search_code'), call('code_search')]);
    expect(verdicts.map((text) => text === 'ok')).toEqual([true, false, true, false]);
    expect(verdicts[3]).toContain('the limit of code_search is reached: 2 calls');
  });

  it('a thread is the same by path, side, line and body', () => {
    const policy = { ...POLICY, allow: [{ name: 'add_pull_request_review_thread', perArgument: true }] };
    const calls = [
      thread('x'),
      thread('x', 1, { side: 'RIGHT', suggestion: 'y' }),
      thread('x', 2),
      thread('y'),
      thread('x', 1, { side: 'LEFT' }),
    ];
    expect(run(policy, calls).map((text) => text === 'ok')).toEqual([true, false, true, true, true]);
  });

  it('other tools are the same by path, in any way of writing it, else by all arguments', () => {
    const policy = {
      ...POLICY,
      allow: [
        { name: 'read_file', perArgument: true },
        { name: 'code_search', perArgument: true },
      ],
    };
    const calls = [
      call('read_file', { path: 'a' }),
      call('read_file', { path: './a', startLine: 5 }),
      call('read_file', { paths: ['a', 'b'] }),
      call('read_file', { path: '/workspace/b' }),
      call('code_search', { query: 'x', glob: 'y' }),
      call('code_search', { glob: 'y', query: 'x' }),
      call('code_search', { query: 'z' }),
    ];
    expect(run(policy, calls).map((text) => text === 'ok')).toEqual([true, false, true, false, true, false, true]);
  });

  it('of a published table hold inside one turn', () => {
    const table = readToolTable('## Allowed Tools\n| Tool | Max Calls |\n|---|---|\n| `read_scratchpad` | 1 |');
    expect(run({ ...POLICY, ...table }, [call('read_scratchpad'), call('read_scratchpad'), call('read_file')])[1]).toContain(
      '1 call in this task',
    );
  });
});

describe('what is offered', () => {
  it('own and injected tools, cut by the table and by name', () => {
    expect(offered(POLICY)).toEqual(['read_file', 'code_search', 'add_pull_request_review_thread', 'read_scratchpad', 'update_status']);
    expect(
      offered({ ...POLICY, allow: [{ name: 'search_code' }, { name: 'read_file', maxCalls: 0 }], prohibit: ['update_status'] }),
    ).toEqual(['code_search', 'read_scratchpad']);
  });
});
