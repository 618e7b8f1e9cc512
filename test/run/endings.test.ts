import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { ModelRefused, ModelUnavailable } from '../../src/agent/model.ts';
import { resourceKey } from '../../src/journal/resource.ts';
import { viewRun } from '../../src/journal/view.ts';
import { sendToSession } from '../../src/run/letters.ts';
import { conclusionOf } from '../../src/run/report-text.ts';
import { graceFor } from '../../src/session/grace.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { commentOn, eventOn, House, over, pullOf, session, startOf } from '../session/house.ts';

let house: House;
let number = 5_000;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());
afterEach(() => {
  house.asked = [];
  house.settings = defaultSettings();
});

const MINUTE = 60_000;
const work = { text: 'found one', calls: [{ name: 'list_scratchpads', input: {} }] };
const done = { calls: [{ name: 'task_completed', input: { message: 'all done' } }] };

interface Ending {
  /** What befalls the session before its second turn. */
  befall?(run: string, pull: number): Promise<unknown>;
  /** The session's answer to its second turn, where it has one. */
  second?: () => typeof done;
  params?: object;
  more?: object;
  definition?: object;
  settings?(): void;
  /** How far the clock is ahead from the second turn on. */
  ahead?: number;
}

const order = (reason: string) => (run: string) => house.store.cancels.order([{ id: run, reason }]);

