import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { announceComment, sendToSession, settleComment } from '../../src/run/letters.ts';
import { startRun } from '../../src/run/start.ts';
import { sweep } from '../../src/run/sweeper.ts';
import type { Services } from '../../src/session/services.ts';
import { type ChildRedis, startChildRedis } from '../../src/store/child-redis.ts';
import { makeHandlers } from '../../src/worker.ts';
import { until } from '../e2e/stage.ts';
import { agentOf, commentOn, eventOn, House, neverAlone, over, pullOf, session, startOf } from './house.ts';

const PARKED = 1_000;
/** A comment may take so much longer than a bare wake, in the median: on a busy machine the slowest of a hundred tell of the machine (quiet: 22 ms). */
const MOST_MS = 100;
/** Parked before measuring, so that what all sessions share (scripts, shared texts, queues) is not counted. */
const FIRST = 50;
const SAMPLE = 100;
/** A report that was wished for last is made up to two seconds later. */
const REPORTS_ARE_LATE = { timeout: 10_000 };
const MOST_BYTES = 20 * 1024;

let dir: string;
let redis: ChildRedis;
let house: House;
let services: Services;
let onRun: (id: string) => void = () => {};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pitwall-parked-'));
  redis = await startChildRedis({ dataDir: dir, searchPath: process.env.PATH ?? '' });
  house = await House.open(redis.url);
  services = house.process().services;
  const intake = { take: async () => {} } as unknown as Parameters<typeof makeHandlers>[1];
  const handlers = makeHandlers(services, intake, neverAlone);
  const run = (id: string, signal: AbortSignal) => {
    onRun(id);
    return handlers.run(id, signal);
  };
  services.store.queues.startWorkers({ ...handlers, run, report: async () => {} }, { advances: 16, delegations: 16 });
});
afterAll(async () => {
  await services.store.queues.stopWorkers(2_000);
  await house.close();
  await redis.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Words that compress about as well as a person's prose does. */
function prose(words: number, seed: string): string {
  let state = [...seed].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  const next = () => (state = (state * 1_664_525 + 1_013_904_223) >>> 0);
  const syllables = [
    're',
    'view',
    'the',
    'change',
    'on',
    'ly',
    'a',
    'line',
    'of',
    'code',
    'ten',
    'der',
    'no',
    'file',
    'ask',
    'in',
    'put',
    'test',
  ];
  const word = () => Array.from({ length: 1 + ((next() >>> 16) % 3) }, () => syllables[(next() >>> 16) % syllables.length]).join('');
  return Array.from({ length: words }, word).join(' ');
}

/** A workflow of a usual size: an instruction of about 9 KB, and three agents of about 3 KB each. */
const DEFINITION = {
  steps: [
    session(
      's',
      {
        agentIds: ['a', 'b', 'c'],
        listenToComments: true,
        keepSessionOpenForComments: true,
        exitCriteria: { timeLimit: { maxDurationMinutes: 120 }, userSignals: { explicit: ['/done'] } },
      },
      { instruction: prose(1_500, 'instruction') },
    ),
  ],
};
const AGENTS = ['a', 'b', 'c'].map((id) => agentOf(id, { instructions: prose(500, id) }));

async function park(number: number): Promise<void> {
  const start = startOf(DEFINITION, { agents: AGENTS, event: eventOn(pullOf(number)), guidance: prose(300, 'guidance') });
  const { workflow, agents, event, guidance } = start;
  const plan = { path: workflow.path, workflow: workflow.definition, agents, guidance, sha: workflow.sha, chain: 0 };
  await startRun(services, event, { ...plan, trust: 'trusted', delaySeconds: 0 });
}

async function usedBytes(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await house.redis.info('memory'))?.[1]);
}

/** Those of a session that delegates once, says what it found, and waits. */
let waiting = 0;
function work({ coordinates, turn, told }: Parameters<House['play']>[0]) {
  if (!coordinates) return { text: prose(60, 'found') };
  if (turn === 0) return { calls: [{ name: 'delegate_to_sub_agent', input: { agentId: 'b', instructions: prose(80, 'task') } }] };
  if (turn === 1) waiting++;
  return { calls: [{ name: 'task_completed', input: { message: `answer ${told.match(/remark/g)?.length ?? 0}` } }] };
}

