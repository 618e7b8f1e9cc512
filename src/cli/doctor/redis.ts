import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { inspectRedis, type RedisHealth } from '../../store/redis-health.ts';
import type { Survey } from '../survey.ts';
import { broken, type Check, type Finding, ok, warning } from './check.ts';

const NAME = 'Redis';
const PATIENCE_MS = 3_500;
const MIB = 1024 ** 2;
/** Where Pitwall also looks, because a service manager may have cut the search path short. */
const USUAL_FOLDERS = ['/usr/local/bin', '/usr/bin', '/opt/homebrew/bin'];

/** Whether Redis answers and keeps what it acknowledged; without an address, whether a redis-server can be started. */
export function checkRedisServer({ redis, searchPath }: Pick<Survey, 'redis' | 'searchPath'>): Check {
  return {
    name: NAME,
    async run() {
      if (redis.own) return [await lookForProgram(searchPath)];
      if (redis.url === null) return [];
      try {
        return judgeRedis(await inspectRedis(redis.url, PATIENCE_MS));
      } catch (error) {
        const found = error instanceof Error ? error.message : String(error);
        return [broken(NAME, found, 'Start redis-server, or correct PITWALL_REDIS_URL; without that variable Pitwall starts its own.')];
      }
    },
  };
}

/** What settings and memory of a Redis mean. */
export function judgeRedis({ version, refuse, warn, memory }: RedisHealth): Finding[] {
  const keep = 'Set it in redis.conf, or at once with redis-cli CONFIG SET; in a managed Redis it is a parameter.';
  const rows = [...refuse.map((text) => broken(NAME, text, keep)), ...warn.map((text) => warning(NAME, text, keep))];
  if (memory.most !== null && memory.used > 0.8 * memory.most) {
    const found = `${Math.round(memory.used / MIB)} of ${Math.round(memory.most / MIB)} MiB of its memory are used`;
    rows.push(warning(NAME, found, 'Raise maxmemory, or shorten "retention" in the settings: a full Redis refuses new events.'));
  }
  return rows.length > 0 ? rows : [ok(NAME, `version ${version}, keeps what it acknowledged, ${Math.round(memory.used / MIB)} MiB used`)];
}

async function lookForProgram(searchPath: string): Promise<Finding> {
  const folders = [...searchPath.split(delimiter), ...USUAL_FOLDERS].filter(Boolean);
  const paths = folders.flatMap((folder) => ['redis-server', 'valkey-server'].map((name) => join(folder, name)));
  for (const path of paths) {
    const there = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return ok(NAME, `Pitwall starts its own (${path})`);
  }
  const fix = 'Install redis-server (Debian: apt-get install redis-server; macOS: brew install redis), or set PITWALL_REDIS_URL.';
  return broken(NAME, 'PITWALL_REDIS_URL is not set and no redis-server is installed', fix);
}
