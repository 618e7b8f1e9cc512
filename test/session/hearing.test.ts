import { afterAll, beforeAll, expect, it } from 'vitest';
import { ModelRefused } from '../../src/agent/model.ts';
import { resourceKey } from '../../src/journal/resource.ts';
import { announceComment, sendToSession, settleComment } from '../../src/run/letters.ts';
import { commentOn, eventOn, House, pullOf, session, startOf } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

/** A session that is walked by hand, on a pull request of its own. */
async function open(number: number, params: object = {}) {
  const exitCriteria = { timeLimit: { maxDurationMinutes: 30 }, userSignals: { explicit: ['/done'] } };
  const start = startOf({ steps: [session('s', { listenToComments: true, exitCriteria, ...params })] }, { event: eventOn(pullOf(number)) });
  const process = house.process();
  await house.begin(start);
  const at = { run: start.run, step: 's' };
  const author = 'ben';
  await house.store.mailboxes.open(resourceKey(start.event.resource), { ...at, listens: true, signals: ['/done'], author });
  const put = (id: number, text: string) =>
    sendToSession(process.services, commentOn(number, { id, text }), { canWrite: async () => true, lookBefore: async () => undefined });
  return { ...at, process, put, resource: resourceKey(start.event.resource) };
}

const done = () => ({ calls: [{ name: 'task_completed', input: { message: 'done' } }] });

it('a letter that is held back costs no turn, and is heard when what holds it up is settled', async () => {
  house.play = done;
  house.asked = [];
  const { run, process, put } = await open(801);
  const first = commentOn(801, { id: 10, text: 'the first' });
  await announceComment(process.services, first);
  await put(11, 'the second');
  expect(await process.drive(run)).toContain('a reply');
  expect(house.asked).toHaveLength(1);
  await settleComment(process.services, first);
  expect(await process.drive(run)).toBeNull();
  expect(house.asked).toHaveLength(2);
  expect((await house.entriesOf(run, 'comment.heard')).map(({ comment }) => comment)).toEqual([11]);
});

it('a letter that is held back when the session ends by its signal is told that it came too late', async () => {
  house.play = done;
  const { run, process, put } = await open(802);
  await announceComment(process.services, commentOn(802, { id: 20, text: 'still looked at' }));
  await put(21, 'held back');
  await put(22, '/done');
  expect(await process.drive(run)).toBeNull();
  expect((await house.entriesOf(run, 'comment.heard')).map(({ comment }) => comment)).toEqual([22]);
  expect(house.effects.get(`${run}:late/21`)?.effect).toMatchObject({ type: 'reaction.add', content: 'confused' });
});

it('a session that fails takes no more letters, and says so to those it did not hear', async () => {
  const { run, process, put, resource } = await open(803);
  house.play = async () => {
    await put(31, 'meanwhile');
    throw new ModelRefused('no more of this');
  };
  expect(await process.drive(run)).toBeNull();
  expect(await house.steps(run)).toEqual({ s: 'Failed' });
  expect(await house.store.mailboxes.recipients(resource)).toEqual([]);
  expect([...house.effects.keys()]).toContain(`${run}:late/31`);
  expect(await put(32, 'afterwards')).toBeNull();
});

it('a comment whose delivery is repeated after the session ended stays with that session', async () => {
  house.play = done;
  const { run, process, put } = await open(804);
  await put(41, 'once');
  expect(await process.drive(run)).toBeNull();
  const next = await open(804);
  expect(await next.put(41, 'once')).toMatchObject({ run });
  expect(await next.process.drive(next.run)).toBeNull();
  expect(await house.entriesOf(next.run, 'comment.heard')).toEqual([]);
});
