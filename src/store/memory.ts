import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** What one agent remembers about one repository, over runs. Titles match without case. */
export interface Memory {
  read(title: string): Promise<{ title: string; content: string }[]>;
  /** Every write carries the key of its call: a repeated call changes nothing, not even where somebody wrote the title since. */
  write(title: string, content: string, key: string): Promise<void>;
  /** Newest first. */
  all(): Promise<{ title: string; content: string; at: number }[]>;
}

interface Row {
  title: string;
  content: string;
  at: number;
  key: string;
}

/** How many titles an agent remembers of a repository; the oldest are forgotten. */
export const MOST = 500;
/** Longer than a run that could repeat a call. */
const CALL_KEPT_SECONDS = 31 * 86_400;

const WRITE = defineScript(`
if not redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`);

/** The memory of one agent of one repository in Redis. */
export function makeMemory(redis: Redis, keys: Keys, owner: { repository: number; agent: string }): Memory {
  const name = keys.memory(owner.repository, owner.agent);
  async function rows(): Promise<Row[]> {
    const all = await redis.hvals(name);
    return all.map((text) => JSON.parse(text) as Row).sort((a, b) => b.at - a.at);
  }
  return {
    async read(title) {
      const wanted = title.trim().toLowerCase();
      return (await rows())
        .filter((row) => row.title.toLowerCase() === wanted)
        .map(({ title: found, content }) => ({ title: found, content }));
    },
    async write(title, content, key) {
      const row: Row = { title: title.trim(), content, at: Date.now(), key };
      const args = [row.title.toLowerCase(), JSON.stringify(row), CALL_KEPT_SECONDS];
      if ((await runScript(redis, WRITE, [name, keys.memoryWrite(key)], args)) === 0) return;
      const old = (await rows()).slice(MOST);
      if (old.length > 0) await redis.hdel(name, ...old.map((one) => one.title.toLowerCase()));
    },
    all: rows,
  };
}
