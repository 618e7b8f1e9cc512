import { setTimeout as sleep } from 'node:timers/promises';
import type { Call, Reply } from '../../src/demo/model/call.ts';
import { AGENT } from '../e2e/small-review.ts';
import { type Server, Stage, until } from '../e2e/stage.ts';
import { generatorFrom } from '../store/generator.ts';
import { OwnRedis } from '../store/own-redis.ts';

/** What is done, and what is done to it. */
export interface Plan {
  sessions: number;
  delegations: number;
  comments: number;
  kills: number;
  freezes: number;
  redisKills: number;
  processes: number;
  lockMs: number;
  /** The longest pause between two blows (ms). */
  pauseMs: number;
  seed: number;
}

/** What stood there at the end; all of `problems` is empty where nothing was lost and nothing doubled. */
export interface Toll {
  problems: string[];
  figures: Record<string, number>;
}

/** Each tenth write is answered 502 after it acted. */
const WRITES = /^(?:POST|PATCH|PUT|DELETE) \/repos\//;
const EVERY = 10;
/** The status comment, which quotes what else is said. */
const STATUS = /\*\*Talk\*\*/;
/** A double may stand for so long before it is removed. */
const GRACE_MS = 60_000;
/** The slowest that a machine may be which is busy with other things. */
const PATIENCE_MS = 300_000;

const WORKFLOW = JSON.stringify({
  name: 'Talk',
  triggers: [{ event: 'pull_request_opened' }],
  steps: [
    {
      id: 'talk',
      action: 'agent.session',
      instruction: 'Have the parts looked at, then answer every comment.',
      params: {
        goal: 'Talk',
        agentIds: ['reviewer'],
        listenToComments: true,
        keepSessionOpenForComments: true,
        exitCriteria: { timeLimit: { maxDurationMinutes: 120 }, userSignals: { explicit: ['/done'] } },
      },
    },
  ],
  agentRefs: {},
});

/** Delegates its parts, tells what came of each, then answers questions by their numbers, once each. Known by the conversation alone. */
function director(delegations: number, listening: Set<number>): (call: Call) => Reply {
  return (call) => {
    const text = call.userTexts.join('\n');
    const session = /team-(\d+)\/app/.exec(text)?.[1];
    if (session !== undefined) listening.add(Number(session));
    if (!call.offers('delegate_to_sub_agent')) {
      const part = /\[\[part (\d+)\]\]/.exec(text)?.[1];
      if (part === undefined) return { text: 'ok' };
      if (call.done('write_scratchpad').length === 0 && call.offers('write_scratchpad'))
        return { tools: [{ name: 'write_scratchpad', input: { name: `part-${part}`, content: `looked at ${part}` } }] };
      return { text: `part ${part} is fine` };
    }
    const parts = call.done('delegate_to_sub_agent');
    if (parts.length === 0) {
      const tools = Array.from({ length: delegations }, (_, k) => ({
        name: 'delegate_to_sub_agent',
        input: { agentId: 'reviewer', instructions: `Look at one part. [[part ${k}]]` },
      }));
      return { tools };
    }
    const said = call.done('task_completed').map((step) => String(step.input.message));
    const told = said.flatMap((one) => one.match(/question \d+/g) ?? []);
    const fresh = [...new Set(text.match(/question \d+/g) ?? [])].filter((one) => !told.includes(one));
    const ready = said.length === 0 ? [`ready: ${parts.map((one) => one.result).join('; ')}`] : [];
    const message = [...ready, ...fresh.map((one) => `heard ${one}`)].join('\n') || 'nothing new';
    return { tools: [{ name: 'task_completed', input: { message } }] };
  };
}

type Blow = 'open' | 'comment' | 'kill' | 'freeze' | 'redis';

/**
 * Lets sessions work and talk while processes and Redis are killed, processes are frozen and GitHub's answers are lost; tells what became of them. Nobody
 * sends a webhook again: those that met no server are found by the servers themselves, as they start.
 */
