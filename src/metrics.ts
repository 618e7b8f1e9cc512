/** What a scraper is told of a process. */
export interface Measured {
  /** Whether `/readyz` answers 200. */
  ready: boolean;
  redisUp: boolean;
  /** How many webhooks were answered with each status. */
  webhooks: ReadonlyMap<number, number>;
  /** Jobs of the whole installation by queue; null where Redis did not tell. */
  jobs: Record<string, number> | null;
}

interface Metric {
  name: string;
  type: 'gauge' | 'counter';
  help: string;
  /** By what stands between the braces; '' where nothing does. */
  values: [string, number][];
}

const STARTED = Date.now() / 1_000 - process.uptime();

/** Writes the text that Prometheus reads: what was measured, and what this process costs. A metric without values is left out. */
export function writeMetrics({ ready, redisUp, webhooks, jobs }: Measured): string {
  const { user, system } = process.cpuUsage();
  const metrics: Metric[] = [
    { name: 'pitwall_ready', type: 'gauge', help: '1 where /readyz answers 200', values: [['', Number(ready)]] },
    { name: 'pitwall_redis_up', type: 'gauge', help: '1 where Redis answers', values: [['', Number(redisUp)]] },
    {
      name: 'pitwall_webhooks_total',
      type: 'counter',
      help: 'Webhooks that this process has answered, by status',
      values: [...webhooks].map(([status, count]) => [`{status="${status}"}`, count]),
    },
    {
      name: 'pitwall_jobs',
      type: 'gauge',
      help: 'Jobs of all processes that wait or are worked on, by queue',
      values: Object.entries(jobs ?? {}).map(([queue, count]) => [`{queue="${queue}"}`, count]),
    },
    {
      name: 'process_start_time_seconds',
      type: 'gauge',
      help: 'When this process was started, in seconds since 1970',
      values: [['', STARTED]],
    },
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'Processor time of this process',
      values: [['', (user + system) / 1_000_000]],
    },
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Memory of this process',
      values: [['', process.memoryUsage.rss()]],
    },
  ];
  return metrics.flatMap(rowsOf).join('\n');
}

function rowsOf({ name, type, help, values }: Metric): string[] {
  if (values.length === 0) return [];
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...values.map(([labels, value]) => `${name}${labels} ${value}`)];
}
