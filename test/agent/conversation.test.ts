import { describe, expect, it } from 'vitest';
import { type ConversationOptions, converse } from '../../src/agent/conversation.ts';
import { type Model, ModelRefused, ModelUnavailable } from '../../src/agent/model.ts';
import type { News, TurnAhead } from '../../src/agent/news.ts';
import { Pending, ToolError } from '../../src/journal/errors.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { Journals } from '../../src/store/journals.ts';
import { RedisStreams } from '../../src/store/streams.ts';
import { gate } from '../gate.ts';
import { ownPlace } from '../store/place.ts';
import { COMPLETED, hands, makeTool, openJournal, playModel, schemasOf } from './talk.ts';

const { redis, keys } = ownPlace('conversation');
const journals = () => new Journals(new RedisStreams(redis, keys));

const NOTHING: News = { texts: [], closing: null };

function talk(journal: Journal, model: Model, more: Partial<ConversationOptions<null>> = {}) {
  const tools = [COMPLETED];
  return converse({
    journal,
    key: 'step/a',
    model,
    modelId: 'm1',
    maxTokens: 100,
    contextTokens: 100_000,
    brief: async () => ({ system: 'You test.', messages: ['common', 'the task'] }),
    schemas: schemasOf(tools),
    tools: hands(tools),
    hear: async () => NOTHING,
    signal: new AbortController().signal,
    ...more,
  });
}

