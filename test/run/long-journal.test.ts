import { afterAll, beforeAll, expect, it } from 'vitest';
import { MOST_ENTRIES } from '../../src/journal/journal.ts';
import { agentStep, House, startOf } from '../session/house.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

async function fill(run: string, from: number, to: number): Promise<void> {
  const journal = await house.store.journals.open(run);
  for (let at = from; at < to; at += 2_000) {
    const count = Math.min(2_000, to - at);
    await journal.append(...Array.from({ length: count }, (_, k) => ({ type: 'noted' as const, key: `filler/${at + k}`, value: null })));
  }
}

it('a run whose journal is full comes to an orderly end: a word at nine tenths, a last turn, and no further step', async () => {
  const run = await house.begin(startOf({ steps: [agentStep('first'), agentStep('second')] }));
  await fill(run, 1, Math.floor(MOST_ENTRIES * 0.9));
  let filled = false;
  house.play = async ({ turn, told }) => {
    if (told.includes('This is your last turn')) return { text: 'what there is' };
    if (!filled) await fill(run, Math.floor(MOST_ENTRIES * 0.9), MOST_ENTRIES - 100);
    filled = true;
    return { calls: [{ name: 'update_status', input: { message: `turn ${turn}` } }] };
  };
  let waits: string | null = 'not begun';
  for (let tries = 0; waits !== null && tries < 5; tries++)
    waits = await house
      .process()
      .drive(run)
      .catch(() => 'lost its journal to the test');
  const entries = JSON.stringify((await house.entries(run)).filter((entry) => entry.type === 'noted' && entry.key.startsWith('step/')));
  expect(entries).toContain(`Nine tenths of its limit of ${MOST_ENTRIES} entries of its journal are used up`);
  expect(entries).toContain(`its limit of ${MOST_ENTRIES} entries of its journal is reached`);
  expect(await house.steps(run)).toEqual({ first: 'Completed', second: 'Canceled' });
  expect(await house.end(run)).toMatchObject({
    state: 'Timeout',
    reason: `the limit of ${MOST_ENTRIES} entries of a run's journal is reached`,
    message: 'what there is',
  });
  expect((await house.entries(run)).length).toBeLessThan(MOST_ENTRIES + 100);
});
