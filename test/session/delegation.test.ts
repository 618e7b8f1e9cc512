import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ModelRefused, ModelUnavailable } from '../../src/agent/model.ts';
import type { DelegationEnd, DelegationStart } from '../../src/journal/entry.ts';
import { Fatal, Pending } from '../../src/journal/errors.ts';
import { advanceDelegation } from '../../src/session/delegation.ts';
import { MOST_TRIES } from '../../src/session/trouble.ts';
import { Crash, delegationOf, House, over, type Process } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());
afterEach(() => {
  house.asked = [];
});

async function begin(more: Partial<DelegationStart> = {}): Promise<DelegationStart> {
  const start = delegationOf(more);
  await house.store.journals.create(start.delegation, { type: 'delegation.started', start });
  return start;
}

const advance = (process: Process, id: string, signal = new AbortController().signal) => advanceDelegation(process.services, id, signal);

async function endOf(id: string): Promise<DelegationEnd | null> {
  return (await house.entriesOf(id, 'delegation.ended'))[0]?.end ?? null;
}

async function work(start: DelegationStart): Promise<DelegationEnd | null> {
  await advance(house.process(), start.delegation);
  return endOf(start.delegation);
}

const write = (path: string, content: string) => ({ name: 'write_file', input: { path, content } });

describe('a delegation', () => {
  it('ends with its text, its figures, and what it changed above the tree it was given; then it wakes its run', async () => {
    house.play = ({ turn }) =>
      turn === 0
        ? { calls: [write('a.txt', 'one'), write('b.txt', 'two'), { name: 'list_dir', input: {} }] }
        : { text: 'two files written' };
    const digest = await house.store.blobs('given').put(Buffer.from('given'));
    const start = await begin({ tree: { checkouts: [], changes: { 'given.txt': { digest, size: 5, mode: '100644' } } } });
    expect(await work(start)).toMatchObject({
      status: 'completed',
      result: 'two files written',
      turns: 2,
      calls: { write_file: 2, list_dir: 1 },
      usage: { [house.settings.models.default?.id ?? '']: { input: 20, output: 4 } },
    });
    const end = await endOf(start.delegation);
    expect(Object.keys(end?.changes ?? {}).sort()).toEqual(['a.txt', 'b.txt']);
    expect(await house.waiting('runs')).toContain(start.run);
  });

  it('is told its instructions and where it is, and offered only what it may call', async () => {
    house.play = () => ({ text: 'ok' });
    await work(await begin({ instructions: 'Count the files.', allow: [{ name: 'list_dir' }], prohibit: ['memory_write'] }));
    const [request] = house.asked;
    const told = JSON.stringify(request?.messages);
    expect(told).toContain('Count the files.');
    expect(told).toContain('pull/');
    const names = request?.tools.map((tool) => tool.name) ?? [];
    expect(names).toContain('list_dir');
    for (const name of ['read_file', 'memory_write', 'update_status', 'task_completed', 'delegate_to_sub_agent'])
      expect(names).not.toContain(name);
  });

  it.each([
    { models: { agent: 'own', workflow: 'wide' }, id: 'own-id' },
    { models: { agent: null, workflow: 'wide' }, id: 'wide-id' },
    { models: { agent: null, workflow: null }, id: 'default-id' },
    { models: { agent: 'unheard-of', workflow: null }, id: 'default-id' },
  ])('asks the model of its agent, else of its workflow, else the default: $id', async ({ models, id }) => {
    const price = { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 };
    const before = house.settings;
    house.settings = {
      ...before,
      models: { default: { id: 'default-id', price }, own: { id: 'own-id', price }, wide: { id: 'wide-id', price } },
    };
    house.play = () => ({ text: 'ok' });
    const start = delegationOf();
    await work(await begin({ agent: { ...start.agent, model: models.agent }, modelKey: models.workflow }));
    house.settings = before;
    expect(house.asked[0]?.model).toBe(id);
  });

  it('is named once what it was expected to leave, and fails where it still does not', async () => {
    house.play = ({ turn }) => ({ text: `nothing ${turn}` });
    const start = await begin({ expect: { scratchpad: 'findings', outputPattern: 'done' } });
    const end = await work(start);
    expect(house.asked).toHaveLength(2);
    expect(house.asked[1]?.messages.at(-1)).toMatchObject({
      role: 'user',
      text: [expect.stringContaining('the scratchpad `findings` is missing')],
    });
    expect(end).toMatchObject({ status: 'failed', turns: 2 });
    expect(end?.result).toMatch(
      /^nothing 1\n\nNot done: the scratchpad `findings` is missing or empty: write it; the final message does not match/,
    );
  });

  it('completes where it leaves it after that reminder', async () => {
    house.play = ({ turn }) =>
      turn === 1
        ? { calls: [{ name: 'write_scratchpad', input: { name: 'findings', content: 'one' } }] }
        : { text: turn === 0 ? 'hm' : 'done' };
    expect(await work(await begin({ expect: { scratchpad: 'findings', outputPattern: 'done', minCalls: 1 } }))).toMatchObject({
      status: 'completed',
      result: 'done',
      turns: 3,
    });
  });

  it('gets one last turn without tools when its time is over, and then timed out with what it said', async () => {
    house.play = ({ request }) => (request.tools.length > 0 ? { calls: [{ name: 'list_dir', input: {} }] } : { text: 'half of it' });
    expect(await work(await begin({ deadline: Date.now() - 1 }))).toMatchObject({
      status: 'timed out',
      result: 'half of it',
      turns: 1,
      calls: {},
    });
    expect(house.asked).toHaveLength(1);
    const start = await begin({ deadline: Date.now() + 60_000 });
    const process = house.process();
    const late = over(process.services.store, { now: async () => Date.now() + (house.asked.length > 2 ? 120_000 : 0) });
    await advanceDelegation({ ...process.services, store: late }, start.delegation, new AbortController().signal);
    expect(await endOf(start.delegation)).toMatchObject({ status: 'timed out', result: 'half of it', turns: 3, calls: { list_dir: 2 } });
  });

  it('fails with what to do where the provider refuses for good, and tells what it had done', async () => {
    house.play = ({ turn }) => {
      if (turn > 0) throw new ModelRefused('The prompt is too long: split the task');
      return { calls: [write('a.txt', 'kept')] };
    };
    const end = await work(await begin());
    expect(end).toMatchObject({ status: 'failed', result: 'The prompt is too long: split the task', turns: 1, calls: { write_file: 1 } });
    expect(Object.keys(end?.changes ?? {})).toEqual(['a.txt']);
  });

  it('fails where an error says that trying again is no use', async () => {
    house.play = () => {
      throw new Fatal('the commit is gone: open the pull request again');
    };
    expect(await work(await begin())).toMatchObject({ status: 'failed', result: 'the commit is gone: open the pull request again' });
  });

  it('is tried again after other errors, and fails after five in a row instead of keeping its run waiting for ever', async () => {
    house.play = () => {
      throw new Error('no route to host');
    };
    const start = await begin();
    const process = house.process();
    for (let tries = 1; tries < MOST_TRIES; tries++) await expect(advance(process, start.delegation)).rejects.toThrow('no route to host');
    await advance(process, start.delegation);
    expect(await endOf(start.delegation)).toMatchObject({ status: 'failed', result: 'tried 5 times: no route to host' });
  });

  it('counts only errors in a row: progress sets them back, and an abort or a wait is none', async () => {
    const cut = new Error('cut');
    const four = [cut, cut, cut, cut];
    const script = [...four, null, ...four, new ModelUnavailable('overloaded', 5), null, ...four, null, null];
    house.play = ({ turn }) => {
      const fault = script.shift();
      if (fault) throw fault;
      return turn < 3 ? { calls: [{ name: 'list_dir', input: {} }] } : { text: 'through' };
    };
    const start = await begin();
    const process = house.process();
    for (let tries = 0; tries < 4; tries++) await expect(advance(process, start.delegation)).rejects.toThrow('cut');
    script.unshift(cut);
    await expect(advance(process, start.delegation, AbortSignal.abort())).rejects.toThrow('cut');
    for (let tries = 0; tries < 4; tries++) await expect(advance(process, start.delegation)).rejects.toThrow('cut');
    await expect(advance(process, start.delegation)).rejects.toThrow(Pending);
    for (let tries = 0; tries < 4; tries++) await expect(advance(process, start.delegation)).rejects.toThrow('cut');
    await advance(process, start.delegation);
    expect(await endOf(start.delegation)).toMatchObject({ status: 'completed', result: 'through' });
  });

  it('ends once, whichever processes take it up, and only wakes its run where it ended before', async () => {
    house.play = () => ({ text: 'ok' });
    const start = await begin();
    await expect(advance(house.process({ at: 3, after: true }), start.delegation)).rejects.toThrow(Crash);
    await advance(house.process(), start.delegation);
    await advance(house.process(), start.delegation);
    expect(house.asked).toHaveLength(1);
    expect(await house.entriesOf(start.delegation, 'delegation.ended')).toHaveLength(1);
  });

  it('that nobody made does nothing', async () => {
    await advance(house.process(), 'r0~nobody');
    expect(await house.entries('r0~nobody')).toEqual([]);
  });
});
