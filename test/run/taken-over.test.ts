import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Model } from '../../src/agent/model.ts';
import { Superseded } from '../../src/journal/errors.ts';
import { advanceRun } from '../../src/run/run.ts';
import { advanceDelegation } from '../../src/session/delegation.ts';
import type { Services } from '../../src/session/services.ts';
import { RedisStore, type Store } from '../../src/store/store.ts';
import { playModel } from '../agent/talk.ts';
import { gate } from '../gate.ts';
import { agentOf, agentStep, delegationOf, House, startOf } from '../session/house.ts';
import { Wire } from '../store/processes.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

const never = new AbortController().signal;

/** A model that answers those who ask for `quick` when the gate opens, and nobody else before its call is aborted. */
function slowModel(): { model: Model; open(): void; asked: string[]; aborted: unknown[] } {
  const { opened, open } = gate();
  const asked: string[] = [];
  const aborted: unknown[] = [];
  const said = playModel(() => ({ text: 'said' }));
  const ask: Model['ask'] = async (request, options) => {
    const text = JSON.stringify(request.messages);
    asked.push(text);
    if (text.includes('quick')) return opened.then(() => said.ask(request, options));
    return new Promise((_, reject) => {
      options.signal?.addEventListener('abort', () => {
        aborted.push(options.signal?.reason);
        reject(options.signal?.reason);
      });
    });
  };
  return { model: { ask }, open, asked, aborted };
}

async function storeBeside(url?: string): Promise<Store> {
  const place = { url: url ?? (house.redis.options.path ? `unix://${house.redis.options.path}` : ''), prefix: house.prefix };
  const store = await RedisStore.open(place, { warn: () => {}, error: () => {} });
  onTestFinished(() => store.close());
  return store;
}

const servicesOver = (parts: Partial<Services>): Services => ({ ...house.process().services, ...parts });

it('a run whose journal has another writer aborts every call of a model that is in hand, and stops', async () => {
  const { model, open, asked, aborted } = slowModel();
  const flow = [
    { from: '', to: 'quick' },
    { from: '', to: 'slow' },
  ];
  const run = await house.begin(startOf({ steps: [agentStep('quick'), agentStep('slow')], flow }));
  const services = servicesOver({ model, store: await storeBeside() });
  const work = advanceRun(services, run, never);
  const ended = expect(work).rejects.toThrow(Superseded);
  await expect.poll(() => asked).toHaveLength(2);
  const other = await (await storeBeside()).journals.open(run);
  await other.append({ type: 'noted', key: 'other', value: 'is here' });
  open();
  await ended;
  expect(aborted).toHaveLength(1);
  expect(aborted[0]).toBeInstanceOf(Superseded);
  const entries = await house.entries(run);
  expect(entries.at(-1)).toMatchObject({ type: 'noted', key: 'other' });
});

it('one that is opened again in this process aborts what it had in hand', async () => {
  const { model, asked, aborted } = slowModel();
  const services = servicesOver({ model, store: await storeBeside() });
  const start = delegationOf();
  await services.store.journals.create(start.delegation, { type: 'delegation.started', start });
  const first = advanceDelegation(services, start.delegation, never);
  const ended = expect(first).rejects.toThrow(Superseded);
  await expect.poll(() => asked).toHaveLength(1);
  const later = new AbortController();
  const second = advanceDelegation(services, start.delegation, later.signal).catch(() => 'left');
  await ended;
  expect(aborted[0]).toBeInstanceOf(Superseded);
  await expect.poll(() => asked).toHaveLength(2);
  later.abort('enough');
  expect(await second).toBe('left');
});

it('an order to end aborts a call in hand of another process, also where Redis was away when it was given', async () => {
  const wire = await Wire.open();
  onTestFinished(() => wire.close());
  const orders = await storeBeside();
  for (const away of [false, true]) {
    const { model, asked, aborted } = slowModel();
    const store = await storeBeside(wire.url);
    const run = await house.begin(startOf({ steps: [agentStep('slow')] }));
    const work = advanceRun(servicesOver({ model, store }), run, never).catch((error: unknown) => error);
    await expect.poll(() => asked).toHaveLength(1);
    if (away) wire.cut();
    await orders.cancels.order([{ id: run, reason: 'told by another process' }]);
    if (away) wire.mend();
    await expect.poll(() => aborted).toHaveLength(1);
    expect(String(aborted[0])).toContain('told to end');
    await work;
  }
});

it('an effect whose process was held up until its run had ended is not carried out any more', async () => {
  const { opened, open } = gate();
  const reached = gate();
  house.play = ({ turn }) =>
    turn === 0 ? { calls: [{ name: 'add_comment_to_pull_request', input: { body: 'Too late.' } }] } : { text: 'said' };
  house.beforeEffect = async () => {
    reached.open();
    await opened;
  };
  const agents = [agentOf('a', { tools: ['add_comment_to_pull_request'] })];
  const run = await house.begin(startOf({ steps: [agentStep('say')] }, { agents }));
  const frozen = advanceRun(house.process().services, run, never).catch((error: unknown) => error);
  await reached.opened;
  await house.store.cancels.order([{ id: run, reason: 'cancelled by @ana' }]);
  house.beforeEffect = async () => {};
  const other = await house.store.journals.open(run);
  await other.append({ type: 'run.ended', state: 'Cancelled', reason: 'cancelled by @ana', message: '' });
  open();
  expect(await frozen).toBeInstanceOf(Superseded);
  expect([...house.effects.keys()].filter((key) => key.startsWith(run))).toEqual([]);
});

it('a journal of a newer build is neither read nor changed, and says what to do', async () => {
  const run = await house.begin(startOf({ steps: [agentStep('quick')] }));
  const key = `${house.prefix}:journal:${run}`;
  const [row] = await house.redis.xrangeBuffer(key, '-', '+');
  const fields = [...(row as unknown as [Buffer, Buffer[]])[1]];
  fields[7] = Buffer.from('99');
  await house.redis.del(key);
  await house.redis.xadd(key, '1-0', ...fields);
  const store = await storeBeside();
  for (const look of [
    () => store.journals.open(run),
    () => store.journals.read(run),
    () => advanceRun(servicesOver({ store }), run, never),
  ])
    await expect(look()).rejects.toThrow(/newer Pitwall \(journal format 99.*update/);
  expect(await house.redis.xlen(key)).toBe(1);
});
