import { expect, it } from 'vitest';
import { brokenIn } from './invariants.ts';
import { SABOTAGES } from './sabotage.ts';
import { simulate } from './world.ts';

/** `SEED=17 npx vitest run test/simulation` plays one seed and shows all that happens in it; `npm run simulate` plays many. */
const SEED = process.env.SEED === undefined ? null : Number(process.env.SEED);
const SEEDS = 200;
const MOST_TO_NOTICE = 500;

it.runIf(SEED !== null)(`seed ${SEED} keeps what is promised`, async () => {
  const remains = await simulate(SEED ?? 0, { trace: true });
  process.stdout.write(`${remains.works.trace?.join('\n')}\n`);
  expect(brokenIn(remains)).toEqual([]);
});

it.skipIf(SEED !== null)(
  `${SEEDS} seeds keep what is promised`,
  async () => {
    const broken: Record<string, string[]> = {};
    for (let seed = 1; seed <= SEEDS; seed++) {
      const found = brokenIn(await simulate(seed));
      if (found.length > 0) broken[`SEED=${seed} npx vitest run test/simulation`] = found;
    }
    expect(broken).toEqual({});
  },
  900_000,
);

it.skipIf(SEED !== null)('an entry after the end of a run is noticed', async () => {
  const remains = await simulate(1);
  const [run = ''] = remains.shelf.runs.keys();
  const late = { from: remains.shelf.streams.length(run) + 1, nonce: 'late', drafts: [{ type: 'noted' as const, key: 'late', value: 1 }] };
  expect(remains.shelf.streams.write(run, late)).not.toBeNull();
  expect(brokenIn(remains)).toEqual([`${run} was written to after its end`]);
});

it.skipIf(SEED !== null).each(Object.entries(SABOTAGES))(
  'a simulation notices that something is switched off: %s, and a seed that fails fails alike again',
  async (_, { breaks, sabotage }) => {
    for (let seed = 1; seed <= MOST_TO_NOTICE; seed++) {
      const broken = brokenIn(await simulate(seed, { sabotage }));
      const noticed = broken.find((line) => breaks.test(line));
      if (noticed === undefined) continue;
      const [one, other] = [await simulate(seed, { sabotage, trace: true }), await simulate(seed, { sabotage, trace: true })];
      expect(one.works.trace?.length).toBeGreaterThan(10);
      expect(other.works.trace).toEqual(one.works.trace);
      expect([brokenIn(one), brokenIn(other)]).toEqual([broken, broken]);
      process.stdout.write(`noticed at seed ${seed}: ${noticed}\n`);
      return;
    }
    throw new Error(`${MOST_TO_NOTICE} seeds noticed nothing`);
  },
  900_000,
);
