import { afterEach, expect, inject, it } from 'vitest';
import type { Call, Reply } from '../../src/demo/model/call.ts';
import { type Redis, redisTime } from '../../src/store/redis.ts';
import { BASE } from '../e2e/small-review.ts';
import { type Server, Stage, until } from '../e2e/stage.ts';

const LONG = process.env.PITWALL_LONG === '1';
const KILLS = LONG ? 30 : 1;

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
});

/** A coordinator that always has something to say, so that its run is in some process' hands at every moment. */
function talk(call: Call): Reply {
  return { tools: [{ name: 'update_status', input: { message: `turn ${call.done('update_status').length}` } }] };
}

/** The newest entry: who wrote it and when, by Redis' clock. A process signs with the first part of its nonces. */
async function newest(connection: Redis, key: string): Promise<{ id: string; writer: string; at: number } | null> {
  const [row] = await connection.xrevrange(key, '+', '-', 'COUNT', 1);
  return row ? { id: row[0], writer: (row[1][1] ?? '').split('-')[0] ?? '', at: Number(row[1][3]) } : null;
}

it('the run of a killed worker is taken up by another', { timeout: 1_500_000 }, async () => {
  stage = await Stage.open(inject('redisUrl'), { director: talk, latencyMs: 200 });
  const { github, prefix } = stage;
  const connection = await stage.connection();
  const repo = await github.createRepository('acme/app', BASE);
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  const limits = { PITWALL_LIMITS_SESSION_TURNS: '100000', PITWALL_LIMITS_SESSION_TOOL_CALLS: '100000', LOG_LEVEL: 'warn' };
  const servers: Server[] = [await stage.addServer(limits), await stage.addServer(limits)];
  await alice.push(repo, 'feature', { 'a.txt': 'changed\n' });
  await alice.openPull(repo, { head: 'feature', title: 'Change' });
  const key = await until('the run began', async () => (await connection.keys(`${prefix}:journal:*`))[0]);
  const took: number[] = [];
  for (let holder = 0; took.length < KILLS; holder = 1 - holder) {
    await until('the run is at work', async () => ((await newest(connection, key))?.at ?? 0) > (await redisTime(connection)) - 1_500);
    await servers[holder]?.kill();
    const killed = await redisTime(connection);
    const before = await newest(connection, key);
    const restarted = servers[holder]?.start();
    const next = await until('the run goes on', async () => {
      const entry = await newest(connection, key);
      return entry !== null && entry.id !== before?.id ? entry : null;
    });
    if (next.writer !== before?.writer) took.push(next.at - killed);
    await restarted;
  }
  const sorted = took.toSorted((a, b) => a - b);
  const share = (part: number) => sorted[Math.ceil(sorted.length * part) - 1] ?? 0;
  console.log(`take-over ${JSON.stringify({ kills: took.length, p50: share(0.5), p95: share(0.95), most: sorted.at(-1) })}`);
  expect(took).toHaveLength(KILLS);
  if (!LONG) return;
  expect(share(0.5)).toBeLessThanOrEqual(10_000);
  expect(share(0.95)).toBeLessThanOrEqual(15_000);
});
