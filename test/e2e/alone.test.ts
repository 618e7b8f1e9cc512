import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, inject, it } from 'vitest';
import { AGENT, BASE, HEAD } from './small-review.ts';
import { type Server, Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

const WORKFLOW = JSON.stringify({
  name: 'Talk',
  triggers: [{ event: 'pull_request_opened' }],
  steps: [
    {
      id: 'talk',
      action: 'agent.session',
      instruction: 'Talk.',
      params: {
        goal: 'Talk',
        agentIds: ['reviewer'],
        listenToComments: true,
        exitCriteria: { timeLimit: { maxDurationMinutes: 30 }, userSignals: { explicit: ['/done'] } },
      },
    },
  ],
});
const NEVER_MS = 600_000;

/** The processes that a server started for work that crashes. */
async function childrenOf({ pid }: Server): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args=']);
  const rows = stdout.split('\n').map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line));
  return rows.flatMap((row) => (Number(row?.[2]) === pid && row?.[3]?.includes('child.js') ? [Number(row[1])] : []));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it('work in a process of its own is handed over by SIGTERM, left by no parent, and ended by /cancel and by an exit signal', async () => {
  const own = await Stage.open(inject('redisUrl'), {
    latencyMs: NEVER_MS,
    director: () => ({ tools: [{ name: 'task_completed', input: { message: 'the last word' } }] }),
  });
  stage = own;
  const { github, model, prefix } = own;
  const connection = await own.connection();
  const repo = await github.createRepository('acme/app', {
    ...BASE,
    '.overcut/workflow.json': WORKFLOW,
    '.overcut/agents/reviewer.md': AGENT,
  });
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  const server = await own.addServer({ PITWALL_LOCK_MS: '1000' });
  const [cancelled = 0, finished = 0] = [await openPull('one'), await openPull('two')];
  await until('both ask the model', () => model.live === 2);
  await server.kill();
  const runs = (await connection.keys(`${prefix}:journal:*`)).map((key) => key.slice(`${prefix}:journal:`.length));
  expect(runs).toHaveLength(2);
  for (const run of runs)
    await connection.hset(`${prefix}:starts:${run}`, { length: await connection.xlen(`${prefix}:journal:${run}`), open: 2 });
  const crashes = () => Promise.all(runs.map((run) => connection.hget(`${prefix}:starts:${run}`, 'open')));

  await server.start();
  const first = await atWorkAlone();
  expect(await server.stop()).toBe(0);
  expect(first.filter(isAlive)).toEqual([]);
  expect(await crashes()).toEqual(['2', '2']);

  await server.start();
  const second = await atWorkAlone();
  await server.kill();
  await until('they left with their parent', () => !second.some(isAlive));
  expect(await crashes()).toEqual(['2', '2']);

  await server.start();
  const third = await atWorkAlone();
  model.latencyMs = 0;
  await alice.comment(repo, cancelled, '/cancel');
  await alice.comment(repo, finished, '/done');
  const ended = () => github.checks(repo).filter(({ status }) => status === 'completed');
  await until('both ended', () => ended().length === 2);
  await until('nothing is left running', () => !third.some(isAlive) && model.live === 0);
  const statusOf = (number: number) => github.comments(repo, number).find(({ author }) => author.login !== 'alice')?.body;
  expect(statusOf(cancelled)).toContain('cancelled by `@alice`');
  expect(statusOf(finished)).toContain('the last word');
  expect(github.defects).toEqual([]);

  async function openPull(branch: string): Promise<number> {
    await alice.push(repo, branch, HEAD);
    return (await alice.openPull(repo, { head: branch, title: branch })).number;
  }

  /** Both runs, each in a process of its own that asks the model. */
  async function atWorkAlone(): Promise<number[]> {
    return until('both are at work alone', async () => {
      const children = await childrenOf(server);
      return children.length === 2 && model.live === 2 ? children : null;
    });
  }
});
