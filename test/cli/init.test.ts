import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { init } from '../../src/cli/init.ts';
import { workflowFiles } from '../../src/demo/sample/workflow.ts';
import { loadWorkflow } from '../../src/workflow/load.ts';

let cwd: string;
let said = '';

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'pitwall-init-'));
  said = '';
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const run = (options: { dir?: string; force?: boolean } = {}) => {
  const say = (text: string) => {
    said += text;
  };
  return init({ dir: '.', force: false, ...options }, { cwd, out: say, err: say });
};

it('writes a commented workflow, its prompts and its agent, and says how to commit them', async () => {
  expect(await run()).toBe(0);
  const text = await readFile(join(cwd, '.overcut/workflow.json'), 'utf8');
  expect(text.match(/^ *\/\/ /gm)?.length).toBeGreaterThanOrEqual(6);
  const prompts = {
    plan: await readFile(join(cwd, '.overcut/plan.md'), 'utf8'),
    review: await readFile(join(cwd, '.overcut/review.md'), 'utf8'),
  };
  const { workflow, problems } = loadWorkflow({ path: '.overcut/workflow.json', text, prompts, agentIds: ['code-reviewer'] });
  expect(problems).toEqual([]);
  expect(workflow?.steps.map((step) => (step.action === 'agent.session' ? step.instruction : step.id))).toEqual([
    'clone',
    'plan',
    expect.stringContaining('submit_review'),
  ]);
  expect(said).toMatch(/0 errors, 0 warnings[\s\S]*git add \.overcut && git commit/);
});

it('writes nothing where a file is there, unless it is told to', async () => {
  expect(await run()).toBe(0);
  await writeFile(join(cwd, '.overcut/plan.md'), 'mine');
  said = '';
  expect(await run()).toBe(2);
  expect(said).toMatch(/\.overcut\/plan\.md.*exist already; --force/);
  expect(await readFile(join(cwd, '.overcut/plan.md'), 'utf8')).toBe('mine');
  expect(await run({ force: true })).toBe(0);
  expect(await readFile(join(cwd, '.overcut/plan.md'), 'utf8')).toBe(workflowFiles()['.overcut/plan.md']);
});

it('refuses a folder that is not there, and one that it cannot write to', async () => {
  expect(await run({ dir: 'nowhere' })).toBe(2);
  expect(said).toMatch(/nowhere is not a folder.*--dir/);
  await writeFile(join(cwd, '.overcut'), 'a file in the way');
  expect(await run()).toBe(1);
  expect(said).toMatch(/cannot be written/);
});
