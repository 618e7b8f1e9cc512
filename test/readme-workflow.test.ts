import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { loadWorkflow } from '../src/workflow/load.ts';
import { parseRepositorySettings } from '../src/workflow/settings-file.ts';

const readme = readFileSync(resolve(import.meta.dirname, '../README.md'), 'utf8');

it("README's workflow is one without a mistake or a warning", () => {
  const [, text] = /```json\n([\s\S]*?)```/.exec(readme) ?? [];
  const { workflow, problems } = loadWorkflow({ path: 'README.md', text: text ?? '', prompts: {} });
  expect(problems).toEqual([]);
  expect(workflow?.steps.map((step) => step.action)).toEqual(['git.clone', 'agent.session']);
});

it("README's settings of a repository are some without a mistake or a warning", () => {
  const [, text = ''] = /### Settings[\s\S]*?```json\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(parseRepositorySettings(text, 'README.md')).toMatchObject({ settings: { maxFindings: 20 }, problems: [] });
});
