import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, rmSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { claimFolder, endLeftover, socketPath } from './folder-claim.ts';

const READY_MS = 10_000;
/** Looked at beside the search path, which a service manager may have cut short. */
const USUAL_FOLDERS = ['/usr/local/bin', '/usr/bin', '/opt/homebrew/bin'];

/** A redis-server of our own: its data in our folder, reached by a unix socket only, every write synced. */
export interface ChildRedis {
  url: string;
  stop(): Promise<void>;
}

/** Where the data are kept, and where the program is looked for: the search path, then `usual` folders. */
export interface ChildRedisOptions {
  dataDir: string;
  searchPath: string;
  usual?: string[];
}

/**
 * Starts a redis-server; rejects with the line to install one where there is none, and where another Pitwall uses the folder. One that was left over
 * because its Pitwall was killed is ended first: what it acknowledged is in the folder.
 */
export async function startChildRedis({ dataDir, searchPath, usual = USUAL_FOLDERS }: ChildRedisOptions): Promise<ChildRedis> {
  const folders = [...searchPath.split(delimiter), ...usual].filter(Boolean);
  const program = findProgram('redis-server', folders) ?? findProgram('valkey-server', folders);
  if (!program) throw new Error(INSTALL);
  const dir = resolve(dataDir, 'redis');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const giveBack = await claimFolder(dir);
  if (!giveBack)
    throw new Error(
      `another Pitwall uses ${resolve(dataDir)}: stop it, set PITWALL_DATA_DIR to another folder, or PITWALL_REDIS_URL for both`,
    );
  const socket = socketPath(dir, 'redis.sock');
  try {
    await endLeftover(socket);
    const child = await launch({ program, dir, socket, searchPath });
    return {
      url: `unix://${socket}`,
      async stop() {
        await stopChild(child, socket);
        await giveBack();
      },
    };
  } catch (error) {
    await giveBack();
    throw error;
  }
}

/** Where the redis-server of a data folder is reached while a Pitwall runs there: its URL, and the path of its socket. */
export function childRedisPlace(dataDir: string): { url: string; socket: string } {
  const socket = socketPath(resolve(dataDir, 'redis'), 'redis.sock');
  return { url: `unix://${socket}`, socket };
}

async function launch({
  program,
  dir,
  socket,
  searchPath,
}: Record<'program' | 'dir' | 'socket' | 'searchPath', string>): Promise<ChildProcess> {
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
  return child;
}

const INSTALL = [
  'Pitwall needs Redis: set PITWALL_REDIS_URL, or install redis-server and Pitwall starts its own:',
  '  Debian, Ubuntu: sudo apt-get install -y redis-server',
  '  macOS:          brew install redis',
  '  Docker:         docker run -d -p 6379:6379 redis:7 redis-server --appendonly yes --appendfsync always   and PITWALL_REDIS_URL=redis://127.0.0.1:6379',
].join('\n');

function findProgram(name: string, folders: string[]): string | null {
  return folders.map((dir) => join(dir, name)).find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function waitReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`redis-server was not ready within ${READY_MS / 1000} s: ${said.slice(-400)}`));
    }, READY_MS);
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (!/ready to accept connections/i.test(said)) return;
      clearTimeout(timer);
      child.stdout?.removeAllListeners('data').resume();
      resolve();
    });
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`redis-server ended at once (${code}); what it said: ${said.slice(-400)}`));
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
