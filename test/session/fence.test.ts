import { afterAll, beforeAll, expect, it } from 'vitest';
import { whileOpen } from '../../src/session/fence.ts';
import { agentStep, delegationOf, House, startOf } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

it('what a run or a delegation wants to write is written while both are open, and not after the end of either', async () => {
  const { journals } = house.store;
  const run = await house.begin(startOf({ steps: [agentStep('a')] }));
  const [one, two] = ['one', 'two'].map((name) => `${run}~${name}`) as [string, string];
  const open = (id: string) => whileOpen(house.store, run, id)();
  const journal = await journals.open(run);
  for (const delegation of [one, two])
    await journals.create(delegation, { type: 'delegation.started', start: delegationOf({ run, delegation }) });
  const end = { status: 'completed' as const, result: '', turns: 1, calls: {}, usage: {}, changes: {} };
  expect(await Promise.all([run, one, two].map(open))).toEqual([true, true, true]);
  const ended = { type: 'delegation.ended' as const, key: 'end', delegation: one, end };
  await (await journals.open(one)).append(ended);
  await journal.append(ended);
  expect(await Promise.all([run, one, two].map(open))).toEqual([true, false, true]);
  await journal.append({ type: 'run.ended', state: 'Completed', reason: '', message: '' });
  expect(await Promise.all([run, one, two].map(open))).toEqual([false, false, false]);
  expect(await whileOpen(house.store, 'gone')()).toBe(false);
});
