import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';

/** What one agent remembers about one repository, over runs. Titles match without case. */
export interface Memory {
  read(title: string): Promise<{ title: string; content: string }[]>;
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

const MOST = 500;

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
      await redis.hset(name, row.title.toLowerCase(), JSON.stringify(row));
      const old = (await rows()).slice(MOST);
      if (old.length > 0) await redis.hdel(name, ...old.map((one) => one.title.toLowerCase()));
    },
    all: rows,
  };
}
