import { expect, it } from 'vitest';
import { keepReadable } from '../../src/github/audience.ts';

it('leaves out strangers, but not the author nor the app, and asks once per person', async () => {
  const asked: string[] = [];
  const audience = {
    author: 'Vera',
    self: 'pitwall[bot]',
    mayBeRead: async (login: string) => asked.push(login) > 0 && login === 'mara',
  };
  const items = ['mara', 'vera', 'pitwall[bot]', 'troll', 'mara', 'troll', 'pitwall'].map((author, id) => ({ author, id }));
  const { items: kept, hidden } = await keepReadable(items, audience);
  expect(kept.map(({ id }) => id)).toEqual([0, 1, 2, 4]);
  expect(hidden).toBe(3);
  expect(asked.sort()).toEqual(['mara', 'pitwall', 'troll']);
});

it('fails where it cannot be found out', async () => {
  const audience = { author: 'a', self: 'b', mayBeRead: () => Promise.reject(new Error('GitHub is away')) };
  await expect(keepReadable([{ author: 'c' }], audience)).rejects.toThrow('GitHub is away');
});
