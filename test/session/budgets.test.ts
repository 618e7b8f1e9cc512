import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunStart } from '../../src/journal/entry.ts';
import { resourceKey } from '../../src/journal/resource.ts';
import { dayAccounts, dayIn } from '../../src/session/accounts.ts';
import { defaultSettings, type Limits } from '../../src/workflow/settings.ts';
import { agentStep, House, REPOSITORY, session, startOf } from './house.ts';

let house: House;
let repositories = 100;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());
afterEach(() => {
  house.asked = [];
  house.settings = defaultSettings();
});

/** A turn of the model costs 12 tokens here. */
const TURN = 12;

function limit(limits: { [K in keyof Limits]?: Partial<Limits[K]> }): void {
  for (const [name, row] of Object.entries(limits)) Object.assign(house.settings.limits[name as keyof Limits], row);
}

/** A run on a repository of its own, or on a given one. */
function runOn(repository: number, definition: { steps: object[]; [key: string]: unknown }): RunStart {
  const start = startOf(definition);
  const named = { ...REPOSITORY, id: repository };
  return {
    ...start,
    event: { ...start.event, installation: repository, repository: named, resource: { ...start.event.resource, repository: named } },
  };
}

async function spentToday(start: RunStart): Promise<(number | undefined)[]> {
  const { store, settings } = house.process().services;
  return (await store.budgets.look(dayAccounts(settings, start, Date.now()))).map(({ tokens }) => tokens);
}

const look = { calls: [{ name: 'list_dir', input: {} }] };
const lastWords = (told: string) => told.includes('This is your last turn');

describe('a budget of the day', () => {
  it('is one for all runs of a repository: at its end each has its last turn, and what there is is partial', async () => {
    limit({ repository: { tokens: 2_600 } });
    house.play = ({ told }) => (lastWords(told) ? { text: 'half of it' } : look);
    const repository = ++repositories;
    const starts = [1, 2, 3].map(() => runOn(repository, { steps: [agentStep('a')] }));
    const process = house.process();
    await Promise.all(starts.map(async (start) => process.drive(await house.begin(start))));
    const ends = await Promise.all(starts.map(({ run }) => house.end(run)));
    for (const end of ends) expect(end).toMatchObject({ state: 'Completed', message: 'half of it' });
    for (const end of ends)
      expect(end?.reason).toMatch(/^step "a" ended early: the budget of this repository today \([\d,]+ of 2,600 tokens\) is reached$/);
    expect((await spentToday(starts[0] as RunStart))[0]).toBe(house.asked.length * TURN);
  });

  it.each(['repository', 'organization', 'app'] as const)(
    'of the %s that is used up lets no run begin, and the run says so',
    async (name) => {
      house.play = () => ({ text: 'done' });
      const repository = ++repositories;
      const first = runOn(repository, { steps: [agentStep('a')] });
      await house.process().drive(await house.begin(first));
      const used = (await spentToday(first))[['repository', 'organization', 'app'].indexOf(name)] ?? 0;
      limit({ [name]: { tokens: used } });
      house.asked = [];
      const late = runOn(repository, { steps: [agentStep('a')] });
      await house.process().drive(await house.begin(late));
      expect(house.asked).toEqual([]);
      const end = await house.end(late.run);
      expect(end?.state).toBe('Skipped');
      expect(end?.reason).toMatch(
        /^budget: the budget of this (repository|organization|app) today \(.*\) is used up; it is whole again at midnight \(UTC\)$/,
      );
      const [decision] = await house.store.decisions.list(repository, resourceKey(late.event.resource));
      expect(decision).toMatchObject({ run: late.run, verdict: 'not matched', reason: end?.reason });
    },
  );

  it('limits delegations of all runs together, each refused alone', async () => {
    limit({ repository: { delegations: 3 } });
    const delegate = { name: 'delegate_to_sub_agent', input: { agentId: 'a', instructions: 'x' } };
    house.play = ({ coordinates, turn }) => {
      if (!coordinates) return { text: 'x' };
      return turn === 0 ? { calls: [delegate, delegate] } : { calls: [{ name: 'task_completed', input: { message: 'ok' } }] };
    };
    const repository = ++repositories;
    const starts = [1, 2, 3].map(() => runOn(repository, { steps: [session('s')] }));
    for (const start of starts) await house.process().drive(await house.begin(start));
    const queued = await Promise.all(starts.map(async ({ run }) => (await house.entriesOf(run, 'delegation.queued')).length));
    expect(queued).toEqual([2, 1, 0]);
    const refused = (await house.entriesOf((starts[2] as RunStart).run, 'call.ended'))[0];
    expect(refused?.result.text).toBe(
      'Not delegated: the budget of this repository today (3 of 3 delegations) is reached. Finish with what there is.',
    );
  });

  it('stands in the record of a run as it was at its end', async () => {
    limit({ repository: { dollars: 5, minutes: 90 } });
    house.play = () => ({ text: 'done' });
    const start = runOn(++repositories, { steps: [agentStep('a')] });
    await house.process().drive(await house.begin(start));
    expect((await house.end(start.run))?.budgets).toEqual([
      { of: 'this run', text: '12 of 50,000,000 tokens, $0.00 of $50.00' },
      { of: 'this repository today', text: '$0.00 of $5.00, 0.0 of 90.0 minutes' },
    ]);
  });
});

