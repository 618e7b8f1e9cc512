import { type ChainableCommander, Redis, type RedisOptions } from 'ioredis';

/** How Redis is reached: a URL (`redis://`, `rediss://`, `unix:///path`) and the prefix of every key of this installation of Pitwall. */
export interface RedisPlace {
  url: string;
  prefix: string;
  /** How long a job's lock holds without being renewed (ms); a quarter of it, or a second, is the time between checks for lost ones. */
  lockMs?: number;
  /** How long (days) a delivery is known, so that it starts nothing when it comes again. */
  dedupeDays?: number;
  /** How long decisions are kept; 30 where it is absent. */
  decisionDays?: number;
}

export type { Redis };

/** A Redis that answers nothing for so long (ms), longer than any command blocks, may be gone without having closed the connection: a new one is made. */
const SILENT_MS = 30_000;

/** A connection for commands: fails fast when Redis is away, so that nobody is kept waiting for an answer that does not come. */
export function connectCommands(url: string, onError: (error: Error) => void, socketTimeout = SILENT_MS): Redis {
  return connect(
    url,
    { enableOfflineQueue: false, commandTimeout: 4_000, maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, socketTimeout },
    onError,
  );
}

/**
 * A connection that blocks while it waits for work, and waits for Redis to come back. What was under way is sent again then: ioredis would otherwise
 * never settle it, and its worker would hang. BullMQ's scripts bear being repeated.
 */
export function connectWorkers(url: string, onError: (error: Error) => void): Redis {
  return connect(url, { maxRetriesPerRequest: null, autoResendUnfulfilledCommands: true, socketTimeout: SILENT_MS }, onError);
}

function connect(url: string, options: RedisOptions, onError: (error: Error) => void): Redis {
  const all: RedisOptions = {
    ...options,
    retryStrategy: (times) => Math.min(1_000, 250 + 50 * times),
    enableReadyCheck: true,
    reconnectOnError: makeReplicaExit(),
  };
  const redis = url.startsWith('unix://') ? new Redis(url.slice('unix://'.length), all) : new Redis(url, all);
  redis.on('error', onError);
  return redis;
}

const BETWEEN_EXITS_MS = 5_000;

/**
 * After a failover the primary that we are connected to is a replica, and may stay so: a new connection is made then, which the name in the URL leads to the
 * new primary. Where it leads to a replica for good, that is tried now and then.
 */
function makeReplicaExit(): (error: Error) => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (!error.message.includes('READONLY ') || performance.now() - last < BETWEEN_EXITS_MS) return false;
    last = performance.now();
    return true;
  };
}

/** Resolves when the connection can be used, as long as Redis is still loading its data; rejects after `ms` with a sentence that says what to do. */
export async function waitReady(redis: Redis, ms: number): Promise<void> {
  const end = Date.now() + LOADING_MS;
  for (;;) {
    try {
      return await untilReady(redis, ms);
    } catch (error) {
      if (Date.now() > end || !(await isLoading(redis))) throw error;
    }
  }
}

/** A large log takes its time to be read. */
const LOADING_MS = 600_000;

async function isLoading(redis: Redis): Promise<boolean> {
  const told = await redis.info('persistence').catch(() => '');
  return /^loading:1/m.test(told);
}

async function untilReady(redis: Redis, ms: number): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => finish(new Error('Redis does not answer: check PITWALL_REDIS_URL, or start redis-server')), ms);
    const ready = () => finish(null);
    function finish(error: Error | null) {
      clearTimeout(timer);
      redis.off('ready', ready);
      if (error) reject(error);
      else resolve();
    }
    redis.once('ready', ready);
  });
}

/** Sends many commands in one round trip; rejects with the first error, which `exec` alone hides among its answers. */
export async function sendAll(commands: ChainableCommander): Promise<unknown[]> {
  const rows = (await commands.exec()) ?? [];
  return rows.map(([error, answer]) => {
    if (error) throw error;
    return answer;
  });
}

/** Redis' own words where it answers, but takes no writes: full, read-only, its disk failed, too few replicas; null for everything else. */
export function refusalOf(error: unknown): string | null {
  const text = error instanceof Error ? error.message : '';
  return /\b(?:OOM|READONLY|MISCONF|NOREPLICAS) /.test(text) ? text : null;
}

const OUTAGE =
  /^(?:Command timed out|Connection is closed\.?|LOADING |MASTERDOWN |Stream isn't writeable|Reached the max retries per request)/;

/** Whether an error comes from a Redis that is away, loading or takes no writes: it says nothing about the work, which goes on when Redis does. */
export function isStoreTrouble(error: unknown): boolean {
  return refusalOf(error) !== null || (error instanceof Error && OUTAGE.test(error.message));
}

/** Members of a sorted set with their scores, out of an answer `WITHSCORES`. */
export function pairsOf(rows: string[]): [string, number][] {
  return Array.from({ length: rows.length / 2 }, (_, k) => [rows[2 * k] ?? '', Number(rows[2 * k + 1])]);
}

/** Redis' own clock in ms: the one clock that all processes share. */
export async function redisTime(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

const EXPECTED = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' } as const;

/** What is wrong with Redis' settings: `refuse` must stop the start, `warn` must be said loudly. Managed services that hide CONFIG give one warning. */
export async function checkRedis(redis: Redis): Promise<{ refuse: string[]; warn: string[] }> {
  const info = await redis.info('cluster').catch(() => '');
  if (/cluster_enabled:1/.test(info))
    return {
      refuse: ['Redis runs in cluster mode, which Pitwall does not support: use a primary with replicas, Sentinel, or a managed Redis'],
      warn: [],
    };
  const found = await readSettings(redis);
  const hidden = Object.entries(EXPECTED).filter(([name]) => found[name] === undefined);
  const refuse =
    found['maxmemory-policy'] && found['maxmemory-policy'] !== 'noeviction'
      ? [`Redis may throw data away (maxmemory-policy ${found['maxmemory-policy']}): set maxmemory-policy noeviction`]
      : [];
  const warn = (['appendonly', 'appendfsync'] as const).filter((name) => found[name] !== undefined && found[name] !== EXPECTED[name]);
  const weak = warn.map(
    (name) => `Redis has ${name} ${found[name]}: acknowledged events can be lost in a crash; set ${name} ${EXPECTED[name]}`,
  );
  const wanted = hidden.map(([name, value]) => `${name} ${value}`).join(', ');
  return { refuse, warn: hidden.length > 0 ? [...weak, `Redis does not show its settings (CONFIG): make sure of ${wanted}`] : weak };
}

/** Those of the settings that Redis shows: managed services forbid CONFIG, or answer without them. */
async function readSettings(redis: Redis): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of Object.keys(EXPECTED)) {
    const [, value] = (await redis.config('GET', name).catch(() => [])) as string[];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