it.each<[string, Ending, [step: string, run: string, conclusion: string, partial: string | null, message: string]]>([
  ['task_completed', { second: () => done }, ['Completed', 'Completed', 'success', null, 'all done']],
  [
    'an exit signal',
    {
      params: { listenToComments: true, exitCriteria: { timeLimit: { maxDurationMinutes: 30 }, userSignals: { explicit: ['/done'] } } },
      befall: (_, pull) =>
        sendToSession(house.process().services, commentOn(pull, { id: pull * 10, text: '/done' }), {
          canWrite: async () => true,
          lookBefore: async () => undefined,
        }),
    },
    ['Completed', 'Completed', 'neutral', 'step "s" ended early: @ana ended it with "/done"', 'last words'],
  ],
  [
    'its time limit',
    { params: { exitCriteria: { timeLimit: { maxDurationMinutes: 5 } } }, ahead: 6 * MINUTE },
    ['Completed', 'Completed', 'neutral', 'step "s" ended early: the session\'s time limit of 5 minutes is over', 'last words'],
  ],
  [
    "the step's limit",
    { params: { exitCriteria: { timeLimit: { maxDurationMinutes: 50 } } }, more: { stepMaxDurationMinutes: 3 }, ahead: 6 * MINUTE },
    ['Completed', 'Completed', 'neutral', 'step "s" ended early: the step\'s limit of 3 minutes is over', 'last words'],
  ],
  [
    "the run's limit",
    { params: { exitCriteria: { timeLimit: { maxDurationMinutes: 50 } } }, definition: { timeoutMs: 2 * MINUTE }, ahead: 6 * MINUTE },
    ['Completed', 'Completed', 'neutral', 'step "s" ended early: the run\'s limit of 2 minutes is over', 'last words'],
  ],
  [
    'the number of turns',
    { settings: () => void (house.settings.limits.session.turns = 1) },
    ['Completed', 'Completed', 'neutral', 'step "s" ended early: its limit of 1 turns is reached', 'last words'],
  ],
  [
    'a budget',
    { settings: () => void (house.settings.limits.run.turns = 1) },
    ['Completed', 'Completed', 'neutral', 'step "s" ended early: the budget of this run (1 of 1 turns) is reached', 'last words'],
  ],
  ['/cancel', { befall: order('cancelled by @ana') }, ['Completed', 'Cancelled', 'cancelled', 'cancelled by @ana', 'last words']],
  [
    'the pull request being closed',
    { befall: order('the pull request was closed') },
    ['Completed', 'Cancelled', 'cancelled', 'the pull request was closed', 'last words'],
  ],
  [
    'an error that retries do not cure',
    {
      second: () => {
        throw new ModelRefused('the key was not accepted');
      },
    },
    ['Failed', 'Failed', 'failure', 'step "s": the key was not accepted', ''],
  ],
  [
    'a model that is away until after its time and the grace period',
    {
      params: { exitCriteria: { timeLimit: { maxDurationMinutes: 5 } } },
      settings: () => void (house.settings.gracePeriodSeconds = 0),
      ahead: 6 * MINUTE,
      second: () => {
        throw new ModelUnavailable('overloaded', Date.now() + 1);
      },
    },
    ['Completed', 'Completed', 'neutral', 'step "s" ended early: the session\'s time limit of 5 minutes is over', 'found one'],
  ],
])('a session that ends by %s', async (_, ending, [step, state, conclusion, partial, message]) => {
  ending.settings?.();
  const pull = ++number;
  const steps = [session('s', ending.params ?? {}, ending.more ?? {})];
  const start = startOf({ steps, ...ending.definition }, { event: eventOn(pullOf(pull)) });
  const { run } = start;
  await house.begin(start);
  const finding = { id: `f${run}`, path: 'a.ts', side: 'RIGHT' as const, line: 1, body: 'wrong', rung: 'line' as const, key: 'k' };
  await house.store.drafts.add(run, finding);
  house.play = async ({ told, turn }) => {
    if (turn > 0 && ending.second) return ending.second();
    if (told.includes('This is your last turn')) return { text: 'last words' };
    if (turn === 0) await ending.befall?.(run, pull);
    return work;
  };
  const process = house.process();
  const late = over(process.services.store, { now: async () => Date.now() + (house.asked.length > 0 ? (ending.ahead ?? 0) : 0) });
  Object.assign(process.services, { store: late });
  for (let tries = 0; tries < 4 && (await process.drive(run)) !== null; tries++);
  const view = viewRun(await house.entries(run));
  expect([await house.steps(run), view?.state, view?.message]).toEqual([{ s: step }, state, message]);
  expect(view?.reason).toBe(partial ?? '');
  expect(view && conclusionOf({ view, findings: [], priceOf: () => null, now: 1 })).toBe(conclusion);
  const review = house.effects.get(`${run}:leftovers`)?.effect;
  const body = review?.type === 'review.submit' ? review.body : '';
  expect(body).toMatch(partial ? /^\*\*Partial review\.\*\* / : /^These 1 findings were recorded/);
  if (partial) expect(body).toContain(partial);
  expect(await house.store.mailboxes.recipients(resourceKey(start.event.resource))).toEqual([]);
});

it.each([
  ['the pull request was closed', 60, 5],
  ['the pull request was merged', 60, 5],
  ['the pull request was closed', 2, 2],
  ['cancelled by @ana', 60, 60],
  [null, 60, 60],
])('a last turn because of %s has, of %i s, %i', (reason, gracePeriodSeconds, seconds) => {
  expect(graceFor({ gracePeriodSeconds }, reason)).toBe(seconds * 1000);
});

it('a last turn of a closed pull request that does not come is given up after five seconds', async () => {
  const start = startOf({ steps: [session('s')] }, { event: eventOn(pullOf(++number)) });
  await house.begin(start);
  const process = house.process();
  let ahead = 0;
  Object.assign(process.services, { store: over(process.services.store, { now: async () => Date.now() + ahead }) });
  house.play = async ({ told, turn }) => {
    if (turn === 0) await order('the pull request was closed')(start.run);
    if (!told.includes('This is your last turn')) return work;
    ahead += 6_000;
    throw new ModelUnavailable('overloaded', Date.now() + 1);
  };
  for (let tries = 0; tries < 4 && (await process.drive(start.run)) !== null; tries++);
  expect((await house.end(start.run))?.state).toBe('Cancelled');
});
