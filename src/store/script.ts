import { createHash } from 'node:crypto';
import type { Redis } from './redis.ts';

/** A Lua script that changes several keys in one step. */
export interface Script {
  lua: string;
  sha: string;
}

/** A script with the digest that Redis knows it by. */
export function defineScript(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/** Runs a script by its digest, and sends its text where Redis does not know it yet. */
export async function runScript(redis: Redis, script: Script, keys: string[], args: (string | number | Buffer)[]): Promise<unknown> {
  try {
    return await redis.evalsha(script.sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('NOSCRIPT')) throw error;
    return await redis.eval(script.lua, keys.length, ...keys, ...args);
  }
}