describe('a conversation', () => {
  it('is not left before its briefing stands, so that whoever walks it again is not briefed anew', async () => {
    const journal = await openJournal(journals());
    const append = journal.append.bind(journal);
    const taken = gate();
    journal.append = async (...drafts) => {
      if (drafts.some(({ type }) => type === 'briefed')) await taken.opened;
      await append(...drafts);
    };
    const model = playModel(() => {
      setTimeout(taken.open, 20);
      throw new Error('told to end');
    });
    await expect(talk(journal, model)).rejects.toThrow('told to end');
    expect(journal.find('briefed', 'step/a')?.system).toBe('You test.');
  });

  it('goes on until task_completed, with what was said before in every question', async () => {
    const look = makeTool('look', 'none', () => ({ text: 'seen' }));
    const model = playModel((_, nth) =>
      nth === 0
        ? { text: 'let me see', calls: [{ name: 'look' }] }
        : { calls: [{ name: 'task_completed', input: { message: 'all fine' } }] },
    );
    const journal = await openJournal(journals());
    const end = await talk(journal, model, { schemas: schemasOf([look, COMPLETED]), tools: hands([look, COMPLETED]) });
    expect(end).toEqual({
      message: 'all fine',
      by: 'task_completed',
      closing: null,
      last: 1,
      turns: 2,
      calls: { look: 1, task_completed: 1 },
    });
    expect(model.asked[0]).toMatchObject({ model: 'm1', system: 'You test.', messages: [{ role: 'user', text: ['common', 'the task'] }] });
    expect(model.asked[1]?.messages.map((message) => message.role)).toEqual(['user', 'assistant', 'results']);
    expect(model.asked[1]?.messages[2]).toMatchObject({ results: [{ text: 'seen', error: false }] });
  });

  it('ends by text alone, unless that is given back', async () => {
    const model = playModel((_, nth) => ({ text: `answer ${nth}` }));
    expect(await talk(await openJournal(journals()), model)).toMatchObject({ message: 'answer 0', by: 'text', turns: 1 });
    const second = playModel((_, nth) => ({ text: `answer ${nth}` }));
    const end = await talk(await openJournal(journals()), second, {
      onText: async (_, turn) => (turn === 0 ? { end: false, reply: 'not yet' } : { end: true }),
    });
    expect(end).toMatchObject({ message: 'answer 1', by: 'text', turns: 2 });
    expect(second.asked[1]?.messages.at(-1)).toEqual({ role: 'user', text: ['not yet'] });
  });

  it('ends where the model refuses, and keeps an answer without words sendable', async () => {
    const refuses = playModel(() => ({ text: 'no', stop: 'refusal' }));
    expect(await talk(await openJournal(journals()), refuses)).toMatchObject({ by: 'refusal' });
    const silent = playModel((_, nth) => (nth === 0 ? { text: '  ' } : { text: 'well' }));
    await talk(await openJournal(journals()), silent, {
      onText: async (text) => (text ? { end: true } : { end: false, reply: 'say something' }),
    });
    expect(silent.asked[1]?.messages[1]).toEqual({ role: 'assistant', content: [{ type: 'text', text: '(no answer)' }] });
  });

  it('hears news before its turn, in the newest message that is ours, and the same at a replay', async () => {
    const model = playModel((_, nth) => (nth < 2 ? { calls: [{ name: 'look' }] } : { text: 'bye' }));
    const look = makeTool('look', 'none', () => ({ text: 'seen' }));
    const told: number[] = [];
    const options = {
      schemas: schemasOf([look]),
      tools: hands([look]),
      hear: async ({ turn }: { turn: number }): Promise<News> => {
        told.push(turn);
        return turn === 1 ? { texts: ['a comment'], closing: null } : NOTHING;
      },
    };
    await talk(await openJournal(journals(), 'news'), model, options);
    expect(told).toEqual([0, 1, 2]);
    expect(model.asked[1]?.messages.at(-1)).toMatchObject({ role: 'results', text: ['a comment'] });
    const replayed = playModel(() => ({ text: 'never asked' }));
    expect(await talk(await journals().open('news'), replayed, options)).toMatchObject({ message: 'bye', turns: 3 });
    expect(told).toEqual([0, 1, 2]);
    expect(replayed.asked).toEqual([]);
  });

  it('hears again before a turn that got no answer, and is told of what came meanwhile', async () => {
    let away = true;
    const model = playModel(() => {
      if (away) throw new ModelUnavailable('overloaded', Date.now() + 50);
      return { text: 'bye' };
    });
    const heard: (number | null | undefined)[] = [];
    const hear = async ({ again }: TurnAhead): Promise<News> => {
      heard.push(again?.since);
      return again ? { texts: ['later'], closing: 'it is over' } : { texts: ['first'], closing: null };
    };
    const journal = await openJournal(journals());
    await expect(talk(journal, model, { hear })).rejects.toBeInstanceOf(Pending);
    away = false;
    expect(await talk(journal, model, { hear })).toMatchObject({ message: 'bye', by: 'closing', closing: 'it is over' });
    expect(model.asked.at(-1)?.messages.at(-1)).toMatchObject({
      text: ['common', 'the task', 'first', 'later', expect.stringContaining('it is over')],
    });
    expect(heard).toEqual([undefined, null]);
    expect(await talk(journal, model, { hear })).toMatchObject({ message: 'bye', closing: 'it is over' });
  });

  it('gives up a last turn, and a call of its time that is over, so that its end is heard', async () => {
    const hangs: Model = { ask: (_, { signal }) => new Promise((_, no) => signal?.addEventListener('abort', () => no(signal.reason))) };
    const ends = async ({ again }: TurnAhead): Promise<News> => ({
      texts: [],
      closing: 'over',
      ...(again?.closing ? { abrupt: true } : {}),
    });
    const journal = await openJournal(journals());
    await expect(talk(journal, hangs, { hear: ends, graceMs: () => 20 })).rejects.toThrow('waiting for its end');
    expect(await talk(journal, hangs, { hear: ends, graceMs: () => 20 })).toMatchObject({
      message: '',
      by: 'closing',
      closing: 'over',
      turns: 0,
      last: 0,
    });
    const late = talk(await openJournal(journals()), hangs, { latest: Date.now() - 100, graceMs: () => 120 });
    await expect(late).rejects.toThrow('waiting for its end');
  });

  it('offers only update_status and task_completed in its last turn, and ends with it whatever the agent does', async () => {
    const look = makeTool('look', 'none', () => {
      throw new Error('may not run');
    });
    const status = makeTool('update_status', 'none', () => ({ text: 'ok' }));
    const tools = [look, status, COMPLETED];
    const hear = async (): Promise<News> => ({ texts: [], closing: 'its time is over' });
    const model = playModel(() => ({ text: 'so far so good', calls: [{ name: 'look' }, { name: 'update_status' }] }));
    const journal = await openJournal(journals());
    const end = await talk(journal, model, { schemas: schemasOf(tools), tools: hands(tools), hear });
    expect(model.asked[0]?.tools.map((tool) => tool.name)).toEqual(['update_status', 'task_completed']);
    expect(String(Object.values(model.asked[0]?.messages.at(-1) ?? {}))).toContain('call task_completed with what there is');
    expect(end).toEqual({
      message: 'so far so good',
      by: 'closing',
      closing: 'its time is over',
      last: 0,
      turns: 1,
      calls: { update_status: 1 },
    });
    const well = playModel(() => ({ calls: [{ name: 'task_completed', input: { message: 'partial' } }] }));
    expect(await talk(await openJournal(journals()), well, { schemas: schemasOf(tools), tools: hands(tools), hear })).toMatchObject({
      message: 'partial',
      by: 'task_completed',
    });
    const bare = playModel(() => ({ text: 'half of it' }));
    const last = await talk(await openJournal(journals()), bare, { schemas: schemasOf([look]), tools: hands([look]), hear });
    expect(last).toMatchObject({ message: 'half of it', by: 'closing' });
    expect(bare.asked[0]?.tools).toEqual([]);
    expect(String(Object.values(bare.asked[0]?.messages.at(-1) ?? {}))).toMatch(/No tool can be used any more; answer with what there is/);
  });

  it('waits until the time that an unavailable model names, and lets a refusal of the provider through', async () => {
    const away: Model = { ask: () => Promise.reject(new ModelUnavailable('overloaded', 12_345)) };
    const journal = await openJournal(journals());
    const waits = await talk(journal, away).catch((error: unknown) => error);
    expect(waits).toBeInstanceOf(Pending);
    expect(waits).toMatchObject({ until: 12_345, message: 'waiting for the model (overloaded)' });
    const no: Model = { ask: () => Promise.reject(new ModelRefused('bad key')) };
    await expect(talk(journal, no)).rejects.toThrow(ModelRefused);
    expect(
      await talk(
        journal,
        playModel(() => ({ text: 'back' })),
      ),
    ).toMatchObject({ message: 'back', turns: 1 });
  });

  it('keeps its first words, also where a later build or memory would brief otherwise', async () => {
    const journal = await openJournal(journals(), 'brief');
    const away: Model = { ask: () => Promise.reject(new ModelUnavailable('away', 1)) };
    await expect(talk(journal, away)).rejects.toThrow(Pending);
    const model = playModel(() => ({ text: 'ok' }));
    await talk(await journals().open('brief'), model, { brief: async () => ({ system: 'Other.', messages: ['other'] }) });
    expect(model.asked[0]).toMatchObject({ system: 'You test.', messages: [{ text: ['common', 'the task'] }] });
  });
});

