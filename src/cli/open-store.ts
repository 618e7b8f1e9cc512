import { existsSync } from 'node:fs';
import { childRedisPlace } from '../store/child-redis.ts';
import { RedisStore } from '../store/store.ts';
import type { Survey } from './survey.ts';

/** What the commands that look at runs are handed. */
export interface RunsIo {
  survey: Survey;
  out(text: string): void;
  err(text: string): void;
}

/**
 * Works with the Redis that the environment names, or that a Pitwall on this machine started for its data folder. Answers the exit code of `work`, or 2
 * where the environment does not say which Redis. Rejects where it does not answer.
 */
export async function withStore({ survey, err }: RunsIo, work: (store: RedisStore) => Promise<number>): Promise<number> {
  const place = placeOf(survey);
  if ('mistake' in place) {
    err(`pitwall: ${place.mistake}\n`);
    return 2;
  }
  const store = await RedisStore.open(place, { warn: () => {}, error: () => {} });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

function placeOf({ redis, mistakes, dataDir }: Survey): { url: string; prefix: string } | { mistake: string } {
  const mistake = mistakes.find((one) => one.startsWith('PITWALL_REDIS_'));
  if (mistake || redis.prefix === null) return { mistake: mistake ?? 'PITWALL_REDIS_PREFIX is wrong: correct it' };
  if (redis.url !== null) return { url: redis.url, prefix: redis.prefix };
  const { url, socket } = childRedisPlace(dataDir);
  if (existsSync(socket)) return { url, prefix: redis.prefix };
  return {
    mistake: `no Pitwall runs with the data folder ${dataDir}: start it, or set PITWALL_REDIS_URL or PITWALL_DATA_DIR to those of the server`,
  };
}
