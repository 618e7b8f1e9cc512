import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { inject } from 'vitest';
import type { Model, ModelRequest } from '../../src/agent/model.ts';
import type { Conversation } from '../../src/github/conversation.ts';
import type { Discovery } from '../../src/github/discovery.ts';
import type { Effect, Outcome } from '../../src/journal/effect.ts';
import type { Agent, DelegationStart, Draft, Entry, EntryOf, EntryType, RunStart } from '../../src/journal/entry.ts';
import { Pending } from '../../src/journal/errors.ts';
import type { Comment, Event } from '../../src/journal/event.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { Repository, Resource } from '../../src/journal/resource.ts';
import { advanceRun } from '../../src/run/run.ts';
import { advanceDelegation } from '../../src/session/delegation.ts';
import type { Services } from '../../src/session/services.ts';
import { Journals } from '../../src/store/journals.ts';
import { makeKeys } from '../../src/store/keys.ts';
import { connectCommands, type Redis, waitReady } from '../../src/store/redis.ts';
import { RedisStore, type Store } from '../../src/store/store.ts';
import { RedisStreams } from '../../src/store/streams.ts';
import type { GitHubReading } from '../../src/tools/context.ts';
import { loadWorkflow } from '../../src/workflow/load.ts';
import { defaultSettings, type Settings } from '../../src/workflow/settings.ts';
import type { Workspace } from '../../src/workspace/workspace.ts';
import { type Line, playModel } from '../agent/talk.ts';
import { openWorkspace, scratch } from '../workspace/remote.ts';

export const REPOSITORY: Repository = {
  id: 7,
  fullName: 'acme/app',
  owner: 'acme',
  name: 'app',
  defaultBranch: 'main',
  private: false,
  cloneUrl: '',
};

export function pullOf(number: number, more: Partial<Extract<Resource, { kind: 'pr' }>> = {}): Extract<Resource, { kind: 'pr' }> {
  return {
    kind: 'pr',
    repository: REPOSITORY,
    number,
    url: `https://github.example/acme/app/pull/${number}`,
    head: { ref: 'feature', sha: 'b'.repeat(40), fullName: 'acme/app', fork: false },
    base: { ref: 'main', sha: 'a'.repeat(40) },
    ...more,
  };
}

let pulls = 0;

/** An event on a pull request of its own, so that runs of one test do not share a lane with those of another. */
export function eventOn(resource: Resource = pullOf(++pulls), more: Partial<Event> = {}): Event {
  const ana = { id: 1, login: 'ana', bot: false };
  return {
    name: 'pull_request_opened',
    delivery: randomUUID(),
    installation: 1,
    repository: REPOSITORY,
    resource,
    actor: ana,
    author: ana,
    context: { trigger: { eventType: 'pull_request_opened' }, repository: { fullName: 'acme/app', name: 'app' } } as Event['context'],
    ...more,
  };
}

/** A comment of ana's, who has write permission, on a pull request of ben's; later ids were written later. */
export function commentOn(number: number, { id, text }: { id: number; text: string }): Event & { comment: Comment } {
  const createdAt = new Date(Date.UTC(2026, 0, 1, 0, 0, Math.floor(id / 7))).toISOString();
  const ana = { id: 1, login: 'ana', bot: false };
  const comment = {
    id,
    place: id % 3 === 0 ? ('thread' as const) : ('conversation' as const),
    author: ana,
    body: text,
    url: '',
    createdAt,
  };
  const author = { id: 2, login: 'ben', bot: false };
  return {
    ...eventOn(pullOf(number), { name: 'pull_request_commented', delivery: randomUUID(), actor: ana, author }),
    comment,
  };
}

export function agentOf(id: string, more: Partial<Agent> = {}): Agent {
  return { id, name: `Agent ${id}`, type: 'Custom', description: '', instructions: '', model: null, tools: FILE_TOOLS, ...more };
}

const FILE_TOOLS = ['read_file', 'list_dir', 'write_file', 'append_file', 'delete_file'];

/** A step that is a session of these agents, with an instruction that says nothing. */
export function session(id: string, params: object = {}, more: object = {}) {
  return { id, action: 'agent.session', instruction: 'Do it.', params: { goal: 'Done', agentIds: ['a'], ...params }, ...more };
}

export function agentStep(id: string, more: object = {}) {
  return { id, action: 'agent.run', instruction: `Work on ${id}.`, params: { agentId: 'a' }, ...more };
}

/** What a run starts from. */
export function startOf(definition: { steps: object[]; [key: string]: unknown }, more: Partial<RunStart> = {}): RunStart {
  const path = '.overcut/workflow.json';
  const agents = more.agents ?? [agentOf('a')];
  const triggers = [{ event: 'pull_request_opened' }];
  const text = JSON.stringify({ name: 'Test', triggers, ...definition });
  const { workflow, problems } = loadWorkflow({ path, text, prompts: {}, agentIds: agents.map(({ id }) => id) });
  if (!workflow) throw new Error(problems.map(({ message }) => message).join('\n'));
  return {
    run: `r${randomUUID().slice(0, 8)}`,
    workflow: { path, name: workflow.name, sha: 'c'.repeat(40), definition: workflow },
    agents,
    guidance: '',
    event: eventOn(),
    trust: 'trusted',
    chain: 0,
    notBefore: 0,
    ...more,
  };
}

