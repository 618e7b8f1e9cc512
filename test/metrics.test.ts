import { expect, it } from 'vitest';
import { writeMetrics } from '../src/metrics.ts';

const ROW = /^(?:# (?:HELP [a-z_]+ .+|TYPE [a-z_]+ (?:gauge|counter))|[a-z_]+(?:\{[a-z]+="\w+"\})? [\d.]+)$/;

it('what is measured is written as Prometheus reads it', () => {
  const webhooks = new Map([
    [202, 7],
    [503, 1],
  ]);
  const rows = writeMetrics({ ready: true, redisUp: true, webhooks, jobs: { runs: 3, timers: 0 } }).split('\n');
  expect(rows.filter((row) => !ROW.test(row))).toEqual([]);
  expect(rows.filter((row) => row.startsWith('pitwall_'))).toEqual([
    'pitwall_ready 1',
    'pitwall_redis_up 1',
    'pitwall_webhooks_total{status="202"} 7',
    'pitwall_webhooks_total{status="503"} 1',
    'pitwall_jobs{queue="runs"} 3',
    'pitwall_jobs{queue="timers"} 0',
  ]);
  const numberOf = (name: string) => Number(rows.find((row) => row.startsWith(`${name} `))?.split(' ')[1]);
  expect(Math.abs(numberOf('process_start_time_seconds') + process.uptime() - Date.now() / 1_000)).toBeLessThan(5);
  expect(numberOf('process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(numberOf('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
});

it('what Redis did not tell is left out', () => {
  const text = writeMetrics({ ready: false, redisUp: false, webhooks: new Map(), jobs: null });
  expect(text).toContain('pitwall_redis_up 0');
  expect(text).not.toMatch(/pitwall_jobs|pitwall_webhooks_total/);
});
