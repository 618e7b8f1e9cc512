import type { Keys } from './keys.ts';
import type { Letter } from './mailbox.ts';
import type { Redis } from './redis.ts';
import { defineScript, runScript } from './script.ts';

/** A comment that was changed: its newest text, or null where it was deleted. `at`: when (as GitHub writes times); the newest counts. */
export interface Amendment {
  comment: number;
  body: string | null;
  at: string;
}

/** A deletion is the last that can be said of a comment. */
const AMEND = defineScript(`
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and (string.match(known, ' null$') or string.match(known, '^%S*') > ARGV[2]) and ARGV[3] ~= 'null' then return end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
`);

/** What became of comments after they were written. Kept apart from letters, so that neither has to wait for the other. */
export function makeAmendments(redis: Redis, keys: Keys, keptSeconds: number) {
  return {
    async amend(resource: string, { comment, body, at }: Amendment): Promise<void> {
      await runScript(redis, AMEND, [keys.amended(resource)], [comment, at || '-', JSON.stringify(body), keptSeconds]);
    },
    /** The newest texts by comment, null where it was deleted. */
    async of(resource: string): Promise<Map<number, string | null>> {
      const rows = Object.entries(await redis.hgetall(keys.amended(resource)));
      return new Map(rows.map(([comment, text]) => [Number(comment), JSON.parse(text.slice(text.indexOf(' ') + 1)) as string | null]));
    },
  };
}

/** Letters with the newest texts of their comments; a text may become an exit signal by it, or cease to be one. */
export function amendLetters(letters: Letter[], amended: ReadonlyMap<number, string | null>, signals: readonly string[]): Letter[] {
  return letters.flatMap((letter) => {
    const body = amended.get(letter.comment);
    if (body === undefined) return [letter];
    return body === null ? [] : [{ ...letter, body, signal: signals.includes(body.trim()) }];
  });
}