async function parkAll(from: number, to: number): Promise<void> {
  for (let k = from; k < to; k += 50) await Promise.all(Array.from({ length: Math.min(50, to - k) }, (_, n) => park(10_000 + k + n)));
  const allWait = async () => {
    const { timers, ...others } = await house.store.queues.counts();
    return waiting === to && Object.values(others).every((count) => count === 0);
  };
  await until(`${to} sessions wait`, allWait, 300_000);
}

/** The time within which this part of them was over. */
function within(part: number, times: number[]): number {
  return times.toSorted((a, b) => a - b)[Math.ceil(times.length * part) - 1] ?? Number.NaN;
}

/** How long a comment takes until its session's next turn is asked, each in ms. */
async function wakeOnes(): Promise<number[]> {
  const times: number[] = [];
  for (let k = 0; k < SAMPLE; k++) {
    const heard = new Promise<number>((done) => {
      house.play = (scene) => {
        if (scene.told.includes(`remark ${k}.`)) done(performance.now());
        return work(scene);
      };
    });
    const event = commentOn(10_000 + ((k * 7) % PARKED), { id: k + 1, text: `remark ${k}.` });
    await announceComment(services, event);
    const from = performance.now();
    await sendToSession(services, event, { canWrite: async () => true, lookBefore: async () => undefined });
    await settleComment(services, event);
    times.push((await heard) - from);
  }
  return times;
}

/** How long a wake takes that finds nothing to do. */
async function wakeNothing(): Promise<number[]> {
  const times: number[] = [];
  for (let k = 0; k < SAMPLE; k++) {
    const id = `nothing-${k}`;
    const woken = new Promise<number>((done) => {
      onRun = (run) => run === id && done(performance.now());
    });
    const from = performance.now();
    await services.store.queues.wakeRun(id);
    times.push((await woken) - from);
  }
  return times;
}

/** What it takes to see that nothing is overdue. */
async function sweepNothing(): Promise<string[]> {
  const asked: string[] = [];
  const tell = <T extends object>(noun: string, whole: T) =>
    new Proxy(whole, {
      get(all, name) {
        asked.push(`${noun}.${String(name)}`);
        return Reflect.get(all, name) as unknown;
      },
    });
  const store = over(services.store, {
    expected: tell('expected', services.store.expected),
    queues: tell('queues', services.store.queues),
  });
  await sweep({ ...services, store });
  return asked;
}

/** Looks at some as if they were overdue: each is woken, finds nothing to do, and is left alone for a long time. Answers how many. */
async function sweepSome(): Promise<number> {
  const asked = house.asked.length;
  const names = await house.redis.zrange(`${house.prefix}:expected`, '0', `${SAMPLE - 1}`);
  await house.redis.zadd(`${house.prefix}:expected`, ...names.flatMap((name) => ['1', name]));
  const count = await sweep(services);
  const soon = async () => (await services.store.now()) + 30 * 60_000;
  await until('all wait again', async () => (await house.redis.zcount(`${house.prefix}:expected`, '-inf', await soon())) === 0);
  expect(house.asked.length).toBe(asked);
  return count;
}

it('a thousand sessions that wait hold no job, little memory, and each is awake at once', async () => {
  house.play = work;
  await parkAll(0, FIRST);
  const before = await usedBytes();
  await parkAll(FIRST, PARKED);
  const each = Math.round(((await usedBytes()) - before) / (PARKED - FIRST));
  const none = { deliveries: 0, runs: 0, delegations: 0, reports: 0 };
  await expect.poll(() => house.store.queues.counts(), REPORTS_ARE_LATE).toMatchObject(none);
  expect((await house.store.queues.counts()).timers).toBeLessThanOrEqual(2 * PARKED);
  const [bare, woken] = [await wakeNothing(), await wakeOnes()];
  const shown = (times: number[]) => [0.5, 0.99].map((part) => within(part, times).toFixed(1)).join('/');
  process.stdout.write(
    `parked: ${each} bytes each; a comment is heard in ${shown(woken)} ms (p50/p99), a bare wake takes ${shown(bare)} ms\n`,
  );
  expect(await sweepNothing()).toEqual(['expected.take']);
  expect(await sweepSome()).toBe(SAMPLE);
  expect(each).toBeLessThan(MOST_BYTES);
  expect(within(0.5, woken) - within(0.5, bare)).toBeLessThan(MOST_MS);
}, 900_000);
