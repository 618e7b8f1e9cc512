import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasWorkflow, readGivenWorkflow } from '../../src/cli/given-workflow.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { REVIEW_WORKFLOW } from '../../src/demo/sample/workflow.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'pitwall-given-'));
  writeFileSync(join(dir, 'plan.md'), 'Plan it.');
  writeFileSync(join(dir, 'other.md'), 'Other.');
});

afterAll(() => {
  rmSync(dir, { recursive: true });
});

function save(workflow: unknown): string {
  const file = join(dir, 'mine.json');
  writeFileSync(file, typeof workflow === 'string' ? workflow : JSON.stringify(workflow));
  return file;
}

const triggered = (...triggers: unknown[]) => ({ ...REVIEW_WORKFLOW, triggers });
const AGENT = '.overcut/agents/code-reviewer.md';
const command = { event: 'manual', slashCommand: { command: 'look' } };

it.each([
  [['.overcut/workflow.json'], true],
  [['.overcut/workflows/a.json'], true],
  [['.overcut/workflows/a/workflow.json'], true],
  [['.overcut/agents/a.md', '.overcut/workflows/a/b/c.json'], false],
  [[], false],
])('a workflow among %j: %s', (paths, expected) => {
  expect(hasWorkflow(paths)).toBe(expected);
});

describe('a given workflow', () => {
  it('takes the place of those that are there, with its prompt files', async () => {
    const given = await readGivenWorkflow(save(REVIEW_WORKFLOW), ['.overcut/workflow.json', '.overcut/workflows/a.json', AGENT]);
    expect(given.command).toBeNull();
    expect(given.files).toEqual({
      '.overcut/workflow.json': JSON.stringify(REVIEW_WORKFLOW),
      '.overcut/workflows/a.json': null,
      '.overcut/plan.md': 'Plan it.',
    });
  });

  it.each([
    ['by its command, where opening does not start it', triggered(command), 'look'],
    ['by opening, where both do', REVIEW_WORKFLOW, null],
  ])('is started %s', async (_, workflow, expected) => {
    expect((await readGivenWorkflow(save(workflow), [AGENT])).command).toBe(expected);
  });

  it.each([
    ['with mistakes', () => save({ ...REVIEW_WORKFLOW, steps: [{ id: 'x', action: 'dance' }] }), /mine\.json:\d+:\d+ \$\.steps/],
    ['that is no JSON', () => save('{'), /mine\.json:1:/],
    ['that never starts here', () => save(triggered({ event: 'issue_opened' })), /pull_request_opened/],
    ['that is not there', () => join(dir, 'nothing.json'), /--workflow/],
  ])('%s is refused', async (_, file, message) => {
    const refusal = await readGivenWorkflow(file(), [AGENT]).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UsageError);
    expect(String(refusal)).toMatch(message);
  });
});
