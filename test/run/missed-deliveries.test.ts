import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { MissedDeliveries } from '../../src/run/missed-deliveries.ts';
import { recover } from '../../src/run/recover.ts';
import { connectCommands, waitReady } from '../../src/store/redis.ts';
import { until } from '../e2e/stage.ts';
import { HOUR, LIST, Listed, ONE } from './listed.ts';

let at: Listed;
beforeEach(async () => {
  at = await Listed.open();
});
afterEach(() => at.close());

/** A process that looks; `pauseMs` is how long it puts off first what could not be read. */
function looker({ own = at.app, pauseMs = 60_000 } = {}) {
  const missed = new MissedDeliveries({ requests: () => own.requests(), store: at.store, log: at.log, pauseMs });
  return (keep = async () => true) => missed.look({ signal: new AbortController().signal, keep });
}

describe('failed deliveries', () => {
  it('of the last three days are brought in, those that were answered and older ones are not', async () => {
    at.deliver(80 * HOUR);
    for (const ago of [70 * HOUR, 2 * HOUR, 1_000]) at.deliver(ago);
    at.deliver(HOUR, 503);
    at.deliver(HOUR, 202);
    expect(await looker()()).toBe(4);
    expect(await at.queued()).toBe(4);
  });

  it('are read once, whoever looks again, and an unchanged list costs nothing', async () => {
    at.deliver(2 * HOUR);
    at.deliver(1_000);
    const look = looker();
    expect([await look(), await look(), await looker()()]).toEqual([2, 0, 0]);
    expect(at.asked(ONE)).toBe(2);
    expect(at.github.log.filter((entry) => entry.route === LIST && entry.status === 304)).toHaveLength(1);
    at.deliver(0);
    expect(await look()).toBe(1);
  });

  it('that were handled, or answered when they were sent again, are not read', async () => {
    const handled = at.deliver(2_000);
    await at.store.claims.finish(handled.guid);
    const again = at.deliver(3 * HOUR);
    const second = at.github.hooks.redeliver(again.id);
    if (second) second.answer = { status: 200, ms: 1, body: '', error: null, at: Date.now() - HOUR };
    const inVain = at.deliver(3 * HOUR);
    const third = at.github.hooks.redeliver(inVain.id);
    if (third) third.answer = { status: 500, ms: 1, body: '', error: null, at: Date.now() - HOUR };
    expect(await looker()()).toBe(1);
    expect(at.asked(ONE)).toBe(1);
    expect(await at.queued()).toBe(1);
  });

  it('come oldest first, over many pages, and what a process that dies has left another takes', async () => {
    const all = Array.from({ length: 130 }, (_, k) => at.deliver(3 * HOUR - k * 1_000).guid);
    let steps = 0;
    expect(await looker()(async () => ++steps <= 60)).toBe(60);
    expect(await looker()()).toBe(70);
    const bodies: string[] = [];
    const idle = async () => undefined;
    const handlers = { run: idle, delegation: idle, report: idle, failed: () => undefined };
    at.store.queues.startWorkers({ ...handlers, delivery: async ({ id }) => void bodies.push(id) }, { advances: 1, delegations: 1 });
    await until('all are taken', () => bodies.length === 130);
    await at.store.queues.stopWorkers(1_000);
    expect(new Set(bodies)).toEqual(new Set(all));
    expect(at.asked(ONE)).toBe(130);
  });
});

describe('after a loss of Redis', () => {
  it('only what failed since it, or shortly before, is brought in: what was handled before is not known any more', async () => {
    for (const ago of [2 * HOUR, HOUR]) at.deliver(ago);
    const { store } = at;
    await store.watch.start(() => {});
    const look = looker();
    expect(await look()).toBe(2);
    const raw = connectCommands(inject('redisUrl'), () => {});
    await waitReady(raw, 5_000);
    await raw.del(...(await raw.keys(`${at.prefix}:*`)));
    expect((await store.watch.look()).state).toBe('lost');
    await expect(store.watch.refuseLoss()).rejects.toThrow('lost');
    const nothing = async function* () {};
    await recover({ store, github: { perform: () => Promise.reject(new Error('nothing is open')) }, open: nothing });
    expect([await look(), await looker()()]).toEqual([0, 0]);
    at.deliver(1_000);
    expect([await look(), await at.queued()]).toEqual([1, 1]);
    raw.disconnect();
  });
});