describe('a limit of a repository', () => {
  it('that narrows the one of the app holds for its runs', async () => {
    house.play = ({ told }) => (lastWords(told) ? { text: 'cut' } : look);
    const limits = { ...house.settings.limits, session: { ...house.settings.limits.session, turns: 2 } };
    const start = { ...runOn(++repositories, { steps: [agentStep('a')] }), limits };
    await house.process().drive(await house.begin(start));
    expect((await house.end(start.run))?.reason).toBe('step "a" ended early: its limit of 2 turns is reached');
    expect(house.asked).toHaveLength(3);
  });

  it('on the tokens of a session counts its delegations too', async () => {
    limit({ session: { tokens: 2_100 } });
    house.play = ({ coordinates, told }) => {
      if (!coordinates) return { text: 'x' };
      return lastWords(told)
        ? { text: 'cut' }
        : { calls: [{ name: 'delegate_to_sub_agent', input: { agentId: 'a', instructions: 'x'.repeat(40) } }] };
    };
    const start = runOn(++repositories, { steps: [session('s')] });
    await house.process().drive(await house.begin(start));
    expect((await house.end(start.run))?.reason).toMatch(/^step "s" ended early: the budget of this session \(.* tokens\) is reached$/);
  });
});

it('the word that a limit is near reaches its agent once, wherever the process dies', async () => {
  limit({ session: { turns: 10 } });
  house.play = ({ turn }) => (turn < 9 ? look : { text: 'done' });
  const whole = house.process();
  const run = await house.begin(runOn(++repositories, { steps: [agentStep('a')] }));
  await whole.drive(run);
  const words = () => JSON.stringify(house.asked.at(-1)?.messages).split('Nine tenths').length - 1;
  expect(words()).toBe(1);
  for (let at = whole.appends - 5; at <= whole.appends; at++) {
    for (const after of [false, true]) {
      house.asked = [];
      const again = await house.begin(runOn(++repositories, { steps: [agentStep('a')] }));
      await house
        .process({ at, after })
        .drive(again)
        .catch(() => 'it died');
      await house.process().drive(again);
      expect(words(), `${at} ${after}`).toBe(1);
      expect(await house.end(again)).toMatchObject({ state: 'Completed', reason: '' });
    }
  }
});

describe('a day', () => {
  it.each([
    ['UTC', '2026-11-21T23:30:00Z', '2026-11-21'],
    ['Europe/Berlin', '2026-11-21T23:30:00Z', '2026-11-22'],
    ['America/Los_Angeles', '2026-11-22T07:30:00Z', '2026-11-21'],
    ['Asia/Tokyo', '2026-11-21T15:00:00Z', '2026-11-22'],
  ])('of %s at %s is %s', (zone, at, day) => {
    expect(dayIn(Date.parse(at), zone)).toBe(day);
  });
});
