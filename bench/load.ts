/**
 * A steady load of webhooks on a server whose workers are on: each delivery matches a workflow and starts a run.
 *
 *   npm run build && npx tsx bench/load.ts [seconds = 60] [rate = 100] [awaySeconds = 0]
 *
 * Needs a redis-server on the PATH. With `awaySeconds` the model's provider refuses connections for so long, from a tenth of the time on. GitHub and model doubles run in a process of their own,
 * the sender in this one. Prints how the deliveries were answered, how long that took, what it cost the server and Redis, and whether every delivery has a run that ended or waits. Exits with 1
 * where a delivery was refused or lost.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GitHub } from '../src/demo/github/github.ts';
import { ScriptedModel } from '../src/demo/model/scripted-model.ts';
import { connectCommands, type Redis, waitReady } from '../src/store/redis.ts';
import { RedisStore } from '../src/store/store.ts';

const [SECONDS = 60, RATE = 100, AWAY = 0] = process.argv.slice(2).map(Number);
const TOTAL = SECONDS * RATE;
const REPO = 'acme/app';
const PREFIX = 'load';
const agent = new Agent({ keepAlive: false });
const CLI = resolve(import.meta.dirname, '../dist/cli.js');
const WORKFLOW = {
  name: 'Load',
  triggers: [{ event: 'issue_opened' }],
  steps: [{ id: 'one', action: 'agent.run', instruction: 'Say that it is done.', params: { agentId: 'worker' } }],
};

interface Delivery {
  body: string;
  headers: Record<string, string>;
}

interface Doubles {
  deliveries: Delivery[];
  environment: Record<string, string>;
}

interface Answer {
  status: number;
  ms: number;
}

if (process.send) await serveDoubles();
else process.exitCode = await bear();

async function serveDoubles(): Promise<void> {
  const director = () => ({ tools: [{ name: 'task_completed', input: { message: 'It is done.' } }] });
  const [github, first] = await Promise.all([GitHub.start(), ScriptedModel.start({ director, latencyMs: 50, keep: 1 })]);
  let model = first;
  const { apiKey, url } = model;
  process.on('message', async (word) => {
    if (word === 'model away') await model.stop();
    if (word === 'model back')
      model = await ScriptedModel.start({ director, apiKey, latencyMs: 50, keep: 1, port: Number(new URL(url).port) });
  });
  process.on('disconnect', () => process.exit());
  const repo = await github.createRepository(REPO, {
    '.overcut/workflow.json': JSON.stringify(WORKFLOW),
    '.overcut/agents/worker.md': '---\nname: Worker\n---\nYou work.\n',
  });
  github.install(repo);
  const alice = github.person('alice', { [REPO]: 'write' });
  for (let k = 0; k < TOTAL; k++) await alice.openIssue(repo, { title: `Issue ${k}`, body: 'Something is to be done. '.repeat(20) });
  const { app, hooks } = github;
  for (const one of hooks.deliveries) one.answer = { status: 202, ms: 0, body: '', error: null, at: one.createdAt };
  const deliveries = hooks.deliveries
    .filter(({ event }) => event === 'issues')
    .map(({ body, headers }) => ({ body: body.toString(), headers }));
  process.send?.({
    deliveries,
    environment: {
      APP_ID: String(app.id),
      PRIVATE_KEY: app.privateKey,
      WEBHOOK_SECRET: app.webhookSecret,
      GITHUB_API_URL: github.apiUrl,
      ANTHROPIC_API_KEY: apiKey,
      ANTHROPIC_BASE_URL: url,
    },
  });
}

async function bear(): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'pitwall-load-'));
  const socket = join(dir, 'r.sock');
  const redisServer = spawn('redis-server', [
    ...['--port', '0', '--unixsocket', socket, '--dir', dir, '--save', ''],
    ...['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'],
  ]);
  const doubles = fork(new URL(import.meta.url), process.argv.slice(2));
  const [{ deliveries, environment }] = (await once(doubles, 'message')) as [Doubles];
  const redis = connectCommands(`unix://${socket}`, () => {});
  await waitReady(redis, 10_000);
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const server = spawn(process.execPath, [CLI, 'start'], {
    env: {
      ...environment,
      PATH: process.env.PATH ?? '',
      PITWALL_REDIS_URL: `unix://${socket}`,
      PITWALL_REDIS_PREFIX: PREFIX,
      PITWALL_DATA_DIR: join(dir, 'data'),
      PORT: String(port),
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await untilReady(port);
    return await measure({ port, server, doubles, redis, socket, deliveries });
  } finally {
    server.kill('SIGKILL');
    doubles.kill();
    redis.disconnect();
    redisServer.kill('SIGKILL');
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Stage {
  port: number;
  server: ChildProcess;
  doubles: ChildProcess;
  redis: Redis;
  socket: string;
  deliveries: Delivery[];
}

async function measure(stage: Stage): Promise<number> {
  const { port, server, doubles, redis, deliveries } = stage;
  const before = { cpu: cpuOf(server), calls: await callsOf(redis), at: Date.now() };
  if (AWAY > 0) {
    setTimeout(() => doubles.send('model away'), (SECONDS / 10) * 1000);
    setTimeout(() => doubles.send('model back'), (SECONDS / 10 + AWAY) * 1000);
  }
  const pings: number[] = [];
  const pinging = setInterval(() => void send(port, 'GET', '/healthz').then(({ ms }) => pings.push(ms)), 50);
  const answers = await sendAll(port, deliveries);
  clearInterval(pinging);
  const seconds = (Date.now() - before.at) / 1000;
  const refused = answers.filter(({ status }) => status < 200 || status >= 300);
  const times = answers.map(({ ms }) => ms);
  console.log(
    `${answers.length} deliveries in ${seconds.toFixed(1)} s; ${refused.length} refused ${JSON.stringify(countsOf(refused.map((one) => one.status)))}`,
  );
  console.log(`answered in p50 ${rank(times, 0.5)} ms, p99 ${rank(times, 0.99)} ms, longest ${rank(times, 1)} ms`);
  console.log(`GET /healthz meanwhile: p50 ${rank(pings, 0.5)} ms, p99 ${rank(pings, 0.99)} ms, longest ${rank(pings, 1)} ms`);
  const lost = await untilOver(stage, answers.length - refused.length);
  const cpu = ((cpuOf(server) - before.cpu) * 1000) / answers.length;
  const calls = ((await callsOf(redis)) - before.calls) / answers.length;
  const took = ((Date.now() - before.at) / 1000).toFixed(1);
  console.log(
    `all is over after ${took} s; a delivery and its run took ${cpu.toFixed(1)} ms of processor and ${calls.toFixed(0)} commands of Redis`,
  );
  return refused.length > 0 || lost > 0 ? 1 : 0;
}

/** Sends at a steady pace, whatever the answers take. */
async function sendAll(port: number, deliveries: Delivery[]): Promise<Answer[]> {
  const start = performance.now();
  const sent: Promise<Answer>[] = [];
  while (sent.length < deliveries.length) {
    const due = Math.min(deliveries.length, Math.floor(((performance.now() - start) * RATE) / 1000) + 1);
    for (const delivery of deliveries.slice(sent.length, due)) sent.push(send(port, 'POST', '/api/github/webhooks', delivery));
    await sleep(1000 / RATE / 2);
  }
  return Promise.all(sent);
}

