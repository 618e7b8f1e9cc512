import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { Rounds } from '../../src/run/rounds.ts';
import { takeTurn } from '../../src/run/turns.ts';
import { RedisStore, type Store } from '../../src/store/store.ts';
import { until } from '../e2e/stage.ts';

const log = pino({ level: 'silent' });
let store: Store;
beforeEach(async () => {
  store = await RedisStore.open({ url: inject('redisUrl'), prefix: `rounds-${randomUUID()}` }, { warn: () => {}, error: () => {} });
});
afterEach(() => store.close());

const signal = new AbortController().signal;
const one = () => ({ store, duty: 'work', holder: randomUUID() });

it('rounds: at once, soon after, then regularly; one that fails is followed by the next', async () => {
  let count = 0;
  const fail = async () => {
    if (++count === 2) throw new Error('away');
  };
  const rounds = new Rounds({ round: fail, store, log, everyMs: 30, early: [10], trouble: 'failed' });
  rounds.start();
  await until('it goes on', () => count > 4);
  await rounds.stop();
  const after = count;
  await new Promise((done) => setTimeout(done, 80));
  expect(count).toBe(after);
});

it('rounds that start again: one now and some soon after, however far off the next one was', async () => {
  const turns: number[] = [];
  const round = async ({ since }: { since: number }) => {
    turns.push((await store.now()) - since);
    if (turns.length === 4) throw new Error('away');
  };
  const rounds = new Rounds({ round, store, log, everyMs: 3_600_000, early: [10], trouble: 'failed' });
  rounds.start();
  await until('the first two are over', () => turns.length === 2);
  rounds.startAgain();
  await until('two more, of which the last fails', () => turns.length === 4);
  rounds.startAgain();
  rounds.startAgain();
  await until('at least two more', () => turns.length >= 6);
  await rounds.stop();
  expect(Math.max(...turns)).toBeLessThan(60_000);
});

it('a duty: of several who want it at once one does it, and the others find it done', async () => {
  const since = await store.now();
  let at = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++at);
    await new Promise((done) => setTimeout(done, 50));
    at--;
    return 'done';
  };
  const answers = await Promise.all(Array.from({ length: 5 }, () => takeTurn(one(), { since, signal }, work)));
  expect(answers.filter((answer) => answer === 'done')).toHaveLength(1);
  expect(most).toBe(1);
});

it('a duty: who wants it after it was begun does it again, once the other is through', async () => {
  let release: () => void = () => {};
  const first = takeTurn(one(), { since: await store.now(), signal }, () => new Promise<void>((done) => (release = done)));
  await until('it has begun', async () => (await store.duties.begunAt('work')) > 0);
  await new Promise((done) => setTimeout(done, 5));
  let done = 0;
  const second = takeTurn(one(), { since: await store.now(), signal }, async () => ++done);
  expect(done).toBe(0);
  release();
  await first;
  expect(await second).toBe(1);
});

it('a duty whose holder died is free when its time is over; who stops does not wait for it', async () => {
  await store.duties.hold('work', 'dead', 400);
  const leaving = new AbortController();
  const given = takeTurn(one(), { since: 0, signal: leaving.signal }, async () => 'never');
  leaving.abort();
  expect(await given).toBeNull();
  expect(await takeTurn(one(), { since: await store.now(), signal }, async () => 'mine')).toBe('mine');
});

it('a duty: work that fails lets go of it', async () => {
  await expect(takeTurn(one(), { since: await store.now(), signal }, async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await store.duties.hold('work', 'other', 1_000)).toBe(true);
});
