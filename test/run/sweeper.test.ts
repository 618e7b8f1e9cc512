import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resourceKey } from '../../src/journal/resource.ts';
import { advanceRun } from '../../src/run/run.ts';
import { startRun } from '../../src/run/start.ts';
import { sweep } from '../../src/run/sweeper.ts';
import type { Services } from '../../src/session/services.ts';
import { makeHandlers } from '../../src/worker.ts';
import { until } from '../e2e/stage.ts';
import { agentStep, House, session, startOf } from '../session/house.ts';

let house: House;
let services: Services;

beforeAll(async () => {
  house = await House.open();
  services = house.process().services;
});
afterAll(() => house.close());
beforeEach(() => {
  house.play = () => ({ text: 'done' });
});

const DELEGATES = { steps: [session('s')] };
const key = (name: string) => `${house.prefix}:${name}`;

async function begin(definition: { steps: object[] }, more: Parameters<typeof startOf>[1] = {}): Promise<string> {
  const { event, workflow, agents, guidance } = startOf(definition, more);
  const plan = { path: workflow.path, workflow: workflow.definition, agents, guidance, sha: workflow.sha, chain: 0, delaySeconds: 0 };
  return (await startRun(services, event, { ...plan, trust: 'trusted' })).run;
}

/** Takes the jobs of a queue away, as no program of ours would: what BullMQ knows of their ids stays. */
async function loseJobs(queue: string): Promise<number> {
  const keys = (await house.redis.keys(`${key(queue)}-v*:*`)).filter((name) => !/:(de:|meta|id|marker|events)/.test(name));
  return keys.length === 0 ? 0 : house.redis.del(...keys);
}

/** From now on everything that is expected is overdue. */
async function passTime(): Promise<string[]> {
  const names = await house.redis.zrange(key('expected'), '0', '-1');
  if (names.length > 0) await house.redis.zadd(key('expected'), ...names.flatMap((name) => ['1', name]));
  return names;
}

/** Works until nothing is left to do. */
async function work(): Promise<void> {
  const intake = { take: async () => {} } as unknown as Parameters<typeof makeHandlers>[1];
  const alone = async () => ({ end: 'failed' as const, how: 'nothing crashes here', begun: true });
  services.store.queues.startWorkers(makeHandlers(services, intake, alone), { advances: 4, delegations: 4 });
  await until('all is quiet', async () => {
    const { timers, ...others } = await services.store.queues.counts();
    return Object.values(others).every((count) => count === 0);
  });
  await services.store.queues.stopWorkers(1_000);
}

const left = () => house.redis.zrange(key('expected'), '0', '-1');

describe('what was lost is found', () => {
  it('nothing is expected any more of what ended', async () => {
    const run = await begin({ steps: [agentStep('a')] });
    expect(await left()).toEqual([`run ${run}`]);
    await work();
    expect(await house.end(run)).toMatchObject({ state: 'Completed' });
    expect(await left()).toEqual([]);
    expect(await sweep(services)).toBe(0);
  });

  it('a run whose job is gone goes on', async () => {
    const run = await begin({ steps: [agentStep('a')] });
    expect(await loseJobs('runs')).toBeGreaterThan(0);
    await work();
    expect(await house.entries(run)).toHaveLength(1);
    expect(await sweep(services)).toBe(0);
    await passTime();
    expect(await sweep(services)).toBe(1);
    await work();
    expect(await house.end(run)).toMatchObject({ state: 'Completed' });
    expect(await left()).toEqual([]);
  });

  it('a delegation whose job is gone goes on, and so does a run that its end did not wake', async () => {
    house.play = ({ coordinates, turn }) => {
      if (!coordinates) return { text: 'found' };
      if (turn > 0) return { text: 'all done' };
      return { calls: [{ name: 'delegate_to_sub_agent', input: { agentId: 'a', instructions: 'Look.' } }] };
    };
    const run = await begin(DELEGATES);
    await expect(advanceRun(services, run, new AbortController().signal)).rejects.toThrow('delegations');
    await loseJobs('runs');
    await loseJobs('delegations');
    await work();
    expect(await house.end(run)).toBeNull();
    expect((await passTime()).sort()).toEqual([expect.stringMatching(/^delegation /), `report ${run}`, `run ${run}`]);
    expect(await sweep(services)).toBe(3);
    await work();
    await passTime();
    await sweep(services);
    await work();
    expect(await house.end(run)).toMatchObject({ state: 'Completed' });
    expect(await left()).toEqual([]);
  });

  it('a report that was lost at the end of its run is made', async () => {
    const run = await begin({ steps: [agentStep('a')] });
    await advanceRun(services, run, new AbortController().signal);
    expect(await left()).toEqual([`report ${run}`]);
    for (const queue of ['runs', 'reports']) await loseJobs(queue);
    await passTime();
    await sweep(services);
    await work();
    expect([...house.effects.keys()]).toContain(`${run}:check`);
    expect(await left()).toEqual([]);
  });

  it('a lane that its run left to nobody is passed on', async () => {
    const first = await begin({ steps: [agentStep('a')] });
    const { event } = startOf({ steps: [agentStep('a')] });
    const [opening] = await house.entriesOf(first, 'run.started');
    const about = opening?.start.event ?? event;
    await work();
    await services.store.lanes.enter(resourceKey(about.resource), first, 1);
    const second = await begin({ steps: [agentStep('a')] }, { event: { ...about, delivery: 'another' } });
    expect(second).not.toBe(first);
    await work();
    expect(await house.end(second)).toMatchObject({ state: 'Completed' });
  });

  it('what nobody knows any more is forgotten', async () => {
    await services.store.expected.expect(
      [
        { wake: 'run', id: 'rgone' },
        { wake: 'delegation', id: 'rgone~1' },
        { wake: 'report', id: 'rgone' },
      ],
      1,
    );
    expect(await sweep(services)).toBe(3);
    await work();
    expect(await left()).toEqual([]);
  });

  it('an effect in doubt is looked at until it is not any more; GitHub that is away puts it off', async () => {
    const answers = [new Error('away'), 5, null];
    const lookAgain = async (id: string) => {
      expect(id).toBe('r1:step/a:b');
      const next = answers.shift();
      if (next instanceof Error) throw next;
      return next ?? null;
    };
    const doubting = { ...services, github: { ...services.github, lookAgain } };
    await services.store.expected.expect([{ wake: 'effect', id: 'r1:step/a:b' }], 1);
    expect(await sweep(doubting)).toBe(1);
    expect(await sweep(doubting)).toBe(0);
    await passTime();
    expect(await sweep(doubting)).toBe(1);
    expect(await sweep(doubting)).toBe(1);
    expect(await left()).toEqual([]);
  });
});
