import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GitHub } from '../../src/demo/github/github.ts';
import type { Person } from '../../src/demo/github/person.ts';
import { GitHubApp } from '../../src/github/client.ts';
import { Configurations } from '../../src/github/configuration.ts';
import { Permissions } from '../../src/github/permission.ts';
import type { Outcome } from '../../src/journal/effect.ts';
import type { Repository } from '../../src/journal/resource.ts';
import { Intake } from '../../src/run/intake.ts';
import { MissedComments } from '../../src/run/missed-comments.ts';
import type { Services } from '../../src/session/services.ts';
import type { Letter } from '../../src/store/mailbox.ts';
import { until } from '../e2e/stage.ts';
import { House } from '../session/house.ts';

let house: House;
let github: GitHub;
let app: GitHubApp;
let services: Services;
let intake: Intake;
let missed: MissedComments;
let fixture: Fixture;
let count = 0;

interface Fixture {
  name: string;
  repository: Repository;
  installation: number;
  number: number;
  resource: string;
  run: string;
  wanda: Person;
  eve: Person;
}

beforeAll(async () => {
  [house, github] = await Promise.all([House.open(), GitHub.start()]);
  const { id: appId, privateKey, webhookSecret } = github.app;
  const log = pino({ level: 'silent' });
  app = new GitHubApp({ appId, privateKey, webhookSecret, apiUrl: github.apiUrl, version: '0.0.0', log });
  services = house.process().services;
  intake = new Intake({ services, app, configurations: new Configurations(), permissions: new Permissions() });
  app.onDelivery((delivery) => intake.handle(delivery));
  missed = new MissedComments({ services, app });
  const idle = async () => undefined;
  const handlers = { run: idle, delegation: idle, report: idle, failed: () => undefined };
  services.store.queues.startWorkers({ ...handlers, delivery: (delivery) => intake.take(delivery) }, { advances: 1, delegations: 1 });
});
afterAll(async () => {
  await services.store.queues.stopWorkers(1_000);
  await app.close();
  await Promise.all([house.close(), github.stop()]);
});
beforeEach(async () => {
  fixture = await openSession();
});
afterEach(async () => {
  await services.store.mailboxes.close(fixture.resource, { run: fixture.run, step: 's', heard: [], force: true });
});

/** A repository with a pull request of wanda's, on which a session is open. */
async function openSession(): Promise<Fixture> {
  const name = `acme/app-${++count}`;
  const { id, cloneUrl = '' } = (await github.createRepository(name, { 'a.txt': 'one\n' })) as { id: number; cloneUrl?: string };
  const { id: installation } = github.install(name);
  const wanda = github.person('wanda', { [name]: 'write' });
  const eve = github.person('eve', { [name]: 'read' });
  await wanda.push(name, 'feature', { 'a.txt': 'two\n' });
  const { number } = await wanda.openPull(name, { head: 'feature', title: 'Change' });
  const repository = { id, fullName: name, owner: 'acme', name: `app-${count}`, defaultBranch: 'main', private: false, cloneUrl };
  const fixture = { name, repository, installation, number, resource: `${id}:pr:${number}`, run: `r${count}`, wanda, eve };
  const place = { installation, repository, number };
  const recipient = { run: fixture.run, step: 's', listens: true, signals: ['/done'], author: 'nobody', place };
  await services.store.mailboxes.open(fixture.resource, recipient);
  await services.store.mailboxes.reread(id, 0);
  return fixture;
}

const look = (keep = async () => true) => missed.look({ keep });

async function letters(): Promise<Letter[]> {
  const found = await services.store.mailboxes.read(fixture.resource, { run: fixture.run, step: 's', heard: [] });
  return [...found.letters, ...found.held].toSorted((a, b) => a.comment - b.comment);
}

async function untilHeard(bodies: string[]): Promise<Letter[]> {
  await untilIdle();
  await until('nothing is held back', async () => {
    const { held } = await services.store.mailboxes.read(fixture.resource, { run: fixture.run, step: 's', heard: [] });
    return held.length === 0;
  });
  const heard = await letters();
  expect(heard.map(({ body }) => body)).toEqual(bodies);
  return heard;
}

const untilIdle = () => until('the queue is empty', async () => (await services.store.queues.counts()).deliveries === 0);

/** The webhook of what was said last. */
function webhook(nth = -1) {
  const delivery = github.hooks.deliveries.at(nth);
  if (!delivery) throw new Error('nothing was sent');
  return { id: delivery.guid, event: delivery.event, body: delivery.body.toString() };
}

const read = () => github.log.filter((entry) => entry.method === 'GET').length;

