import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { House } from '../session/house.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

const note = (key: string) => ({ type: 'noted' as const, key, value: null });

it('counts starts without an end, remembers how the last was seen to end, and begins anew with every new entry', async () => {
  const { starts, journals } = house.store;
  const id = randomUUID();
  await journals.create(id, note('start'));
  expect(await starts.begin(id)).toEqual({ count: 0, failures: 0, since: 0, how: '' });
  expect(await starts.begin(id)).toEqual({ count: 1, failures: 0, since: 0, how: '' });
  await starts.end(id);
  await starts.died(id, 'exit code 9');
  expect(await starts.begin(id)).toEqual({ count: 1, failures: 0, since: 0, how: 'exit code 9' });
  await (await journals.open(id)).append(note('further'));
  expect(await starts.begin(id)).toEqual({ count: 0, failures: 0, since: 0, how: '' });
  await starts.end(id);
  await starts.end(id);
  await starts.died(id, 'late');
  expect(await starts.begin(id)).toEqual({ count: 0, failures: 0, since: 0, how: '' });
});
