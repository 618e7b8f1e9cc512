import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Redis } from '../src/store/redis.ts';
import { Stage, until } from './e2e/stage.ts';
import { OwnRedis } from './store/own-redis.ts';

const REPO = 'acme/app';
const RUNS = 8;
/** Of one delivery, its run and its two reports, with what scripts do inside Redis (two thirds of it BullMQ's) and a share of what an idle server asks. */
const MOST_COMMANDS = 480;
const WORKFLOW = {
  name: 'Plain',
  triggers: [{ event: 'issue_opened' }],
  steps: [{ id: 'one', action: 'agent.run', instruction: 'Say that it is done.', params: { agentId: 'worker' } }],
};

let stage: Stage;
let redis: OwnRedis;
let raw: Redis;

beforeAll(async () => {
  redis = await OwnRedis.open();
  raw = await redis.connection();
  stage = await Stage.open(redis.url, { director: () => ({ tools: [{ name: 'task_completed', input: { message: 'It is done.' } }] }) });
  const files = { '.overcut/workflow.json': JSON.stringify(WORKFLOW), '.overcut/agents/worker.md': '---\nname: Worker\n---\nYou work.\n' };
  const repo = await stage.github.createRepository(REPO, files);
  await stage.addServer();
  stage.github.install(repo);
  await stage.github.hooks.idle();
});
afterAll(async () => {
  await stage.close();
  await redis.close();
});

it(`a delivery and its run cost Redis at most ${MOST_COMMANDS} commands`, async () => {
  const { github } = stage;
  const webhooks = github.hooks.target;
  const alice = github.person('alice', { [REPO]: 'write' });
  const runOne = async (title: string) => {
    github.hooks.target = webhooks;
    const { number } = await alice.openIssue(REPO, { title });
    await github.hooks.idle();
    github.hooks.target = null;
    await until('the run is reported', () => github.comments(REPO, number).some(({ body }) => body.includes('completed')));
  };
  await runOne('The first is not counted');
  const before = await callsOf();
  for (let k = 0; k < RUNS; k++) await runOne(`Issue ${k}`);
  const calls = ((await callsOf()) - before) / RUNS;
  expect(calls).toBeLessThanOrEqual(MOST_COMMANDS);
});

/** All commands so far, those inside of scripts among them. */
async function callsOf(): Promise<number> {
  const rows = [...(await raw.info('commandstats')).matchAll(/^cmdstat_(\S+):calls=(\d+)/gm)];
  return rows.reduce((sum, [, name, calls]) => (name?.startsWith('info') ? sum : sum + Number(calls)), 0);
}