describe('comments whose webhooks never came', () => {
  it('are handed to the session, in their order, with their place', async () => {
    const { name, number, wanda } = fixture;
    wanda.comment(name, number, 'first');
    await wanda.reviewComment(name, number, { path: 'a.txt', line: 1, body: 'at a line' });
    wanda.comment(name, number, '/done');
    expect(await look()).toBe(3);
    const heard = await untilHeard(['first', 'at a line', '/done']);
    expect(heard.map(({ place, signal }) => [place, signal])).toEqual([
      ['conversation', false],
      ['thread', false],
      ['conversation', true],
    ]);
    expect(heard[1]).toMatchObject({ path: 'a.txt', line: 1, author: 'wanda' });
    expect(await look()).toBe(0);
  });

  it('are taken once, in whichever order the webhook comes', async () => {
    const { name, number, wanda } = fixture;
    wanda.comment(name, number, 'before');
    await intake.take(webhook());
    expect(await look()).toBe(0);
    wanda.comment(name, number, 'after');
    expect(await look()).toBe(1);
    await untilHeard(['before', 'after']);
    await intake.take(webhook());
    await untilHeard(['before', 'after']);
  });

  it('and whose edits did not come either are heard in their newest words', async () => {
    const { name, number, wanda } = fixture;
    const came = wanda.comment(name, number, 'came');
    await intake.take(webhook());
    wanda.editComment(name, came.id, 'came, and was edited');
    came.updatedAt += 2_000;
    const lost = wanda.comment(name, number, 'lost');
    wanda.editComment(name, lost.id, 'lost, and was edited');
    expect(await look()).toBe(1);
    await untilHeard(['came, and was edited', 'lost, and was edited']);
  });

  it('of strangers are refused as always, those of the app are left out', async () => {
    const { name, number, eve } = fixture;
    const outcomes: string[] = [];
    house.onEffect = (effect): Outcome => {
      outcomes.push(effect.type === 'reaction.add' ? effect.content : effect.type);
      return { status: 'done', result: {} };
    };
    eve.comment(name, number, '/done');
    github.person(github.bot.login, { [name]: 'write' }).comment(name, number, 'I am the app');
    expect(await look()).toBe(1);
    await untilHeard([]);
    expect(outcomes).toEqual(['confused']);
  });

  it('on other pull requests, and those from before the session, are not looked at', async () => {
    const { name, number, wanda } = fixture;
    const { number: other } = await wanda.openIssue(name, { title: 'Other' });
    wanda.comment(name, other, 'elsewhere');
    wanda.comment(name, number, 'before').createdAt -= 60_000;
    expect(await look()).toBe(0);
  });

  it('cost two requests a repository, however many sessions are open in it, and nothing is read without one', async () => {
    const { repository, installation, resource, run } = fixture;
    for (let k = 0; k < 20; k++) {
      const place = { installation, repository, number: 100 + k };
      await services.store.mailboxes.open(`${resource}${k}`, {
        run: `${run}-${k}`,
        step: 's',
        listens: true,
        signals: [],
        author: '',
        place,
      });
    }
    await look();
    const before = read();
    await look();
    expect(read() - before).toBe(2);
    for (let k = 0; k < 20; k++)
      await services.store.mailboxes.close(`${resource}${k}`, { run: `${run}-${k}`, step: 's', heard: [], force: true });
    await services.store.mailboxes.close(resource, { run, step: 's', heard: [], force: true });
    await look();
    expect(read() - before).toBe(2);
  });

  it('of one repository that cannot be read hold up no other', async () => {
    const first = fixture;
    fixture = await openSession();
    fixture.wanda.comment(fixture.name, fixture.number, 'here');
    github.fault({ on: new RegExp(`${first.name}/issues/comments`), status: 500, times: 10 });
    expect(await look()).toBe(1);
    await untilHeard(['here']);
    await services.store.mailboxes.close(first.resource, { run: first.run, step: 's', heard: [], force: true });
  });
});

describe('a comment that comes after one whose webhook was lost', () => {
  it('is heard after it', async () => {
    const { name, number, wanda } = fixture;
    wanda.comment(name, number, 'lost 1');
    wanda.comment(name, number, 'lost 2');
    wanda.comment(name, number, 'came');
    await intake.take(webhook());
    const { letters: now, held } = await services.store.mailboxes.read(fixture.resource, { run: fixture.run, step: 's', heard: [] });
    expect([...now, ...held].map(({ body }) => body)).toContain('came');
    await untilHeard(['lost 1', 'lost 2', 'came']);
    const settled = await services.store.mailboxes.read(fixture.resource, { run: fixture.run, step: 's', heard: [] });
    expect(settled.held).toEqual([]);
  });

  it('is heard also where GitHub cannot be asked for the others', async () => {
    const { name, number, wanda } = fixture;
    github.fault({ on: new RegExp(`${name}/issues/${number}/comments`), status: 500, times: 10 });
    wanda.comment(name, number, 'lost');
    wanda.comment(name, number, 'came');
    await intake.take(webhook());
    await untilHeard(['came']);
    expect(await look()).toBe(1);
    await untilIdle();
    expect((await letters()).map(({ body }) => body).toSorted()).toEqual(['came', 'lost']);
  });
});
