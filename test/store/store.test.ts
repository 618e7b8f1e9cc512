import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { redisTime } from '../../src/store/redis.ts';
import { defineScript, runScript } from '../../src/store/script.ts';
import { RedisStore } from '../../src/store/store.ts';
import { Processes, Wire } from './processes.ts';
import { eachPair } from './stores.ts';

const DECISION = { at: 1, delivery: 'd', event: 'push', workflow: null, verdict: 'not matched' as const, reason: '', run: null };

let processes: Processes;
beforeAll(async () => {
  processes = await Processes.open('store');
});
afterAll(() => processes.close());

describe('a store', () => {
  it('keeps everything under its prefix: another prefix sees nothing of it', async () => {
    const store = await processes.start();
    await store.claims.take('d', 'body');
    await store.queues.addDelivery({ id: 'd', event: 'push', body: '{}' });
    await store.pads('r').write('a', 'text', 'k');
    await store.journals.create('r', { type: 'run.state', state: 'Running', reason: '' });
    const other = await RedisStore.open(
      { url: inject('redisUrl'), prefix: `${processes.prefix}-other` },
      { warn: () => {}, error: () => {} },
    );
    expect(await other.claims.take('d2', 'body')).toBeNull();
    expect((await other.queues.counts()).deliveries).toBe(0);
    expect(await other.pads('r').read('a')).toBeNull();
    expect(await other.journals.read('r')).toEqual([]);
    await other.close();
    const strange = await processes.raw.keys(`${processes.prefix}-other:*`);
    await processes.raw.del(...strange);
    expect(strange.filter((key) => !key.includes(':claim:') && !key.endsWith(':meta'))).toEqual([]);
  });

  it('knows the time of Redis without asking each time', async () => {
    const store = await processes.start();
    const before = await redisTime(processes.raw);
    const now = await store.now();
    expect(now).toBeGreaterThanOrEqual(before - 1_000);
    expect(now).toBeLessThanOrEqual((await redisTime(processes.raw)) + 1_000);
  });

  it('says at once when Redis is away, waits for nothing, and is up again when it is back', async () => {
    const wire = await Wire.open();
    const store = await processes.start({ url: wire.url });
    expect(await store.isUp()).toBe(true);
    wire.cut();
    await expect.poll(() => store.isUp()).toBe(false);
    const before = Date.now();
    await expect(store.queues.addDelivery({ id: 'x', event: 'push', body: '{}' })).rejects.toThrow();
    await expect(store.claims.take('x', 'y')).rejects.toThrow();
    await expect(store.listRun('x', '1:pr:1', 1)).rejects.toThrow();
    await expect(store.batches.open('x', ['x~1'])).rejects.toThrow();
    await expect(store.cancels.order([{ id: 'x', reason: 'told' }])).rejects.toThrow();
    await expect(store.journals.expire('x', 9)).rejects.toThrow();
    await expect(store.journals.lastOf(['x'])).rejects.toThrow();
    await expect(store.decisions.record(1, 'x', [DECISION])).rejects.toThrow();
    expect(Date.now() - before).toBeLessThan(4_000);
    wire.mend();
    await expect.poll(() => store.isUp()).toBe(true);
    await store.queues.addDelivery({ id: 'x', event: 'push', body: '{}' });
    wire.close();
  });

  it('runs scripts also after Redis forgot them', async () => {
    const script = defineScript(`return {KEYS[1], ARGV[1], '${processes.prefix}'}`);
    for (let k = 0; k < 2; k++) {
      expect(await runScript(processes.raw, script, ['key'], [`${k}`])).toEqual(['key', `${k}`, processes.prefix]);
    }
    await expect(runScript(processes.raw, defineScript('return redis.error_reply("no")'), [], [])).rejects.toThrow('no');
  });
});

eachPair('runs', (pair) => {
  it('lists the newest runs first, each at the time of its first start', async () => {
    const store = pair.first;
    await store.listRun('a', '1:pr:1', 100);
    await store.listRun('b', '1:pr:2', 200);
    await store.listRun('c', '1:pr:1', 300);
    await store.listRun('a', '1:pr:1', 900);
    expect(await store.newestRuns(2)).toEqual(['c', 'b']);
    expect(await store.newestRuns(9)).toEqual(['c', 'b', 'a']);
    expect(await store.runsOf('1:pr:1', 9)).toEqual(['c', 'a']);
    expect(await store.runsOf('1:pr:2', 9)).toEqual(['b']);
  });
});
