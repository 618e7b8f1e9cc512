import { checkRedis, connectCommands, waitReady } from './redis.ts';

/** How a Redis is: what its settings must not be, what they should not be, its version and memory in bytes (`most` null: no limit). */
export interface RedisHealth {
  version: string;
  refuse: string[];
  warn: string[];
  memory: { used: number; most: number | null };
}

/** Looks at a Redis and lets go of it. Rejects with a sentence that says what to do where it does not answer within `ms`. */
export async function inspectRedis(url: string, ms: number): Promise<RedisHealth> {
  let said: Error | null = null;
  const redis = connectCommands(url, (error) => {
    said = error;
  });
  try {
    await waitReady(redis, ms).catch((error: Error) => {
      throw new Error(said === null ? error.message : `${error.message} (${said.message})`);
    });
    const [checked, server, memory] = await Promise.all([checkRedis(redis), redis.info('server'), redis.info('memory')]);
    const most = Number(fieldOf(memory, 'maxmemory')) || null;
    return { ...checked, version: fieldOf(server, 'redis_version'), memory: { used: Number(fieldOf(memory, 'used_memory')), most } };
  } finally {
    redis.disconnect();
  }
}

function fieldOf(info: string, name: string): string {
  return new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? '';
}