export async function wreak(plan: Plan): Promise<Toll> {
  const next = generatorFrom(plan.seed);
  const redis = await OwnRedis.open();
  const listening = new Set<number>();
  const stage = await Stage.open(redis.url, { director: director(plan.delegations, listening), latencyMs: 150 });
  try {
    return await play(plan, { next, redis, stage, listening });
  } finally {
    await stage.close();
    await redis.close();
  }
}

interface Scene {
  next(below: number): number;
  redis: OwnRedis;
  stage: Stage;
  /** The sessions that have asked a model: from then on they take comments. */
  listening: Set<number>;
}

async function play(plan: Plan, { next, redis, stage, listening }: Scene): Promise<Toll> {
  const { github } = stage;
  const begun = Date.now();
  const repos = await Promise.all(
    Array.from({ length: plan.sessions }, (_, k) =>
      github.createRepository(`team-${k}/app`, {
        'a.txt': 'a\n',
        '.overcut/workflow.json': WORKFLOW,
        '.overcut/agents/reviewer.md': AGENT,
      }),
    ),
  );
  const alice = github.person('alice', Object.fromEntries(repos.map((repo) => [repo.fullName, 'write'] as const)));
  for (let k = 0; k < plan.processes; k++) await stage.addServer({ PITWALL_LOCK_MS: String(plan.lockMs), LOG_LEVEL: 'warn' });
  for (const repo of repos) {
    github.install(repo);
    await alice.push(repo, 'feature', { 'a.txt': 'b\n' });
  }
  github.fault({ on: WRITES, when: 'after', status: 502, every: EVERY, times: Number.POSITIVE_INFINITY });
  const struck: Promise<void>[] = [];
  const asked = repos.map(() => 0);
  const opened: number[] = [];
  for (const blow of shuffled(plan, next)) {
    await sleep(next(plan.pauseMs));
    const server = stage.servers[next(stage.servers.length)];
    if (blow === 'open') {
      const repo = repos[opened.length];
      if (repo) opened.push((await alice.openPull(repo, { head: 'feature', title: 'Change' })).number);
    }
    if (blow === 'comment') {
      const openOnes = () => asked.flatMap((count, k) => (count < plan.comments && listening.has(k) ? [k] : []));
      const open = await until('a session listens', () => (openOnes().length > 0 ? openOnes() : null), PATIENCE_MS);
      const k = open[next(open.length)] ?? 0;
      alice.comment(repos[k]?.fullName ?? '', opened[k] ?? 0, `question ${asked[k]}`);
      asked[k] = (asked[k] ?? 0) + 1;
    }
    if (blow === 'kill' && server) struck.push(killServer(server));
    if (blow === 'freeze' && server) struck.push(freezeServer(server, plan.lockMs * 1.5));
    if (blow === 'redis') struck.push(killRedis(redis, next(1_000)));
  }
  await Promise.all(struck);
  for (const server of stage.servers.slice(0, 1)) await killServer(server);
  const blowsMs = Date.now() - begun;
  const bot = (k: number) => github.comments(repos[k]?.fullName ?? '', opened[k] ?? 0).filter((one) => one.author === github.bot);
  const lacking = () =>
    repos.flatMap((_, k) => {
      const said = bot(k).flatMap((one) => (STATUS.test(one.body) ? [] : [one.body]));
      const wanted = [
        ...Array.from({ length: plan.comments }, (_, n) => `heard question ${n}`),
        ...Array.from({ length: plan.delegations }, (_, n) => `part ${n} is fine`),
      ];
      return wanted.filter((text) => !said.some((body) => body.includes(text))).map((text) => `lost in session ${k}: ${text}`);
    });
  await until('everything is answered', () => lacking().length === 0, PATIENCE_MS).catch(() => null);
  const lost = lacking();
  for (const [k, repo] of repos.entries()) alice.comment(repo, opened[k] ?? 0, '/done');
  const open = () =>
    repos.flatMap((repo, k) => (github.checks(repo).some((check) => check.status !== 'completed') ? [`session ${k} did not end`] : []));
  await until('all runs ended', () => open().length === 0, lost.length > 0 ? GRACE_MS : PATIENCE_MS).catch(() => null);
  const doubled = () =>
    repos.flatMap((repo, k) => {
      const said = bot(k).map((one) => one.body);
      const answers = said.filter((body) => !STATUS.test(body));
      const count = (text: RegExp) => answers.filter((body) => text.test(body)).length;
      return [
        ...Array.from({ length: plan.comments }, (_, n) => ({
          what: `question ${n}`,
          times: count(new RegExp(`heard question ${n}\\b`)),
        })),
        { what: 'ready', times: count(/^ready:/) },
        { what: 'status comment', times: said.length - answers.length },
        { what: 'check', times: github.checks(repo).length },
      ].flatMap(({ what, times }) => (times > 1 ? [`session ${k} shows ${what} ${times} times`] : []));
    });
  await until('doubles are removed', () => doubled().length === 0, GRACE_MS).catch(() => null);
  const failed = repos.flatMap((repo, k) =>
    github
      .checks(repo)
      .flatMap((check) => (check.conclusion === 'success' ? [] : [`session ${k} ended ${check.conclusion}: ${check.output.title}`])),
  );
  const writes = github.log.filter((entry) => entry.write);
  return {
    problems: [...lost, ...open(), ...doubled(), ...failed, ...github.defects.map(String)],
    figures: {
      sessions: plan.sessions,
      answers: plan.sessions * plan.comments - lost.filter((text) => text.includes('question')).length,
      delegations: plan.sessions * plan.delegations - lost.filter((text) => text.includes('part')).length,
      kills: plan.kills,
      freezes: plan.freezes,
      redisKills: plan.redisKills,
      writes: writes.length,
      answersLost: writes.filter((entry) => entry.fault !== null && entry.fault !== undefined).length,
      modelCalls: stage.model.requests.length,
      deliveriesFailed: github.hooks.deliveries.filter(({ answer }) => answer !== null && (answer.status < 200 || answer.status >= 300))
        .length,
      blowsSeconds: Math.round(blowsMs / 1_000),
      seconds: Math.round((Date.now() - begun) / 1_000),
    },
  };
}