/** What a scripted agent goes by: who it is, how often it has answered, what it was told and what its tools gave. */
export interface Scene {
  request: ModelRequest;
  /** The answers that it gave before in this conversation. */
  turn: number;
  /** All texts of ours, joined. */
  told: string;
  /** The results of the newest turn. */
  results: { text: string; error: boolean }[];
  coordinates: boolean;
}

/** A director that knows a conversation only by its words. */
export type Play = (scene: Scene) => Line | Promise<Line>;

function sceneOf(request: ModelRequest): Scene {
  const last = request.messages.at(-1);
  return {
    request,
    turn: request.messages.filter((message) => message.role === 'assistant').length,
    told: request.messages.flatMap((message) => (message.role === 'assistant' ? [] : message.text)).join('\n'),
    results: last?.role === 'results' ? last.results.map(({ text, error }) => ({ text, error })) : [],
    coordinates: request.tools.some((tool) => tool.name === 'delegate_to_sub_agent'),
  };
}

export class Crash extends Error {
  override name = 'Crash';
}

/** Kills a process at its n-th append: before it is written, or right after. */
export interface Death {
  at: number;
  after: boolean;
}

/** What stands outside of any process: Redis, GitHub, and what the model was asked. */
export class House {
  readonly prefix: string;
  readonly redis: Redis;
  readonly store: Store;
  readonly workspace: Workspace;
  readonly effects = new Map<string, { effect: Effect; outcome: Outcome }>();
  /** A folder of the test's own. */
  readonly root: string;
  readonly #remove: () => void;
  /** Every question, with the process that asked it. */
  asked: ModelRequest[] = [];
  play: Play = () => ({ text: 'nothing to do' });
  /** What GitHub makes of an effect. */
  onEffect: (effect: Effect, key: string) => Outcome = () => ({ status: 'done', result: {} });
  /** What happens before GitHub hears of an effect. */
  beforeEffect: () => Promise<void> = async () => {};
  settings: Settings = defaultSettings();
  /** What was said on every pull request and issue. */
  conversation: Conversation = { said: [], hidden: 0, older: 0 };
  /** What GitHub answers to those who read. */
  reading: Partial<GitHubReading> = {};
  /** What the App is installed on, and what it says of who may read. */
  installation: Discovery = { list: async () => [], find: async () => null, canRead: async () => false };

  private constructor(parts: { redis: Redis; store: Store; workspace: Workspace; root: string; remove: () => void; prefix: string }) {
    this.redis = parts.redis;
    this.store = parts.store;
    this.workspace = parts.workspace;
    this.root = parts.root;
    this.#remove = parts.remove;
    this.prefix = parts.prefix;
  }

  static async open(url = inject('redisUrl')): Promise<House> {
    const prefix = `test-house-${randomUUID()}`;
    const redis = connectCommands(url, () => {});
    await waitReady(redis, 5_000);
    const store = await RedisStore.open({ url, prefix }, { warn: () => {}, error: () => {} });
    const { root, remove } = scratch();
    return new House({ redis, store, workspace: openWorkspace(root), root, remove, prefix });
  }

  async close(): Promise<void> {
    await this.workspace.close();
    await this.store.close();
    this.redis.disconnect();
    this.#remove();
  }

  /** A process with its own memory, which may die on the way. */
  process(death: Death | null = null): Process {
    return new Process(this, death);
  }

  async begin(start: RunStart): Promise<string> {
    await this.store.journals.create(start.run, { type: 'run.started', start });
    return start.run;
  }

  async entries(id: string): Promise<Entry[]> {
    return new Journals(new RedisStreams(this.redis, makeKeys(this.prefix))).read(id);
  }

  async entriesOf<T extends EntryType>(id: string, type: T): Promise<EntryOf<T>[]> {
    return (await this.entries(id)).filter((entry): entry is EntryOf<T> => entry.type === type);
  }

  /** How every step ended. */
  async steps(id: string): Promise<Record<string, string>> {
    const ends = await this.entriesOf(id, 'step.ended');
    return Object.fromEntries(ends.map(({ step, state }) => [step, state]));
  }

  /** How a run ended, or null. */
  async end(id: string): Promise<EntryOf<'run.ended'> | null> {
    return (await this.entriesOf(id, 'run.ended'))[0] ?? null;
  }

  /** Ids of jobs that wait in a queue, by what they are about. */
  async waiting(queue: 'runs' | 'delegations' | 'reports' | 'timers'): Promise<string[]> {
    const keys = await this.redis.keys(`${this.prefix}:${queue}-v*:*`);
    const rows = await Promise.all(
      keys.map(async (key) => ((await this.redis.type(key)) === 'hash' ? this.redis.hget(key, 'data') : null)),
    );
    return rows.flatMap((data) => (data === null ? [] : [String((JSON.parse(data) as { id: string }).id)]));
  }
}

