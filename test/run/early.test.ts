import { afterAll, beforeAll, expect, it } from 'vitest';
import { replayTape } from '../../src/run/replay/replay.ts';
import { advanceRun } from '../../src/run/run.ts';
import { stepOrder } from '../../src/session/order-to-end.ts';
import { agentStep, House, session, startOf } from '../session/house.ts';
import { recordOf } from './replay/recorded.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

const REASON = '@ana pressed "Post now"';

/** A run whose first step is told to end while it is at work, with these findings in its draft. */
async function run(findings: number, when: 'between turns' | 'in its last turn') {
  const flow = [
    { from: '', to: 's' },
    { from: 's', to: 'after' },
  ];
  const start = startOf({ steps: [session('s'), agentStep('after')], flow });
  const id = await house.begin(start);
  for (let k = 0; k < findings; k++)
    await house.store.drafts.add(id, { id: `f${k}`, path: 'a.txt', side: 'RIGHT', line: 1, body: `b${k}`, rung: 'line', key: `k${k}` });
  const order = () => house.store.cancels.order([{ id: stepOrder(id, 'step/s'), reason: REASON }]);
  house.play = async ({ coordinates, told, turn }) => {
    if (!coordinates) return { text: 'went on' };
    if (turn === (when === 'between turns' ? 0 : 1)) await order();
    if (told.includes('This is your last turn') || turn > 0) return { calls: [{ name: 'task_completed', input: { message: 'so far' } }] };
    return { calls: [{ name: 'update_status', input: { message: 'at work' } }] };
  };
  return id;
}

const posted = (id: string) =>
  [...house.effects].flatMap(([key, { effect }]) => (key.startsWith(id) && effect.type === 'review.submit' ? [effect.body] : []));

it.each([
  ['between turns', 2, ['**Partial review.** @ana pressed "Post now". Found until then: 2 findings.'], REASON],
  ['between turns', 0, [], REASON],
  ['in its last turn', 1, ['**Partial review.** @ana pressed "Post now". Found until then: 1 finding.'], ''],
] as const)(
  'a step that is told %s to end posts its %i findings once, and the run goes on behind it',
  async (when, findings, bodies, reason) => {
    const id = await run(findings, when);
    house.onEffect = (effect) => {
      if (effect.type === 'review.submit')
        for (let k = 0; k < findings; k++) void house.store.drafts.markPosted(id, `f${k}`, { review: 1, comment: k, rung: 'line' });
      return { status: 'done', result: {} };
    };
    expect(await house.process().drive(id)).toBeNull();
    await advanceRun(house.process().services, id, new AbortController().signal);
    expect(posted(id)).toEqual(bodies);
    const ends = await house.entriesOf(id, 'step.ended');
    expect(ends.map(({ step, state, reason: why }) => [step, state, why])).toEqual([
      ['s', 'Completed', reason],
      ['after', 'Completed', ''],
    ]);
    const replay = await replayTape(await recordOf(house, id), { prompts: true });
    expect(replay.difference).toBeNull();
    expect(replay.isWhole).toBe(true);
  },
);
