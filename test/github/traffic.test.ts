import { describe, expect, it } from 'vitest';
import { Traffic } from '../../src/github/traffic.ts';

describe('traffic', () => {
  it('lets 40 requests of an installation go at once, and the next when one leaves', async () => {
    const traffic = new Traffic();
    const leaves = await Promise.all(Array.from({ length: 40 }, () => traffic.enter(1)));
    let entered = false;
    const next = traffic.enter(1).then((leave) => {
      entered = true;
      return leave;
    });
    await traffic.enter(2);
    expect(entered).toBe(false);
    leaves[0]?.();
    const leave = await next;
    expect(entered).toBe(true);
    leave();
  });

  it('hears of the pauses of other processes, and waits for an end that is near', async () => {
    const asked: number[] = [];
    let left = 60_000;
    const pausedFor = async (installation: number) => {
      asked.push(installation);
      return installation === 1 ? left : Promise.reject(new Error('store away'));
    };
    const traffic = new Traffic({ pausedFor });
    await Promise.all([1, 1].map((at) => expect(traffic.enter(at)).rejects.toMatchObject({ kind: 'limited', status: 429 })));
    await expect(traffic.enter(2)).resolves.toBeTypeOf('function');
    expect(asked).toEqual([1, 2]);
    left = 80;
    const near = new Traffic({ pausedFor });
    const before = Date.now();
    await near.enter(1);
    expect(Date.now() - before).toBeGreaterThanOrEqual(79);
  });

  it('lets no request go before the pause ends, also not those that wait', async () => {
    let now = 1000;
    const told: number[][] = [];
    const traffic = new Traffic({ now: () => now, onPause: (...pause) => told.push(pause) });
    const leaves = await Promise.all(Array.from({ length: 40 }, () => traffic.enter(1)));
    const waiting = traffic.enter(1);
    traffic.pause(1, 5000);
    traffic.pause(1, 4000);
    for (const leave of leaves) leave();
    await expect(waiting).rejects.toMatchObject({ kind: 'limited', retryAt: 5000, response: { headers: { 'retry-after': '4' } } });
    await expect(traffic.enter(1)).rejects.toMatchObject({ kind: 'limited' });
    await expect(traffic.enter(2)).resolves.toBeTypeOf('function');
    now = 5000;
    await Promise.all(Array.from({ length: 40 }, () => traffic.enter(1)));
    expect(told).toEqual([[1, 5000]]);
  });
});
