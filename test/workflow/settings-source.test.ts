import { describe, expect, it } from 'vitest';
import { readSettings } from '../../src/workflow/settings-source.ts';

const FILE = `{
  // ours
  "forks": "off",
  "limits": {
    "run": { "dollars": 5 }
  },
  "models": { "default": { "id": "x", "price": { "input": 1, "output": 1, "cacheRead": 1, "cacheWrite": 1 } } }
}`;

const read = (environment: Record<string, string> = {}, text: string | null = FILE) => readSettings({ text, file: 's.json', environment });
const row = (path: string, environment: Record<string, string> = {}) => read(environment).rows.find((one) => one.path === path);

describe('settings', () => {
  it.each<[string, Record<string, string>, unknown, unknown]>([
    ['quiet', {}, false, { from: 'default' }],
    ['forks', {}, 'off', { from: 'file', file: 's.json', line: 3 }],
    ['limits.run.dollars', {}, 5, { from: 'file', file: 's.json', line: 5 }],
    ['limits.run.tokens', {}, 50_000_000, { from: 'default' }],
    ['models.default.price.input', {}, 1, { from: 'file', file: 's.json', line: 7 }],
    ['forks', { PITWALL_FORKS: 'untrusted' }, 'untrusted', { from: 'environment', variable: 'PITWALL_FORKS' }],
    ['limits.run.dollars', { PITWALL_LIMITS_RUN_DOLLARS: '2.5' }, 2.5, { from: 'environment', variable: 'PITWALL_LIMITS_RUN_DOLLARS' }],
    ['maxFindings', { PITWALL_MAX_FINDINGS: '20' }, 20, { from: 'environment', variable: 'PITWALL_MAX_FINDINGS' }],
    ['quiet', { PITWALL_QUIET: 'true' }, true, { from: 'environment', variable: 'PITWALL_QUIET' }],
    ['deny', { PITWALL_DENY: 'merge, push' }, ['merge', 'push'], { from: 'environment', variable: 'PITWALL_DENY' }],
    ['timeZone', { PITWALL_TIME_ZONE: 'Europe/Berlin' }, 'Europe/Berlin', { from: 'environment', variable: 'PITWALL_TIME_ZONE' }],
    ['quiet', { PITWALL_QUIET: '' }, false, { from: 'default' }],
  ])('%s with %j', (path, environment, value, origin) => {
    expect(row(path, environment)).toEqual({ path, value, origin });
  });

  it.each<[string, Record<string, string>, string | null, string]>([
    ['a value that is none', { PITWALL_FORKS: 'yes' }, FILE, 'error PITWALL_FORKS: expected one of "off", "ask", "untrusted", found "yes"'],
    ['a word for a number', { PITWALL_MAX_FINDINGS: 'many' }, null, 'error PITWALL_MAX_FINDINGS: expected'],
    ['an unknown variable', { PITWALL_FORK: 'off' }, null, 'did you mean PITWALL_FORKS?'],
    [
      'a setting that is not in force',
      { PITWALL_PUSH: 'true' },
      null,
      'warning PITWALL_PUSH: expected a setting that is in force, found push',
    ],
    ['an unknown key', {}, '{ "fork": "off" }', 'error s.json: expected the key "forks"'],
    ['no JSON', { PITWALL_FORKS: 'off' }, '{', 'error s.json:'],
    ['no object', { PITWALL_FORKS: 'off' }, '[]', 'error s.json: expected an object'],
  ])('names %s', (_, environment, text, message) => {
    const { problems } = read(environment, text);
    expect(problems.map(({ severity, file, message: said }) => `${severity} ${file}: ${said}`).join('\n')).toContain(message);
  });

  it('are there in spite of an unknown variable, and not where anything is wrong', () => {
    expect(read({ PITWALL_FORK: 'off' }).settings?.forks).toBe('off');
    expect(read({ PITWALL_FORKS: 'yes' })).toMatchObject({ settings: null, rows: [] });
  });
});