describe('what cannot be read', () => {
  it('is put off for longer every time, and holds up no other', async () => {
    const poisonous = at.deliver(2 * HOUR);
    for (let k = 0; k < 5; k++) at.deliver(HOUR + k);
    at.github.fault({ on: new RegExp(`deliveries/${poisonous.id}$`), status: 500, times: 200 });
    const look = looker({ pauseMs: 20 });
    expect(await look()).toBe(5);
    const pauses: number[] = [];
    for (let tries = 1; tries < 6; tries++) {
      const before = await at.store.failures.putOffs([poisonous.guid]);
      const putOff = before.get(poisonous.guid);
      expect(putOff?.tries).toBe(tries);
      pauses.push((putOff?.until ?? 0) - (await at.store.now()));
      await until('it is tried again', async () => {
        await look();
        return at.asked(ONE) === 6 + tries;
      });
    }
    expect(at.asked(ONE)).toBe(11);
    expect(pauses.at(-1)).toBeGreaterThan(100);
  });

  it('200 that GitHub has in no known shape hold up no other, and none is read twice at once', async () => {
    for (let k = 0; k < 200; k++) at.deliver(2 * HOUR + k);
    const fine = at.deliver(1_000);
    const broken: typeof fetch = async (input, init) => {
      const url = String(input);
      if (!/deliveries\/\d+$/.test(url) || url.endsWith(`/${fine.id}`)) return fetch(input, init);
      paths.push(url);
      return new Response('{"nothing":true}', { headers: { 'content-type': 'application/json' } });
    };
    const paths: string[] = [];
    const look = looker({ own: at.makeApp(broken) });
    expect([await look(), await look()]).toEqual([1, 0]);
    expect(paths).toHaveLength(200);
  });

  it('is left out where GitHub does not have it any more', async () => {
    at.deliver(1_000);
    at.github.fault({ on: ONE, status: 404 });
    const look = looker();
    expect([await look(), await look()]).toEqual([0, 0]);
    expect(at.asked(ONE)).toBe(1);
    expect(at.lines.join('')).toContain('does not have the payload');
  });

  it.each([401, 403, 404, 500])('a list that GitHub answers with %i is an error of this look only', async (status) => {
    at.deliver(1_000);
    at.github.fault({ on: LIST, status });
    const look = looker();
    await expect(look()).rejects.toThrow('GitHub');
    expect(await look()).toBe(1);
  });

  it('GitHub that answers for none is not asked for every one', async () => {
    for (let k = 0; k < 20; k++) at.deliver(HOUR + k);
    at.github.fault({ on: ONE, status: 500, times: 100 });
    await expect(looker()()).rejects.toThrow('500');
    expect(at.asked(ONE)).toBe(3);
  });

  it('rows that are not GitHub’s are left out', async () => {
    const fine = at.deliver(1_000);
    const mixed: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      if (!new URL(String(input)).pathname.endsWith('/app/hook/deliveries')) return answer;
      const rows = [null, 7, { id: 'x' }, { id: 1, guid: '../..', event: 'issues' }, ...((await answer.json()) as object[])];
      return new Response(JSON.stringify(rows), { headers: { 'content-type': 'application/json' } });
    };
    expect(await looker({ own: at.makeApp(mixed) })()).toBe(1);
    expect(at.github.log.filter((entry) => entry.route === ONE).map((entry) => entry.path)).toEqual([
      expect.stringMatching(new RegExp(`/${fine.id}$`)),
    ]);
  });
});