class Crash extends Error {}

/** A journal whose process dies at the n-th append: before it is written or right after; nothing of that process is written later. */
function mortal(journal: Journal, at: number, after: boolean): { journal: Journal; isDead(): boolean } {
  let appends = 0;
  let dead = false;
  const append: Journal['append'] = async (...drafts) => {
    if (dead) throw new Crash();
    if (drafts.length === 0) return;
    const last = ++appends === at;
    if (last && !after) dead = true;
    if (dead) throw new Crash();
    await journal.append(...drafts);
    if (last) dead = true;
    if (dead) throw new Crash();
  };
  const proxy: Journal = {
    id: journal.id,
    lost: journal.lost,
    get entries() {
      return journal.entries;
    },
    find: (type, key) => journal.find(type, key),
    append,
    async once(key, work) {
      const noted = journal.find('noted', key);
      if (noted) return noted.value as Awaited<ReturnType<typeof work>>;
      const value = await work();
      await append({ type: 'noted', key, value: value ?? null });
      return value;
    },
  };
  return { journal: proxy, isDead: () => dead };
}

/** What two processes did together. */
interface World {
  asked: string[];
  wrote: string[];
  read: number;
}

/** A conversation with reads, writes, a tool's fault, news and a delegation, played from the conversation alone. */
function playStory(journal: Journal, world: World, isDead: () => boolean) {
  const alive = () => {
    if (isDead()) throw new Crash();
  };
  const tools = [
    makeTool('read', 'none', () => {
      alive();
      world.read++;
      return { text: 'seen' };
    }),
    makeTool('write', 'workspace', (input) => {
      alive();
      world.wrote.push(JSON.stringify(input));
      return { text: 'written', changes: { [JSON.stringify(input)]: null } };
    }),
    makeTool('faulty', 'memory', () => {
      alive();
      throw new ToolError('not like this');
    }),
    makeTool('delegate_to_sub_agent', 'none', () => ({ text: '' })),
    COMPLETED,
  ];
  const model: Model = {
    async ask(request) {
      alive();
      const turns = request.messages.filter((message) => message.role === 'assistant').length;
      world.asked.push(`${turns}: ${JSON.stringify(request.messages).replace(/call_[\w-]+/g, '')}`);
      return playModel(() => STORY[turns] ?? { text: 'over' }).ask(request, {});
    },
  };
  return talk(journal, model, {
    schemas: schemasOf(tools),
    tools: hands(tools, { delegate: async (calls) => calls.map((_, k) => ({ text: `result ${k}` })) }),
    hear: async ({ turn, again }) => (turn === 2 && !again ? { texts: ['somebody wrote'], closing: null } : NOTHING),
  });
}

