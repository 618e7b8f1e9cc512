import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { GitHub } from '../../src/demo/github/github.ts';
import type { Draft, RunStart } from '../../src/journal/entry.ts';
import { resourceKey } from '../../src/journal/resource.ts';
import { viewRun } from '../../src/journal/view.ts';
import { startChildRedis } from '../../src/store/child-redis.ts';
import { RedisStore } from '../../src/store/store.ts';
import { agentStep, eventOn, House, pullOf, startOf } from '../session/house.ts';
import { pitwall } from './terminal.ts';

let house: House;
let github: GitHub;
const dir = mkdtempSync(join(tmpdir(), 'pitwall-runs-'));
beforeAll(async () => {
  [house, github] = await Promise.all([House.open(), GitHub.start()]);
});
afterAll(async () => {
  await Promise.all([house.close(), github.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

function run(args: string[], environment: Record<string, string> = {}) {
  const own = { PITWALL_REDIS_URL: inject('redisUrl'), PITWALL_REDIS_PREFIX: house.prefix, PITWALL_DATA_DIR: dir };
  return pitwall(args, { environment: { ...own, ...environment } });
}

let seconds = 0;

/** Writes a run's journal by hand and lists it. */
async function write(more: Draft[], start: RunStart = startOf({ name: 'Review', steps: [agentStep('a')] })): Promise<RunStart> {
  await house.begin(start);
  const journal = await house.store.journals.open(start.run);
  await journal.append(...more);
  await house.store.listRun(start.run, resourceKey(start.event.resource), Date.now() + ++seconds);
  return start;
}

const WALKING: Draft[] = [
  { type: 'run.state', state: 'Running', reason: '' },
  { type: 'step.started', step: 'a' },
  { type: 'status', key: 's', message: 'reading\u001b[31m the diff' },
];
const ENDED: Draft[] = [
  ...WALKING,
  { type: 'step.ended', step: 'a', state: 'Failed', output: null, reason: 'no key' },
  { type: 'run.ended', state: 'Failed', reason: 'step "a": no key', message: '' },
];

describe('pitwall runs', () => {
  it('lists the newest first, as a table and as JSON', async () => {
    const old = await write(ENDED);
    const waits = await write([...WALKING, { type: 'step.state', step: 'a', state: 'WaitingForReply' }]);
    const { code, out } = await run(['runs', '--limit', '2']);
    expect(code).toBe(0);
    const [head, ...rows] = out.trimEnd().split('\n');
    expect(head).toMatch(/^RUN +STATE +WORKFLOW +WHERE +STARTED +TIME$/);
    expect(rows[0]).toMatch(new RegExp(`^${waits.run} +WaitingForReply +Review +acme/app#\\d+ +\\d{4}-`));
    expect(rows[1]).toMatch(new RegExp(`^${old.run} +Failed +Review `));
    expect(rows).toHaveLength(2);
    const json = JSON.parse((await run(['runs', '--limit', '1', '--format', 'json'])).out) as unknown;
    expect(json).toEqual([expect.objectContaining({ run: waits.run, state: 'Running', endedAt: null, actor: 'ana' })]);
  });

  it('leaves out runs whose journals are gone', async () => {
    const kept = await write(WALKING);
    await house.store.listRun('rgone', 'none', Date.now() + 60_000);
    const { out } = await run(['runs', '--limit', '1']);
    expect(out).toContain(kept.run);
    expect(out).not.toContain('rgone');
  });

  it.each([['0'], ['x'], ['1.5'], ['']])('refuses --limit %j', async (limit) => {
    const { code, err } = await run(['runs', '--limit', limit]);
    expect(code).toBe(2);
    expect(err).toContain('Give a whole number from 1 to 1000');
  });
});

describe('pitwall show', () => {
  it('shows steps, state and what was said, without control characters', async () => {
    const usage = { input: 1_000_000, output: 0, cacheRead: 0, cacheWrite: 0 };
    const { run: id } = await write([
      ...WALKING,
      { type: 'turn.answered', key: 't', answer: { content: [], stop: 'end_turn', usage, model: 'nameless' }, ms: 1 },
    ]);
    const { code, out } = await run(['show', id]);
    expect(code).toBe(0);
    expect(out).toMatch(/^Tokens +1000000 in/m);
    expect(out).toMatch(/^Cost +\$0\.0000 \(without nameless: no price in the settings\)$/m);
    expect(out).toMatch(/^State +Running$/m);
    expect(out).toMatch(/^a +Running$/m);
    expect(out).toContain('reading [31m the diff');
    const ended = await write(ENDED);
    expect((await run(['show', ended.run])).out).toMatch(/^State +Failed: step "a": no key$/m);
    expect(JSON.parse((await run(['show', ended.run, '--format', 'json'])).out)).toMatchObject({
      state: 'Failed',
      steps: [{ id: 'a', state: 'Failed', reason: 'no key' }],
    });
  });

  it('of an unknown run says where to look', async () => {
    expect(await run(['show', 'rnone'])).toEqual({
      code: 1,
      out: '',
      err: expect.stringContaining('pitwall runs lists the runs there are'),
    });
  });
});

describe('pitwall why', () => {
  const decided = { delivery: 'd', event: 'pull_request_opened', workflow: 'Review', verdict: 'started' as const, run: 'r1' };

  it('finds the repository by its runs', async () => {
    const { event } = await write(WALKING);
    const { repository, resource } = event;
    const number = resource.kind === 'pr' ? resource.number : 0;
    await house.store.decisions.record(repository.id, resourceKey(resource), [{ at: Date.now(), ...decided, reason: 'trigger x' }]);
    const { code, out } = await run(['why', `Acme/App#${number}`]);
    expect(code).toBe(0);
    expect(out).toMatch(/^\S+Z +pull_request_opened +Review +started +r1 +trigger x$/m);
    expect(JSON.parse((await run(['why', `acme/app#${number}`, '--format', 'json'])).out)).toMatchObject([{ reason: 'trigger x' }]);
  });

  it('asks GitHub for a repository that no run was in, and gives the token back', async () => {
    const { id } = await github.createRepository('acme/silent', { 'a.txt': 'a\n' });
    const secrets = { APP_ID: String(github.app.id), PRIVATE_KEY: github.app.privateKey, GITHUB_API_URL: github.apiUrl };
    expect((await run(['why', 'acme/silent#3'], secrets)).err).toContain('the App is not installed on acme/silent');
    github.install('acme/silent');
    await house.store.decisions.record(id, `${id}:issue:3`, [{ at: Date.now(), ...decided, run: null, reason: 'because' }]);
    expect(await run(['why', 'acme/silent#3'], secrets)).toMatchObject({ code: 0, out: expect.stringContaining('because'), err: '' });
    expect(await run(['why', 'acme/silent#4'], secrets)).toMatchObject({
      code: 1,
      err: expect.stringContaining('no event of acme/silent#4'),
    });
    expect(await run(['why', 'acme/silent#3'])).toMatchObject({ code: 1, err: expect.stringContaining('set APP_ID and PRIVATE_KEY') });
  });

  it.each([['acme/app'], ['#3'], ['acme/app#0'], ['a/b/c#1']])('refuses %s', async (place) => {
    expect(await run(['why', place])).toEqual({ code: 2, out: '', err: expect.stringContaining('expected owner/repo#number') });
  });
});

describe('pitwall cancel and retry', () => {
  it('cancel orders the end and wakes the run', async () => {
    const { run: id } = await write(WALKING);
    expect(await run(['cancel', id])).toMatchObject({ code: 0, err: '' });
    expect(await house.store.cancels.reasonOf(id)).toBe('cancelled on the command line');
    expect(await house.waiting('runs')).toContain(id);
    expect(await run(['retry', id])).toMatchObject({ code: 1, err: expect.stringContaining(`pitwall cancel ${id}`) });
  });

  it('retry starts the same event again under a new id', async () => {
    const start = await write(ENDED, startOf({ name: 'Again', steps: [agentStep('a')] }, { event: eventOn(pullOf(4_711)) }));
    const { code, out } = await run(['retry', start.run]);
    expect(code).toBe(0);
    const id = /Run (r[0-9a-f]{15}) was started/.exec(out)?.[1] ?? '';
    const again = viewRun(await house.entries(id));
    expect(again?.start).toMatchObject({ workflow: start.workflow, trust: start.trust, event: { name: start.event.name } });
    expect(await house.waiting('runs')).toContain(id);
    expect(await run(['cancel', start.run])).toMatchObject({ code: 1, err: expect.stringContaining('has ended already (Failed)') });
    expect((await run(['retry', start.run])).out).toContain(`Run ${id} waits already`);
  });
});

describe('which Redis', () => {
  it('without a URL it is the one that runs for the data folder', async () => {
    const environment = { PITWALL_REDIS_URL: '' };
    expect(await run(['runs'], environment)).toMatchObject({
      code: 2,
      err: expect.stringContaining(`no Pitwall runs with the data folder ${dir}`),
    });
    const child = await startChildRedis({ dataDir: dir, searchPath: process.env.PATH ?? '' });
    try {
      const store = await RedisStore.open({ url: child.url, prefix: 'pitwall' }, { warn: () => {}, error: () => {} });
      const id = `r${randomUUID().slice(0, 8)}`;
      await store.journals.create(id, { type: 'run.started', start: startOf({ steps: [agentStep('a')] }, { run: id }) });
      await store.listRun(id, 'x', Date.now());
      await store.close();
      expect((await run(['runs'], { ...environment, PITWALL_REDIS_PREFIX: 'pitwall' })).out).toContain(`${id}  Queued`);
    } finally {
      await child.stop();
    }
  });

  it('a wrong one is named', async () => {
    expect(await run(['runs'], { PITWALL_REDIS_URL: 'http://x' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('PITWALL_REDIS_URL must'),
    });
    expect(await run(['runs'], { PITWALL_REDIS_PREFIX: 'a b' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('PITWALL_REDIS_PREFIX may'),
    });
  });
});

it('pitwall runs names the journals that it cannot read, and lists the others', async () => {
  const [newer, well] = [await write([]), await write([])];
  await house.redis.del(`${house.prefix}:journal:${newer.run}`);
  await house.redis.xadd(`${house.prefix}:journal:${newer.run}`, '1-0', 'w', 'x', 't', '1', 'e', '?', 'f', '999');
  const { code, out, err } = await run(['runs']);
  expect(code).toBe(0);
  expect(out).toContain(well.run);
  expect(err).toMatch(new RegExp(`run ${newer.run} is left out: .*newer Pitwall.*update`));
  await house.redis.del(`${house.prefix}:journal:${newer.run}`);
});
