import { expect, it } from 'vitest';
import { wreak } from './chaos.ts';

const LONG = process.env.PITWALL_LONG === '1';
const SEED = Number(process.env.PITWALL_SEED ?? 20_261_121);

const SHORT = {
  sessions: 3,
  delegations: 2,
  comments: 2,
  kills: 5,
  freezes: 1,
  redisKills: 1,
  processes: 2,
  lockMs: 1_500,
  pauseMs: 1_200,
};
const WHOLE = {
  sessions: 20,
  delegations: 5,
  comments: 5,
  kills: 100,
  freezes: 20,
  redisKills: 10,
  processes: 3,
  lockMs: 2_000,
  pauseMs: 3_000,
};

it('nothing is lost, doubled or failed under killed and frozen processes, a killed Redis and lost answers', {
  timeout: 3_600_000,
}, async () => {
  const { problems, figures } = await wreak({ ...(LONG ? WHOLE : SHORT), seed: SEED });
  console.log(`chaos ${JSON.stringify(figures)}`);
  expect(problems).toEqual([]);
});
