import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createTransport } from '../../src/agent/transport.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

async function serve(handler: Parameters<typeof createServer>[1]) {
  const server = createServer(handler);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  stops.push(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('the transport', () => {
  it('sends text, hands on status, address and headers, and keeps its connections', async () => {
    const ports = new Set<number | undefined>();
    const { url } = await serve((req, res) => {
      ports.add(req.socket.remotePort);
      res.writeHead(418, { 'x-a': '1', 'content-type': 'application/json' });
      req.pipe(res);
    });
    const fetch = createTransport();
    for (let n = 0; n < 3; n++) {
      const response = await fetch(url, { method: 'POST', headers: { 'x-b': '2' }, body: '{"ü":1}' });
      expect([response.status, response.ok, response.headers.get('x-a')]).toEqual([418, false, '1']);
      expect(response.url).toBe(`${url}/`);
      expect(await response.json()).toEqual({ ü: 1 });
    }
    expect(ports.size).toBe(1);
  });

  it('keeps no connection for long that nothing goes over, and lets a slow answer take longer than that', async () => {
    const ports = new Set<number | undefined>();
    const { url, server } = await serve((req, res) => {
      ports.add(req.socket.remotePort);
      setTimeout(() => res.end('late'), 600);
    });
    server.keepAliveTimeout = 0;
    const fetch = createTransport({ idleMs: 200 });
    expect(await (await fetch(url)).text()).toBe('late');
    await expect.poll(() => new Promise((done) => server.getConnections((_, count) => done(count)))).toBe(0);
    expect(await (await fetch(url)).text()).toBe('late');
    expect(ports.size).toBe(2);
  });

  it('streams: the first piece is there before the last is sent', async () => {
    let finish = () => {};
    const { url } = await serve((_, res) => {
      res.write('first');
      finish = () => res.end('last');
    });
    const response = await createTransport()(url);
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first');
    finish();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('last');
    expect((await reader?.read())?.done).toBe(true);
  });

  it('carries much without loss to a slow reader', async () => {
    const { url } = await serve((_, res) => void res.end(Buffer.alloc(8_000_000, 'x')));
    const response = await createTransport()(url);
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      await new Promise((done) => setImmediate(done));
    }
    expect(size).toBe(8_000_000);
  });

  it('fails where an answer is cut', async () => {
    const { url } = await serve((_, res) => {
      res.writeHead(200, { 'content-length': '100' }).write('half');
      setTimeout(() => res.destroy(), 5);
    });
    const response = await createTransport()(url);
    await expect(response.text()).rejects.toThrow();
  });

  it('can be aborted before and within an answer', async () => {
    const { url } = await serve((req, res) => void (req.url === '/late' && res.write('a')));
    const fetch = createTransport();
    for (const path of ['/never', '/late']) {
      const stop = new AbortController();
      const reading = fetch(`${url}${path}`, { signal: stop.signal }).then((response) => response.text());
      setTimeout(() => stop.abort(), 20);
      await expect(reading).rejects.toThrow();
    }
    await expect(fetch(url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('replaces a kept connection that the server has closed', async () => {
    let served = 0;
    const { url } = await serve((req, res) => {
      served++;
      if (served === 2) req.socket.destroy();
      else res.end('ok');
    });
    const fetch = createTransport();
    expect(await (await fetch(url)).text()).toBe('ok');
    expect(await (await fetch(url)).text()).toBe('ok');
    expect(served).toBe(3);
  });

  it('asks the proxy for a tunnel, with its password, except for exempt hosts', async () => {
    const asked: [string | undefined, string | undefined][] = [];
    const { server, url } = await serve(() => {});
    server.on('connect', (req, socket) => {
      asked.push([req.url, req.headers['proxy-authorization']]);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    const fetch = createTransport({ proxy: url.replace('//', '//me:p%40ss@'), noProxy: 'localhost,.direct.example' });
    await expect(fetch('https://api.example/v1')).rejects.toThrow(/403.*HTTPS_PROXY/);
    await expect(fetch('https://localhost:1/')).rejects.toThrow(/ECONNREFUSED/);
    expect(asked).toEqual([['api.example:443', `Basic ${Buffer.from('me:p@ss').toString('base64')}`]]);
  });

  it('speaks TLS inside the tunnel', async () => {
    const hello: Buffer[] = [];
    const target = await serve(() => {});
    const { server, url } = await serve(() => {});
    server.on('connect', (_, socket) => {
      const there = connect(Number(new URL(target.url).port), '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      socket.on('data', (data: Buffer) => {
        hello.push(data);
        there.destroy();
        socket.destroy();
      });
    });
    await expect(createTransport({ proxy: url })('https://api.example/')).rejects.toThrow();
    expect(hello[0]?.[0]).toBe(0x16);
    expect(Buffer.concat(hello).includes('api.example')).toBe(true);
  });

  it('refuses what it cannot do', async () => {
    await expect(createTransport()('ftp://x/')).rejects.toThrow(/use http or https/);
    await expect(createTransport()('http://127.0.0.1:1/', { method: 'POST', body: new FormData() })).rejects.toThrow(/text or bytes/);
  });
});
