import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A socket's path may have about 100 bytes. */
const LONGEST_SOCKET = 100;
const ANSWER_MS = 5_000;

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
  const server = (await listen(path)) ?? ((await isAlive(path)) ? null : await listenAnew(path));
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

function listenAnew(path: string): Promise<Server | null> {
  rmSync(path, { force: true });
  return listen(path);
}

function listen(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    server.listen(path, () => resolve(server));
  });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(path);
    client.once('connect', () => resolve(true));
    client.once('error', () => resolve(false));
    client.once('close', () => client.destroy());
  });
}
