import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const READY_MS = 10_000;
/** A socket's path may have about 100 bytes. */
const LONGEST_SOCKET = 100;

/** A redis-server of our own: its data in our folder, reached by a unix socket only, every write synced. */
export interface ChildRedis {
  url: string;
  stop(): Promise<void>;
}

/** Starts a redis-server found on the search path; rejects with the line to install one. */
export async function startChildRedis({ dataDir, searchPath }: { dataDir: string; searchPath: string }): Promise<ChildRedis> {
  const program = findProgram('redis-server', searchPath) ?? findProgram('valkey-server', searchPath);
  if (!program) throw new Error(INSTALL);
  const dir = join(dataDir, 'redis');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const socket = socketIn(dir);
  const args = [
    '--port',
    '0',
    '--unixsocket',
    socket,
    '--unixsocketperm',
    '700',
    '--dir',
    dir,
    '--appendonly',
    'yes',
    '--appendfsync',
    'always',
    '--save',
    '',
    '--maxmemory-policy',
    'noeviction',
  ];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true, env: { PATH: searchPath } });
  await waitReady(child);
  return { url: `unix://${socket}`, stop: () => stopChild(child, socket) };
}

const INSTALL = [
  'Pitwall needs Redis: set PITWALL_REDIS_URL, or install redis-server and Pitwall starts its own:',
  '  Debian, Ubuntu: sudo apt-get install -y redis-server',
  '  macOS:          brew install redis',
  '  Docker:         docker run -d -p 6379:6379 redis:7 redis-server --appendonly yes --appendfsync always   and PITWALL_REDIS_URL=redis://127.0.0.1:6379',
].join('\n');

function findProgram(name: string, searchPath: string): string | null {
  const dirs = [...searchPath.split(delimiter), '/usr/local/bin', '/usr/bin', '/opt/homebrew/bin'].filter(Boolean);
  return dirs.map((dir) => join(dir, name)).find((path) => existsSync(path)) ?? null;
}

function socketIn(dir: string): string {
  const near = join(dir, 'redis.sock');
  return near.length <= LONGEST_SOCKET ? near : join(tmpdir(), `pitwall-${process.pid}.sock`);
}

function waitReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(
      () => reject(new Error(`redis-server was not ready within ${READY_MS / 1000} s: ${said.slice(-400)}`)),
      READY_MS,
    );
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (!/ready to accept connections/i.test(said)) return;
      clearTimeout(timer);
      child.stdout?.removeAllListeners('data').resume();
      resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`redis-server ended at once (${code}): is another Pitwall using this data folder? ${said.slice(-400)}`));
    });
  });
}

function stopChild(child: ChildProcess, socket: string): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const force = setTimeout(() => child.kill('SIGKILL'), 3_000);
    child.once('exit', () => {
      clearTimeout(force);
      rmSync(socket, { force: true });
      resolve();
    });
    child.kill('SIGTERM');
  });
}
