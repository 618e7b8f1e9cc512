/**
 * What a long journal costs: the time from the start of an advance of a run to its next question to the model, where the run is one conversation with so
 * many entries behind it.
 *
 *   npx tsx bench/long-journal.ts [entries ...]   (default: 1000 5000 20000)
 *
 * Needs a redis-server on the PATH. `cold` reads the journal from Redis, as a process does that takes a run over; `warm` has it open.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { ModelUnavailable } from '../src/agent/model.ts';
import type { Draft, RunStart } from '../src/journal/entry.ts';
import { advanceRun } from '../src/run/run.ts';
import type { Services } from '../src/session/services.ts';
import { startChildRedis } from '../src/store/child-redis.ts';
import { RedisStore } from '../src/store/store.ts';
import { loadWorkflow } from '../src/workflow/load.ts';
import { defaultSettings } from '../src/workflow/settings.ts';

const CALLS = 8;
const ANSWER_BYTES = 2_000;
const sizes = process.argv.slice(2).map(Number);

const dataDir = await mkdtemp(join(tmpdir(), 'pitwall-bench-'));
const redis = await startChildRedis({ dataDir, searchPath: process.env.PATH ?? '' });
const open = () => RedisStore.open({ url: redis.url, prefix: 'bench' }, { warn: () => {}, error: () => {} });
try {
  for (const entries of sizes.length > 0 ? sizes : [1_000, 5_000, 20_000]) {
    const run = await write(entries);
    const store = await open();
    const cold = await timeToQuestion(store, run);
    const warm = await timeToQuestion(store, run);
    await store.close();
    console.log(`${entries} entries: cold ${cold}, warm ${warm}`);
  }
} finally {
  await redis.stop();
  await rm(dataDir, { recursive: true, force: true });
}

/** Writes the journal of a run whose agent has called tools over and over. Answers the run's id. */
async function write(entries: number): Promise<string> {
  const store = await open();
  const run = `r${entries}`;
  await store.journals.create(run, { type: 'run.started', start: startOf(run) });
  const journal = await store.journals.open(run);
  const begun: Draft[] = [
    { type: 'run.state', state: 'Running', reason: '' },
    { type: 'step.started', step: 'a' },
    { type: 'briefed', key: 'step/a', system: 'You work.', messages: ['Work.'], tools: [] },
  ];
  const turns = Math.floor((entries - 1 - begun.length) / (CALLS + 1));
  await journal.append(...begun);
  for (let turn = 0; turn < turns; turn++) await journal.append(...entriesOf(turn));
  await store.close();
  return run;
}

function entriesOf(turn: number): Draft[] {
  const key = `step/a/turn/${turn}`;
  const usage = { input: 1_000, output: 100, cacheRead: 0, cacheWrite: 0 };
  const content = Array.from({ length: CALLS }, (_, k) => {
    return { type: 'tool_use' as const, id: `c${turn}-${k}`, name: 'read_file', input: { path: `src/some/file-${k}.ts`, startLine: turn } };
  });
  const text = 'x'.repeat(ANSWER_BYTES);
  return [
    { type: 'turn.answered', key, answer: { content, stop: 'tool_use', usage, model: 'm' }, ms: 1 },
    ...content.map((_, k) => ({ type: 'call.ended' as const, key: `${key}/call/${k}`, name: 'read_file', result: { text } })),
  ];
}

function startOf(run: string): RunStart {
  const agent = { id: 'a', name: 'Agent', type: 'Custom', description: '', instructions: '', model: null, tools: ['read_file'] };
  const step = { id: 'a', action: 'agent.run', instruction: 'Work.', params: { agentId: 'a' }, stepMaxDurationMinutes: 600 };
  const text = JSON.stringify({ name: 'Long', triggers: [{ event: 'issue_opened' }], steps: [step], timeoutMs: null });
  const { workflow } = loadWorkflow({ path: 'workflow.json', text, prompts: {}, agentIds: ['a'] });
  if (!workflow) throw new Error('the workflow of this bench has a mistake');
  const repository = { id: 1, fullName: 'acme/app', owner: 'acme', name: 'app', defaultBranch: 'main', private: false, cloneUrl: '' };
  const actor = { id: 1, login: 'ana', bot: false };
  const event = {
    ...{ name: 'issue_opened' as const, delivery: run, installation: 1, repository, actor, author: actor },
    resource: { kind: 'issue' as const, repository, number: Number(run.slice(1)), url: '' },
    context: { trigger: { eventType: 'issue_opened' }, repository: {} } as RunStart['event']['context'],
  };
  const file = { path: 'workflow.json', name: 'Long', sha: '0'.repeat(40), definition: workflow };
  return { run, workflow: file, agents: [agent], guidance: '', event, trust: 'trusted', chain: 0, notBefore: 0 };
}

/** Milliseconds until the model is asked; it is away, so the run waits. */
async function timeToQuestion(store: RedisStore, run: string): Promise<string> {
  const settings = defaultSettings();
  settings.limits.session.turns = null;
  settings.limits.session.toolCalls = null;
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  let asked = '';
  const services = {
    store,
    settings,
    log: pino({ level: 'silent' }),
    workspace: {},
    github: {},
    model: {
      ask() {
        const { user, system } = process.cpuUsage(cpu);
        asked = `${Math.round(performance.now() - started)} ms (${Math.round((user + system) / 1000)} ms of the processor)`;
        return Promise.reject(new ModelUnavailable('away', Date.now() + 60_000));
      },
    },
  } as unknown as Services;
  await advanceRun(services, run, new AbortController().signal).catch((error: unknown) => {
    if (asked === '') throw error;
  });
  return asked;
}
