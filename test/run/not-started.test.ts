import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunRules } from '../../src/workflow/settings.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { Office, workflow } from './office.ts';

let office: Office;
beforeAll(async () => {
  office = await Office.open();
});
afterAll(() => office.close());

/** A pull request of a repository with these settings, taken in: what was decided, and the run. */
async function open(settings: object) {
  const at = await office.settle({ look: workflow('Look') }, { '.overcut/settings.json': JSON.stringify(settings) });
  const number = await office.openPull(at);
  await office.takeAll();
  const [decision] = await office.decisions(at.id, number);
  const [start] = await office.runsOf(at.id);
  return { decision, start };
}

describe('the settings of a repository', () => {
  it('let no run start for which no budget is left, and its check says why', async () => {
    const { decision, start } = await open({ limits: { repository: { dollars: 0 } } });
    const reason = 'budget: the budget of this repository today ($0.00 of $0.00) is used up; it is whole again at midnight (UTC)';
    expect([decision?.verdict, decision?.reason, start]).toEqual(['not matched', reason, undefined]);
    const effects = [...office.house.effects].filter(([key]) => key.includes(':check')).map(([, { effect }]) => effect);
    expect(effects).toMatchObject([
      { type: 'check.create', name: 'Look', output: { title: 'Not started', summary: expect.stringContaining(reason) } },
    ]);
  });

  it('narrow the limits that a run keeps, and do not widen them', async () => {
    const { start } = await open({ limits: { run: { dollars: 2, tokens: null }, session: { turns: 3 } } });
    expect(start?.limits).toMatchObject({ run: { dollars: 2, tokens: 50_000_000 }, session: { turns: 3, toolCalls: 2000 } });
  });

  it('narrow what else a run may do; what they ask for beyond the app’s is not granted, which is said', async () => {
    office.services.settings = {
      ...defaultSettings(),
      closeReopen: true,
      readStrangers: true,
      deny: ['read_file'],
      severityFloor: 'minor',
    };
    const wanted = { closeReopen: false, approve: true, deny: ['code_search'], ignore: ['*.lock'], severityFloor: 'info', maxFindings: 5 };
    const { start, decision } = await open(wanted);
    const rules: Partial<RunRules> = {
      ...{ closeReopen: false, approve: false, readStrangers: true, deny: ['read_file', 'code_search'] },
      ...{ ignore: ['*.lock'], severityFloor: 'minor', maxFindings: 5, quiet: false },
    };
    expect(start?.rules).toMatchObject(rules);
    expect(decision?.reason).toMatch(/^trigger pull_request_opened; not granted: approve: .*; not granted: severityFloor: /);
  });
});