function send(port: number, method: string, path: string, delivery?: Delivery): Promise<Answer> {
  return new Promise((done) => {
    const start = performance.now();
    const end = (status: number) => done({ status, ms: Math.round((performance.now() - start) * 10) / 10 });
    const headers = delivery ? { ...delivery.headers, 'content-length': Buffer.byteLength(delivery.body) } : {};
    const asked = request({ host: '127.0.0.1', port, method, path, agent, headers, timeout: 10_000 }, (answer) => {
      answer.resume().once('end', () => end(answer.statusCode ?? 0));
    });
    asked.on('error', () => end(0)).on('timeout', () => asked.destroy());
    asked.end(delivery?.body);
  });
}

/** Waits until every accepted delivery has a run and each has ended; tells what stands at last. Answers how many deliveries have no run. */
async function untilOver({ socket, redis }: Stage, accepted: number): Promise<number> {
  const store = await RedisStore.open({ url: `unix://${socket}`, prefix: PREFIX }, { warn() {}, error() {} });
  const end = Date.now() + (120 + 2 * AWAY) * 1000;
  try {
    for (;;) {
      const runs = await redis.zrange(`${PREFIX}:runs`, '0', '-1');
      const last = await store.journals.lastOf(runs);
      const states = countsOf(last.map((entry) => (entry?.type === 'run.ended' ? entry.state : 'open')));
      const isOver = runs.length === accepted && last.every((entry) => entry?.type === 'run.ended');
      if (isOver || Date.now() > end) {
        console.log(`${runs.length} of ${accepted} deliveries have a run: ${JSON.stringify(states)}`);
        return accepted - runs.length;
      }
      await sleep(1_000);
    }
  } finally {
    await store.close();
  }
}

async function untilReady(port: number): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if ((await send(port, 'GET', '/readyz')).status === 200) return;
    await sleep(100);
  }
  throw new Error('the server did not get ready');
}

async function callsOf(redis: Redis): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
}

/** Processor time of a process in seconds. */
function cpuOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function countsOf(values: (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

function rank(values: number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
