import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, inject, it } from 'vitest';
import type { Delivery } from '../../src/demo/github/hooks.ts';
import { BASE, direct, EXPECTED, HEAD, threadsOn } from './small-review.ts';
import { areChecksOver, Stage, until } from './stage.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli.js');

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

/** Two that each poison ends beside others, and one more, because its last entry before may have been written while it died. */
const MOST_DEATHS = 3;
/** One whose own words are deadly, and one of whose files is, to the sub-agent that reads it. */
const DEADLY = { title: 'DEADLY change', head: HEAD };
const DEADLY_PART = { title: 'Change', head: { ...HEAD, 'b.txt': 'one\ntwo\nDEADLY b\nthree\n' } };
/** One whose delivery is deadly to the process that looks for what it starts. */
const DEADLY_DELIVERY = { title: 'Change', head: HEAD, name: 'acme/deadly' };
/** With `PITWALL_LONG=1` the time of the healthy ones is compared with a run without the poison; on a machine that is busy with other tests it says nothing. */
const LONG = process.env.PITWALL_LONG === '1';
const HEALTHY = 10;
const TAKE_OVERS_MS = 15_000;
const PRELOAD = { NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'poison.mjs')).href}`, PITWALL_LOCK_MS: '1000' };

interface Change {
  title: string;
  head: Record<string, string>;
  /** Of its repository. */
  name?: string;
}

/** Reviews healthy pull requests at once, and beside them these. Answers how long the healthy ones took (ms). */
async function reviewAll(deadly: Change[], healthy = HEALTHY) {
  const own = await Stage.open(inject('redisUrl'), { director: direct, latencyMs: 20 });
  stage = own;
  const { github } = own;
  const changes: Change[] = [...Array.from({ length: healthy }, (_, k) => ({ title: `Change ${k}`, head: HEAD })), ...deadly];
  const repos = await Promise.all(changes.map(({ name }, k) => github.createRepository(name ?? `acme/app-${k}`, BASE)));
  for (const repo of repos) github.install(repo);
  const alice = github.person('alice', Object.fromEntries(repos.map((repo) => [repo.fullName, 'write'] as const)));
  for (const server of [await own.addServer(PRELOAD), await own.addServer(PRELOAD)]) server.supervise();
  for (const [k, repo] of repos.entries()) await alice.push(repo, 'feature', changes[k]?.head ?? HEAD);
  const pulls = await Promise.all(repos.map((repo, k) => alice.openPull(repo, { head: 'feature', title: changes[k]?.title ?? '' })));
  const begun = Date.now();
  const ended = (k: number) => {
    const repo = repos[k];
    return repo !== undefined && areChecksOver(github, repo);
  };
  await until('the healthy ones are reviewed', () => changes.slice(0, healthy).every((_, k) => ended(k)), 300_000);
  const took = Date.now() - begun;
  return { github, repos, pulls, ended, took, deaths: () => own.servers.reduce((sum, server) => sum + server.deaths, 0) };
}

async function timeOf(deadly: Change[]): Promise<number> {
  const { took } = await reviewAll(deadly);
  await stage?.close();
  return took;
}

it('a run, or a part of one, that kills its process each time is ended with its reason, and all others are reviewed as without it', {
  timeout: 900_000,
}, async () => {
  const plain = LONG ? await timeOf([]) : 0;
  const beside = LONG ? await timeOf([DEADLY]) : 0;
  const { github, repos, pulls, ended, deaths } = await reviewAll([DEADLY, DEADLY_PART]);
  for (let k = 0; k < HEALTHY; k++) {
    expect(threadsOn(github, repos[k]?.fullName ?? '', pulls[k]?.number ?? 0)).toEqual(EXPECTED);
    expect(github.checks(repos[k]?.fullName ?? '').map((check) => check.conclusion)).toEqual(['success']);
  }
  await until('the poisonous one ended', () => ended(HEALTHY));
  const [repo, pull] = [repos[HEALTHY]?.fullName ?? '', pulls[HEALTHY]?.number ?? 0];
  const [comment] = github.comments(repo, pull);
  const [check] = github.checks(repo);
  expect(check?.conclusion).toBe('failure');
  for (const part of ['failed', 'step "review"', '7 times', 'SIGKILL', '/retry']) expect(comment?.body).toContain(part);
  await until('the one with a poisonous part ended', () => ended(HEALTHY + 1));
  const partly = repos[HEALTHY + 1]?.fullName ?? '';
  const [said] = github.comments(partly, pulls[HEALTHY + 1]?.number ?? 0);
  for (const part of ['✅', 'a.txt: 1 finding', '7 times', 'in turn 2']) expect(said?.body).toContain(part);
  expect(threadsOn(github, partly, pulls[HEALTHY + 1]?.number ?? 0)).toEqual(EXPECTED.slice(0, 1));
  expect(deaths()).toBeLessThanOrEqual(2 * MOST_DEATHS);
  if (LONG) console.log(`${HEALTHY} reviews: ${plain} ms without the poison, ${beside} ms beside one`);
  expect(beside - plain).toBeLessThan(TAKE_OVERS_MS);
  expect(github.defects).toEqual([]);
});

it('a delivery that kills its process each time goes on alone until it is given up with its reason, and all others are reviewed', {
  timeout: 900_000,
}, async () => {
  const { github, repos, pulls, deaths } = await reviewAll([DEADLY_DELIVERY], 2);
  for (const k of [0, 1]) expect(threadsOn(github, repos[k]?.fullName ?? '', pulls[k]?.number ?? 0)).toEqual(EXPECTED);
  await until('it has died alone', async () => (await deadlyStarts()) > MOST_DEATHS);
  if (LONG) {
    const why = await until('the delivery is given up', async () => /its process ended .*/.exec(await whyOf(DEADLY_DELIVERY.name))?.[0]);
    for (const part of ['7 times', 'SIGKILL']) expect(why).toContain(part);
  }
  expect(deaths()).toBeLessThanOrEqual(MOST_DEATHS);
  expect(github.checks(DEADLY_DELIVERY.name)).toEqual([]);
  expect(github.defects).toEqual([]);
});

/** How often the deadly delivery was begun without an end; its pauses grow, so its own end takes the better part of a minute. */
async function deadlyStarts(): Promise<number> {
  const isDeadly = ({ event, payload }: Delivery) => event === 'pull_request' && JSON.stringify(payload).includes(DEADLY_DELIVERY.name);
  const guid = stage?.github.hooks.deliveries.find(isDeadly)?.guid;
  const redis = await stage?.connection();
  return Number(await redis?.hget(`${stage?.prefix}:starts:delivery/${guid}`, 'open'));
}

/** What `pitwall why` says of the first pull request of a repository; empty as long as it knows nothing. */
async function whyOf(repository: string): Promise<string> {
  const env = { ...stage?.servers[0]?.environment, NODE_OPTIONS: '' };
  const said = await promisify(execFile)(process.execPath, [CLI, 'why', `${repository}#1`], { env }).catch(() => null);
  return said?.stdout ?? '';
}
