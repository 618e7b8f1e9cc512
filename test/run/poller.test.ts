import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Poller } from '../../src/run/poller.ts';
import { until } from '../e2e/stage.ts';
import { HOUR, LIST, Listed, ONE } from './listed.ts';

let at: Listed;
const pollers: Poller[] = [];
beforeEach(async () => {
  at = await Listed.open();
});
afterEach(async () => {
  await Promise.all(pollers.splice(0).map((poller) => poller.stop()));
  await at.close();
});

function makePoller(everyMs = 50, own = at.app): Poller {
  const poller = new Poller({ requests: () => own.requests(), store: at.store, log: at.log, everyMs });
  pollers.push(poller);
  return poller;
}

describe('a look', () => {
  it('the first takes what nobody answered within the last hour, and no older history', async () => {
    at.deliver(2 * HOUR);
    at.deliver(HOUR / 2);
    at.deliver(HOUR / 2, 202);
    expect(await makePoller().look()).toBe(1);
  });

  it('takes what came since, whatever answered it: who stands behind the address is not known', async () => {
    const poller = makePoller();
    expect(await poller.look()).toBe(0);
    at.deliver(-1_000, 200);
    at.deliver(-1_000, 404);
    expect(await poller.look()).toBe(2);
    expect(await poller.look()).toBe(0);
    expect(await at.queued()).toBe(2);
    expect(at.asked(ONE)).toBe(2);
  });

  it('takes nothing that another process took, also after a restart', async () => {
    at.deliver(1_000);
    const first = makePoller();
    expect(await first.look()).toBe(1);
    expect(await makePoller().look()).toBeNull();
    await first.stop();
    expect(await makePoller().look()).toBe(0);
    expect(at.asked(ONE)).toBe(1);
  });

  it('knows by its id what came in by the webhook, and a redelivery', async () => {
    const { guid, id } = at.deliver(1_000, 202);
    const poller = makePoller();
    await poller.look();
    await at.store.claims.finish(guid);
    at.github.hooks.redeliver(id);
    expect(await poller.look()).toBe(0);
    expect(at.asked(ONE)).toBe(0);
  });

  it('goes on where it stopped, over many pages', async () => {
    for (let k = 0; k < 110; k++) at.deliver(1_000 + k);
    at.github.fault({ on: ONE, status: 500, skip: 100 });
    const poller = makePoller();
    expect(await poller.look()).toBe(109);
    expect(await until('the one that could not be read is read', () => poller.look())).toBe(1);
    expect(await at.queued()).toBe(110);
    expect(at.asked(ONE)).toBe(111);
  });

  it('leaves out what GitHub does not have any more, and says so', async () => {
    at.deliver(1_000);
    at.github.fault({ on: ONE, status: 404 });
    const poller = makePoller();
    expect(await poller.look()).toBe(0);
    expect(await poller.look()).toBe(0);
    expect(at.asked(ONE)).toBe(1);
    expect(at.lines.join('')).toContain('does not have the payload');
  });

  it('that finds nothing new costs nothing of the rate limit', async () => {
    at.deliver(1_000);
    const poller = makePoller();
    await poller.look();
    await poller.look();
    expect(at.github.log.filter((entry) => entry.route === LIST).map((entry) => entry.status)).toEqual([200, 304]);
  });

  it('reads ids of 19 digits, and large numbers of a payload as a webhook does', async () => {
    const { id } = at.deliver(1_000);
    const long = '3804004623172239366';
    const paths: string[] = [];
    const answerLong: typeof fetch = async (input, init) => {
      const url = String(input);
      if (!url.includes('/app/hook/')) return fetch(input, init);
      paths.push(new URL(url).pathname);
      const text = await (await fetch(url.replace(long, String(id)), init)).text();
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      return new Response(text.replaceAll(`"id":${id}`, `"id":${long}`).replace('"action":"opened"}', `"action":"opened","big":${long}}`), {
        headers,
      });
    };
    const own = at.makeApp(answerLong);
    expect(await makePoller(50, own).look()).toBe(1);
    await own.close();
    expect(paths.at(-1)).toMatch(new RegExp(`/deliveries/${long}$`));
    const bodies: string[] = [];
    at.store.queues.startWorkers({ ...nothing, delivery: async ({ body }) => void bodies.push(body) }, { advances: 1, delegations: 1 });
    await until('it is taken from the queue', () => bodies.length === 1);
    await at.store.queues.stopWorkers(1_000);
    expect(JSON.parse(bodies[0] ?? '')).toEqual({ action: 'opened', big: Number(long) });
  });
});

const idle = async () => undefined;
const nothing = { run: idle, delegation: idle, report: idle, failed: () => undefined };

describe('at work', () => {
  it('goes on after failures, after growing pauses', async () => {
    at.github.fault({ on: LIST, status: 500, times: 3 });
    at.deliver(1_000);
    const started = Date.now();
    makePoller(20).start();
    await until('it is in the queue', async () => (await at.queued()) === 1);
    expect(Date.now() - started).toBeGreaterThanOrEqual(40 + 80 + 160);
    expect(at.lines.filter((line) => line.includes('could not be read'))).toHaveLength(3);
  });

  it('stays away as long as GitHub asks for', async () => {
    at.github.fault({ on: LIST, kind: 'secondary', seconds: 1 });
    at.deliver(1_000);
    makePoller(20).start();
    const started = Date.now();
    await until('it is in the queue', async () => (await at.queued()) === 1);
    expect(Date.now() - started).toBeGreaterThanOrEqual(900);
  });

  it('a stop does not wait for a request that hangs, and lets another process go on at once', async () => {
    at.github.fault({ on: LIST, kind: 'hang' });
    const poller = makePoller(20);
    poller.start();
    await until('it asks', () => at.asked(LIST) > 0);
    const started = Date.now();
    await poller.stop();
    expect(Date.now() - started).toBeLessThan(10_000);
    at.deliver(1_000);
    expect(await makePoller().look()).toBe(1);
  });
});
