import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { maxDelegations } from '../../src/agent/tool-table.ts';
import type { DelegationStart, RunStart } from '../../src/journal/entry.ts';
import { treeOf } from '../../src/journal/view.ts';
import { advanceRun } from '../../src/run/run.ts';
import { agentOf, Crash, House, over, type Play, type Scene, session, startOf } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());
afterEach(() => {
  house.asked = [];
});

type Wish = string | { instructions: string; [key: string]: unknown };

const delegate = (wish: Wish) => ({
  name: 'delegate_to_sub_agent',
  input: { agentId: 'a', ...(typeof wish === 'string' ? { instructions: wish } : wish) },
});

/** A coordinator that hands these wishes out in one turn and completes with what came back; `work` plays the sub-agents. */
function fan(wishes: Wish[], work: Play = () => ({ text: 'ok' })): Play {
  return (scene) => {
    if (!scene.coordinates) return work(scene);
    if (scene.turn === 0) return { calls: wishes.map(delegate) };
    return { calls: [{ name: 'task_completed', input: { message: JSON.stringify(scene.results) } }] };
  };
}

async function resultsOf(run: string): Promise<Scene['results']> {
  const end = await house.end(run);
  return JSON.parse(end?.message ?? '[]') as Scene['results'];
}

async function startsOf(run: string): Promise<DelegationStart[]> {
  const queued = await house.entriesOf(run, 'delegation.queued');
  const firsts = await Promise.all(queued.map(async ({ delegation }) => (await house.entries(delegation))[0]));
  return firsts.flatMap((entry) => (entry?.type === 'delegation.started' ? [entry.start] : []));
}

const begin = (more: Partial<RunStart> = {}, params: object = {}) => house.begin(startOf({ steps: [session('s', params)] }, more));

