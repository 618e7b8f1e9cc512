import { afterEach, beforeEach, expect, it } from 'vitest';
import { handlersWith, Processes, SLOTS } from './processes.ts';

let processes: Processes;
beforeEach(async () => {
  processes = await Processes.open('locks');
});
afterEach(() => processes.close());

it('work whose lock was lost hears of it, and is taken up again', async () => {
  const heard: string[] = [];
  let taken = 0;
  const run = (_: string, signal: AbortSignal) => {
    if (++taken > 1) return Promise.resolve();
    return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(void heard.push(String(signal.reason)))));
  };
  for (const { queues } of [await processes.start({ lockMs: 1_000 }), await processes.start({ lockMs: 1_000 })]) {
    queues.startWorkers(handlersWith({ run }), SLOTS);
    if (taken === 0) await queues.wakeRun('r1');
  }
  const locks = () => processes.raw.keys(`${processes.prefix}:runs-v*:lock`);
  await expect.poll(() => locks()).toHaveLength(1);
  await processes.raw.del(...(await locks()));
  await expect.poll(() => heard).toEqual(['its lock was lost']);
  await expect.poll(() => taken).toBeGreaterThan(1);
});
