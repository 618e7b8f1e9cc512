import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { GitHub } from '../src/demo/github/github.ts';
import { ScriptedModel } from '../src/demo/model/scripted-model.ts';
import { type Running, start } from '../src/main.ts';
import type { Redis } from '../src/store/redis.ts';
import { until } from './e2e/stage.ts';
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

let dir: string;
let github: GitHub;
let model: ScriptedModel;
let redis: OwnRedis;
let server: Running;
let raw: Redis;
let webhooks: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pitwall-cost-'));
  const director = () => ({ tools: [{ name: 'task_completed', input: { message: 'It is done.' } }] });
  [github, model, redis] = await Promise.all([GitHub.start({ dir }), ScriptedModel.start({ director }), OwnRedis.open()]);
  raw = await redis.connection();
  const files = { '.overcut/workflow.json': JSON.stringify(WORKFLOW), '.overcut/agents/worker.md': '---\nname: Worker\n---\nYou work.\n' };
  const repo = await github.createRepository(REPO, files);
  server = await start(
    readConfig({
      PATH: process.env.PATH ?? '',
      APP_ID: String(github.app.id),
      PRIVATE_KEY: github.app.privateKey,
      WEBHOOK_SECRET: github.app.webhookSecret,
      GITHUB_API_URL: github.apiUrl,
      ANTHROPIC_API_KEY: model.apiKey,
      ANTHROPIC_BASE_URL: model.url,
      PITWALL_REDIS_URL: redis.url,
      PITWALL_DATA_DIR: join(dir, 'data'),
      PORT: '0',
      LOG_LEVEL: 'silent',
    }),
  );
  webhooks = `${server.url}/api/github/webhooks`;
  github.hooks.target = webhooks;
  github.install(repo);
  await github.hooks.idle();
});
afterAll(async () => {
  await server.stop();
  await Promise.all([github.stop(), model.stop(), redis.close()]);
  await rm(dir, { recursive: true, force: true });
});

it(`a delivery and its run cost Redis at most ${MOST_COMMANDS} commands`, async () => {
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
