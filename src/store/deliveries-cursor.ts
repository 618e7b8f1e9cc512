import type { Keys } from './keys.ts';
import { type Redis, sendAll } from './redis.ts';

/** Longer than GitHub keeps deliveries. */
const KEPT_MS = 4 * 86_400_000;

/** How often a delivery could not be read, and when it may be tried again (ms since 1970). */
export interface PutOff {
  tries: number;
  until: number;
}

/** How far the App's deliveries were read from GitHub's list, shared by all processes. Times are ms since 1970. */
export interface DeliveriesCursor {
  /** When reading began for the first time (`now`, where that is now), and up to when every delivery was seen; null where none was. */
  open(now: number): Promise<{ since: number; reached: number | null }>;
  /** Notes that every delivery of the list up to this time was seen. */
  reach(deliveredAt: number): Promise<void>;
  /** Those of the deliveries that were not seen yet, in the order given, each once. */
  unseen(guids: string[]): Promise<string[]>;
  /** Marks a delivery as seen: it is in the queue, was handled before, or cannot be had. */
  see(guid: string, deliveredAt: number): Promise<void>;
  /** Notes that a delivery could not be read. */
  putOff(guid: string, putOff: PutOff): Promise<void>;
  /** Those of the deliveries that could not be read before. */
  putOffs(guids: string[]): Promise<Map<string, PutOff>>;
}

/** `name` tells cursors apart: each has read a list of its own. */
export function makeDeliveriesCursor(redis: Redis, keys: Keys, name: string): DeliveriesCursor {
  const key = (part: string) => keys.deliveries(name, part);
  const [since, reached, seen, later] = [key('since'), key('reached'), key('seen'), key('put-off')];
  return {
    async open(now) {
      await redis.setnx(since, now);
      const [began, read] = await redis.mget(since, reached);
      return { since: Number(began), reached: read ? Number(read) : null };
    },
    async reach(deliveredAt) {
      await redis.set(reached, deliveredAt);
    },
    async unseen(guids) {
      const distinct = [...new Set(guids)];
      if (distinct.length === 0) return [];
      const scores = await redis.zmscore(seen, ...distinct);
      return distinct.filter((_, index) => scores[index] === null);
    },
    async see(guid, deliveredAt) {
      const commands = redis.multi().zadd(seen, deliveredAt, guid).hdel(later, guid);
      await sendAll(commands.zremrangebyscore(seen, '-inf', deliveredAt - KEPT_MS));
    },
    async putOff(guid, { tries, until }) {
      await sendAll(redis.multi().hset(later, guid, `${tries} ${until}`).pexpire(later, KEPT_MS));
    },
    async putOffs(guids) {
      if (guids.length === 0) return new Map();
      const rows = await redis.hmget(later, ...guids);
      return new Map(
        guids.flatMap((guid, k) => {
          const [tries, until] = (rows[k] ?? '').split(' ').map(Number);
          return tries && until ? [[guid, { tries, until }] as const] : [];
        }),
      );
    },
  };
}
