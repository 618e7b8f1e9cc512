import { createHash, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A socket's path may have about 100 bytes. */
const LONGEST_SOCKET = 100;
const ANSWER_MS = 5_000;
/** Longer than it takes to find a dead socket and to put one's own in its place. */
const SETTLE_MS = 100;

/** The path of a socket of a folder: in it where that is short enough, else in the folder for temporary files, under the same name at every start. */
export function socketPath(dir: string, name: string): string {
  const near = join(dir, name);
  if (Buffer.byteLength(near) <= LONGEST_SOCKET) return near;
  return join(tmpdir(), `pitwall-${createHash('sha256').update(near).digest('hex').slice(0, 16)}.sock`);
}

/**
 * Makes this process the only one that uses a folder, for as long as it lives: it listens on a socket there, which dies with it, so that a crash leaves
 * nothing in the way. Answers null where another process has the folder, else how to give it back.
 */
export async function claimFolder(dir: string): Promise<(() => Promise<void>) | null> {
  const path = socketPath(dir, 'owner.sock');
  const name = randomUUID();
  const server = (await listen(path, name)) ?? ((await nameAt(path)) === null ? await replace(path, name) : null);
  if (!server) return null;
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

/** Ends a redis-server whose owner was killed, so that no two ever write to one folder; nothing happens where none listens. Rejects if it does not end. */
export function endLeftover(socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = connect(socket, () => client.write('SHUTDOWN NOSAVE\r\n'));
    client.setTimeout(ANSWER_MS, () => {
      client.destroy();
      reject(
        new Error(`a redis-server left over from an earlier start does not end: end the one that listens on ${socket}, and start again`),
      );
    });
    client.on('error', () => {});
    client.on('close', () => resolve());
    client.resume();
  });
}

/**
 * Takes the place of a dead socket. Of several who do so at once the last counts; the others see it when all have settled, and leave their servers
 * open, because closing one would remove the path, which is not theirs any more.
 */
async function replace(path: string, name: string): Promise<Server | null> {
  rmSync(path, { force: true });
  const server = await listen(path, name);
  if (!server) return null;
  server.unref();
  await sleep(SETTLE_MS);
  return (await nameAt(path)) === name ? server : null;
}

function listen(path: string, name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.on('error', () => {}).end(name));
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    server.listen(path, () => resolve(server));
  });
}

/** The name that whoever listens at a path gives; empty where it does not say one in time, null where nobody listens. */
function nameAt(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    let said = '';
    const client = connect(path);
    client.setTimeout(ANSWER_MS, () => client.destroy());
    client.on('data', (chunk) => {
      said += chunk.toString();
    });
    client.once('error', () => resolve(null));
    client.once('close', () => resolve(said));
  });
}