/** Every pull request is opened in the first third, every comment comes after the first; the blows fall anywhere between. */
function shuffled(plan: Plan, next: (below: number) => number): Blow[] {
  const rows: { blow: Blow; at: number }[] = [];
  const put = (blow: Blow, count: number, place: () => number) => {
    for (let k = 0; k < count; k++) rows.push({ blow, at: place() });
  };
  put('open', 1, () => -1);
  put('open', plan.sessions - 1, () => next(300));
  put('comment', plan.sessions * plan.comments, () => 300 + next(700));
  put('kill', plan.kills, () => next(1_000));
  put('freeze', plan.freezes, () => next(1_000));
  put('redis', plan.redisKills, () => next(1_000));
  return rows.sort((a, b) => a.at - b.at).map(({ blow }) => blow);
}

const turns = new WeakMap<Server, Promise<void>>();

/** One blow after the other on the same process. */
function inTurn(server: Server, blow: () => Promise<void>): Promise<void> {
  const turn = (turns.get(server) ?? Promise.resolve()).then(blow);
  turns.set(server, turn);
  return turn;
}

/** Kills a process; as a service manager does, it is started again until it runs. */
function killServer(server: Server): Promise<void> {
  return inTurn(server, async () => {
    for (;;) {
      await server.kill();
      try {
        return await server.start();
      } catch {
        await sleep(500);
      }
    }
  });
}

function freezeServer(server: Server, ms: number): Promise<void> {
  return inTurn(server, async () => {
    server.freeze();
    await sleep(ms);
    server.thaw();
  });
}

let redisTurn: Promise<void> = Promise.resolve();

async function killRedis(redis: OwnRedis, downMs: number): Promise<void> {
  redisTurn = redisTurn.then(async () => {
    await redis.kill();
    await sleep(downMs);
    await redis.start();
  });
  await redisTurn;
}
