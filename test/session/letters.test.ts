import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ModelRefused } from '../../src/agent/model.ts';
import { resourceKey } from '../../src/journal/resource.ts';
import { announceComment, sendToSession, settleComment } from '../../src/run/letters.ts';
import { startRun } from '../../src/run/start.ts';
import type { Services } from '../../src/session/services.ts';
import { RedisStore, type Store } from '../../src/store/store.ts';
import { makeHandlers } from '../../src/worker.ts';
import { generatorFrom } from '../store/generator.ts';
import { commentOn, eventOn, House, neverAlone, pullOf, type Scene, session, startOf } from './house.ts';

const COMMENTS = 1_000;
const RESOURCES = 10;
const SEED = 4_711;

let house: House;
let second: Store;
/** Two processes: own connections, own open journals, own workers. */
let both: Services[];

beforeAll(async () => {
  house = await House.open();
  second = await RedisStore.open({ url: inject('redisUrl'), prefix: house.prefix }, { warn: () => {}, error: () => {} });
  const { services } = house.process();
  both = [services, { ...services, store: second }];
  for (const one of both) one.store.queues.startWorkers(handlersOf(one), { advances: 8, delegations: 8 });
});
afterAll(async () => {
  await Promise.all(both.map((one) => one.store.queues.stopWorkers(2_000)));
  await second.close();
  await house.close();
});

/** Real handlers of runs and delegations; nothing is reported, and deliveries do not come by a queue here. */
function handlersOf(services: Services) {
  const intake = { take: async () => {} } as unknown as Parameters<typeof makeHandlers>[1];
  return { ...makeHandlers(services, intake, neverAlone), report: async () => {} };
}

/** What became of a comment: the run that took it, or null. */
interface Fate {
  id: number;
  text: string;
  run: string | null;
  resource: string;
}

interface Life {
  run: string;
  listens: boolean;
  keepsOpen: boolean;
}

const fates: Fate[] = [];
const lives: Life[] = [];
let left = COMMENTS;
let newest = 0;

/** A coordinator without a plan: it delegates, reports, asks, and says that it is done, in any order. */
function wander(below: (n: number) => number) {
  return async (scene: Scene) => {
    await sleep(below(8));
    if (!scene.coordinates) return { text: 'looked' };
    const talks = scene.told.includes('[[patient]]');
    const pick = scene.turn > 60 ? 9 : below(talks ? 9 : 12);
    if (below(80) === 0) throw new ModelRefused('no more of this');
    if (pick < 3) return { calls: [delegate(), delegate()].slice(0, 1 + below(2)) };
    if (pick < 5) return { calls: [{ name: 'update_status', input: { message: `at turn ${scene.turn}` } }] };
    if (pick < 6) return { calls: [{ name: 'read_file', input: { path: 'none.txt' } }] };
    if (pick < 7) return { text: `a question at turn ${scene.turn}` };
    return { calls: [{ name: 'task_completed', input: { message: `done at turn ${scene.turn}` } }] };
  };
}

function delegate() {
  return { name: 'delegate_to_sub_agent', input: { agentId: 'a', instructions: 'Look.' } };
}

/** One comment, as intake hands it over; letters of one resource may be looked at together, and those who look take differently long. */
async function say(services: Services, number: number, text: string, slow: number): Promise<string | null> {
  const id = ++newest;
  left--;
  const event = commentOn(number, { id, text });
  await announceComment(services, event);
  const fate: Fate = { id, text, run: null, resource: resourceKey(event.resource) };
  fates.push(fate);
  const sent = await sendToSession(services, event, {
    canWrite: async () => (await sleep(slow)) ?? true,
    lookBefore: async () => undefined,
  });
  await settleComment(services, event);
  fate.run = sent?.run ?? null;
  return fate.run;
}

