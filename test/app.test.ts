import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type AppParts, startApp } from '../src/app.ts';

import { BODY, HEADERS, MIB, post, start, stream } from './app-door.ts';

describe('a delivery', () => {
  it.each(['/api/github/webhooks', '/', '/api/github/webhooks?x=1'])(
    'that is signed is accepted once at %s, and nothing else happens before the answer',
    async (path) => {
      const door = await start();
      expect((await post(door, { path })).status).toBe(202);
      const delivery = { id: HEADERS['x-github-delivery'], event: 'pull_request', body: BODY };
      expect(door.calls).toEqual([
        `verify ${BODY} ${HEADERS['x-hub-signature-256']}`,
        `accept ${JSON.stringify(delivery)}`,
        'accepted',
        'answered 202',
      ]);
      expect(door.errors).toEqual([]);
    },
  );

  it('is verified by its bytes, however they are cut', async () => {
    const door = await start();
    const bytes = Buffer.from(BODY);
    const { asked, answered } = stream(door);
    for (const byte of bytes) asked.write(Buffer.from([byte]));
    asked.end();
    expect((await answered).status).toBe(202);
    expect(door.calls[0]).toBe(`verify ${BODY} ${HEADERS['x-hub-signature-256']}`);
  });

  it('with a wrong signature is refused, and accepted by nobody', async () => {
    const door = await start({ verify: () => Promise.resolve(false) });
    expect(await post(door)).toMatchObject({ status: 401, text: 'the signature does not match\n' });
    expect(door.calls.filter((call) => call.startsWith('accept'))).toEqual([]);
  });

  it.each<[string, Record<string, string | undefined>, number]>([
    ['without an id', { 'x-github-delivery': undefined }, 400],
    ['with an id that is none', { 'x-github-delivery': 'a b:c' }, 400],
    ['with an endless id', { 'x-github-delivery': 'a'.repeat(129) }, 400],
    ['without an event', { 'x-github-event': undefined }, 400],
    ['with an event that is none', { 'x-github-event': '../push' }, 400],
    ['without a signature', { 'x-hub-signature-256': undefined }, 401],
    ['with a short signature', { 'x-hub-signature-256': 'sha256=abc' }, 401],
    ['with an old signature', { 'x-hub-signature-256': `sha1=${'a'.repeat(40)}` }, 401],
    ['with a signature in capitals', { 'x-hub-signature-256': `SHA256=${'A'.repeat(64)}` }, 401],
  ])('%s is refused before anything is asked', async (_, change, status) => {
    const door = await start();
    const headers = Object.fromEntries(
      Object.entries({ ...HEADERS, ...change }).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    expect((await post(door, { headers })).status).toBe(status);
    expect(door.calls).toEqual([`answered ${status}`]);
  });

  it.each(['', '[]', '[{}]', 'null', '1', '"text"', 'true', '{', '{"a":1}}', 'payload=%7B%7D', '\u0000', '{"a":NaN}'])(
    'that is signed but is no object (%j) is refused',
    async (body) => {
      const door = await start();
      expect((await post(door, { body })).status).toBe(400);
      expect(door.calls.filter((call) => call.startsWith('accept'))).toEqual([]);
      expect(door.errors).toEqual([]);
    },
  );

  const FORM = { ...HEADERS, 'content-type': 'application/x-www-form-urlencoded' };

  it('as a form is taken by its payload, and verified by its bytes', async () => {
    const door = await start();
    const body = new URLSearchParams({ payload: BODY }).toString();
    expect((await post(door, { headers: FORM, body })).status).toBe(202);
    expect(door.calls.slice(0, 2)).toEqual([
      `verify ${body} ${HEADERS['x-hub-signature-256']}`,
      `accept ${JSON.stringify({ id: HEADERS['x-github-delivery'], event: 'pull_request', body: BODY })}`,
    ]);
  });

  it.each([
    ['another field beside it', 'payload=%7B%7D&x=1'],
    ['two payloads', 'payload=%7B%7D&payload=%7B%7D'],
    ['JSON that holds a form', '{"title":"&payload=%7B%7D"}'],
    ['JSON that holds a form and ends with it', '{"title":"&payload=%7B%7D&'],
    ['no payload', 'x=%7B%7D'],
    ['broken escapes', 'payload=%7B%ZZ%7D'],
    ['nothing', ''],
  ])('that is called a form, with %s, is refused', async (_, body) => {
    const door = await start();
    expect((await post(door, { headers: FORM, body })).status).toBe(400);
    expect(door.errors).toEqual([]);
  });

  it('that is signed but is not what GitHub sends under its name is refused with the difference', async () => {
    const door = await start({ misfit: (event, payload) => `${event} without ${Object.keys(payload).join()}` });
    expect(await post(door)).toMatchObject({
      status: 400,
      text: 'the body is not what GitHub sends as "pull_request": pull_request without action,text\n',
    });
    expect(door.calls.filter((call) => call.startsWith('accept'))).toEqual([]);
  });

  it('is accepted up to 25 MiB', async () => {
    const door = await start({}, {});
    const body = Buffer.alloc(25 * MIB, ' ');
    body.write('{}');
    expect((await post(door, { body })).status).toBe(202);
  });
});

describe.concurrent('a queue that does not take', () => {
  it('is told without its error, so that GitHub shows the delivery as failed', async () => {
    const secret = new Error('connect ECONNREFUSED redis://user:password@10.0.0.1');
    const door = await start({ accept: () => Promise.reject(secret) });
    const answer = await post(door);
    expect(answer.status).toBe(503);
    expect(answer.text).not.toMatch(/ECONN|redis:|password/);
    expect(door.errors).toEqual([secret]);
    expect(door.calls.filter((call) => call.startsWith('accept'))).toHaveLength(1);
  });

  it('by saying nothing is given up before 5 s are over', async ({ expect }) => {
    const door = await start({ accept: () => new Promise(() => {}) });
    expect((await post(door)).status).toBe(503);
    expect(door.errors.map(String)).toEqual(['Error: no answer within 4500 ms']);
  });

  it('but says so late harms nobody', async () => {
    let late: (error: Error) => void = () => {};
    const door = await start({ accept: () => new Promise((_, reject) => (late = reject)) }, { acceptMs: 50 });
    expect((await post(door)).status).toBe(503);
    late(new Error('late'));
    expect((await fetch(`${door.url}/healthz`)).status).toBe(200);
    expect(door.errors).toHaveLength(1);
  });
});

describe('a part that throws', () => {
  it.each<[string, Partial<AppParts>, string, string]>([
    ['verify', { verify: () => Promise.reject(new Error('secret text')) }, 'POST', '/api/github/webhooks'],
    ['notReady', { notReady: () => Promise.reject(new Error('secret text')) }, 'GET', '/readyz'],
    [
      'metrics',
      {
        metrics() {
          throw new Error('secret text');
        },
      },
      'GET',
      '/metrics',
    ],
  ])('(%s) is answered with 500 without its text', async (_, parts, method, path) => {
    const door = await start(parts);
    const answer = await fetch(`${door.url}${path}`, { method, ...(method === 'POST' ? { headers: HEADERS, body: BODY } : {}) });
    expect(answer.status).toBe(500);
    expect(await answer.text()).toBe('internal error\n');
    expect(door.errors.map(String)).toEqual(['Error: secret text']);
  });
});

describe('the other doors', () => {
  it.each([
    ['GET', '/healthz', 200, 'ok\n'],
    ['GET', '/readyz', 200, 'ready\n'],
    ['GET', '/metrics', 200, 'pitwall_jobs 1\n'],
    ['HEAD', '/healthz', 200, ''],
    ['GET', '/unknown', 404, 'not found\n'],
    ['GET', '/probot', 404, 'not found\n'],
    ['GET', '/api/github/webhooks', 404, 'not found\n'],
    ['POST', '/healthz', 404, 'not found\n'],
    ['POST', '/api/github/webhooks/', 404, 'not found\n'],
    ['PUT', '/api/github/webhooks', 405, 'method not allowed\n'],
    ['DELETE', '/healthz', 405, 'method not allowed\n'],
    ['GET', '//healthz', 404, 'not found\n'],
  ])('%s %s is answered with %d', async (method, path, status, expected) => {
    const door = await start();
    const answer = await fetch(`${door.url}${path}`, { method });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe(expected);
  });

  it('of a worker tell how it goes, and take no webhook', async () => {
    const door = await start({ metrics: async (webhooks) => JSON.stringify([...webhooks]) }, {}, false);
    for (const path of ['/healthz', '/readyz']) expect((await fetch(`${door.url}${path}`)).status).toBe(200);
    for (const path of ['/api/github/webhooks', '/'])
      expect(await post(door, { path })).toMatchObject({ status: 404, text: 'not found\n' });
    expect((await fetch(door.url)).status).toBe(404);
    expect(await (await fetch(`${door.url}/metrics`)).text()).toBe('[]\n');
    expect(door.calls.filter((call) => /^(?:verify|accept)/.test(call))).toEqual([]);
  });

  it('are told how many webhooks were answered with each status', async () => {
    let queueIsUp = true;
    const door = await start({
      accept: () => (queueIsUp ? Promise.resolve() : Promise.reject(new Error('away'))),
      metrics: async (webhooks) => JSON.stringify([...webhooks]),
    });
    const told = async () => JSON.parse(await (await fetch(`${door.url}/metrics`)).text());
    expect(await told()).toEqual([[202, 0]]);
    await post(door);
    await post(door);
    await post(door, { body: '[]' });
    queueIsUp = false;
    await post(door);
    await post(door, { path: '/unknown' });
    expect(await told()).toEqual([
      [202, 2],
      [400, 1],
      [503, 1],
    ]);
  });

  it('say what is not ready', async () => {
    const door = await start({ notReady: () => Promise.resolve(['Redis does not answer', 'the workers do not run']) });
    const answer = await fetch(`${door.url}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toBe('Redis does not answer\nthe workers do not run\n');
    expect((await fetch(`${door.url}/healthz`)).status).toBe(200);
  });
});

describe.concurrent('the server', () => {
  it('closes kept connections when it closes, after what is under way', async ({ expect }) => {
    let go = () => {};
    const door = await start({ accept: () => new Promise<void>((resolve) => (go = resolve)) });
    const idle = connect(door.app.port, '127.0.0.1');
    idle.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(idle, 'data');
    const answered = post(door);
    await expect.poll(() => door.calls.some((call) => call.startsWith('accept'))).toBe(true);
    const before = Date.now();
    const idleClosed = once(idle, 'close');
    const closed = door.app.close();
    await idleClosed;
    go();
    expect((await answered).status).toBe(202);
    await closed;
    expect(Date.now() - before).toBeLessThan(1_900);
    await expect(fetch(`${door.url}/healthz`)).rejects.toThrow();
  });

  it('closes also where a client does not end or a queue does not answer, and both are told', async ({ expect }) => {
    const door = await start({ accept: () => new Promise(() => {}) });
    const { asked, answered } = stream(door, { ...HEADERS, 'content-length': 1_000 });
    asked.write('{');
    await once(asked, 'socket').then(([socket]) => (socket.connecting ? once(socket, 'connect') : undefined));
    const posted = post(door);
    await expect.poll(() => door.calls.some((call) => call.startsWith('accept'))).toBe(true);
    const before = Date.now();
    await door.app.close();
    expect(Date.now() - before).toBeLessThan(4_000);
    expect(await answered).toMatchObject({ status: 503, text: 'this process stops: deliver again later\n', connection: 'close' });
    expect(await posted).toMatchObject({ status: 503, text: 'the queue cannot be reached: deliver again later\n' });
  });

  it('says what to do where its port is taken', async () => {
    const { app } = await start();
    const parts = {
      verify: () => Promise.resolve(true),
      misfit: () => null,
      accept: () => Promise.resolve(),
      notReady: () => Promise.resolve([]),
    };
    const second = startApp({ ...parts, metrics: () => Promise.resolve(''), onError: () => {} }, { port: app.port, host: '127.0.0.1' });
    await expect(second).rejects.toThrow(`port ${app.port} is taken: stop what uses it or set PORT to another`);
    const worker = startApp(
      { ...parts, metrics: async () => '', onError: () => {} },
      { port: app.port, host: '127.0.0.1', webhooks: false },
    );
    await expect(worker).rejects.toThrow('set PITWALL_HEALTH_PORT to another');
  });
});