/** One process over the house: its own open journals; after its death it can neither write, ask nor act. */
export class Process {
  readonly #house: House;
  readonly #death: Death | null;
  readonly services: Services;
  appends = 0;
  dead = false;

  constructor(house: House, death: Death | null) {
    this.#house = house;
    this.#death = death;
    const journals = this.#mortalJournals(new Journals(new RedisStreams(house.redis, makeKeys(house.prefix))));
    this.services = {
      store: over(house.store, { journals }),
      model: this.#model(),
      workspace: house.workspace,
      github: {
        lookAgain: async () => null,
        perform: async ({ run, key, effect, mayStillAct }) => {
          await this.#house.beforeEffect();
          if (mayStillAct && !(await mayStillAct())) return { status: 'refused', reason: 'the run ended before this was written' };
          return this.#act(`${run}:${key}`, effect);
        },
        reader: () => ({
          readPullRequest: notRead,
          readIssue: notRead,
          readConversation: async () => house.conversation,
          list: notRead,
          readCiRun: notRead,
          listCiRuns: notRead,
          readCiLog: notRead,
          listDispatched: notRead,
          readAttachments: notRead,
          ...house.reading,
        }),
        discovery: () => house.installation,
      },
      settings: house.settings,
      log: pino({ level: 'silent' }),
    };
  }

  /** Walks a run and its delegations until it ended, waits for something else, or fails. Answers what it still waits for. */
  async drive(run: string, signal = new AbortController().signal): Promise<string | null> {
    for (let round = 0; round < 60; round++) {
      const waits = await settle(advanceRun(this.services, run, signal));
      if (waits === null) return null;
      const open = await this.openDelegations(run);
      const progress = await Promise.all(open.map((id) => settle(advanceDelegation(this.services, id, signal))));
      if (!progress.includes(null)) return waits;
    }
    throw new Error('the run does not come to an end');
  }

  async openDelegations(run: string): Promise<string[]> {
    const entries = await this.#house.entries(run);
    const ended = new Set(entries.flatMap((entry) => (entry.type === 'delegation.ended' ? [entry.delegation] : [])));
    return entries.flatMap((entry) => (entry.type === 'delegation.queued' && !ended.has(entry.delegation) ? [entry.delegation] : []));
  }

  #alive(): void {
    if (this.dead) throw new Crash('this process is dead');
  }

  #act(id: string, effect: Effect): Outcome {
    this.#alive();
    const { effects, onEffect } = this.#house;
    const known = effects.get(id);
    if (known) return known.outcome;
    const outcome = onEffect(effect, id);
    effects.set(id, { effect, outcome });
    return outcome;
  }

  #model(): Model {
    return {
      ask: async (request, options) => {
        this.#alive();
        this.#house.asked.push(structuredClone(request));
        const answer = await playModel((asked) => this.#house.play(sceneOf(asked))).ask(request, options);
        this.#alive();
        return answer;
      },
    };
  }

  #mortalJournals(journals: Journals): Journals {
    const open = async (id: string) => {
      this.#alive();
      return this.#mortal(await journals.open(id));
    };
    return over(journals, { open: open as unknown as Journals['open'] });
  }

  #mortal(journal: Journal): Journal {
    const append = (...drafts: Draft[]) => this.#append(journal, drafts);
    const once: Journal['once'] = async (key, work) => {
      const noted = journal.find('noted', key);
      if (noted) return noted.value as Awaited<ReturnType<typeof work>>;
      const value = await work();
      await append({ type: 'noted', key, value: value ?? null });
      return value;
    };
    return over(journal, { append, once });
  }

  async #append(journal: Journal, drafts: Draft[]): Promise<void> {
    this.#alive();
    if (drafts.length === 0) return;
    const last = ++this.appends === this.#death?.at;
    if (last && !this.#death?.after) this.dead = true;
    this.#alive();
    await journal.append(...drafts);
    if (last) this.dead = true;
    this.#alive();
  }
}

/** Where no process is to crash, none is started for those that do. */
export function neverAlone(): Promise<never> {
  throw new Error('nothing crashes in this test');
}

function notRead(): never {
  throw new Error('this test reads nothing from GitHub');
}

async function settle(work: Promise<void>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof Pending) return error.message;
    throw error;
  }
}

/** An object with some members replaced; the others keep their own `this`. */
export function over<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get(whole, name) {
      if (Object.hasOwn(members, name)) return members[name as keyof T];
      const value: unknown = Reflect.get(whole, name, whole);
      return typeof value === 'function' ? value.bind(whole) : value;
    },
  });
}

/** A delegation's start as a coordinator would have made it. */
export function delegationOf(more: Partial<DelegationStart> = {}): DelegationStart {
  const run = `r${randomUUID().slice(0, 8)}`;
  return {
    run,
    delegation: `${run}~step.s.turn.0.call.0`,
    key: 'step/s/turn/0/call/0',
    agent: agentOf('a'),
    label: 'work',
    instructions: 'Work.',
    allow: null,
    prohibit: [],
    expect: null,
    deadline: null,
    tree: { checkouts: [], changes: {} },
    event: eventOn(),
    trust: 'trusted',
    goal: 'Done',
    modelKey: null,
    ...more,
  };
}
