import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GitHub } from '../../src/demo/github/github.ts';
import { type House, over, type Process, session } from '../session/house.ts';
import { Office, OPENED, workflow } from './office.ts';

let office: Office;
let house: House;
let github: GitHub;
let process: Process;
beforeAll(async () => {
  office = await Office.open();
  ({ house, github } = office);
  process = house.process();
  house.play = () => ({ calls: [{ name: 'task_completed', input: { message: `said ${randomUUID()}` } }] });
});
afterAll(() => office.close());

/** Takes in what GitHub sent, and lets every run go as far as it goes. */
async function takeAll(runs: string[] = []): Promise<void> {
  await office.takeAll();
  for (const run of runs) await process.drive(run);
}

/** A pull request, the people around it, and a run that has not begun. */
async function prepare(keepSessionOpenForComments: boolean) {
  const exitCriteria = { timeLimit: { maxDurationMinutes: 30 }, userSignals: { explicit: ['/done'] } };
  const steps = [session('s', { listenToComments: true, keepSessionOpenForComments, exitCriteria })];
  const at = await office.settle({ talk: workflow('Talk', [OPENED], { steps, flow: [] }) });
  const number = await office.openPull(at);
  await takeAll();
  const [run = ''] = await house.store.runsOf(`${at.id}:pr:${number}`, 1);
  const heard = async () => (await house.entriesOf(run, 'comment.heard')).map(({ text }) => text);
  const people = { writer: at.wanda, reader: at.eve, stranger: github.person(`stranger${at.id}`, {}) };
  return { name: at.name, number, run, heard, decisions: () => office.decisions(at.id, number), ...people };
}

/** A pull request whose session waits for replies, unless `early` said something before it began. */
async function open(early?: string) {
  const at = await prepare(true);
  if (early !== undefined) {
    at.writer.comment(at.name, at.number, early);
    await takeAll();
  }
  await process.drive(at.run);
  expect(await house.end(at.run)).toBeNull();
  return at;
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
