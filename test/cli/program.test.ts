import { describe, expect, it } from 'vitest';
import { pitwall } from './terminal.ts';

const { out: help } = await pitwall(['--help']);
const commands = [...help.matchAll(/^ {2}([a-z]+) /gm)].flatMap(([, name]) => (name && name !== 'help' && !/^\d/.test(name) ? [name] : []));

describe('every command', () => {
  it('is known', () => {
    expect(commands).toEqual(
      expect.arrayContaining([
        'start',
        'recover',
        'runs',
        'show',
        'why',
        'export',
        'replay',
        'cancel',
        'retry',
        'setup',
        'init',
        'doctor',
        'settings',
        'validate',
        'schema',
        'try',
        'demo',
      ]),
    );
  });

  it.each(commands)('%s has help with an example', async (name) => {
    const { code, out } = await pitwall([name, '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`\\nExample:\\n {2}(?:\\S+=\\S+ )*pitwall ${name}\\b`));
  });
});

it('the exit codes stand in one table', () => {
  expect(help).toMatch(/Exit codes:\n {2}0 {2}\S.*\n {2}1 {2}\S.*\n {2}2 {2}\S/);
});

it.each([
  [['docter'], 'Did you mean doctor?'],
  [['setings'], 'Did you mean settings?'],
  [['help', 'docter'], 'Did you mean doctor?'],
  [['start', '--rol', 'web'], 'Did you mean --role?'],
  [['setup', '--ogr', 'acme'], 'Did you mean --org?'],
  [['init', '--forse'], 'Did you mean --force?'],
  [['doctor', '--formt', 'json'], 'Did you mean --format?'],
  [['doctor', '--format', 'xml'], 'Allowed choices are text, json'],
  [['demo', '--port', 'x'], 'Give a whole number from 0 to 65535'],
])('%j is refused with what was meant', async (args, meant) => {
  const { code, err } = await pitwall(args);
  expect(code).toBe(2);
  expect(err).toContain(meant);
});
