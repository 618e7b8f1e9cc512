import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { COORDINATOR_TOOLS } from '../../src/agent/role.ts';
import { deadlineFrom, earliest } from '../../src/session/deadline.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { agentOf, agentStep, House, over, session, startOf } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());
afterEach(() => {
  house.asked = [];
});

const complete = (message: string) => ({ calls: [{ name: 'task_completed', input: { message } }] });

describe('a coordinator', () => {
  it('has its own tools and no others, and knows its agents and its goal', async () => {
    house.play = () => complete('fine');
    const start = startOf({ steps: [session('s', { goal: 'A tidy house' })] }, { agents: [agentOf('a', { description: 'sweeps' })] });
    await house.process().drive(await house.begin(start));
    const [request] = house.asked;
    expect(request?.tools.map((tool) => tool.name).sort()).toEqual([...COORDINATOR_TOOLS].sort());
    expect(request?.system).toContain('Agent a');
    expect(JSON.stringify(request)).toContain('A tidy house');
    expect(await house.end(start.run)).toMatchObject({ state: 'Completed', message: 'fine' });
  });

  it('in an untrusted run remembers nothing', async () => {
    house.play = () => complete('fine');
    const start = startOf({ steps: [session('s')] }, { trust: 'untrusted' });
    await house.process().drive(await house.begin(start));
    const names = house.asked[0]?.tools.map((tool) => tool.name) ?? [];
    expect(names).not.toContain('memory_write');
    for (const name of ['delegate_to_sub_agent', 'update_status', 'task_completed', 'read_file']) expect(names).toContain(name);
  });

  it('and its agents have no tool that the settings deny', async () => {
    const denied = ['memory_write', 'write_file'];
    house.play = ({ turn, coordinates }) => {
      if (!coordinates) return { text: 'looked' };
      return turn === 0 ? { calls: [{ name: 'delegate_to_sub_agent', input: { agentId: 'a', instructions: 'Look.' } }] } : complete('fine');
    };
    const start = startOf({ steps: [session('s')] }, { rules: { ...defaultSettings(), deny: denied } });
    await house.process().drive(await house.begin(start));
    const [coordinator, agent] = house.asked.map(({ tools }) => tools.map(({ name }) => name));
    for (const name of denied) expect([...(coordinator ?? []), ...(agent ?? [])]).not.toContain(name);
    expect([coordinator?.includes('memory_read'), agent?.includes('read_file')]).toEqual([true, true]);
    expect(house.asked[0]?.system).not.toContain('write_file');
  });

  it('ends with its text where it uses no tool', async () => {
    house.play = () => ({ text: 'nothing to do here' });
    const run = await house.begin(startOf({ steps: [session('s')] }));
    await house.process().drive(run);
    expect(await house.end(run)).toMatchObject({ state: 'Completed', message: 'nothing to do here' });
  });

  it('writes its status into the journal', async () => {
    house.play = ({ turn }) => (turn === 0 ? { calls: [{ name: 'update_status', input: { message: 'half way' } }] } : complete('done'));
    const run = await house.begin(startOf({ steps: [session('s')] }));
    await house.process().drive(run);
    expect(await house.entriesOf(run, 'status')).toMatchObject([{ message: 'half way' }]);
  });

  it('gets one last turn at its time limit, told why, and the flow goes on with its last words', async () => {
    house.play = ({ told, coordinates }) => {
      if (told.includes('This is your last turn')) return complete('what there is');
      return coordinates ? { calls: [{ name: 'list_scratchpads', input: {} }] } : { text: 'after it' };
    };
    const start = startOf({
      steps: [session('s', { exitCriteria: { timeLimit: { maxDurationMinutes: 5 } } }), agentStep('next')],
      flow: FLOW,
    });
    const run = await house.begin(start);
    const process = house.process();
    let times = 0;
    const late = over(process.services.store, { now: async () => Date.now() + (++times > 3 ? 6 * 60_000 : 0) });
    Object.assign(process.services, { store: late });
    await process.drive(run);
    expect(house.asked.some((request) => JSON.stringify(request.messages).includes("the session's time limit of 5 minutes is over"))).toBe(
      true,
    );
    expect(await house.steps(run)).toEqual({ s: 'Completed', next: 'Completed' });
    expect((await house.entriesOf(run, 'step.ended'))[0]?.output).toEqual({ message: 'what there is' });
  });

  it('sets a timer at its limit, so that a session that waits ends there', async () => {
    house.play = ({ coordinates }) =>
      coordinates ? { calls: [{ name: 'delegate_to_sub_agent', input: { agentId: 'a', instructions: 'x' } }] } : { text: 'x' };
    const run = await house.begin(startOf({ steps: [session('s', { exitCriteria: { timeLimit: { maxDurationMinutes: 0.5 } } })] }));
    const process = house.process();
    const { advanceRun } = await import('../../src/run/run.ts');
    await expect(advanceRun(process.services, run, new AbortController().signal)).rejects.toThrow('waiting for 1 of 1 delegations');
    expect(await house.waiting('timers')).toContain(run);
  });
});

const FLOW = [
  { from: '', to: 's' },
  { from: 's', to: 'next' },
];

describe('what a step is told of the one before', () => {
  const flow = [
    { from: '', to: 'plan' },
    { from: 'plan', to: 'do' },
  ];
  const play = async (instruction: string) => {
    house.asked = [];
    house.play = ({ told }) => ({ text: told.includes('Work on plan.') ? 'THE PLAN' : 'done' });
    const run = await house.begin(startOf({ steps: [agentStep('plan'), agentStep('do', { instruction })], flow }));
    await house.process().drive(run);
    return JSON.stringify(house.asked[1]?.messages);
  };

  it('is its message, once: in its own block, or where the instruction templates it', async () => {
    const count = (text: string) => text.split('THE PLAN').length - 1;
    expect(count(await play('Do what the previous step said.'))).toBe(1);
    expect(count(await play('Do: {{outputs.plan.message}}'))).toBe(1);
    expect(count(await play('Do: {{#if outputs.plan}}{{outputs.plan.message}}{{/if}}'))).toBe(1);
  });

  it('is there where only the output of a step with a longer name is templated', async () => {
    expect(await play('Do outputs.planning, and outputs.plan-b')).toContain('THE PLAN');
  });
});

describe('deadlines', () => {
  it('count from the time of an entry and may be fractions of a minute; the earliest counts', () => {
    const step = deadlineFrom(1_000, 0.5, "the step's limit");
    expect(step).toEqual({ at: 31_000, reason: "the step's limit of 0.5 minutes is over" });
    const session = deadlineFrom(1_000, 10, "the session's time limit");
    expect(earliest(session, null, step)).toBe(step);
    expect(earliest(null, null)).toBeNull();
  });
});
