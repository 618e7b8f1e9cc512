import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitHub } from '../../src/demo/github/github.ts';
import { GitHubApp } from '../../src/github/client.ts';
import { Configurations } from '../../src/github/configuration.ts';
import { Permissions } from '../../src/github/permission.ts';
import { Intake } from '../../src/run/intake.ts';
import { House, over, type Process, session } from '../session/house.ts';

let house: House;
let github: GitHub;
let app: GitHubApp;
let intake: Intake;
let process: Process;
let repositories = 0;
const taken = new Set<number>();

beforeAll(async () => {
  [house, github] = await Promise.all([House.open(), GitHub.start()]);
  const { id, privateKey, webhookSecret } = github.app;
  app = new GitHubApp({
    appId: id,
    privateKey,
    webhookSecret,
    apiUrl: github.apiUrl,
    version: '0.0.0',
    log: pino({ level: 'silent' }),
  });
  process = house.process();
  intake = new Intake({ services: process.services, app, configurations: new Configurations(), permissions: new Permissions() });
  app.onDelivery((delivery) => intake.handle(delivery));
  house.play = () => ({ calls: [{ name: 'task_completed', input: { message: `said ${randomUUID()}` } }] });
});
afterAll(async () => {
  await app.close();
  await Promise.all([house.close(), github.stop()]);
});

const talk = (keepSessionOpenForComments: boolean) =>
  JSON.stringify({
    name: 'Talk',
    triggers: [{ event: 'pull_request_opened' }],
    steps: [
      session('s', {
        listenToComments: true,
        keepSessionOpenForComments,
        exitCriteria: { timeLimit: { maxDurationMinutes: 30 }, userSignals: { explicit: ['/done'] } },
      }),
    ],
  });

/** Takes in what GitHub sent, and lets every run go as far as it goes. */
async function takeAll(runs: string[] = []): Promise<void> {
  for (const delivery of github.hooks.deliveries.filter(({ id }) => !taken.has(id))) {
    taken.add(delivery.id);
    await intake.take({ id: delivery.guid, event: delivery.event, body: delivery.body.toString() });
  }
  for (const run of runs) await process.drive(run);
}

/** A pull request with a writer, and a run that has not begun. */
async function prepare(keepsOpen: boolean) {
  const name = `acme/signals-${++repositories}`;
  const agent = { '.overcut/agents/a.md': '---\nname: A\ntype: CodeReview\n---\nYou look.\n' };
  const { id } = await github.createRepository(name, { 'a.txt': 'a\n', '.overcut/workflow.json': talk(keepsOpen), ...agent });
  github.install(name);
  const writer = github.person(`writer${id}`, { [name]: 'write' });
  await writer.push(name, 'feature', { 'a.txt': 'b\n' });
  const { number } = await writer.openPull(name, { head: 'feature', title: 'Change' });
  await takeAll();
  const [run = ''] = await house.store.runsOf(`${id}:pr:${number}`, 1);
  const heard = async () => (await house.entriesOf(run, 'comment.heard')).map(({ text }) => text);
  return { name, number, run, writer, heard };
}

/** A pull request whose session waits for replies, unless `early` said something before it began. */
async function open(early?: string) {
  const name = `acme/signals-${++repositories}`;
  const files = {
    'a.txt': 'a\n',
    '.overcut/workflow.json': talk(true),
    '.overcut/agents/a.md': '---\nname: A\ntype: CodeReview\n---\nYou look.\n',
  };
  const { id } = await github.createRepository(name, files);
  github.install(name);
  const people = {
    writer: github.person(`writer${id}`, { [name]: 'write' }),
    reader: github.person(`reader${id}`, { [name]: 'read' }),
    stranger: github.person(`stranger${id}`, {}),
  };
  await people.writer.push(name, 'feature', { 'a.txt': 'b\n' });
  const { number } = await people.writer.openPull(name, { head: 'feature', title: 'Change' });
  await takeAll();
  const [run = ''] = await house.store.runsOf(`${id}:pr:${number}`, 1);
  if (early !== undefined) {
    people.writer.comment(name, number, early);
    await takeAll();
  }
  await process.drive(run);
  expect(await house.end(run)).toBeNull();
  const heard = async () => (await house.entriesOf(run, 'comment.heard')).map(({ text }) => text);
  const decisions = () => house.store.decisions.list(id, `${id}:pr:${number}`);
  return { name, number, run, heard, decisions, ...people };
}

