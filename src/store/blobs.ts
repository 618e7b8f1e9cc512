import { ToolError } from '../journal/errors.ts';
import type { Blobs } from '../journal/tree.ts';
import { digestOf, pack, unpack } from './encoding.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';

/** How much the agents of one run may write (bytes). */
export const LIMIT_BYTES = 64 * 1024 * 1024;
/** What a model is told whose file would be more than that. */
export const TOO_MUCH =
  'Not written: the files that the agents of this run wrote may have 64 MiB together. Write less, or do it in another run.';

/** The files that the agents of one run wrote, content-addressed and compressed: 64 MiB a run, above which `put` throws `ToolError`. */
export function makeBlobs(redis: Redis, keys: Keys, run: string): Blobs {
  const key = keys.overlay(run);
  return {
    async put(content) {
      const digest = digestOf(content);
      if (await redis.hexists(key, digest)) return digest;
      const packed = pack(content);
      const size = await redis.hincrby(key, 'bytes', packed.length);
      if (size > LIMIT_BYTES) {
        await redis.hincrby(key, 'bytes', -packed.length);
        throw new ToolError(TOO_MUCH);
      }
      await redis.hset(key, digest, packed);
      return digest;
    },
    async get(digest) {
      const packed = await redis.hgetBuffer(key, digest);
      if (!packed) throw new Error(`the content ${digest.slice(0, 12)} of this run is gone from Redis: was it flushed or did it expire?`);
      return unpack(packed);
    },
  };
}