describe('delegations of one turn', () => {
  it('are twenty jobs, once each, and answer in the order of the calls', async () => {
    const parts = Array.from({ length: 20 }, (_, k) => `part ${k}`);
    let open = 0;
    let widest = 0;
    house.play = fan(parts, async ({ told }) => {
      widest = Math.max(widest, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return { text: `did ${/part \d+/.exec(told)?.[0]}` };
    });
    const run = await begin();
    expect(await house.process().drive(run)).toBeNull();
    expect((await resultsOf(run)).map((one) => one.text)).toEqual(parts.map((part) => `did ${part}`));
    expect(await house.entriesOf(run, 'delegation.queued')).toHaveLength(20);
    expect(await house.entriesOf(run, 'delegation.ended')).toHaveLength(20);
    expect(house.asked).toHaveLength(22);
    expect(widest).toBeGreaterThan(1);
    const jobs = (await house.waiting('delegations')).filter((id) => id.startsWith(`${run}~`));
    expect(jobs).toHaveLength(20);
    expect(new Set(jobs).size).toBe(20);
  });

  it('heal where the process dies between writing that they are queued and making them', async () => {
    house.play = fan(['part x', 'part y'], ({ told }) => ({ text: `did ${/part (\w)/.exec(told)?.[1]}` }));
    const run = await begin();
    const { services } = house.process();
    const { journals } = services.store;
    const create: typeof journals.create = async (id, first) => {
      if (id.endsWith('call.1')) throw new Crash();
      return journals.create(id, first);
    };
    const dying = { ...services, store: over(services.store, { journals: over(journals, { create }) }) };
    await expect(advanceRun(dying, run, new AbortController().signal)).rejects.toThrow(Crash);
    expect(await house.entriesOf(run, 'delegation.queued')).toHaveLength(2);
    expect(await startsOf(run)).toHaveLength(1);
    expect(await house.process().drive(run)).toBeNull();
    expect(await startsOf(run)).toHaveLength(2);
    expect((await resultsOf(run)).map((one) => one.text)).toEqual(['did x', 'did y']);
    expect(house.asked.filter((request) => request.tools.some((tool) => tool.name === 'delegate_to_sub_agent'))).toHaveLength(2);
  });

  it.each([
    { most: 25, params: {}, asked: 27 },
    { most: 2, params: { maxDelegations: 2 }, asked: 4 },
    { most: 0, params: { maxDelegations: 0 }, asked: 1 },
  ])('are at most $most: the rest is refused with a sentence, also at a replay', async ({ most, params, asked }) => {
    house.play = fan(Array.from({ length: asked }, (_, k) => `part ${k}`));
    const run = await begin({}, params);
    const queueing = house.process({ at: 5, after: true });
    await expect(queueing.drive(run)).rejects.toThrow(Crash);
    expect(await house.process().drive(run)).toBeNull();
    const results = await resultsOf(run);
    expect(results.filter((one) => !one.error)).toHaveLength(most);
    expect(results.slice(most).map((one) => one.text)).toEqual(
      Array.from(
        { length: asked - most },
        () => `Not delegated: this session may have ${most} delegations and all are used. Finish with what there is.`,
      ),
    );
    expect(await house.entriesOf(run, 'delegation.queued')).toHaveLength(most);
  });

  it('are counted by what the step before said, also where the instruction templates it', async () => {
    const prompt = 'Total delegations = (number of chunks) + 1. Before: {{outputs.plan.message}}';
    expect(maxDelegations(prompt, 'total_chunks: 2')).toBe(3);
    const steps = [
      { id: 'plan', action: 'agent.run', instruction: 'Plan.', params: { agentId: 'a' } },
      session('s', {}, { instruction: prompt }),
    ];
    const play = fan(['1', '2', '3', '4', '5']);
    house.play = (scene) => (scene.told.includes('Plan.') ? { text: 'total_chunks: 2' } : play(scene));
    const run = await house.begin(startOf({ steps }));
    expect(await house.process().drive(run)).toBeNull();
    expect((await resultsOf(run)).map((one) => one.error)).toEqual([false, false, false, true, true]);
  });

  it('to nobody are answered with the list, and bad input with what was expected', async () => {
    house.play = fan([
      { instructions: 'x', agentId: 'nobody' },
      { instructions: '', agentId: 'a' },
      { instructions: 'y', agentId: 'AGENT-a' },
    ]);
    const run = await begin({ agents: [agentOf('a'), agentOf('b')] }, { agentIds: ['a', 'b'] });
    expect(await house.process().drive(run)).toBeNull();
    const [nobody, empty, byName] = await resultsOf(run);
    expect(nobody).toEqual({ text: 'There is no agent "nobody". Your agents: Agent a (a), Agent b (b).', error: true });
    expect(empty?.error).toBe(true);
    expect(empty?.text).toMatch(/^delegate_to_sub_agent was not run\. instructions: .*It takes \{/);
    expect(byName).toEqual({ text: 'ok', error: false });
    expect(await house.entriesOf(run, 'delegation.queued')).toHaveLength(1);
  });

  it('carry label, limits, tools and the earlier of their own and the session’s time', async () => {
    const table = '| Tool | Max Calls |\n|---|---|\n| `read_file` | 2 |\n| `list_dir` | 1 |';
    house.play = fan([
      { instructions: '## Look at it\nall of it' },
      {
        instructions: `# t\n\n### Allowed Tools\n\n${table}`,
        label: 'mine',
        timeoutSeconds: '30',
        tools: { allow: [{ name: 'read_file', maxCalls: 5 }] },
      },
      { instructions: 'z', timeoutSeconds: 99_999, expect: { minCalls: 1 } },
    ]);
    const run = await begin({}, { exitCriteria: { timeLimit: { maxDurationMinutes: 20 } } });
    await house.process().drive(run);
    const [first, second, third] = await startsOf(run);
    const answered = (await house.entriesOf(run, 'turn.answered'))[0]?.at ?? 0;
    const started = (await house.entriesOf(run, 'step.started'))[0]?.at ?? 0;
    expect(first).toMatchObject({ label: 'Look at it', allow: null, deadline: started + 20 * 60_000 });
    expect(second).toMatchObject({ label: 'mine', deadline: answered + 30_000, allow: [{ name: 'read_file', maxCalls: 2 }] });
    expect(third).toMatchObject({ deadline: started + 20 * 60_000, expect: { minCalls: 1 } });
  });

  it('are told apart where one fails: its error is a result, and the others count', async () => {
    house.play = fan(['good', 'bad'], ({ told }) => (told.includes('bad') ? { text: 'I will not', stop: 'refusal' } : { text: 'fine' }));
    const run = await begin();
    await house.process().drive(run);
    expect(await resultsOf(run)).toEqual([
      { text: 'fine', error: false },
      { text: 'The delegation to Agent a failed: The model refused to go on with this task.', error: true },
    ]);
  });
});

describe('what delegations changed', () => {
  const write = (path: string, content: string, tool = 'write_file') => ({ name: tool, input: { path, content } });
  const worker: Play = ({ told, turn, results }) => {
    if (turn > 0) return { text: results.every((one) => !one.error) ? 'done' : `failed ${JSON.stringify(results)}` };
    const who = /worker (\d)/.exec(told)?.[1] ?? '';
    return { calls: [write(`own-${who}.txt`, who), write('log.txt', `line ${who}\n`, 'append_file'), write('same.txt', who)] };
  };

  it('is merged into the tree of the run exactly once, in the order of the calls, and conflicts are told', async () => {
    house.play = fan(['worker 1', 'worker 2'], worker);
    const run = await begin();
    await house.process().drive(run);
    const results = await resultsOf(run);
    for (const result of results)
      expect(result.text).toBe('done\n\nNot merged, because another delegation of this turn changed it differently: same.txt.');
    const merged = (await house.entriesOf(run, 'call.ended')).filter((entry) => entry.changes);
    expect(merged.map((entry) => entry.key)).toEqual(['step/s/turn/0/call/1']);
    const tree = treeOf({ checkouts: [], changes: {} }, await house.entries(run));
    const files = house.workspace.files(tree, house.store.blobs(run));
    const read = async (path: string) => (await files.read(path)).toString();
    expect(await read('log.txt')).toBe('line 1\nline 2\n');
    expect([await read('own-1.txt'), await read('own-2.txt'), await read('same.txt')]).toEqual(['1', '2', '1']);
  });

  it('is seen by those that are queued later, and only by those', async () => {
    const seen: string[] = [];
    const look: Play = ({ turn, results }) => {
      if (turn === 0) return { calls: [{ name: 'list_dir', input: {} }] };
      seen.push(results[0]?.text ?? '');
      return { text: 'looked' };
    };
    house.play = (scene) => {
      if (!scene.coordinates) return scene.told.includes('look') ? look(scene) : worker(scene);
      if (scene.turn === 0) return { calls: [delegate('worker 1'), delegate('look')] };
      if (scene.turn === 1) return { calls: [delegate('look')] };
      return { calls: [{ name: 'task_completed', input: { message: '[]' } }] };
    };
    const run = await begin();
    await house.process().drive(run);
    expect(seen[0]).toBe('(empty directory)');
    expect(seen[1]).toContain('own-1.txt');
  });
});
