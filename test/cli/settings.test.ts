import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { printSettings } from '../../src/cli/settings.ts';
import { surveyEnvironment } from '../../src/config.ts';

const dir = mkdtempSync(join(tmpdir(), 'pitwall-settings-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function run(text: string | null, environment: Record<string, string> = {}, format: 'text' | 'json' = 'text') {
  const file = join(dir, 'settings.json');
  if (text === null) rmSync(file, { force: true });
  else writeFileSync(file, text);
  let [out, err] = ['', ''];
  const code = await printSettings(
    { format },
    {
      survey: surveyEnvironment({ PITWALL_DATA_DIR: dir, ...environment }),
      out: (part) => (out += part),
      err: (part) => (err += part),
    },
  );
  return { code, out, err };
}

it('says of each setting what it is and where that comes from', async () => {
  const { code, out, err } = await run('{\n  "forks": "off"\n}', { PITWALL_QUIET: 'true' });
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^forks +"off" +\S+settings\.json:2$/m);
  expect(out).toMatch(/^quiet +true +environment PITWALL_QUIET$/m);
  expect(out).toMatch(/^concurrency\.advances +64 +default$/m);
});

it('as JSON', async () => {
  const { out } = await run(null, { PITWALL_QUIET: 'true' }, 'json');
  expect(JSON.parse(out)).toEqual(
    expect.arrayContaining([
      { path: 'quiet', value: true, from: 'environment', variable: 'PITWALL_QUIET' },
      { path: 'merge', value: false, from: 'default' },
    ]),
  );
});

it.each<[string, string | null, Record<string, string>, RegExp]>([
  ['an unknown key', '{ "frks": "off" }', {}, /settings\.json:1:3 .*did you mean "forks"\?/],
  ['a wrong variable', null, { PITWALL_QUIET: 'perhaps' }, /PITWALL_QUIET/],
  [
    'a file that is not there',
    null,
    { PITWALL_SETTINGS: join(dir, 'none.json') },
    /none\.json cannot be read \(ENOENT\): correct PITWALL_SETTINGS/,
  ],
])('names %s and fails', async (_, text, environment, message) => {
  const { code, out, err } = await run(text, environment);
  expect([code, out]).toEqual([1, '']);
  expect(err).toMatch(message);
});
