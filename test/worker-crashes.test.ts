import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Intake } from '../src/run/intake.ts';
import type { Services } from '../src/session/services.ts';
import type { Handlers } from '../src/store/queues.ts';
import { type AloneEnd, doWorkAlone, makeHandlers, type Work } from '../src/worker.ts';
import { agentStep, House, type Process, session, startOf } from './session/house.ts';

let house: House;
let process: Process;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());
beforeEach(() => {
  process = house.process();
});

const { signal } = new AbortController();
const done = () => Promise.resolve();

/** Handlers of a process whose own processes end as told; `tasks` are what those were given. */
function handlersOf(services: Services, alone: (work: Work) => Promise<AloneEnd>): { handlers: Handlers; tasks: Work[] } {
  const tasks: Work[] = [];
  const handlers = makeHandlers(services, { take: done } as unknown as Intake, (work) => {
    tasks.push(work);
    return alone(work);
  });
  return { handlers, tasks };
}

const dies = async ({ id }: Work): Promise<AloneEnd> => {
  await house.store.starts.begin(id);
  return { end: 'died', how: 'exit code 9', begun: true };
};

const quietly = { signal, begun: () => {} };

/** Starts that a killed process never ended. */
async function crash(id: string, times: number): Promise<void> {
  for (let time = 0; time < times; time++) await house.store.starts.begin(id);
}

describe('work that crashes', () => {
  it('goes on in a process of its own after two crashes, and beside others again after a new entry', async () => {
    house.play = () => ({ text: 'said' });
    const run = await house.begin(startOf({ steps: [agentStep('say')] }));
    const { handlers, tasks } = handlersOf(process.services, async (work) => {
      await doWorkAlone(process.services, work, quietly);
      return { end: 'done' };
    });
    await crash(run, 1);
    const other = await house.begin(startOf({ steps: [agentStep('say')] }));
    await handlers.run(other, signal);
    expect(tasks).toEqual([]);
    await crash(run, 1);
    await handlers.run(run, signal);
    expect(tasks).toEqual([{ wake: 'run', id: run }]);
    expect(await house.end(run)).toMatchObject({ state: 'Completed' });
    await crash(run, 1);
    await handlers.run(run, signal);
    expect(tasks).toHaveLength(1);
  });

  it('orderly ends, whatever they are, are no crashes', async () => {
    house.play = () => {
      throw new Error('the model is gone');
    };
    const run = await house.begin(startOf({ steps: [agentStep('say')] }));
    const { handlers, tasks } = handlersOf(process.services, dies);
    for (let time = 0; time < 4; time++) await expect(handlers.run(run, signal)).rejects.toThrow('the model is gone');
    const leaving = AbortSignal.abort('this process stops');
    for (let time = 0; time < 4; time++) await handlers.run(run, leaving);
    expect(tasks).toEqual([]);
    expect((await house.store.starts.begin(run)).count).toBe(0);
  });

  it('is ended after five crashes there: the run fails with how often, where, and what to do', async () => {
    const run = await house.begin(startOf({ steps: [agentStep('say')] }));
    house.play = () => new Promise<never>(() => {});
    process.drive(run).catch(() => {});
    while (!(await house.entriesOf(run, 'briefed')).length) await new Promise((resolve) => setTimeout(resolve, 5));
    const { handlers, tasks } = handlersOf(house.process().services, async (work) => {
      if (work.quarantine === undefined) return dies(work);
      await doWorkAlone(house.process().services, work, quietly);
      return { end: 'done' };
    });
    await crash(run, 2);
    for (let time = 0; time < 5; time++) await expect(handlers.run(run, signal)).rejects.toThrow('exit code 9');
    expect(await house.end(run)).toBeNull();
    await handlers.run(run, signal);
    expect(tasks.filter((work) => work.quarantine === undefined)).toHaveLength(5);
    const end = await house.end(run);
    expect(end?.state).toBe('Failed');
    for (const part of ['step "say"', '7 times', 'exit code 9', '/retry']) expect(end?.reason).toContain(part);
    expect(await house.steps(run)).toEqual({ say: 'Failed' });
    expect((await house.store.starts.begin(run)).count).toBe(0);
  });

  it('that is a delegation becomes an error result of its coordinator, who goes on', async () => {
    house.play = ({ coordinates, results, told }) => {
      if (!coordinates) return told.includes('poison') ? new Promise<never>(() => {}) : { text: 'fine' };
      const delegate = (instructions: string) => ({ name: 'delegate_to_sub_agent', input: { agentId: 'a', instructions } });
      if (results.length === 0) return { calls: [delegate('poison'), delegate('work')] };
      const message = results.map(({ text, error }) => `${error ? 'failed: ' : ''}${text}`).join(' | ');
      return { calls: [{ name: 'task_completed', input: { message } }] };
    };
    const run = await house.begin(startOf({ steps: [session('s')] }));
    const { handlers, tasks } = handlersOf(process.services, async (work) => {
      if (work.quarantine === undefined) return dies(work);
      await doWorkAlone(process.services, work, quietly);
      return { end: 'done' };
    });
    await handlers.run(run, signal);
    const [poison = '', work = ''] = await process.openDelegations(run);
    await crash(poison, 2);
    await handlers.delegation(work, signal);
    for (let time = 0; time < 5; time++) await expect(handlers.delegation(poison, signal)).rejects.toThrow('exit code 9');
    await handlers.delegation(poison, signal);
    await handlers.run(run, signal);
    expect(tasks).toHaveLength(6);
    expect(await house.end(run)).toMatchObject({ state: 'Completed' });
    const message = (await house.end(run))?.message ?? '';
    for (const part of ['failed: ', '7 times', 'in turn 1', '| fine']) expect(message).toContain(part);
  });

  it('waits for its turn where others are alone already, and that wait is no start', async () => {
    const ids = await Promise.all([1, 2, 3].map(() => house.begin(startOf({ steps: [agentStep('say')] }))));
    const ends: (() => void)[] = [];
    const { handlers, tasks } = handlersOf(process.services, () => new Promise((resolve) => ends.push(() => resolve({ end: 'done' }))));
    for (const id of ids) await crash(id, 2);
    const works = ids.map((id) => handlers.run(id, signal));
    while (tasks.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(tasks).toHaveLength(2);
    const waiting = ids.find((id) => !tasks.some((work) => work.id === id)) ?? '';
    expect((await house.store.starts.begin(waiting)).count).toBe(2);
    while (ends.length < 3) {
      for (const end of ends) end();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const end of ends) end();
    await Promise.all(works);
    expect(tasks).toHaveLength(3);
  });
});
