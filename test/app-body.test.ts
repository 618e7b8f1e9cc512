import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

import { HEADERS, MIB, post, start, stream } from './app-door.ts';

describe('a body that is too large', () => {
  it('is refused by its announced length before a byte of it is sent', async () => {
    const door = await start();
    const { asked, answered } = stream(door, { ...HEADERS, 'content-length': 25 * MIB + 1 });
    asked.flushHeaders();
    expect(await answered).toMatchObject({ status: 413, text: 'the body is over 25 MiB\n', connection: 'close' });
    asked.destroy();
    expect(door.calls).toEqual([]);
  });

  it('is refused while it streams, is not kept in memory, and the sender gets the answer', async () => {
    const door = await start();
    const { asked, answered } = stream(door);
    const chunk = Buffer.alloc(MIB, 'x');
    const before = process.memoryUsage();
    let over = false;
    void answered.finally(() => {
      over = true;
    });
    let sent = 0;
    while (!over && sent < 400) {
      sent++;
      if (!asked.write(chunk)) await Promise.race([once(asked, 'drain'), answered]).catch(() => undefined);
    }
    expect(await answered).toMatchObject({ status: 413, connection: 'close' });
    expect(sent).toBeGreaterThan(25);
    const grown = process.memoryUsage().arrayBuffers - before.arrayBuffers;
    expect(grown).toBeLessThan(150 * MIB);
    asked.destroy();
    expect(door.calls).toEqual([]);
  });

  it('is answered also to a client that reads only when it has sent everything', async () => {
    const door = await start({}, { bodyBytes: 100_000 });
    const answer = await post(door, { body: Buffer.alloc(300_000, 'x') });
    expect(answer.status).toBe(413);
  });
});

describe('bodies that are too much together', () => {
  it('are refused, until others are over', async () => {
    const door = await start({}, { heldBytes: 1_000 });
    const slow = Array.from({ length: 4 }, () => stream(door, { ...HEADERS, 'content-length': 301 }));
    for (const { asked } of slow) asked.write('x'.repeat(300));
    const first = await Promise.race(slow.map(({ answered }) => answered));
    expect(first).toMatchObject({ status: 503, text: 'too much is being sent at once: deliver again later\n' });
    for (const { asked } of slow) asked.end(' ');
    const answers = await Promise.all(slow.map(({ answered }) => answered));
    expect(answers.map(({ status }) => status).sort()).toEqual([400, 400, 400, 503]);
    expect((await post(door, { body: `{"a":"${'x'.repeat(900)}"}` })).status).toBe(202);
    expect((await post(door, { body: `{"a":"${'x'.repeat(900)}"}` })).status).toBe(202);
  });
});

describe.concurrent('a body that never ends', () => {
  it('is given up in time', async () => {
    const door = await start({}, { bodyMs: 150 });
    const { asked, answered } = stream(door, { ...HEADERS, 'content-length': 1_000 });
    asked.write('{');
    const drip = setInterval(() => asked.write(' '), 20);
    const before = Date.now();
    expect(await answered).toMatchObject({ status: 408, connection: 'close' });
    clearInterval(drip);
    expect(Date.now() - before).toBeGreaterThanOrEqual(140);
    await once(asked, 'close');
    expect(door.calls).toEqual([]);
  });

  it('of a client that goes away is forgotten', async () => {
    const door = await start();
    const { asked, answered } = stream(door, { ...HEADERS, 'content-length': 1_000 });
    answered.catch(() => {});
    asked.write('{');
    await once(asked, 'socket').catch(() => undefined);
    asked.destroy();
    expect((await post(door)).status).toBe(202);
    expect(door.errors).toEqual([]);
    expect(door.calls.filter((call) => call.startsWith('accept '))).toHaveLength(1);
  });

  it('after a wrong path ends the connection as well', async () => {
    const door = await start();
    const socket = connect(door.app.port, '127.0.0.1');
    const said = text(socket);
    socket.write('POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{');
    expect(await said).toMatch(/^HTTP\/1\.1 404 /);
  });
});
