import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, inject } from 'vitest';
import { type Keys, makeKeys } from '../../src/store/keys.ts';
import { connectCommands, type Redis, waitReady } from '../../src/store/redis.ts';

/** Keys that no other tests use, and a connection to the Redis that has them, open while the tests of this file (or `describe`) run. */
export function ownPlace(name: string): { redis: Redis; keys: Keys } {
  const redis = connectCommands(inject('redisUrl'), () => {});
  beforeAll(() => waitReady(redis, 5_000));
  afterAll(() => redis.disconnect());
  return { redis, keys: makeKeys(`test-${name}-${randomUUID()}`) };
}
