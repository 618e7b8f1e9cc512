import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { giveUpRun, quarantineRun } from '../../../src/run/quarantine.ts';
import { replayTape } from '../../../src/run/replay/replay.ts';
import { readTape, writeTape } from '../../../src/run/replay/tape-file.ts';
import { quarantineDelegation } from '../../../src/session/delegation.ts';
import { House } from '../../session/house.ts';
import { recordOf, together } from './recorded.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

const WHAT = 'its process ended 7 times';

/** A run whose delegations hang, given up as told, and then driven to its end. */
async function recordGivenUp(giveUp: (run: string, delegations: string[]) => Promise<void>) {
  let hangs = true;
  house.play = (scene) =>
    hangs && /worker 2/.test(scene.told) && !scene.coordinates ? new Promise<never>(() => {}) : together.play(scene);
  const run = await house.begin(together.start());
  const frozen = house.process();
  void frozen.drive(run).catch(() => {});
  let open: string[] = [];
  while (open.length < 2) open = await frozen.openDelegations(run);
  const isEnded = async (id = '') => (await house.entries(id)).at(-1)?.type === 'delegation.ended';
  while (!(await isEnded(open[0]))) await new Promise((resolve) => setTimeout(resolve, 5));
  hangs = false;
  await giveUp(run, open);
  expect(await house.process().drive(run)).toBeNull();
  const tape = readTape(Buffer.from(writeTape(await recordOf(house, run), '0.0.0')));
  return { run, tape };
}

describe('the replay of what was given up from outside', () => {
  it('takes the end of a delegation over, and derives what its run made of it', async () => {
    const { services } = house.process();
    const { tape } = await recordGivenUp((_, [, second = '']) => quarantineDelegation(services, second, WHAT));
    const replay = await replayTape(tape, { prompts: true });
    expect(replay.difference).toBeNull();
    expect(replay.givenUp).toEqual([expect.stringContaining(WHAT)]);
  });

  it('takes the end of a step over, and derives the end of its run', async () => {
    const { services } = house.process();
    const { run, tape } = await recordGivenUp((id) => quarantineRun(services, id, WHAT));
    expect(await house.end(run)).toMatchObject({ state: 'Failed', reason: expect.stringContaining(WHAT) });
    const replay = await replayTape(tape, { prompts: true });
    expect(replay.difference).toBeNull();
    expect(replay.isWhole).toBe(true);
    expect(replay.givenUp).toHaveLength(1);
  });

  it('finds nothing to derive where the journal was set aside', async () => {
    const { services } = house.process();
    const { tape } = await recordGivenUp((id) => giveUpRun(services, id, WHAT));
    const replay = await replayTape(tape, { prompts: true });
    expect(replay).toMatchObject({ difference: null, isWhole: true, givenUp: [expect.stringContaining('cannot be shown')] });
  });

  it('still shows where what came before it differs', async () => {
    const { services } = house.process();
    const { run, tape } = await recordGivenUp((id) => quarantineRun(services, id, WHAT));
    const entries = tape.journals.get(run) ?? [];
    const at = entries.findIndex((entry) => entry.type === 'status');
    tape.journals.set(
      run,
      entries.map((entry, k) => (k === at ? ({ ...entry, message: 'otherwise' } as typeof entry) : entry)),
    );
    expect((await replayTape(tape, { prompts: true })).difference).toMatchObject({ entry: at + 1 });
  });
});
