import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitHub } from '../../src/demo/github/github.ts';
import type { Person } from '../../src/demo/github/person.ts';
import type { CheckRun } from '../../src/demo/github/state.ts';
import { GitHubApp } from '../../src/github/client.ts';
import { Configurations } from '../../src/github/configuration.ts';
import { Permissions } from '../../src/github/permission.ts';
import type { Draft, RunStart } from '../../src/journal/entry.ts';
import { resourceKey } from '../../src/journal/resource.ts';
import { Intake } from '../../src/run/intake.ts';
import { agentStep, eventOn, House, pullOf, REPOSITORY, startOf } from '../session/house.ts';

const NAME = 'acme/app';
let house: House;
let github: GitHub;
let app: GitHubApp;
let intake: Intake;
let alice: Person;
let eve: Person;
let sha: string;

beforeAll(async () => {
  [house, github] = await Promise.all([House.open(), GitHub.start()]);
  const repository = await github.createRepository(NAME, { 'a.txt': 'one\n' });
  github.install(repository);
  alice = github.person('alice', { [NAME]: 'write' });
  eve = github.person('eve', { [NAME]: 'read' });
  sha = await alice.push(NAME, 'feature', { 'a.txt': 'two\n' });
  app = new GitHubApp({
    appId: github.app.id,
    privateKey: github.app.privateKey,
    webhookSecret: github.app.webhookSecret,
    apiUrl: github.apiUrl,
    version: '0.0.0',
    log: pino({ level: 'silent' }),
  });
  const { services } = house.process();
  intake = new Intake({ services, app, configurations: new Configurations(), permissions: new Permissions() });
  app.onDelivery((delivery) => intake.handle(delivery));
});
afterAll(async () => {
  await app.close();
  await Promise.all([house.close(), github.stop()]);
});

const RUNNING: Draft[] = [{ type: 'run.state', state: 'Running', reason: '' }];
const ENDED: Draft[] = [...RUNNING, { type: 'run.ended', state: 'Completed', reason: '', message: '' }];

/** A run with its check on GitHub; `repository` is the id that it believes to be in. */
async function begin(
  more: Draft[],
  { path = 'w', repository = github.repository(NAME).id } = {},
): Promise<{ start: RunStart; check: CheckRun }> {
  const own = { ...REPOSITORY, id: repository };
  const resource = pullOf(++pulls, { repository: own });
  const event = eventOn(resource, { repository: own });
  const start = startOf({ name: path, steps: [agentStep('a')] }, { run: `r${randomUUID().slice(0, 8)}`, event });
  start.workflow.path = path;
  await house.begin(start);
  await (await house.store.journals.open(start.run)).append(...more);
  return { start, check: await checkOf(start.run) };
}
let pulls = 100;

async function checkOf(external: string): Promise<CheckRun> {
  const api = await app.api(await app.installationOf(NAME), github.repository(NAME).id, 'review');
  const { data } = await api.rest.checks.create({ owner: 'acme', repo: 'app', name: 'W', head_sha: sha, external_id: external });
  const check = github.checks(NAME, sha).find(({ id }) => id === data.id);
  if (!check) throw new Error('the check was not made');
  return check;
}

/** Takes in what GitHub sent since the last time. */
async function takeAll(): Promise<void> {
  for (const delivery of github.hooks.deliveries.slice(taken)) {
    taken++;
    await intake.take({ id: delivery.guid, event: delivery.event, body: delivery.body.toString() });
  }
}
let taken = 0;

async function decided({ event }: RunStart) {
  const all = await house.store.decisions.list(event.repository.id, resourceKey(event.resource));
  return all.map(({ verdict, reason, run }) => ({ verdict, reason, run }));
}

