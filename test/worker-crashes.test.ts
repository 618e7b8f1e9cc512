import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Superseded } from '../src/journal/errors.ts';
import type { Services } from '../src/session/services.ts';
import type { Delivery, Handlers } from '../src/store/queues.ts';
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
const NO_INTAKE = { take: async () => {}, giveUp: async () => {} };

/** Handlers of a process whose own processes end as told; `tasks` are what those were given. */
function handlersOf(services: Services, alone: (work: Work) => Promise<AloneEnd>): { handlers: Handlers; tasks: Work[] } {
  const tasks: Work[] = [];
  const handlers = makeHandlers(services, NO_INTAKE, (work) => {
    tasks.push(work);
    return alone(work);
  });
  return { handlers, tasks };
}

const dies = async ({ id }: Work): Promise<AloneEnd> => {
  await house.store.starts.begin(id);
  return { end: 'died', how: 'exit code 9', begun: true };
};

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

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
      await doWorkAlone({ services: process.services, intake: NO_INTAKE }, work, quietly);
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
      await doWorkAlone({ services: house.process().services, intake: NO_INTAKE }, work, quietly);
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
      await doWorkAlone({ services: process.services, intake: NO_INTAKE }, work, quietly);
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

  /** What an end in quarantine runs into: it dies as well, as often as told. */
  const diesAtItsEnd =
    (services: Services, times: number) =>
    async (work: Work): Promise<AloneEnd> => {
      if (work.quarantine !== undefined && !work.unread) times--;
      if (!work.unread && times >= 0) return dies(work);
      await doWorkAlone({ services, intake: NO_INTAKE }, work, quietly);
      return { end: 'done' };
    };

  it('that crashes at its end too is ended without a look at its journal, after growing pauses; who had it open can write no more', async () => {
    const run = await house.begin(startOf({ steps: [agentStep('say')] }));
    let answer = (): void => {};
    house.play = () => new Promise((resolve) => (answer = () => resolve({ text: 'too late' })));
    const frozen = process.drive(run).catch((error: unknown) => error);
    while (!(await house.entriesOf(run, 'briefed')).length) await pause();
    const { services } = house.process();
    const { handlers, tasks } = handlersOf(services, diesAtItsEnd(services, 3));
    await crash(run, 7);
    const timers = (await house.store.queues.counts()).timers;
    for (let time = 0; time < 3; time++) await handlers.run(run, signal);
    expect((await house.store.queues.counts()).timers).toBe(timers + 3);
    expect(await house.end(run)).toBeNull();
    await handlers.run(run, signal);
    expect(tasks.map(({ quarantine = '', unread = false }) => [/\d+ times/.exec(quarantine)?.[0], unread])).toEqual([
      ['7 times', false],
      ['8 times', false],
      ['9 times', false],
      ['10 times', true],
    ]);
    expect((await house.entries(run)).map(({ type }) => type)).toEqual(['run.started', 'noted', 'run.ended']);
    const end = await house.end(run);
    expect(end?.state).toBe('Failed');
    for (const part of ['10 times', 'exit code 9', 'cannot be shown', '/retry']) expect(end?.reason).toContain(part);
    expect(await house.store.starts.look(run)).toMatchObject({ count: 0, failures: 0 });
    expect(await house.waiting('reports')).toContain(run);
    house.onEffect = () => ({ status: 'done', result: { checkId: 5, commentId: 6 } });
    for (const name of ['check/3', 'status/3'])
      house.effects.set(`${run}:${name}`, {
        effect: { type: 'comment.create', body: '' },
        outcome: house.onEffect({ type: 'comment.create', body: '' }, ''),
      });
    await handlers.report(run, signal);
    const completed = [...house.effects].filter(([key]) => key.startsWith(run)).map(([, { effect }]) => effect);
    expect(completed).toContainEqual(expect.objectContaining({ type: 'check.update', status: 'completed', conclusion: 'failure' }));
    answer();
    expect(await frozen).toBeInstanceOf(Superseded);
    await handlers.run(run, signal);
    expect(await house.entries(run)).toHaveLength(3);
  });

  it('that cannot even be read fails for hours with growing pauses, then is ended the same way', async () => {
    const run = await house.begin(startOf({ steps: [agentStep('say')] }));
    await house.redis.xadd(`${house.prefix}:journal:${run}`, '2-0', 'w', 'x', 't', '1', 'e', 'no entry');
    const { services } = house.process();
    const { handlers, tasks } = handlersOf(services, diesAtItsEnd(services, 0));
    for (let time = 0; time < 5; time++) await expect(handlers.run(run, signal)).rejects.toThrow();
    const timers = (await house.store.queues.counts()).timers;
    for (let time = 0; time < 16; time++) await handlers.run(run, signal);
    expect((await house.store.queues.counts()).timers).toBe(timers + 16);
    expect(tasks).toEqual([]);
    await house.redis.hincrby(`${house.prefix}:starts:${run}`, 'since', -4 * 3_600);
    await handlers.run(run, signal);
    expect(tasks).toMatchObject([{ quarantine: expect.stringContaining('21 times'), unread: true }]);
    expect(await house.end(run)).toMatchObject({ state: 'Failed', reason: expect.stringContaining('JSON') });
  });

  it('that is a delegation whose journal cannot be read is ended, and its coordinator is told', async () => {
    house.play = ({ coordinates, results }) => {
      if (!coordinates) return new Promise<never>(() => {});
      if (results.length === 0) return { calls: [{ name: 'delegate_to_sub_agent', input: { agentId: 'a', instructions: 'poison' } }] };
      return { calls: [{ name: 'task_completed', input: { message: results.map(({ text }) => text).join() } }] };
    };
    const run = await house.begin(startOf({ steps: [session('s')] }));
    const { services } = house.process();
    const { handlers } = handlersOf(services, diesAtItsEnd(services, 1));
    await handlers.run(run, signal);
    const [poison = ''] = await process.openDelegations(run);
    await crash(poison, 9);
    for (let time = 0; time < 2; time++) await handlers.delegation(poison, signal);
    await handlers.run(run, signal);
    expect(await house.end(run)).toMatchObject({ state: 'Completed', message: expect.stringContaining('files that it changed are lost') });
  });

  it('that is not even begun, because its process cannot be started, is not held against it', async () => {
    const run = await house.begin(startOf({ steps: [agentStep('say')] }));
    const { handlers } = handlersOf(house.process().services, async () => ({ end: 'died', how: 'it did not start', begun: false }));
    await crash(run, 2);
    for (let time = 0; time < 12; time++) await handlers.run(run, signal);
    expect(await house.store.starts.look(run)).toMatchObject({ count: 2, failures: 0 });
    expect(await house.end(run)).toBeNull();
  });

  it('that is a report is made alone after two crashes, then in brief, and beside others again once it was made', async () => {
    house.play = () => ({ text: 'said' });
    house.onEffect = () => ({ status: 'done', result: { checkId: 5, commentId: 6 } });
    const run = await house.begin(startOf({ steps: [agentStep('say')] }));
    const { services } = house.process();
    await process.drive(run);
    const { handlers, tasks } = handlersOf(services, async (work) => {
      if (!work.unread) return dies({ ...work, id: `report/${work.id}` });
      await doWorkAlone({ services, intake: NO_INTAKE }, work, quietly);
      return { end: 'done' };
    });
    await crash(`report/${run}`, 2);
    for (let time = 0; time < 5; time++) await handlers.report(run, signal).catch(() => {});
    await handlers.report(run, signal);
    expect(tasks.map(({ unread = false }) => unread)).toEqual([false, false, false, false, false, true]);
    const check = [...house.effects].find(([key]) => key.startsWith(`${run}:check/`))?.[1].effect;
    expect(check).toMatchObject({ type: 'check.update', status: 'completed', conclusion: 'neutral' });
    expect(await house.store.starts.look(`report/${run}`)).toMatchObject({ count: 0 });
    await handlers.report(run, signal);
    expect(tasks).toHaveLength(6);
  });

  it('that is a delivery goes on alone after two crashes, is given up with its reason after five more, and is taken anew when it is sent again', async () => {
    const delivery = { id: 'deadly', event: 'pull_request', body: '{}' };
    const { services } = process;
    const told: string[] = [];
    const intake = {
      take: async ({ id }: Delivery) => void told.push(`took ${id}`),
      giveUp: async ({ id }: Delivery, reason: string, { unread }: { unread: boolean }) =>
        void told.push(`gave up ${id}: ${reason}, ${unread}`),
    };
    const tasks: Work[] = [];
    const handlers = makeHandlers(services, intake, async (work) => {
      tasks.push(work);
      if (tasks.length <= 6) return dies({ ...work, id: 'delivery/deadly' });
      await doWorkAlone({ services, intake }, work, quietly);
      return { end: 'done' };
    });
    await handlers.delivery({ ...delivery, id: 'other' }, signal);
    await crash('delivery/deadly', 2);
    for (let time = 0; time < 6; time++) await expect(handlers.delivery(delivery, signal)).rejects.toThrow('exit code 9');
    await handlers.delivery(delivery, signal);
    expect(tasks.map(({ quarantine = '' }) => /\d+ times/.exec(quarantine)?.[0])).toEqual([
      ...Array(5).fill(undefined),
      '7 times',
      '8 times',
    ]);
    expect(told).toEqual(['took other', expect.stringMatching(/^gave up deadly: its process ended 8 times .* exit code 9, false$/)]);
    await handlers.delivery(delivery, signal);
    expect(told).toEqual(['took other', expect.any(String), 'took deadly']);
    expect(tasks).toHaveLength(7);
    expect(await house.redis.keys(`${house.prefix}:starts:delivery/*`)).toEqual([]);
  });

  it('that is a delivery which fails is no crash, and its job hears the error itself, however often', async () => {
    const error = new TypeError('GitHub is away');
    const intake = { ...NO_INTAKE, take: () => Promise.reject(error) };
    const handlers = makeHandlers(process.services, intake, () => Promise.reject(new Error('never alone')));
    for (let time = 0; time < 8; time++)
      expect(await handlers.delivery({ id: 'failing', event: 'push', body: '{}' }, signal).catch((thrown: unknown) => thrown)).toBe(error);
  });

  it('that gets further while its end is being decided is not ended', async () => {
    house.play = () => ({ text: 'said' });
    const run = await house.begin(startOf({ steps: [agentStep('say')] }));
    const { services } = house.process();
    const { handlers, tasks } = handlersOf(services, async (work) => {
      await (await house.store.journals.open(run)).append({ type: 'noted', key: 'by another', value: 1 });
      await doWorkAlone({ services, intake: NO_INTAKE }, work, quietly);
      return { end: 'done' };
    });
    await crash(run, 12);
    await handlers.run(run, signal);
    expect(tasks).toMatchObject([{ unread: true }]);
    expect(await house.end(run)).toMatchObject({ state: 'Completed' });
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