const STORY = [
  { calls: [{ name: 'read' }, { name: 'read' }, { name: 'write', input: 1 }] },
  { text: 'now', calls: [{ name: 'write', input: 2 }, { name: 'faulty' }, { name: 'write', input: 3 }] },
  { calls: [{ name: 'delegate_to_sub_agent', input: 1 }, { name: 'delegate_to_sub_agent', input: 2 }, { name: 'unknown' }] },
  {
    calls: [
      { name: 'write', input: 4 },
      { name: 'task_completed', input: { message: 'done' } },
    ],
  },
];

describe('a conversation whose process dies at any append', () => {
  const strip = (journal: Journal) =>
    journal.entries.map((entry) => JSON.stringify({ ...entry, at: 0, ms: 0 }).replace(/call_[\w-]+/g, '')).sort();

  it('ends alike: what is recorded is neither asked nor run again, and what was under way at most once more', async () => {
    const whole: World = { asked: [], wrote: [], read: 0 };
    const reference = await openJournal(journals());
    const end = await playStory(reference, whole, () => false);
    const appends = reference.entries.length - 1;
    expect(whole.wrote).toEqual(['1', '2', '3', '4']);
    expect(appends).toBeGreaterThan(15);
    let died = 0;
    for (const after of [false, true]) {
      for (let at = 1; at <= appends; at++) {
        const id = `crash-${at}-${after}`;
        const world: World = { asked: [], wrote: [], read: 0 };
        const { journal, isDead } = mortal(await openJournal(journals(), id), at, after);
        const first = await playStory(journal, world, isDead).catch((error: unknown) => error);
        if (!(first instanceof Crash)) continue;
        died++;
        const reopened = await journals().open(id);
        expect(await playStory(reopened, world, () => false), id).toEqual(end);
        expect(strip(reopened), id).toEqual(strip(reference));
        expect(world.asked.length, id).toBeLessThanOrEqual(whole.asked.length + 1);
        expect([...new Set(world.asked)], id).toEqual(whole.asked);
        expect([...new Set(world.wrote)], id).toEqual(whole.wrote);
        expect(world.wrote.length, id).toBeLessThanOrEqual(whole.wrote.length + 1);
        const before = world.asked.length + world.wrote.length + world.read;
        expect(await playStory(await journals().open(id), world, () => false), id).toEqual(end);
        expect(world.asked.length + world.wrote.length + world.read, id).toBe(before);
      }
    }
    expect(died).toBeGreaterThan(2 * appends - 8);
  });
});