async function begin(number: number, below: (n: number) => number): Promise<Life> {
  const kind = lives.length % 4;
  const life = { listens: kind !== 1, keepsOpen: kind !== 2 };
  const params = {
    listenToComments: life.listens,
    keepSessionOpenForComments: life.keepsOpen,
    maxDelegations: 500,
    exitCriteria: { timeLimit: { maxDurationMinutes: 30 }, userSignals: { explicit: ['/done'] } },
  };
  const { workflow, agents, event } = startOf(
    { steps: [session('s', params, { instruction: below(2) === 0 ? 'Talk.' : 'Talk. [[patient]]' })] },
    { event: eventOn(pullOf(number)) },
  );
  const plan = { path: workflow.path, workflow: workflow.definition, agents, guidance: '', sha: workflow.sha, chain: 0 };
  const [first] = both;
  if (!first) throw new Error('no process');
  const { run } = await startRun(first, event, { ...plan, trust: 'trusted', delaySeconds: 0 });
  lives.push({ run, ...life });
  return { run, ...life };
}

/** Lives after lives of one resource, with comments at any moment; each life ends by itself, by its signal or by an order. */
async function live(number: number): Promise<void> {
  const below = generatorFrom(SEED + number);
  const anyone = () => both[below(2)] ?? house.process().services;
  while (left > 0) {
    const { run } = await begin(number, below);
    const moments = 3 + below(12);
    for (let k = 0; k < moments && left > 0; k++) {
      if (below(3) > 0) await sleep(below(30));
      const burst = Array.from({ length: Math.min(left, 1 + below(4)) }, () => say(anyone(), number, `remark ${randomUUID()}`, below(10)));
      await Promise.all(burst);
    }
    while ((await house.end(run)) === null) {
      if (left > 0 && below(2) === 0) await say(anyone(), number, '/done', below(5));
      else if (left <= 0 || below(6) === 0) await order(run);
      await sleep(20);
    }
    if (left > 0) expect(await say(anyone(), number, `after the end ${randomUUID()}`, 0)).toBeNull();
  }
}

async function order(run: string): Promise<void> {
  await second.cancels.order([{ id: run, reason: 'ended by the test' }]);
  await second.queues.wakeRun(run);
}

it('every comment is heard exactly once, in order, or told that the session is closed, whenever it comes', async () => {
  house.play = wander(generatorFrom(SEED));
  await Promise.all(Array.from({ length: RESOURCES }, (_, k) => live(900 + k)));

  const heard = new Map<number, string[]>();
  const tally = { heard: 0, late: 0, refused: 0, lives: lives.length };
  for (const { run } of lives) {
    const entries = await house.entriesOf(run, 'comment.heard');
    const ids = entries.map(({ comment }) => comment);
    expect(ids, `the order in ${run}`).toEqual(ids.toSorted((a, b) => a - b));
    const news = JSON.stringify((await house.entriesOf(run, 'noted')).filter(({ key }) => key.endsWith('/news')));
    for (const { comment, text } of entries) {
      heard.set(comment, [...(heard.get(comment) ?? []), run]);
      if (text !== '/done') expect(news.split(text).length - 1, `how often ${text} was told`).toBe(1);
    }
    expect((await house.end(run))?.state).toMatch(/Completed|Cancelled|Failed/);
  }
  const late = new Set([...house.effects.keys()].flatMap((id) => /:late\/(\d+)$/.exec(id)?.[1] ?? []).map(Number));
  for (const fate of fates) {
    const times = (heard.get(fate.id) ?? []).length + (late.has(fate.id) ? 1 : 0);
    expect(times, `${fate.text} (${fate.id}), taken by ${fate.run}`).toBe(fate.run === null ? 0 : 1);
    if (heard.has(fate.id)) expect(heard.get(fate.id)).toEqual([fate.run]);
    tally[fate.run === null ? 'refused' : late.has(fate.id) ? 'late' : 'heard']++;
  }
  expect(fates.length).toBeGreaterThanOrEqual(COMMENTS);
  for (const kind of ['heard', 'late', 'refused'] as const) expect(tally[kind], kind).toBeGreaterThan(0);
  for (const resource of new Set(fates.map((fate) => fate.resource))) expect(await house.store.mailboxes.recipients(resource)).toEqual([]);
  process.stdout.write(`comments: ${JSON.stringify(tally)}\n`);
});
