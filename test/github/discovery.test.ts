import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Discovery, makeDiscovery } from '../../src/github/discovery.ts';
import { Permissions } from '../../src/github/permission.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let discovery: Discovery;

beforeAll(async () => {
  stage = await openStage({ 'a.txt': 'a\n' });
  const { github, app, installation } = stage;
  for (const [name, options] of Object.entries({
    'harbour/ledger': { description: 'Books every payment', private: true },
    'harbour/site': { description: 'The public site', private: false },
  })) {
    await github.createRepository(name, { 'a.txt': name }, options);
    github.install(name);
  }
  await github.createRepository('harbour/uninstalled', { 'a.txt': 'x' }, { private: false });
  await github.createRepository('elsewhere/own', { 'a.txt': 'x' }, { private: false });
  github.install('elsewhere/own');
  github.person('lena', { 'harbour/ledger': 'read' });
  const api = app.discovery(installation);
  const installationOf = (name: string) => app.installationOf(name);
  discovery = makeDiscovery({ installation, api, installationOf, permissions: new Permissions() });
});
afterAll(() => stage.close());

describe('discovery', () => {
  it('lists what the installation has, with a token that reads metadata of all of it and nothing else', async () => {
    const listed = await discovery.list();
    expect(listed.map(({ repository }) => repository.fullName).sort()).toEqual(['harbour/ledger', 'harbour/site', 'harbour/tidewater']);
    const ledger = listed.find(({ repository }) => repository.name === 'ledger');
    expect(ledger).toMatchObject({ description: 'Books every payment', repository: { private: true, owner: 'harbour' } });
    expect(stage.tokens()).toEqual([{ permissions: { metadata: 'read' } }]);
  });

  it.each([
    ['harbour/ledger', 'harbour/ledger'],
    ['HARBOUR/Ledger', 'harbour/ledger'],
    ['harbour/uninstalled', null],
    ['elsewhere/own', null],
    ['harbour/nothing', null],
    ['harbour', null],
    ['../harbour/ledger', null],
    ['harbour/ledger/../site', null],
  ])('finds %s only in its own installation: %s', async (name, found) => {
    expect((await discovery.find(name))?.repository.fullName ?? null).toBe(found);
  });

  it.each([
    ['lena', 'harbour/ledger', true],
    ['mara', 'harbour/ledger', false],
    ['nobody-at-all', 'harbour/ledger', false],
    ['mara', 'harbour/site', true],
  ])('knows whether @%s may read %s: %s', async (login, name, may) => {
    const found = await discovery.find(name);
    expect(found && (await discovery.canRead(found.repository, login))).toBe(may);
  });
});
