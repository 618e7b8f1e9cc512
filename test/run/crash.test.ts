import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Entry } from '../../src/journal/entry.ts';
import { treeOf } from '../../src/journal/view.ts';
import { agentOf, agentStep, Crash, type Death, eventOn, House, type Play, pullOf, session, startOf } from '../session/house.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

const AGENT = agentOf('a', { tools: ['write_file', 'append_file', 'list_dir', 'add_comment_to_pull_request'] });
const START = () =>
  startOf(
    {
      steps: [session('s'), agentStep('say')],
      flow: [
        { from: '', to: 's' },
        { from: 's', to: 'say' },
      ],
    },
    { agents: [AGENT], event: eventOn(pullOf(1)) },
  );

/** A session with two workers that write files and a shared note, then a step that comments. Known by the conversation alone. */
const play: Play = ({ coordinates, turn, told, results }) => {
  const call = (name: string, input: object) => ({ name, input });
  if (coordinates) {
    if (turn === 0)
      return { calls: [call('update_status', { message: 'begun' }), call('write_scratchpad', { name: 'plan', content: 'two parts' })] };
    if (turn === 1)
      return { calls: ['worker 1', 'worker 2'].map((instructions) => call('delegate_to_sub_agent', { agentId: 'a', instructions })) };
    return { calls: [call('task_completed', { message: results.map((one) => one.text).join(' and ') })] };
  }
  const who = /worker (\d)/.exec(told)?.[1];
  if (who) {
    if (turn > 0) return { text: `part ${who}` };
    return {
      calls: [
        call('write_file', { path: `${who}.txt`, content: who }),
        call('append_scratchpad', { name: `notes-${who}`, content: `by ${who}` }),
      ],
    };
  }
  return turn === 0 ? { calls: [call('add_comment_to_pull_request', { body: 'Looked at it.' })] } : { text: 'said' };
};

/** What a run left behind, without times and names that are the run's own. */
async function remainsOf(run: string) {
  const plain = (text: string) => text.replaceAll(run, 'RUN').replace(/call_[\w-]+/g, 'CALL');
  const strip = (entries: Entry[]) =>
    entries
      .slice(1)
      .map((entry) => plain(JSON.stringify({ ...entry, at: 0, ms: 0 })))
      .sort();
  const entries = await house.entries(run);
  const queued = entries.flatMap((entry) => (entry.type === 'delegation.queued' ? [entry.delegation] : []));
  const pads = house.store.pads(run);
  return {
    entries: strip(entries),
    delegations: await Promise.all(queued.sort().map(async (id) => strip(await house.entries(id)))),
    effects: [...house.effects.keys()]
      .filter((key) => key.includes(run))
      .map(plain)
      .sort(),
    tree: treeOf({ checkouts: [], changes: {} }, entries),
    pads: await Promise.all((await pads.list()).map(async ({ name }) => [name, await pads.read(name)])),
  };
}

async function play1(death: Death | null): Promise<{ run: string; appends: number; asked: number; died: boolean }> {
  house.asked = [];
  house.play = play;
  const run = await house.begin(START());
  const first = house.process(death);
  const fate = await first.drive(run).catch((error: unknown) => error);
  if (fate !== null && !(fate instanceof Crash)) throw fate;
  if (first.dead) expect(await house.process().drive(run)).toBeNull();
  return { run, appends: first.appends, asked: house.asked.length, died: first.dead };
}

it('a run whose process dies at any append, before or after it is written, leaves the same behind as one that lived', async () => {
  const whole = await play1(null);
  const remains = await remainsOf(whole.run);
  expect(remains.effects).toHaveLength(1);
  expect(remains.pads).toEqual([
    ['notes-1', 'by 1'],
    ['notes-2', 'by 2'],
    ['plan', 'two parts'],
  ]);
  expect(Object.keys(remains.tree.changes).sort()).toEqual(['1.txt', '2.txt']);
  expect(await house.end(whole.run)).toMatchObject({ state: 'Completed', message: 'said' });
  expect(whole.appends).toBeGreaterThan(25);
  let died = 0;
  for (const after of [false, true]) {
    for (let at = 1; at <= whole.appends; at++) {
      const again = await play1({ at, after });
      if (again.died) died++;
      expect(await remainsOf(again.run), `append ${at} ${after ? 'after' : 'before'}`).toEqual(remains);
      expect(again.asked).toBeLessThanOrEqual(whole.asked + 2);
      house.asked = [];
      expect(await house.process().drive(again.run)).toBeNull();
      expect(house.asked).toEqual([]);
    }
  }
  expect(died).toBe(2 * whole.appends);
});
