import { pino } from 'pino';
import { Governor } from '../../src/github/governor.ts';
import { createPublisher } from '../../src/github/publisher.ts';
import type { Clock } from '../../src/journal/clock.ts';
import { Intake, type IntakeParts } from '../../src/run/intake.ts';
import { sweep } from '../../src/run/sweeper.ts';
import { WorkflowShelf } from '../../src/run/workflows.ts';
import type { Services } from '../../src/session/services.ts';
import { InMemoryStore, Shelf } from '../../src/store/in-memory/store.ts';
import { getOr, type Way } from '../../src/store/in-memory/way.ts';
import { type Alone, doWorkAlone, makeHandlers } from '../../src/worker.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import type { Workspace } from '../../src/workspace/workspace.ts';
import { BEGIN, Clockwork } from './clockwork.ts';
import { GitHub } from './github.ts';
import { makeModel } from './mind.ts';
import { Process } from './process.ts';
import { drawScenario, IDENTITY, type Scenario } from './scenario.ts';

const MOST_TURNS = 60_000;
const SILENT = pino({ level: 'silent' });
const SETTINGS = defaultSettings();

/** What a simulation leaves behind. */
export interface Remains {
  seed: number;
  scenario: Scenario;
  works: Clockwork;
  shelf: Shelf;
  github: GitHub;
  /** It came to rest: nothing is due any more. */
  rested: boolean;
  /** Accepted writes to journals, in order. */
  writes: { id: string; writer: string; at: number }[];
}

/** Something that is switched off, to see whether a simulation notices. */
export type Sabotage = (world: { shelf: Shelf; github: GitHub }) => void;

/** Plays one seed to its end: real code in several processes that die, are held up and start again, over one store, one GitHub and one model. */
export async function simulate(seed: number, options: { sabotage?: Sabotage; trace?: boolean } = {}): Promise<Remains> {
  const { sabotage, trace = false } = options;
  const works = new Clockwork(seed, { trace });
  const scenario = drawScenario(works.below);
  const shelf = new Shelf(clockOf(works));
  const github = new GitHub(works, scenario.moods);
  const writes = watchWrites(shelf);
  sabotage?.({ shelf, github });
  const world = { seed, scenario, works, shelf, github, troubles: { ...scenario.troubles }, born: 0 };
  for (let k = 0; k < scenario.processes; k++) startProcess(world);
  happen(world);
  const rested = await works.run(MOST_TURNS);
  return { seed, scenario, works, shelf, github, rested, writes };
}

interface World extends Pick<Remains, 'seed' | 'scenario' | 'works' | 'shelf' | 'github'> {
  troubles: Scenario['troubles'];
  born: number;
}

/** Redis' own time. */
function clockOf(works: Clockwork): Clock {
  return {
    now: () => works.now,
    later: (ms, work) => works.after(ms, work),
    sleep: (ms) => new Promise((resolve) => works.after(ms, resolve)),
  };
}

function watchWrites(shelf: Shelf): Remains['writes'] {
  const writes: Remains['writes'] = [];
  const seen = new Set<string>();
  const { write } = shelf.streams;
  shelf.streams.write = (id, batch) => {
    const at = write(id, batch);
    if (at !== null && !seen.has(batch.nonce)) writes.push({ id, writer: batch.nonce.split('.')[0] ?? '', at });
    if (at !== null) seen.add(batch.nonce);
    return at;
  };
  return writes;
}

/** A process from its start to its death; another takes its place a little later. */
function startProcess(world: World): void {
  const { works, scenario } = world;
  const { process, store, services } = openProcess(world, () => works.after(50 + works.below(5_000), () => startProcess(world)));
  const round = () => {
    void sweep(services).catch(() => 'the next round does it');
    if (!isOver(world)) process.clock.later(SWEEP_MS, round);
  };
  process.clock.later(works.below(SWEEP_MS), round);
  const handlers = makeHandlers(services, intakeOf(world, process, services), workAlone(world, process));
  const report = scenario.reports ? handlers.report : (id: string) => store.expected.forget({ wake: 'report', id });
  const failed = (kind: string, id: string, error: Error) => works.note(process.name, `failed ${kind} ${id}: ${error.message}`);
  store.queues.startWorkers({ ...handlers, report, failed }, { advances: 1 + works.below(4), delegations: 1 + works.below(4) });
}

/** Rounds of the sweeper, and how long they go on after the last run's end (ms). */
const SWEEP_MS = 30_000;
const AFTERWARDS_MS = 180_000;

