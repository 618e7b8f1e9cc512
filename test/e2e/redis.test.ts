import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { Repository } from '../../src/demo/github/state.ts';
import { OwnRedis } from '../store/own-redis.ts';
import { BASE, direct, EXPECTED, HEAD, threadsOn } from './small-review.ts';
import { areChecksOver, type Server, Stage, until } from './stage.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli.js');

let redis: OwnRedis | null = null;
let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  await redis?.close();
  stage = null;
  redis = null;
});

interface Scene {
  redis: OwnRedis;
  stage: Stage;
  server: Server;
  repo: Repository;
  /** The pull request that is reviewed. */
  number: number;
  open(branch: string): Promise<number>;
}

/** A review under way, on a Redis of its own. */
async function review(): Promise<Scene> {
  const own = await OwnRedis.open();
  redis = own;
  const made = await Stage.open(own.url, { director: direct, latencyMs: 60 });
  stage = made;
  const { github } = made;
  const repo = await github.createRepository('acme/app', BASE);
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  const server = await made.addServer({ PITWALL_LOCK_MS: '1000' });
  const open = async (branch: string) => {
    await alice.push(repo, branch, HEAD);
    return (await alice.openPull(repo, { head: branch, title: `Change ${branch}` })).number;
  };
  const number = await open('feature');
  const connection = await own.connection();
  await until('delegations began', async () => (await connection.keys(`${made.prefix}:journal:*~*`)).length > 0);
  return { redis: own, stage: made, server, repo, number, open };
}

async function readiness({ port }: Server): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
  return { status: answer.status, text: await answer.text() };
}

/** How many deliveries were answered with 503 so far. */
function refused({ stage: { github } }: Scene): number {
  return github.hooks.deliveries.filter((one) => one.answer?.status === 503).length;
}

async function isReviewedOnce({ stage: { github }, repo, number }: Scene): Promise<void> {
  await until('the review stands', () => github.comments(repo, number).some((comment) => comment.body.includes('✅')));
  await until('the checks are over', () => areChecksOver(github, repo));
  expect(threadsOn(github, repo.fullName, number)).toEqual(EXPECTED);
  expect(github.reviews(repo, number).map((one) => one.state)).toEqual(['COMMENTED']);
  expect(github.comments(repo, number)).toHaveLength(1);
  expect(github.defects).toEqual([]);
}

describe('a Redis', () => {
  it('that is killed and takes long to load its data: 503 meanwhile, then the run goes on', async () => {
    const scene = await review();
    await scene.redis.kill();
    const before = Date.now();
    const other = await scene.open('other');
    await until('the delivery was refused', () => refused(scene) > 0);
    expect(Date.now() - before).toBeLessThan(20_000);
    expect(await readiness(scene.server)).toMatchObject({ status: 503, text: expect.stringContaining('Redis does not answer') });
    const metrics = await fetch(`http://127.0.0.1:${scene.server.port}/metrics`);
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toMatch(
      /^pitwall_ready 0\n[\s\S]*^pitwall_redis_up 0\n[\s\S]*^pitwall_webhooks_total\{status="503"\} \d/m,
    );
    await scene.redis.start(['--key-load-delay', '3000', '--loading-process-events-interval-bytes', '1024']);
    expect((await readiness(scene.server)).status).toBe(503);
    await until('it is ready', async () => (await readiness(scene.server)).status === 200);
    await isReviewedOnce(scene);
    await until('what was refused is reviewed too', () => scene.stage.github.reviews(scene.repo, other).length > 0);
  });

  it('that is full: 503, runs are on hold and say so, and go on once there is room', async () => {
    const scene = await review();
    await scene.redis.fill();
    await until('it says so', async () => (await readiness(scene.server)).text.includes('takes no writes'));
    await scene.open('other');
    await until('the delivery was refused', () => refused(scene) > 0);
    expect(await command(scene, 'runs')).toMatch(/ OnHold /);
    await scene.redis.empty();
    await until('it is ready', async () => (await readiness(scene.server)).status === 200);
    await isReviewedOnce(scene);
  });

  it('that was flushed: nothing is taken until pitwall recover has ended the lost checks; then the server goes on', async () => {
    const scene = await review();
    const { github } = scene.stage;
    await until('the check is open', () => github.checks(scene.repo).some((check) => check.status === 'in_progress'));
    await (await scene.redis.connection()).flushall();
    await until('it says so', async () => (await readiness(scene.server)).text.includes('pitwall recover'));
    await scene.open('other');
    await until('the delivery was refused', () => refused(scene) > 0);
    await scene.server.kill();
    await scene.server.start();
    expect(await readiness(scene.server)).toMatchObject({ status: 503, text: expect.stringContaining('lost its data') });

    expect(await command(scene, 'recover')).toContain(`acme/app#${scene.number} Small review`);
    expect(github.checks(scene.repo).map(({ status, conclusion }) => [status, conclusion])).toEqual([['completed', 'cancelled']]);
    await until('it is ready', async () => (await readiness(scene.server)).status === 200);
    const next = await scene.open('third');
    await until('a new run is reviewed', () => github.reviews(scene.repo, next).length > 0);
    expect(await command(scene, 'recover')).toContain('No check run was left open');
    expect(github.defects).toEqual([]);
  });
});

/** What a command of `pitwall` prints. */
async function command({ server: { environment } }: Scene, ...words: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [CLI, ...words], { env: environment })).stdout;
}
