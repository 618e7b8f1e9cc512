/**
 * What the engine costs: sessions that delegate at once, run by Pitwall (webhook, journals, jobs, GitHub), against the same model calls made by a
 * `Promise.all` with nothing around it.
 *
 *   npx tsx bench/engine.ts [sessions = 20] [delegations = 20] [rounds = 3] [latencyMs = 200]
 *
 * Needs a redis-server on the PATH. The GitHub and model doubles run in a process of their own; the times are this process'. Prints the median wall and
 * processor time of both ways and their ratio.
 */
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelRequest } from '../src/agent/model.ts';
import { createModel } from '../src/agent/provider.ts';
import { createTransport } from '../src/agent/transport.ts';
import { readConfig } from '../src/config.ts';
import { GitHub } from '../src/demo/github/github.ts';
import type { Call, Reply } from '../src/demo/model/call.ts';
import { ScriptedModel } from '../src/demo/model/scripted-model.ts';
import { start } from '../src/main.ts';

const [SESSIONS = 20, DELEGATIONS = 20, ROUNDS = 3, LATENCY_MS = 200] = process.argv.slice(2).map(Number);
const REPO = 'acme/app';
const WORKFLOW = {
  name: 'Fan',
  triggers: [{ event: 'issue_opened' }],
  steps: [{ id: 'fan', action: 'agent.session', instruction: 'Delegate all parts.', params: { goal: 'All parts', agentIds: ['worker'] } }],
};

interface Row {
  wall: number;
  cpu: number;
}

if (process.send) await serve();
else await compare();

/** The doubles. Told a webhook address, they open the issues of a round at each further word and say when its last session has answered. */
async function serve(): Promise<void> {
  let answered = 0;
  const director = (call: Call): Reply => {
    if (!call.offers('delegate_to_sub_agent')) {
      return call.steps.length === 0 ? { tools: [{ name: 'list_scratchpads', input: {} }] } : { text: 'Nothing to say about this part.' };
    }
    if (call.done('delegate_to_sub_agent').length === 0) {
      const part = (k: number) => ({ name: 'delegate_to_sub_agent', input: { agentId: 'worker', instructions: `Part ${k}.` } });
      return { tools: Array.from({ length: DELEGATIONS }, (_, k) => part(k)) };
    }
    if (++answered % SESSIONS === 0) setImmediate(() => process.send?.('round'));
    return { tools: [{ name: 'task_completed', input: { message: 'All parts are done.' } }] };
  };
  const [github, model] = await Promise.all([GitHub.start(), ScriptedModel.start({ director, latencyMs: LATENCY_MS, keep: 10 })]);
  const files = {
    '.overcut/workflow.json': JSON.stringify(WORKFLOW),
    '.overcut/agents/worker.md': '---\nname: Worker\n---\nLook at one part.\n',
  };
  const repo = await github.createRepository(REPO, files);
  github.install(repo);
  const alice = github.person('alice', { [REPO]: 'write' });
  process.on('message', (webhooks: string) => {
    github.hooks.target = webhooks;
    for (let k = 0; k < SESSIONS; k++) alice.openIssue(repo, { title: `Issue ${k}` });
  });
  process.send?.({
    APP_ID: String(github.app.id),
    PRIVATE_KEY: github.app.privateKey,
    WEBHOOK_SECRET: github.app.webhookSecret,
    GITHUB_API_URL: github.apiUrl,
    ANTHROPIC_API_KEY: model.apiKey,
    ANTHROPIC_BASE_URL: model.url,
  });
}

async function compare(): Promise<void> {
  const doubles = fork(new URL(import.meta.url), process.argv.slice(2));
  const next = <T>() => new Promise<T>((done) => doubles.once('message', (message) => done(message as T)));
  const given = await next<Record<string, string>>();
  const dir = await mkdtemp(join(tmpdir(), 'pitwall-bench-'));
  const environment = { ...given, PATH: process.env.PATH ?? '', PITWALL_DATA_DIR: dir, PORT: '0', LOG_LEVEL: 'silent' };
  const server = await start(readConfig(environment));
  const model = createModel({ apiKey: given.ANTHROPIC_API_KEY ?? '', baseURL: given.ANTHROPIC_BASE_URL ?? '', fetch: createTransport() });
  const engine = async () => {
    const over = next();
    doubles.send(`${server.url}/api/github/webhooks`);
    await over;
  };
  const rows: { engine: Row[]; plain: Row[] } = { engine: [], plain: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    const [pitwall, bare] = [await measure(engine), await measure(() => askAll(model))];
    if (round > 0) rows.engine.push(pitwall);
    if (round > 0) rows.plain.push(bare);
  }
  await server.stop();
  doubles.kill();
  await rm(dir, { recursive: true, force: true });
  report(rows);
}

async function measure(work: () => Promise<unknown>): Promise<Row> {
  const [from, before] = [performance.now(), process.cpuUsage()];
  await work();
  const used = process.cpuUsage(before);
  return { wall: performance.now() - from, cpu: (used.user + used.system) / 1000 };
}

/** The same calls as the sessions of a round make: a coordinator's, two of each delegation, a coordinator's. */
async function askAll(model: ReturnType<typeof createModel>): Promise<void> {
  const request: ModelRequest = {
    model: 'm',
    maxTokens: 1000,
    system: 's'.repeat(4000),
    tools: [],
    messages: [{ role: 'user', text: ['x'.repeat(1000)] }],
  };
  const ask = () => model.ask(request, {});
  const delegation = async () => [await ask(), await ask()];
  const session = async () => [await ask(), await Promise.all(Array.from({ length: DELEGATIONS }, delegation)), await ask()];
  await Promise.all(Array.from({ length: SESSIONS }, session));
}

function report({ engine, plain }: { engine: Row[]; plain: Row[] }): void {
  const median = (rows: Row[], key: 'wall' | 'cpu') => rows.map((row) => row[key]).sort((a, b) => a - b)[rows.length >> 1] ?? Number.NaN;
  for (const [name, rows] of Object.entries({ engine, plain }))
    console.log(`${name}: ${median(rows, 'wall').toFixed(0)} ms wall, ${median(rows, 'cpu').toFixed(0)} ms processor`);
  const ratio = (key: 'wall' | 'cpu') => (median(engine, key) / median(plain, key)).toFixed(2);
  console.log(`engine / plain: ${ratio('wall')} wall, ${ratio('cpu')} processor (${SESSIONS} sessions of ${DELEGATIONS} delegations)`);
}
