import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
  }
}

/** One real Redis for the whole test run; every file uses a key prefix of its own. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), 'pitwall-test-redis-'));
  const socket = join(dir, 'redis.sock');
  const server = await start(dir, socket);
  project.provide('redisUrl', `unix://${socket}`);
  return async () => {
    const gone = new Promise((done) => server.once('exit', done));
    server.kill('SIGKILL');
    await gone;
    rmSync(dir, { recursive: true, force: true });
  };
}

function start(dir: string, socket: string): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const server = spawn('redis-server', [
      '--port',
      '0',
      '--unixsocket',
      socket,
      '--dir',
      dir,
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--save',
      '',
    ]);
    server.once('error', () => reject(new Error('the tests need redis-server on the PATH (Debian: apt-get install redis-server)')));
    server.stdout.on('data', (chunk: Buffer) => {
      if (/ready to accept connections/i.test(chunk.toString())) resolve(server);
    });
    server.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
  });
}
