import { describe, expect, it } from 'vitest';
import type { Listed } from '../../src/github/discovery.ts';
import type { RunStart, Trust } from '../../src/journal/entry.ts';
import { isListed, mayReach } from '../../src/run/reach.ts';
import type { Services } from '../../src/session/services.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { eventOn, REPOSITORY } from '../session/house.ts';

const READERS = ['ana', 'ben'];

function servicesWith(clonesFrom: string[]): Services {
  const github = { discovery: () => ({ canRead: async (_: unknown, login: string) => READERS.includes(login) }) };
  return { settings: { ...defaultSettings(), clonesFrom }, github } as unknown as Services;
}

const listed = (fullName: string, isPrivate: boolean): Listed => {
  const [owner = '', name = ''] = fullName.split('/');
  const repository = { ...REPOSITORY, id: fullName === 'acme/app' ? REPOSITORY.id : 99, fullName, owner, name, private: isPrivate };
  return { repository, description: '', language: '', topics: [] };
};

const person = (login: string, bot = false) => ({ id: 1, login, bot });

function startWith(own: 'private' | 'public', trust: Trust, [actor, author]: [string, string | null]): RunStart {
  const repository = { ...REPOSITORY, private: own === 'private' };
  return {
    trust,
    event: eventOn(undefined, { repository, actor: person(actor), author: author === null ? null : person(author) }),
  } as RunStart;
}

type Row = [
  own: 'private' | 'public',
  trust: Trust,
  actor: string,
  author: string | null,
  target: string,
  listedNames: string[],
  may: boolean,
];

const ROWS: Row[] = [
  ['private', 'trusted', 'mallory', 'mallory', 'own', [], true],
  ['public', 'untrusted', 'mallory', 'mallory', 'own', [], true],
  ['public', 'untrusted', 'mallory', 'mallory', 'public', [], true],
  ['private', 'trusted', 'mallory', 'mallory', 'public', [], true],
  ['private', 'trusted', 'ana', 'ana', 'private', [], true],
  ['private', 'trusted', 'ana', 'ben', 'private', [], true],
  ['private', 'trusted', 'ana', null, 'private', [], true],
  ['private', 'trusted', 'mallory', 'ana', 'private', [], false],
  ['private', 'trusted', 'ana', 'mallory', 'private', [], false],
  ['private', 'untrusted', 'ana', 'ana', 'private', [], false],
  ['public', 'trusted', 'ana', 'ana', 'private', [], false],
  ['public', 'trusted', 'ana', 'mallory', 'private', ['acme/secret'], true],
  ['public', 'trusted', 'ana', 'mallory', 'private', ['ACME/*'], true],
  ['public', 'trusted', 'ana', 'ana', 'private', ['acme/other', 'acm/*'], false],
  ['public', 'untrusted', 'mallory', 'mallory', 'private', ['acme/secret'], false],
];

describe('what a run may look into', () => {
  it.each(ROWS)(
    'from a %s repository, %s, caused by %s, of %s: %s with %j is %s',
    async (own, trust, actor, author, target, names, may) => {
      const one = target === 'own' ? listed('acme/app', own === 'private') : listed('acme/secret', target === 'private');
      expect(await mayReach(servicesWith(names), startWith(own, trust, [actor, author]), one)).toBe(may);
    },
  );

  it.each([
    [['acme/lib'], 'Acme/Lib', true],
    [['acme/*'], 'acme/lib', true],
    [['*'], 'acme/lib', false],
    [['acme/li'], 'acme/lib', false],
    [[], 'acme/lib', false],
  ])('%j lists %s: %s', (names, fullName, is) => expect(isListed(names, fullName)).toBe(is));
});