describe('a button', () => {
  it('Cancel ends the run, once for a double click', async () => {
    const { start, check } = await begin(RUNNING);
    await takeAll();
    alice.pressCheck(NAME, check, 'cancel');
    alice.pressCheck(NAME, check, 'cancel');
    await takeAll();
    expect(await house.store.cancels.reasonOf(start.run)).toBe('cancelled by @alice');
    expect(await house.waiting('runs')).toContain(start.run);
    expect(await decided(start)).toEqual([
      { verdict: 'not matched', reason: '@alice pressed "cancel": the run was told to end', run: start.run },
    ]);
  });

  it.each([['retry' as const], [undefined]])('Retry or Re-run (%s) runs the workflow again', async (identifier) => {
    const { start, check } = await begin(ENDED);
    alice.pressCheck(NAME, check, identifier);
    await takeAll();
    const [decision] = await decided(start);
    expect(decision).toMatchObject({ verdict: 'started', reason: `@alice pressed "retry" of ${start.run}` });
    const [again] = await house.entriesOf(decision?.run ?? '', 'run.started');
    expect(again?.start).toMatchObject({ workflow: start.workflow, event: { name: start.event.name, resource: start.event.resource } });
    expect(again?.start.run).not.toBe(start.run);
  });

  it('of a stranger does nothing, visibly', async () => {
    const [running, ended] = [await begin(RUNNING), await begin(ENDED)];
    eve.pressCheck(NAME, running.check, 'cancel');
    eve.pressCheck(NAME, ended.check);
    await takeAll();
    expect(await house.store.cancels.reasonOf(running.start.run)).toBeNull();
    for (const [{ start }, order] of [[running, 'cancel'] as const, [ended, 'retry'] as const]) {
      const reason = `@eve may not press "${order}": it needs write permission`;
      expect(await decided(start)).toEqual([{ verdict: 'not matched', reason, run: null }]);
    }
  });

  it('that comes too late, or too soon, says so', async () => {
    const [running, ended] = [await begin(RUNNING), await begin(ENDED)];
    alice.pressCheck(NAME, running.check);
    alice.pressCheck(NAME, ended.check, 'cancel');
    await takeAll();
    expect((await decided(running.start))[0]?.reason).toContain('has not ended: cancel it first');
    expect((await decided(ended.start))[0]?.reason).toContain('has ended already (Completed)');
    expect(await house.store.cancels.reasonOf(ended.start.run)).toBeNull();
  });

  it('on a check of a run of another repository, or of none, does nothing', async () => {
    const { start, check } = await begin(RUNNING, { repository: 999_999 });
    alice.pressCheck(NAME, check, 'cancel');
    alice.pressCheck(NAME, await checkOf('rnobody'), 'cancel');
    alice.pressCheck(NAME, await checkOf('p0123'));
    await takeAll();
    expect(await house.store.cancels.reasonOf(start.run)).toBeNull();
    expect(await decided(start)).toEqual([]);
  });

  it('"Re-run all" takes the newest run of each workflow', async () => {
    sha = await alice.push(NAME, 'other', { 'a.txt': 'three\n' });
    const [one, two] = [await begin(ENDED, { path: 'one' }), await begin(ENDED, { path: 'two' })];
    const newer = { ...one.start, run: `r${randomUUID().slice(0, 8)}` };
    await house.begin(newer);
    await (await house.store.journals.open(newer.run)).append(...ENDED);
    await checkOf(newer.run);
    const api = await app.api(await app.installationOf(NAME), github.repository(NAME).id, 'review');
    await api.request('POST /repos/{owner}/{repo}/check-suites/{id}/rerequest', { owner: 'acme', repo: 'app', id: one.check.suite.id });
    await takeAll();
    const reasons = [...(await decided(one.start)), ...(await decided(two.start))].map(({ verdict, reason }) => `${verdict}: ${reason}`);
    const by = `@${github.bot.login}`;
    expect(reasons).toEqual([1, 2].map(() => `not matched: ${by} may not press "retry": it needs write permission`));
    const body = github.hooks.deliveries.findLast(({ event }) => event === 'check_suite')?.body.toString() ?? '';
    const byAlice = { ...(JSON.parse(body) as object), sender: { id: 1, login: 'alice', type: 'User' } };
    await intake.take({ id: randomUUID(), event: 'check_suite', body: JSON.stringify(byAlice) });
    expect((await decided(one.start))[0]).toMatchObject({ verdict: 'started', reason: `@alice pressed "retry" of ${newer.run}` });
    expect((await decided(two.start))[0]).toMatchObject({ verdict: 'started', reason: `@alice pressed "retry" of ${two.start.run}` });
  });
});
