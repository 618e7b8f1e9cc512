import { describe, expect, it } from 'vitest';
import { COORDINATOR_TOOLS, canonicalToolName, presetOf, roleNamed, roleOf, TOOL_NAMES } from '../../src/agent/role.ts';

describe('names of agents', () => {
  const cases: [string, string, boolean][] = [
    ['Senior Developer', 'SeniorDeveloper', true],
    [' Backend developer', 'SeniorDeveloper', true],
    ['Frontend Developer (web)', 'SeniorDeveloper', true],
    ['DevOps', 'SeniorDeveloper', true],
    ['System Architect', 'SeniorDeveloper', true],
    ['RCA', 'SeniorDeveloper', true],
    ['Security Engineer', 'SeniorDeveloper', true],
    ['PR Review Fixer', 'PRReviewFixer', true],
    ['Code Reviewer', 'CodeReview', true],
    ['code-review', 'CodeReview', true],
    ['Technical Writer', 'TechWriter', true],
    ['Tech Writer', 'TechWriter', true],
    ['Product Manager', 'ProductManager', true],
    ['ExploreAgent', 'ExploreAgent', true],
    ['Custom', 'Custom', true],
    ['Arcade Owner', 'SeniorDeveloper', false],
    ['', 'SeniorDeveloper', false],
  ];
  it.each(cases)('%j is a %s', (name, role, known) => {
    expect(roleNamed(name)).toEqual({ role, known });
  });
});

describe('presets', () => {
  const has: [string, string[], string[]][] = [
    [
      'SeniorDeveloper',
      ['write_file', 'run_terminal_cmd', 'create_pull_request', 'retry_ci_workflow', 'get_pull_request_diff'],
      ['submit_review', 'add_pull_request_review_thread_reply'],
    ],
    ['PRReviewFixer', ['write_file', 'add_pull_request_review_thread_reply', 'resolve_pull_request_review_thread'], ['submit_review']],
    [
      'CodeReview',
      ['append_file', 'submit_review', 'get_pull_request_diff_line_numbers', 'get_ci_job_logs', 'update_pull_request'],
      ['write_file', 'edit_file', 'retry_ci_workflow', 'merge_pull_request', 'create_ticket'],
    ],
    ['TechWriter', ['write_file', 'create_ticket', 'get_pull_request_diff'], ['submit_review', 'get_ci_run_logs']],
    ['ProductManager', ['read_file', 'create_ticket', 'update_pull_request'], ['write_file', 'create_pull_request', 'merge_pull_request']],
    ['ExploreAgent', ['read_file', 'run_terminal_cmd'], ['write_file', 'explore_codebase', 'add_comment_to_ticket']],
  ];
  it.each(has)('%s', (type, some, never) => {
    expect(presetOf(type)).toEqual(expect.arrayContaining(some));
    expect(presetOf(type).filter((name) => never.includes(name))).toEqual([]);
    expect(new Set(presetOf(type)).size).toBe(presetOf(type).length);
  });

  it('Custom has none, and only coordinators delegate', () => {
    expect(presetOf('Custom')).toEqual([]);
    const types = ['SeniorDeveloper', 'CodeReview', 'TechWriter', 'ProductManager', 'ExploreAgent', 'PRReviewFixer'];
    expect(types.flatMap(presetOf)).not.toContain('delegate_to_sub_agent');
    expect(COORDINATOR_TOOLS).toContain('delegate_to_sub_agent');
  });

  it('instructions are short', () => {
    for (const type of ['SeniorDeveloper', 'CodeReview', 'PRReviewFixer']) expect(roleOf(type).instructions.length).toBeLessThan(800);
  });
});

describe('names of tools', () => {
  const cases: [string, string][] = [
    ['update_pull_request_comment', 'update_comment_on_pull_request'],
    ['status_update', 'update_status'],
    ['search_code', 'code_search'],
    ['terminal_command', 'run_terminal_cmd'],
    ['list_directory', 'list_dir'],
    ['read_dir', 'list_dir'],
    [' Read_File ', 'read_file'],
    ['read-file', 'read_file'],
    ['mcp__a__b-c', 'mcp__a__b-c'],
    ['toString', 'toString'],
  ];
  it.each(cases)('%s is %s', (name, expected) => {
    expect(canonicalToolName(name)).toBe(expected);
  });

  it('a present name is nobody’s alias', () => {
    expect(TOOL_NAMES.map(canonicalToolName)).toEqual(TOOL_NAMES);
  });
});
