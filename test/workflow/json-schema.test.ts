import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import { parse } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { repositorySettingsJsonSchema, settingsJsonSchema, workflowJsonSchema } from '../../src/workflow/json-schema.ts';
import { makeWorkflow, randomFrom } from './generator.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PLAYBOOKS = resolve(ROOT, '../shared/playbooks');
const ajv = new Ajv2020.default({ strict: false, allErrors: false });
const checks = {
  workflow: ajv.compile(workflowJsonSchema()),
  settings: ajv.compile(settingsJsonSchema()),
  repository: ajv.compile(repositorySettingsJsonSchema()),
};

function read(path: string): unknown {
  return parse(readFileSync(path, 'utf8'), [], { allowTrailingComma: true });
}

describe('the JSON Schema', () => {
  it.each([
    'examples/review',
    'examples/triage',
    'examples/ask',
    'examples/repository/.overcut',
    'examples/repository/.overcut/workflows/release-notes',
  ])('takes %s', (folder) => {
    expect([checks.workflow(read(join(ROOT, folder, 'workflow.json'))), checks.workflow.errors]).toEqual([true, null]);
  });

  it.skipIf(!existsSync(PLAYBOOKS))('takes the published playbooks (skipped where ../shared/playbooks is absent)', () => {
    const names = readdirSync(PLAYBOOKS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of names) expect([name, checks.workflow(read(join(PLAYBOOKS, name, 'workflow.json')))]).toEqual([name, true]);
  });

  it('takes what the loader takes', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { value } = makeWorkflow(randomFrom(seed));
      expect([seed, checks.workflow(value), checks.workflow.errors]).toEqual([seed, true, null]);
    }
  });

  it.each([
    ['an unknown event', { name: 'x', triggers: [{ event: 'nope' }], steps: [{ id: 'a', action: 'repo.identify' }] }],
    ['no steps', { name: 'x', triggers: [{ event: 'mention' }] }],
    [
      'a bad operator',
      {
        name: 'x',
        triggers: [{ event: 'mention', conditions: { rules: [{ field: 'context.x', operator: 'is', value: 1 }] } }],
        steps: [{ id: 'a', action: 'repo.identify' }],
      },
    ],
    ['a text', 'workflow'],
  ])('refuses %s', (_, value) => {
    expect(checks.workflow(value)).toBe(false);
  });

  it('of settings refuses unknown keys', () => {
    expect(checks.settings({ forks: 'ask', limits: { run: { dollars: 1 } } })).toBe(true);
    expect(checks.settings({})).toBe(true);
    expect(checks.settings({ fork: 'ask' })).toBe(false);
    expect(checks.repository(read(join(ROOT, 'examples/repository/.overcut/settings.json')))).toBe(true);
    expect(checks.repository({ models: {} })).toBe(false);
  });
});
