import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/journal/finding.ts';
import { severityOf, withheldIn } from '../../src/journal/withheld.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';

const finding = (id: string, body: string, more: Partial<Finding> = {}): Finding => ({
  ...{ id, path: `src/${id}.ts`, side: 'RIGHT', line: 1, body, rung: 'line', key: 'k' },
  ...more,
});

it.each([
  ['[BLOCKER]: it breaks', 'critical'],
  ['[MAJOR] it breaks', 'major'],
  ['**Minor**: it may break', 'minor'],
  ['nit: a name', 'info'],
  ['🔴 **Critical** – it breaks', 'critical'],
  ['[Re: src/old.ts] [NIT]: a name', 'info'],
  ['MAJOR: it breaks', 'major'],
  ['(minor) it may break', 'minor'],
  ['Minor versions are not compared', null],
  ['Critical section is left early', null],
  ['Note: this is read twice', null],
  ['', null],
])('%s says %s', (body, severity) => {
  expect(severityOf({ body })).toBe(severity);
});

describe('findings that settings leave out', () => {
  const posted = { review: 1, comment: 2, rung: 'line' as const };
  const findings = [
    finding('a', '[NIT]: a'),
    finding('b', '[MINOR]: b'),
    finding('c', 'c, which says nothing'),
    finding('d', '[BLOCKER]: d'),
    finding('e', '[BLOCKER]: e', { path: 'dist/e.ts' }),
    finding('f', '[NIT]: f', { posted }),
    finding('g', '[NIT]: g', { posted: { ...posted, earlier: true } }),
  ];
  const told = (rules: Partial<Parameters<typeof withheldIn>[1]>) =>
    withheldIn(findings, { ...defaultSettings(), ...rules }).map(({ finding: { id }, how, why }) => `${id} ${how}: ${why}`);

  it('are none where nothing is set', () => {
    expect(told({})).toEqual([]);
  });

  it('are those in ignored files', () => {
    expect(told({ ignore: ['dist/'] })).toEqual(['e suppressed: its file is ignored by dist/ (the setting ignore)']);
  });

  it('are those that say that they are less severe', () => {
    expect(told({ severityFloor: 'major' })).toEqual([
      'a suppressed: info is below major (the setting severityFloor)',
      'b suppressed: minor is below major (the setting severityFloor)',
    ]);
  });

  it('are those over the limit, the least severe of them, where what is posted counts', () => {
    expect(told({ maxFindings: 3 }).map((one) => one.slice(0, 10))).toEqual(['c deferred', 'b deferred', 'a deferred']);
    expect(told({ maxFindings: 0 })).toHaveLength(5);
    expect(told({ maxFindings: 1, ignore: ['dist/'] })).toHaveLength(5);
  });
});
