import { checkRedis, connectCommands, type Redis } from './redis.ts';

/** How a Redis is: what its settings must not be, what they should not be, its version and memory in bytes (`most` null: no limit). */
export interface RedisHealth {
  version: string;
  refuse: string[];
  warn: string[];
  memory: { used: number; most: number | null };
}

/** Looks at a Redis and lets go of it. Rejects with a sentence that says what to do where it does not answer within `ms`. */
export async function inspectRedis(url: string, ms: number): Promise<RedisHealth> {
  const redis = connectCommands(url, () => {});
  try {
    await untilReady(redis, ms);
    const [checked, server, memory] = await Promise.all([checkRedis(redis), redis.info('server'), redis.info('memory')]);
    const most = Number(fieldOf(memory, 'maxmemory')) || null;
    return { ...checked, version: fieldOf(server, 'redis_version'), memory: { used: Number(fieldOf(memory, 'used_memory')), most } };
  } finally {
    redis.disconnect();
  }
}

/** Unlike a server, which waits for Redis to come back, this gives up at the first error. */
function untilReady(redis: Redis, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Redis does not answer within ${ms / 1000} s`)), ms);
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
    redis.once('error', (error: Error) => {
      clearTimeout(timer);
      reject(new Error(`Redis cannot be used (${error.message})`));
    });
  });
}

function fieldOf(info: string, name: string): string {
  return new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? '';
}
