import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ChildRedis, startChildRedis } from '../../src/store/child-redis.ts';
import { connectCommands, waitReady } from '../../src/store/redis.ts';

const searchPath = process.env.PATH ?? '';
let dir: string;
const started: ChildRedis[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pitwall-child-'));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.stop()));
  rmSync(dir, { recursive: true, force: true });
});

async function start(dataDir = dir): Promise<ChildRedis> {
  const child = await startChildRedis({ dataDir, searchPath });
  started.push(child);
  return child;
}

async function ask<T>(url: string, question: (redis: ReturnType<typeof connectCommands>) => Promise<T>): Promise<T> {
  const redis = connectCommands(url, () => {});
  try {
    await waitReady(redis, 5_000);
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

async function processOf(url: string): Promise<number> {
  return ask(url, async (redis) => Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a redis-server of our own', () => {
  it('syncs every write, evicts nothing, listens on no port, and its folder is ours alone', async () => {
    const { url } = await start();
    const settings = await ask(url, async (redis) => {
      const names = ['appendonly', 'appendfsync', 'maxmemory-policy', 'port', 'save', 'unixsocketperm'];
      return Object.fromEntries(await Promise.all(names.map(async (name) => (await redis.config('GET', name)) as [string, string])));
    });
    expect(settings).toEqual({
      appendonly: 'yes',
      appendfsync: 'always',
      'maxmemory-policy': 'noeviction',
      port: '0',
      save: '',
      unixsocketperm: '700',
    });
  });

  it('leaves no process and no socket behind when it stops, and its data to the next', async () => {
    const first = await start();
    const pid = await processOf(first.url);
    await ask(first.url, (redis) => redis.set('kept', 'yes'));
    await first.stop();
    expect(isAlive(pid)).toBe(false);
    expect(readdirSync(join(dir, 'redis')).filter((name) => name.endsWith('.sock'))).toEqual([]);
    await first.stop();
    const second = await start();
    expect(await ask(second.url, (redis) => redis.get('kept'))).toBe('yes');
  });

  it('is stopped by force where it does not hear', async () => {
    const child = await start();
    const pid = await processOf(child.url);
    process.kill(pid, 'SIGSTOP');
    await child.stop();
    expect(isAlive(pid)).toBe(false);
    expect(readdirSync(join(dir, 'redis')).filter((name) => name.endsWith('.sock'))).toEqual([]);
  });

  it('is refused to a second Pitwall on the same folder, which the first does not notice', async () => {
    const first = await start();
    await ask(first.url, (redis) => redis.set('mine', '1'));
    const second = startChildRedis({ dataDir: dir, searchPath });
    await expect(second).rejects.toThrow(`another Pitwall uses ${dir}`);
    await expect(second).rejects.toThrow('PITWALL_DATA_DIR');
    expect(await ask(first.url, (redis) => redis.get('mine'))).toBe('1');
    await first.stop();
    expect(await ask((await start()).url, (redis) => redis.get('mine'))).toBe('1');
  });

  it('of two that start at the same time is given to one', async () => {
    const tries = await Promise.allSettled([start(), start(), start()]);
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('of two that start at the same time after a crash is given to one', async () => {
    mkdirSync(join(dir, 'redis'));
    const crashed = createServer();
    await new Promise<void>((resolve) => crashed.listen(join(dir, 'at first'), resolve));
    renameSync(join(dir, 'at first'), join(dir, 'redis/owner.sock'));
    await new Promise((resolve) => crashed.close(resolve));
    expect(existsSync(join(dir, 'redis/owner.sock'))).toBe(true);
    const tries = await Promise.allSettled([start(), start(), start()]);
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('left over from a Pitwall that was killed is ended, with nothing lost', async () => {
    const owner = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `import { startChildRedis } from ${JSON.stringify(join(import.meta.dirname, '../../dist/store/child-redis.js'))};
       const child = await startChildRedis(${JSON.stringify({ dataDir: dir, searchPath })});
       console.log(child.url);
       setInterval(() => {}, 1000);`,
    ]);
    const [chunk] = (await once(owner.stdout, 'data')) as [Buffer];
    const url = chunk.toString().trim();
    const orphan = connect(url.slice('unix://'.length));
    const ended = once(orphan, 'close');
    await ask(url, (redis) => redis.set('acknowledged', 'yes'));
    const gone = once(owner, 'exit');
    owner.kill('SIGKILL');
    await gone;
    expect(await ask(url, (redis) => redis.ping())).toBe('PONG');
    const next = await start();
    await ended;
    expect(await ask(next.url, (redis) => redis.get('acknowledged'))).toBe('yes');
  });

  it('takes a folder whose path is relative, or too long for a socket', async () => {
    const near = await start(relative(process.cwd(), dir));
    expect(await ask(near.url, (redis) => redis.ping())).toBe('PONG');
    const deep = join(dir, 'x'.repeat(120));
    const far = await start(deep);
    expect(far.url.length).toBeLessThan(108);
    expect(await ask(far.url, (redis) => redis.ping())).toBe('PONG');
    await expect(startChildRedis({ dataDir: deep, searchPath })).rejects.toThrow('another Pitwall');
    await far.stop();
    expect(existsSync(far.url.slice('unix://'.length))).toBe(false);
  });

  it('that is not installed is asked for with the lines that install it', async () => {
    const missing = startChildRedis({ dataDir: dir, searchPath: '/nowhere', usual: [] });
    await expect(missing).rejects.toThrow('set PITWALL_REDIS_URL');
    await expect(missing).rejects.toThrow(/apt-get install -y redis-server[\s\S]*brew install redis/);
  });

  it('that does not start says why, and gives the folder back', async () => {
    const bin = join(dir, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'redis-server'), '#!/bin/sh\necho "Can not open the append-only file"\nexit 3\n', { mode: 0o755 });
    await expect(startChildRedis({ dataDir: dir, searchPath: `${bin}:${searchPath}` })).rejects.toThrow(/\(3\).*append-only file/);
    chmodSync(join(bin, 'redis-server'), 0o644);
    await expect(startChildRedis({ dataDir: dir, searchPath: bin, usual: [] })).rejects.toThrow('install redis-server');
    await expect(ask((await start()).url, (redis) => redis.ping())).resolves.toBe('PONG');
  });
});
