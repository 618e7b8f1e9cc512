import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canWrite, Permissions } from '../../src/github/permission.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ 'README.md': 'x' });
});
afterAll(() => stage.close());

describe('permissions', () => {
  it.each([
    ['mara', 'write'],
    ['vera', 'read'],
    ['harbour', 'admin'],
    ['nobody-at-all', 'none'],
    ['dependabot[bot]', 'none'],
  ])('%s has %s', async (login, permission) => {
    expect(await new Permissions().of(await stage.api(), stage.repository, login)).toBe(permission);
  });

  it('are kept for a minute', async () => {
    let now = 0;
    const permissions = new Permissions(() => now);
    const api = await stage.api();
    stage.asked.length = 0;
    const ask = () => permissions.canWrite(api, stage.repository, 'Mara');
    expect(await Promise.all([ask(), ask()])).toEqual([true, true]);
    now = 59_999;
    await ask();
    expect(stage.asked).toHaveLength(1);
    now = 60_000;
    await ask();
    expect(stage.asked).toHaveLength(2);
  });

  it('that could not be asked are asked again', async () => {
    const permissions = new Permissions();
    const api = await stage.api();
    stage.fault({ on: /^GET .*\/permission$/, status: 500 });
    await expect(permissions.of(api, stage.repository, 'mara')).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await permissions.of(api, stage.repository, 'mara')).toBe('write');
  });

  it.each([
    ['none', false],
    ['read', false],
    ['triage', false],
    ['write', true],
    ['maintain', true],
    ['admin', true],
  ] as const)('%s may command: %s', (permission, may) => {
    expect(canWrite(permission)).toBe(may);
  });
});
