import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildRedis, startChildRedis } from '../../src/store/child-redis.ts';
import { checkRedis, connectCommands, type Redis, redisTime, waitReady } from '../../src/store/redis.ts';
import { RedisStore, type Store } from '../../src/store/store.ts';

const searchPath = process.env.PATH ?? '';
let dir: string;
let server: ChildRedis;
let redis: Redis;

async function connected(url: string): Promise<Redis> {
  const made = connectCommands(url, () => {});
  await waitReady(made, 5_000);
  return made;
}

async function openStore(url: string): Promise<{ store: Store; warnings: string[] }> {
  const warnings: string[] = [];
  const store = await RedisStore.open({ url, prefix: 'p' }, { warn: (text) => warnings.push(text), error: () => {} });
  return { store, warnings };
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pitwall-redis-'));
  server = await startChildRedis({ dataDir: dir, searchPath });
  redis = await connected(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('the settings of Redis', () => {
  it('are fine as our own server has them', async () => {
    expect(await checkRedis(redis)).toEqual({ refuse: [], warn: [] });
    const { store, warnings } = await openStore(server.url);
    expect(warnings).toEqual([]);
    await store.close();
  });

  it.each([
    ['maxmemory-policy', 'allkeys-lru', 'noeviction'],
    ['maxmemory-policy', 'volatile-ttl', 'noeviction'],
  ])('%s %s is refused, with what to set', async (name, value, normal) => {
    await redis.config('SET', name, value);
    const open = openStore(server.url);
    await expect(open).rejects.toThrow(value);
    await expect(open).rejects.toThrow(`set ${name} ${normal}`);
    await redis.config('SET', name, normal);
  });

  it.each([
    ['appendfsync', 'everysec', 'always'],
    ['appendfsync', 'no', 'always'],
    ['appendonly', 'no', 'yes'],
  ])('%s %s is warned of, with what to set', async (name, value, normal) => {
    await redis.config('SET', name, value);
    const { store, warnings } = await openStore(server.url);
    await store.close();
    await redis.config('SET', name, normal);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`${name} ${value}`);
    expect(warnings[0]).toContain(`set ${name} ${normal}`);
  });

  it('that are hidden give one warning that names them all', async () => {
    await redis.call('ACL', 'SETUSER', 'tenant', 'on', 'nopass', '~*', '&*', '+@all', '-config');
    const tenant = await connected(server.url);
    await tenant.call('AUTH', 'tenant', 'x');
    const { refuse, warn } = await checkRedis(tenant);
    tenant.disconnect();
    expect(refuse).toEqual([]);
    expect(warn).toHaveLength(1);
    for (const wanted of ['appendonly yes', 'appendfsync always', 'maxmemory-policy noeviction']) expect(warn[0]).toContain(wanted);
  });

  it('with cluster mode are refused by name', async () => {
    const socket = join(dir, 'cluster.sock');
    const cluster = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--dir', dir, '--cluster-enabled', 'yes', '--save', '']);
    const gone = once(cluster, 'exit');
    await new Promise<void>((resolve) =>
      cluster.stdout.on('data', (chunk: Buffer) => /ready to accept/i.test(chunk.toString()) && resolve()),
    );
    try {
      await expect(openStore(`unix://${socket}`)).rejects.toThrow(/cluster mode.*not support.*use/);
    } finally {
      cluster.kill('SIGKILL');
      await gone;
    }
  });
});

describe('a connection', () => {
  it('to nobody is given up with what to do', async () => {
    const nobody = connectCommands(`unix://${join(dir, 'nobody.sock')}`, () => {});
    await expect(waitReady(nobody, 200)).rejects.toThrow(/PITWALL_REDIS_URL.*redis-server/);
    await expect(nobody.get('x')).rejects.toThrow();
    nobody.disconnect();
  });

  it('to a server that says nothing is given up as well', async () => {
    const path = join(dir, 'silent.sock');
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    const waiting = connectCommands(`unix://${path}`, () => {});
    await expect(waitReady(waiting, 200)).rejects.toThrow('does not answer');
    waiting.disconnect();
    silent.close();
  });

  it('to a primary that has become a replica is made anew, to find the new one', async () => {
    const moved = await connected(server.url);
    const id = await moved.client('ID');
    await redis.call('REPLICAOF', '127.0.0.1', '1');
    await expect(moved.set('x', 1)).rejects.toThrow('READONLY');
    await redis.call('REPLICAOF', 'NO', 'ONE');
    await expect.poll(() => moved.client('ID')).not.toBe(id);
    await expect.poll(() => moved.set('x', 2)).toBe('OK');
    moved.disconnect();
  });

  it('to a Redis that is gone without a word is made anew', async () => {
    const path = join(dir, 'way.sock');
    const ways: Socket[] = [];
    const between = createServer((near) => {
      const far = connect(server.url.slice('unix://'.length));
      near.pipe(far).pipe(near);
      ways.push(near);
    });
    await new Promise<void>((resolve) => between.listen(path, resolve));
    const kept = connectCommands(`unix://${path}`, () => {}, 500);
    await waitReady(kept, 5_000);
    for (const near of ways) near.unpipe();
    await expect(kept.set('x', 3)).rejects.toThrow();
    await expect.poll(() => kept.set('x', 4)).toBe('OK');
    kept.disconnect();
    between.close();
  });

  it('tells the time of Redis in milliseconds', async () => {
    const before = Date.now();
    const time = await redisTime(redis);
    expect(time).toBeGreaterThanOrEqual(before - 1);
    expect(time).toBeLessThanOrEqual(Date.now() + 1);
  });
});
