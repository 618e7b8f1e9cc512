import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resourceKey } from '../../src/journal/resource.ts';
import { sendToSession } from '../../src/run/letters.ts';
import { agentStep, commentOn, eventOn, House, type Process, pullOf, session, startOf } from '../session/house.ts';

let house: House;
let process: Process;
beforeAll(async () => {
  house = await House.open();
  process = house.process();
  house.play = ({ coordinates, told }) => {
    if (!coordinates) return { text: 'worked' };
    const heard = told.match(/question \d/g)?.at(-1) ?? 'nothing yet';
    return { calls: [{ name: 'task_completed', input: { message: `heard ${heard}` } }] };
  };
});
afterAll(() => house.close());

const TALK = {
  listenToComments: true,
  keepSessionOpenForComments: true,
  exitCriteria: { timeLimit: { maxDurationMinutes: 30 }, userSignals: { explicit: ['/done'] } },
};

/** A run whose session waits for replies, with a step behind it, while another run of the same pull request has the lane. */
async function park(number: number, steps = [session('talk', TALK), agentStep('after')]) {
  const event = eventOn(pullOf(number));
  const flow = [
    { from: '', to: 'talk' },
    { from: 'talk', to: 'after' },
  ];
  const run = await house.begin(startOf({ steps, flow }, { event }));
  expect(await process.drive(run)).toContain('a reply');
  const resource = resourceKey(event.resource);
  const other = await house.begin(startOf({ steps: [agentStep('a')] }, { event }));
  expect(await house.store.lanes.enter(resource, other, 5)).toBe(true);
  const say = async (id: number, text: string) => {
    const letter = commentOn(number, { id, text });
    await sendToSession(process.services, letter, { canWrite: async () => true, lookBefore: async () => undefined });
    return process.drive(run);
  };
  return { run, other, resource, say };
}

describe('a session that waits for replies while another run of its pull request is at work', () => {
  it('answers what people ask at once, and leaves the lane to the other', async () => {
    const { run, other, resource, say } = await park(8_101);
    expect(await say(1, 'question 1')).toContain('a reply');
    expect(await say(2, 'question 2')).toContain('a reply');
    expect([...house.effects.values()].map(({ effect }) => ('body' in effect ? effect.body : ''))).toEqual(
      expect.arrayContaining(['heard question 1', 'heard question 2']),
    );
    expect(await house.end(run)).toBeNull();
    expect(await house.store.lanes.look(resource)).toEqual({ active: other, queued: [] });
  });

  it('ends by its exit signal at once; the step behind it waits for its turn, and is woken for it', async () => {
    const { run, other, resource, say } = await park(8_102);
    expect(await say(1, '/done')).toContain('its turn');
    expect(await house.steps(run)).toEqual({ talk: 'Completed' });
    expect(await house.store.lanes.look(resource)).toEqual({ active: other, queued: [run] });
    await process.drive(other);
    expect(await house.waiting('runs')).toContain(run);
    expect(await process.drive(run)).toBeNull();
    expect(await house.steps(run)).toEqual({ talk: 'Completed', after: 'Completed' });
    expect(await house.store.lanes.look(resource)).toEqual({ active: null, queued: [] });
  });

  it('keeps its place in the lane for a step that is held back, also while another of its sessions waits on', async () => {
    const event = eventOn(pullOf(8_103));
    const steps = [
      session('talk', TALK),
      session('chat', { ...TALK, exitCriteria: { timeLimit: { maxDurationMinutes: 30 } } }),
      agentStep('after'),
    ];
    const flow = [
      { from: '', to: 'talk' },
      { from: '', to: 'chat' },
      { from: 'talk', to: 'after' },
    ];
    const run = await house.begin(startOf({ steps, flow }, { event }));
    await process.drive(run);
    const resource = resourceKey(event.resource);
    const other = await house.begin(startOf({ steps: [agentStep('a')] }, { event }));
    await house.store.lanes.enter(resource, other, 5);
    const letter = commentOn(8_103, { id: 1, text: '/done' }).comment;
    const signal = { comment: 1, author: 'ana', place: letter.place, body: '/done', url: '', createdAt: letter.createdAt, signal: true };
    expect(await house.store.mailboxes.post(resource, { run, step: 'talk' }, signal)).toBe(true);
    expect(await process.drive(run)).toContain('its turn');
    expect(await house.store.lanes.look(resource)).toEqual({ active: other, queued: [run] });
    await process.drive(other);
    expect(await process.drive(run)).toContain('a reply');
    expect(await house.steps(run)).toEqual({ talk: 'Completed', after: 'Completed' });
  });
});
