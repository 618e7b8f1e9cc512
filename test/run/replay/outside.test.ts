import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelRefused, ModelUnavailable } from '../../../src/agent/model.ts';
import { replayTape } from '../../../src/run/replay/replay.ts';
import { advanceDelegation } from '../../../src/session/delegation.ts';
import { agentStep, Crash, eventOn, House, type Process, pullOf, session, startOf } from '../../session/house.ts';
import { playTogether, recordOf, together } from './recorded.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

/** Drives a run through errors of the outside, as retries do. */
async function driveOn(process: Process, run: string): Promise<string | null> {
  for (let tries = 0; tries < 20; tries++) {
    try {
      return await process.drive(run);
    } catch (error) {
      if (error instanceof Crash) throw error;
    }
  }
  throw new Error('it never ended');
}

async function expectSame(run: string): Promise<void> {
  const tape = await recordOf(house, run);
  expect((await replayTape(tape, { prompts: true })).difference).toBeNull();
}

describe('what came from outside is answered by the record', () => {
  it('errors that passed, of the model and in a delegation', async () => {
    house.play = together.play;
    let calls = 0;
    const run = await house.begin(together.start());
    const process = house.process();
    const { model } = process.services;
    process.services.model = {
      ask: (request, options) => (++calls % 3 === 0 ? Promise.reject(new Error(`line ${calls} is down`)) : model.ask(request, options)),
    };
    expect(await driveOn(process, run)).toBeNull();
    const troubles = (await house.entriesOf(run, 'noted')).filter(({ key }) => key.includes('/trouble/'));
    expect(troubles.length).toBeGreaterThan(0);
    await expectSame(run);
  });

  it.each([
    ['an error that never passes', () => new Error('no line'), 'tried 5 times: no line'],
    ['a refusal', () => new ModelRefused('no such model'), 'no such model'],
  ])('%s, which fails the step', async (_, error, reason) => {
    const run = await house.begin(startOf({ steps: [agentStep('a')] }));
    const process = house.process();
    process.services.model = { ask: () => Promise.reject(error()) };
    expect(await driveOn(process, run)).toBeNull();
    expect(await house.end(run)).toMatchObject({ state: 'Failed', reason: `step "a": ${reason}` });
    await expectSame(run);
  });

  it('deaths of the process', async () => {
    for (const at of [3, 9, 14, 18]) {
      house.play = together.play;
      const run = await house.begin(together.start());
      await house
        .process({ at, after: at % 2 === 0 })
        .drive(run)
        .catch(() => 'died');
      expect(await house.process().drive(run)).toBeNull();
      await expectSame(run);
    }
  });

  it('an order to end, while delegations are at work', async () => {
    house.play = together.play;
    const run = await house.begin(together.start());
    const process = house.process();
    const never = new AbortController().signal;
    const { advanceRun } = await import('../../../src/run/run.ts');
    await advanceRun(process.services, run, never).catch(() => 'it waits');
    const [first] = await process.openDelegations(run);
    await advanceDelegation(process.services, first ?? '', never);
    await house.store.cancels.order([{ id: run, reason: 'cancelled on the command line' }]);
    expect(await process.drive(run)).toBeNull();
    expect(await house.end(run)).toMatchObject({ state: 'Cancelled' });
    await expectSame(run);
  });

  it('the clock, where a time limit ends a session', async () => {
    house.play = async ({ coordinates, told, turn }) => {
      if (coordinates && turn === 0) await new Promise((done) => setTimeout(done, 700));
      if (told.includes('This is your last turn')) return { text: 'out of time' };
      return { calls: [{ name: 'list_scratchpads', input: {} }] };
    };
    const params = { exitCriteria: { timeLimit: { maxDurationMinutes: 0.01 } } };
    const run = await house.begin(startOf({ steps: [session('s', params)] }, { event: eventOn(pullOf(3)) }));
    expect(await house.process().drive(run)).toBeNull();
    expect(JSON.stringify(await house.entries(run))).toContain("the session's time limit of 0.01 minutes is over");
    await expectSame(run);
  });

  it('a budget that is used up', async () => {
    house.settings = { ...house.settings, limits: { ...house.settings.limits, run: { ...house.settings.limits.run, tokens: 9_000 } } };
    house.play = ({ told }) =>
      told.includes('This is your last turn')
        ? { text: 'no tokens left' }
        : { calls: [{ name: 'write_scratchpad', input: { name: 'n', content: 'x'.repeat(3_000) } }] };
    const run = await house.begin(startOf({ steps: [agentStep('a')] }, { event: eventOn(pullOf(4)) }));
    expect(await house.process().drive(run)).toBeNull();
    expect(JSON.stringify(await house.entries(run))).toContain('the budget of this run (');
    await expectSame(run);
  });

  it('a model that is away, and an error in one of two steps that run side by side', async () => {
    house.play = together.play;
    const flow = ['s', 'say'].map((to) => ({ from: '', to }));
    const start = together.start();
    const { definition } = start.workflow;
    const run = await house.begin({
      ...start,
      workflow: { ...start.workflow, definition: { ...definition, flow: flow.map((edge) => ({ ...edge, condition: null })) } },
    });
    const process = house.process();
    const { model } = process.services;
    let calls = 0;
    process.services.model = {
      ask(request, options) {
        calls++;
        if (calls === 2) return Promise.reject(new Error('no line'));
        return calls === 3 ? Promise.reject(new ModelUnavailable('overloaded', Date.now())) : model.ask(request, options);
      },
    };
    for (let tries = 0; tries < 9 && (await house.end(run)) === null; tries++) await driveOn(process, run);
    const types = (await house.entries(run)).map((entry) => entry.type);
    expect(types).toContain('model.away');
    await expectSame(run);
  });

  it('memory, of which a briefing was made', async () => {
    await house.store.memory(7, 'a').write('Tabs', 'Indent with tabs.', 'k');
    await expectSame(await playTogether(house));
  });
});
