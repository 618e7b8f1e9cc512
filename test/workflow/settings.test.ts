import { describe, expect, it } from 'vitest';
import { TOOLS_BY_NAME } from '../../src/agent/role.ts';
import { repositorySettingsJsonSchema, settingsJsonSchema } from '../../src/workflow/json-schema.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { narrow, parseRepositorySettings, parseSettings } from '../../src/workflow/settings-file.ts';

function told(text: string, read: typeof parseSettings | typeof parseRepositorySettings = parseSettings): string[] {
  return read(text, 'settings.json').problems.map((p) => `${p.severity} ${p.line}:${p.column} ${p.path}: ${p.message}`);
}

describe('settings', () => {
  it('are narrow where nothing is set', () => {
    const settings = defaultSettings();
    expect(settings).toEqual(parseSettings('', 'settings.json').settings);
    expect(settings.models).toEqual({
      default: { id: 'claude-sonnet-4-6', price: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 } },
    });
    expect(settings).toMatchObject({
      forks: 'ask',
      readStrangers: false,
      approve: false,
      merge: false,
      push: false,
      editWorkflows: false,
      closeReopen: false,
    });
    expect(settings).toMatchObject({
      allowOutsiders: false,
      clonesFrom: [],
      packageProxy: [],
      timeZone: 'UTC',
      aliases: ['overcut'],
      gracePeriodSeconds: 60,
    });
    expect(settings.concurrency).toEqual({ advances: 64, delegations: 256 });
    expect(settings.limits.session.delegations).toBeNull();
    expect(settings.retention.journalDays).toBe(30);
  });

  it('are read from JSON with comments; what is not set keeps its default', () => {
    const { settings, problems } = parseSettings(
      '{ // mine\n "limits": { "run": { "dollars": 5 }, "session": { "turns": null } }, "timeZone": "Europe/Berlin", }',
      'settings.json',
    );
    expect(problems).toEqual([]);
    expect(settings?.limits.run).toEqual({ ...defaultSettings().limits.run, dollars: 5 });
    expect(settings?.limits.session).toMatchObject({ turns: null, toolCalls: 2000 });
  });

  it.each([
    [
      'an unknown key',
      '{\n  "fork": "off"\n}',
      'error 2:3 $.fork: expected the key "forks", found the unknown key "fork" (did you mean "forks"?)',
    ],
    ['an unknown key deep down', '{ "limits": { "run": { "dollar": 1 } } }', '(did you mean "dollars"?)'],
    ['a bad value', '{ "forks": "yes" }', 'error 1:12 $.forks: expected one of "off", "ask", "untrusted", found "yes"'],
    ['a bad time zone', '{ "timeZone": "Berlin" }', 'expected the name of a time zone, such as "Europe/Berlin", found "Berlin"'],
    ['a long grace period', '{ "gracePeriodSeconds": 301 }', 'expected a number of at most 300, found 301'],
    [
      'no default model',
      '{ "models": { "fast": { "id": "x", "price": { "input": 1, "output": 1, "cacheRead": 1, "cacheWrite": 1 } } } }',
      'a model under the key "default"',
    ],
    [
      'a price without a part',
      '{ "models": { "default": { "id": "x", "price": { "input": 1, "output": 1, "cacheRead": 1 } } } }',
      '$.models.default.price.cacheWrite: expected a number, found nothing',
    ],
    [
      'an unknown fallback',
      '{ "models": { "default": { "id": "x", "fallback": "y", "price": { "input": 1, "output": 1, "cacheRead": 1, "cacheWrite": 1 } } } }',
      'every "fallback"',
    ],
    ['a list', '[]', 'expected an object'],
    ['broken JSON', '{ "forks": ', 'error 1:12'],
  ])('%s is an error with its place', (_, text, wanted) => {
    expect(parseSettings(text, 'settings.json').settings).toBeNull();
    expect(told(text).some((line) => line.includes(wanted))).toBe(true);
  });

  it('of a repository may not hold what is the app’s', () => {
    expect(told('{ "models": {} }', parseRepositorySettings)).toEqual([expect.stringContaining('the unknown key "models"')]);
    expect(told('{ "limits": { "app": {} } }', parseRepositorySettings)).toHaveLength(1);
  });
});

it('a setting of a part that is not built is taken, with a warning that says so', () => {
  const text = '{\n  "merge": true,\n  "retention": { "transcriptDays": 3, "journalDays": 3 }\n}';
  expect(parseSettings(text, 'settings.json').settings).toMatchObject({ merge: true });
  expect(told(text)).toEqual([
    'warning 2:3 $.merge: expected a setting that is in force, found merge (no tool merges pull requests yet: it changes nothing)',
    expect.stringContaining('warning 3:18 $.retention.transcriptDays: expected a setting that is in force'),
  ]);
  expect(told('{ "push": false }', parseRepositorySettings)).toHaveLength(1);
  expect(settingsJsonSchema()).toMatchObject({ properties: { merge: { description: expect.stringContaining('Not in force yet') } } });
});

it('a denied tool that is none is named, with the nearest that is one', () => {
  const text = '{ "deny": ["read_file", "search_code", "memory_wirte", "mcp__docs__find", "x"] }';
  expect(parseRepositorySettings(text, 's', TOOLS_BY_NAME).problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    '$.deny[2]: expected the name of a tool, found "memory_wirte" (did you mean "memory_write"?)',
    '$.deny[4]: expected the name of a tool, found "x" (it denies nothing)',
  ]);
});

it('every setting says in the schema what it does', () => {
  for (const { properties } of [settingsJsonSchema(), repositorySettingsJsonSchema()] as { properties: object }[])
    for (const [name, schema] of Object.entries(properties)) if (name !== '$schema') expect(schema, name).toHaveProperty('description');
});

describe('a repository narrows', () => {
  const app = { ...defaultSettings(), push: true, approve: true, forks: 'ask' as const, maxFindings: 50, deny: ['a'], ignore: ['x'] };

  it('and what is narrower counts', () => {
    const { settings, refused } = narrow(app, {
      forks: 'off',
      push: false,
      maxFindings: 10,
      deny: ['b', 'a'],
      ignore: ['y'],
      quiet: true,
      severityFloor: 'major',
      limits: { run: { dollars: 5, turns: 10 }, delegation: { turns: 5 } },
    });
    expect(refused).toEqual([]);
    expect(settings).toMatchObject({
      forks: 'off',
      push: false,
      approve: true,
      maxFindings: 10,
      deny: ['a', 'b'],
      ignore: ['x', 'y'],
      quiet: true,
      severityFloor: 'major',
    });
    expect(settings.limits.run).toMatchObject({ dollars: 5, turns: 10, tokens: app.limits.run.tokens });
    expect(settings.limits.delegation.turns).toBe(5);
    expect(app.limits.run.dollars).toBe(defaultSettings().limits.run.dollars);
  });

  it('and what is wider is refused by name', () => {
    const { settings, refused } = narrow(app, {
      forks: 'untrusted',
      merge: true,
      maxFindings: null,
      limits: { run: { dollars: 1000, tokens: null } },
      readStrangers: true,
    });
    expect(settings).toEqual(app);
    expect(refused.map((text) => text.split(':')[0]).sort()).toEqual([
      'forks',
      'limits.run.dollars',
      'limits.run.tokens',
      'maxFindings',
      'merge',
      'readStrangers',
    ]);
  });

  it('nothing where it sets nothing', () => {
    expect(narrow(app, {})).toEqual({ settings: app, refused: [] });
  });
});
