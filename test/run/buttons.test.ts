import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckRun } from '../../src/demo/github/state.ts';
import type { Draft, RunStart } from '../../src/journal/entry.ts';
import { resourceKey } from '../../src/journal/resource.ts';
import { agentStep, eventOn, type House, pullOf, REPOSITORY, startOf } from '../session/house.ts';
import { Office, type Place } from './office.ts';

let office: Office;
let house: House;
let at: Place;
let sha: string;
beforeAll(async () => {
  office = await Office.open();
  house = office.house;
  at = await office.settle({});
  sha = await at.wanda.push(at.name, 'feature', { 'a.txt': 'two\n' });
});
afterAll(() => office.close());

const RUNNING: Draft[] = [{ type: 'run.state', state: 'Running', reason: '' }];
const ENDED: Draft[] = [...RUNNING, { type: 'run.ended', state: 'Completed', reason: '', message: '' }];

/** A run with its check on GitHub; `repository` is the id that it believes to be in. */
async function begin(more: Draft[], { path = 'w', repository = at.id } = {}): Promise<{ start: RunStart; check: CheckRun }> {
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
  const { data } = await (await api()).rest.checks.create({ ...nameOf(), name: 'W', head_sha: sha, external_id: external });
  const check = office.github.checks(at.name, sha).find(({ id }) => id === data.id);
  if (!check) throw new Error('the check was not made');
  return check;
}

async function api() {
  return office.app.api(await office.app.installationOf(at.name), at.id, 'review');
}

function nameOf() {
  const [owner = '', repo = ''] = at.name.split('/');
  return { owner, repo };
}

async function decided({ event }: RunStart) {
  const all = await house.store.decisions.list(event.repository.id, resourceKey(event.resource));
  return all.map(({ verdict, reason, run }) => ({ verdict, reason, run }));
}

describe('a button', () => {
  it('Cancel ends the run, once for a double click', async () => {
    const { start, check } = await begin(RUNNING);
    await office.takeAll();
    at.wanda.pressCheck(at.name, check, 'cancel');
    at.wanda.pressCheck(at.name, check, 'cancel');
    await office.takeAll();
    expect(await house.store.cancels.reasonOf(start.run)).toBe('cancelled by @wanda');
    expect(await house.waiting('runs')).toContain(start.run);
    expect(await decided(start)).toEqual([
      { verdict: 'not matched', reason: '@wanda pressed "cancel": the run was told to end', run: start.run },
    ]);
  });

  it.each([['retry' as const], [undefined]])('Retry or Re-run (%s) runs the workflow again', async (identifier) => {
    const { start, check } = await begin(ENDED);
    at.wanda.pressCheck(at.name, check, identifier);
    await office.takeAll();
    const [decision] = await decided(start);
    expect(decision).toMatchObject({ verdict: 'started', reason: `@wanda pressed "retry" of ${start.run}` });
    const [again] = await house.entriesOf(decision?.run ?? '', 'run.started');
    expect(again?.start).toMatchObject({ workflow: start.workflow, event: { name: start.event.name, resource: start.event.resource } });
    expect(again?.start.run).not.toBe(start.run);
  });

  it('of a stranger does nothing, visibly', async () => {
    const [running, ended] = [await begin(RUNNING), await begin(ENDED)];
    at.eve.pressCheck(at.name, running.check, 'cancel');
    at.eve.pressCheck(at.name, ended.check);
    await office.takeAll();
    expect(await house.store.cancels.reasonOf(running.start.run)).toBeNull();
    for (const [{ start }, order] of [[running, 'cancel'] as const, [ended, 'retry'] as const]) {
      const reason = `@eve may not press "${order}": it needs write permission`;
      expect(await decided(start)).toEqual([{ verdict: 'not matched', reason, run: null }]);
    }
  });

  it('that comes too late, or too soon, says so', async () => {
    const [running, ended] = [await begin(RUNNING), await begin(ENDED)];
    at.wanda.pressCheck(at.name, running.check);
    at.wanda.pressCheck(at.name, ended.check, 'cancel');
    await office.takeAll();
    expect((await decided(running.start))[0]?.reason).toContain('has not ended: cancel it first');
    expect((await decided(ended.start))[0]?.reason).toContain('has ended already (Completed)');
    expect(await house.store.cancels.reasonOf(ended.start.run)).toBeNull();
  });

  it('on a check of a run of another repository, or of none, does nothing', async () => {
    const { start, check } = await begin(RUNNING, { repository: 999_999 });
    at.wanda.pressCheck(at.name, check, 'cancel');
    at.wanda.pressCheck(at.name, await checkOf('rnobody'), 'cancel');
    at.wanda.pressCheck(at.name, await checkOf('p0123'));
    await office.takeAll();
    expect(await house.store.cancels.reasonOf(start.run)).toBeNull();
    expect(await decided(start)).toEqual([]);
  });

  it('"Re-run all" takes the newest run of each workflow', async () => {
    sha = await at.wanda.push(at.name, 'other', { 'a.txt': 'three\n' });
    const [one, two] = [await begin(ENDED, { path: 'one' }), await begin(ENDED, { path: 'two' })];
    const newer = { ...one.start, run: `r${randomUUID().slice(0, 8)}` };
    await house.begin(newer);
    await (await house.store.journals.open(newer.run)).append(...ENDED);
    await checkOf(newer.run);
    await (await api()).request('POST /repos/{owner}/{repo}/check-suites/{id}/rerequest', { ...nameOf(), id: one.check.suite.id });
    await office.takeAll();
    const reasons = [...(await decided(one.start)), ...(await decided(two.start))].map(({ verdict, reason }) => `${verdict}: ${reason}`);
    const by = `@${office.github.bot.login}`;
    expect(reasons).toEqual([1, 2].map(() => `not matched: ${by} may not press "retry": it needs write permission`));
    const body = office.github.hooks.deliveries.findLast(({ event }) => event === 'check_suite')?.body.toString() ?? '';
    const byWanda = { ...(JSON.parse(body) as object), sender: { id: 1, login: 'wanda', type: 'User' } };
    await office.intakeOf(office.services).take({ id: randomUUID(), event: 'check_suite', body: JSON.stringify(byWanda) });
    expect((await decided(one.start))[0]).toMatchObject({ verdict: 'started', reason: `@wanda pressed "retry" of ${newer.run}` });
    expect((await decided(two.start))[0]).toMatchObject({ verdict: 'started', reason: `@wanda pressed "retry" of ${two.start.run}` });
  });
});