function isOver({ works, shelf }: World): boolean {
  const ends = shelf.streams.ends([...shelf.runs.keys()], 'last');
  const later = works.now - BEGIN > AFTERWARDS_MS;
  return later && ends.every((end) => end?.type === 'run.ended' && works.now - end.at > AFTERWARDS_MS);
}

/** Work in a process of its own, which ends with the one that started it. */
function workAlone(world: World, parent: Process): Alone {
  return (work, signal) =>
    new Promise((resolve) => {
      let begun = false;
      const { process, services } = openProcess(world, () => resolve({ end: 'died', how: 'killed', begun }));
      parent.children.push(process);
      const done = doWorkAlone({ services, intake: intakeOf(world, process, services) }, work, {
        signal,
        begun: () => void (begun = true),
      });
      done.then(
        () => resolve({ end: 'done' }),
        (error: Error) => resolve({ end: 'failed', how: error.message, begun }),
      );
    });
}

function openProcess(world: World, onDeath: () => void): { process: Process; store: InMemoryStore; services: Services } {
  const { works, troubles, shelf } = world;
  const name = `p${++world.born}`;
  let names = 0;
  const process = new Process(name, { works, troubles, onDeath });
  const way: Way = (what, act) => process.call(what, act);
  const store = new InMemoryStore(shelf, { clock: process.clock, way, name: () => `${name}-${++names}` });
  return { process, store, services: servicesOf(world, process, store) };
}

function servicesOf(world: World, process: Process, store: InMemoryStore): Services {
  const { works, github, scenario } = world;
  const { clock } = process;
  const publisher = createPublisher({
    api: async () => github.api(process),
    identity: async () => IDENTITY,
    records: store.effects,
    doubts: store.doubts,
    places: store.duties,
    governor: new Governor({ turns: store.writes, clock }),
    drafts: store.drafts,
    diff: notHere,
    settings: SETTINGS,
    worker: process.name,
    clock,
  });
  const limits = { ...SETTINGS.limits, run: { ...SETTINGS.limits.run, tokens: scenario.tokens } };
  return {
    store,
    model: makeModel(process, { works, seed: world.seed, large: scenario.large }),
    workspace: { files: () => ({}), search: notHere, diff: notHere, clone: notHere, merge: notHere } as unknown as Workspace,
    github: {
      perform: (call) => publisher.perform(call),
      lookAgain: (effect) => publisher.lookAgain(effect),
      reader: () => READER,
      discovery: notHere,
    },
    settings: { ...SETTINGS, limits },
    log: SILENT,
  };
}

/** Of what runs read from GitHub, the one thing that every briefing asks for. */
const READER = { readConversation: async () => ({ said: [], hidden: 0, older: 0 }) } as unknown as ReturnType<Services['github']['reader']>;

function notHere(): never {
  throw new Error('this simulation has no such thing');
}

/** The real intake over what it asks of GitHub: who it is, the configuration, and who may write. */
function intakeOf({ github, scenario }: World, process: Process, services: Services): Intake {
  const configuration = { sha: 'c'.repeat(40), files: scenario.files, guidance: '' };
  const parts = {
    services,
    app: {
      identity: async () => IDENTITY,
      api: async () => github.api(process),
      receive: (delivery: Parameters<Intake['handle']>[0]) => intake.handle(delivery),
    },
    configurations: { read: () => process.call('configuration', () => configuration, { slow: 50 }), readProposed: async () => null },
    shelf: shelfOf(scenario),
    breathe: async () => {},
    permissions: { canWrite: () => process.call('permission', () => true, { slow: 300 }) },
  };
  const intake = new Intake(parts as unknown as IntakeParts);
  return intake;
}

const shelves = new Map<string, WorkflowShelf>();

/** Workflows are read once for all simulations that have the same. */
function shelfOf({ files }: Scenario): WorkflowShelf {
  return getOr(shelves, JSON.stringify(files), () => new WorkflowShelf(async () => {}));
}

/** What comes from outside: what people write, its deliveries, and wakes out of nothing. */
function happen({ works, shelf, github, scenario }: World): void {
  const outside = new InMemoryStore(shelf);
  for (const { at, id, text } of scenario.comments) works.after(at, () => github.say(id, text));
  for (const { at, ...delivery } of scenario.deliveries) works.after(at + works.below(50), () => void outside.queues.addDelivery(delivery));
  for (const at of scenario.wakes) {
    works.after(at, () => {
      for (const run of shelf.runs.keys()) void outside.queues.wakeRun(run);
    });
  }
}
