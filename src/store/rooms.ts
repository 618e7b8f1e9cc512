import type { Keys } from './keys.ts';
import type { Recipient } from './mailbox.ts';
import { pairsOf, type Redis, sendAll } from './redis.ts';

/** A session that is open somewhere, since a time (ms since 1970). */
export interface OpenRoom {
  resource: string;
  recipient: Recipient;
  since: number;
}

/** Which sessions are open, whatever their resource, and how far comments were read again for them. */
export interface Rooms {
  /** The sessions that are open anywhere. */
  rooms(): Promise<OpenRoom[]>;
  /** Up to when the comments of a repository were read again (ms since 1970); 0 where they never were. */
  rereadAt(repository: number): Promise<number>;
  reread(repository: number, at: number): Promise<void>;
}

/** `boxOf` names the box of a session; who opens and closes boxes keeps the list. */
export function makeRooms(redis: Redis, keys: Keys, boxOf: (run: string, step: string) => string): Rooms {
  return {
    async rooms() {
      const rows = pairsOf(await redis.zrange(keys.rooms(), '0', '-1', 'WITHSCORES'));
      const found = rows.map(([text, since]) => {
        const [resource, run, step] = JSON.parse(text) as [string, string, string];
        return { resource, name: boxOf(run, step), since };
      });
      const pipeline = redis.pipeline();
      for (const { name } of found) pipeline.hget(name, 'recipient');
      const recipients = found.length > 0 ? ((await sendAll(pipeline)) as (string | null)[]) : [];
      return found.flatMap(({ resource, since }, k) => {
        const text = recipients[k];
        return text ? [{ resource, since, recipient: JSON.parse(text) as Recipient }] : [];
      });
    },
    async rereadAt(repository) {
      return Number((await redis.hget(keys.reread(), String(repository))) ?? 0);
    },
    async reread(repository, at) {
      await redis.hset(keys.reread(), String(repository), at);
    },
  };
}
