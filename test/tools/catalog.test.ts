import { describe, expect, it } from 'vitest';
import { COORDINATOR_TOOLS, canonicalToolName, INJECTED_TOOLS, presetOf, TOOL_NAMES } from '../../src/agent/role.ts';
import { toolSchemas } from '../../src/agent/schema.ts';
import { TOOLS, toolNamed } from '../../src/tools/catalog.ts';
import { toolsFor } from '../../src/tools/permit.ts';
import { call, fault, makeContext } from './call-context.ts';

describe('the catalog', () => {
  it('has each name once, and knows them as the presets do', () => {
    const names = TOOLS.flatMap((tool) => [tool.name, ...(tool.aliases ?? [])]);
    expect(new Set(names).size).toBe(names.length);
    expect(TOOLS.map(({ name }) => name).filter((name) => !TOOL_NAMES.includes(name))).toEqual([]);
    for (const tool of TOOLS) for (const alias of tool.aliases ?? []) expect(canonicalToolName(alias)).toBe(tool.name);
  });

  it.each([
    ['read_dir', 'list_dir'],
    ['list_directory', 'list_dir'],
    ['search_code', 'code_search'],
    ['status_update', 'update_status'],
    ['update_pull_request_comment', 'update_comment_on_pull_request'],
    [' Read_File ', 'read_file'],
    ['terminal_command', undefined],
    ['constructor', undefined],
  ])('%s is %s', (name, expected) => {
    expect(toolNamed(name)?.name).toBe(expected);
  });

  it('tells a senior developer all tools in under 11 KB', () => {
    const tools = [...presetOf('SeniorDeveloper'), ...INJECTED_TOOLS].flatMap((name) => toolNamed(name) ?? []);
    expect(tools.length).toBeGreaterThan(20);
    expect(JSON.stringify(toolSchemas(tools)).length).toBeLessThan(11_000);
  });
});

describe('what trust leaves', () => {
  it('a trusted run keeps its tools, by their present names and once', () => {
    expect(toolsFor(['read_dir', 'list_dir', 'memory_write', 'run_terminal_cmd'], 'trusted')).toEqual([
      'list_dir',
      'memory_write',
      'run_terminal_cmd',
    ]);
  });

  it('an untrusted run has no terminal, no memory, and of GitHub only review and comments', () => {
    const all = [...TOOLS.map(({ name }) => name), ...COORDINATOR_TOOLS, 'terminal_command', 'mcp__server__tool', 'merge_pull_request'];
    const gone = toolsFor(all, 'trusted').filter((name) => !toolsFor(all, 'untrusted').includes(name));
    expect(gone.toSorted()).toEqual(
      [
        'delegate_to_sub_agent',
        'mcp__server__tool',
        'memory_write',
        'merge_pull_request',
        'resolve_pull_request_review_thread',
        'retry_ci_workflow',
        'run_terminal_cmd',
        'update_pull_request',
        'update_ticket',
      ].toSorted(),
    );
  });
});

describe('progress', () => {
  it('quotes a status, and answers the message of a completed task', async () => {
    const context = makeContext();
    await call(context, 'update_status', { message: ' Reading. ' });
    await call(context, 'status_update', { status: 'Writing.' });
    expect(context.statuses).toEqual(['Reading.', 'Writing.']);
    expect(await fault(call(context, 'update_status', { message: ' ' }))).toContain('message is empty');
    expect(await call(context, 'task_completed', { result: 'x', summary: 'All done.' })).toBe('All done.');
  });
});