describe('an exit signal', () => {
  it.each<[string, string, boolean]>([
    ['exactly', '/done', true],
    ['with blanks and lines around it', ' \n/done \n', true],
    ['with a full stop', '/done.', false],
    ['with a capital', '/Done', false],
    ['in capitals', '/DONE', false],
    ['quoted', '> /done', false],
    ['in a code block', '```\n/done\n```', false],
    ['as code', '`/done`', false],
    ['inside a sentence', 'I am /done with this', false],
    ['twice in one comment', '/done /done', false],
    ['with a second line', '/done\nthank you', false],
    ['after a mention', '@overcut /done', false],
    ['without its slash', 'done', false],
    ['hidden', '<!-- /done -->', false],
  ])('%s', async (_, text, ends) => {
    const { name, number, run, heard, writer } = await open();
    writer.comment(name, number, text);
    await takeAll([run]);
    expect((await house.end(run)) !== null).toBe(ends);
    expect((await heard()).map((one) => one.trim())).toEqual([text.trim()]);
  });

  it.each(['reader', 'stranger'] as const)('of a %s ends nothing, and is not heard', async (who) => {
    const at = await open();
    at[who].comment(at.name, at.number, '/done');
    await takeAll([at.run]);
    expect(await house.end(at.run)).toBeNull();
    expect(await at.heard()).toEqual([]);
    expect((await at.decisions()).some(({ reason }) => reason.includes('the session does not hear them'))).toBe(true);
  });

  it('twice ends once, and the second is told that nothing took it', async () => {
    const at = await open();
    at.writer.comment(at.name, at.number, '/done');
    await takeAll([at.run]);
    at.writer.comment(at.name, at.number, '/done');
    await takeAll([at.run]);
    expect(await house.entriesOf(at.run, 'run.ended')).toHaveLength(1);
    expect(await at.heard()).toEqual(['/done']);
    expect((await at.decisions()).filter(({ verdict }) => verdict === 'sent to a session')).toHaveLength(1);
  });

  it('before the session began ends nothing', async () => {
    const at = await open('/done');
    expect(await at.heard()).toEqual([]);
    at.writer.comment(at.name, at.number, '/done');
    await takeAll([at.run]);
    expect(await house.end(at.run)).toMatchObject({ state: 'Completed' });
  });
});

describe('a comment that was changed before its turn', () => {
  it('is heard in its newest words, whichever delivery comes first, and not again', async () => {
    const at = await open();
    const { id } = at.writer.comment(at.name, at.number, 'frist');
    at.writer.editComment(at.name, id, 'first');
    const review = await at.writer.reviewComment(at.name, at.number, { path: 'a.txt', line: 1, body: 'heer' });
    at.writer.editReviewComment(at.name, review.id, 'here');
    github.hooks.deliveries.push(...github.hooks.deliveries.splice(-4).reverse());
    await takeAll([at.run]);
    expect((await at.heard()).toSorted()).toEqual(['first', 'here']);
    at.writer.editComment(at.name, id, '/done');
    at.writer.deleteReviewComment(at.name, review.id);
    await takeAll([at.run]);
    expect(await at.heard()).toHaveLength(2);
    expect(await house.end(at.run)).toBeNull();
  });

  it('into an exit signal ends the session, and into something else does not', async () => {
    const at = await open();
    const first = at.writer.comment(at.name, at.number, '/done');
    at.writer.editComment(at.name, first.id, 'no, go on');
    await takeAll([at.run]);
    expect(await house.end(at.run)).toBeNull();
    const second = at.writer.comment(at.name, at.number, '/dnoe');
    at.writer.editComment(at.name, second.id, '/done');
    await takeAll([at.run]);
    expect(await at.heard()).toEqual(['no, go on', '/done']);
    expect(await house.end(at.run)).toMatchObject({ state: 'Completed' });
  });

  it('is not heard where it was deleted, and holds up no end', async () => {
    const at = await open();
    const { id } = at.writer.comment(at.name, at.number, 'never mind');
    at.writer.deleteComment(at.name, id);
    const asked = house.asked.length;
    await takeAll([at.run]);
    expect(await at.heard()).toEqual([]);
    expect(house.asked).toHaveLength(asked);
    at.writer.comment(at.name, at.number, 'this one');
    await takeAll([at.run]);
    expect(await at.heard()).toEqual(['this one']);
  });

  it('is not waited for where it was deleted after the session could not end because of it', async () => {
    const at = await prepare(false);
    const slow = house.process();
    const { store } = slow.services;
    const answers: boolean[] = [];
    const close: typeof store.mailboxes.close = async (resource, box) => {
      if (answers.length > 0 || box.force) return store.mailboxes.close(resource, box);
      const { id } = at.writer.comment(at.name, at.number, 'one more thing');
      await takeAll();
      answers.push(await store.mailboxes.close(resource, box));
      at.writer.deleteComment(at.name, id);
      await takeAll();
      return false;
    };
    slow.services.store = over(store, { mailboxes: over(store.mailboxes, { close }) });
    expect(await slow.drive(at.run)).toBeNull();
    expect(answers).toEqual([false]);
    expect(await at.heard()).toEqual([]);
    expect(await house.end(at.run)).toMatchObject({ state: 'Completed' });
  });
});
