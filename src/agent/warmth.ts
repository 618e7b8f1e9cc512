import { createHash } from 'node:crypto';
import { type Model, type ModelRequest, textOfTools } from './model.ts';

/** A cache entry can be read only once the answer that writes it has begun (spec 7): below this size it is not worth a wait. Tokens, at about 4 characters each. */
const WORTH_WAITING_TOKENS = 4_096;
const LONGEST_WAIT_MS = 1_000;
/** How long providers keep a cached prefix after it was last used. */
const WARM_MS = 300_000;
const MOST_PREFIXES = 1_000;

/**
 * Lets one of several equal prefixes go first and the others follow at its first byte, after a second at most.
 * Twenty delegations of one agent are then one cache write and nineteen reads instead of twenty writes.
 */
export function warmPrefixes(model: Model, now: () => number = Date.now): Model {
  const leaders = new Map<string, { begun: Promise<void>; warmAt: number | null }>();
  return {
    async ask(request, options) {
      const prefix = digestOfPrefix(request);
      const leader = prefix === null ? undefined : leaders.get(prefix);
      const fresh = leader && (leader.warmAt === null || now() - leader.warmAt < WARM_MS);
      if (prefix === null) return model.ask(request, options);
      if (fresh && leader.warmAt !== null) {
        leader.warmAt = now();
        return model.ask(request, options);
      }
      if (fresh) {
        await Promise.race([leader.begun, new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT_MS).unref())]);
        return model.ask(request, options);
      }
      return lead(prefix, () => leaders.delete(prefix));
      async function lead(name: string, forget: () => void) {
        let begin = () => {};
        const entry = { begun: new Promise<void>((resolve) => (begin = resolve)), warmAt: null as number | null };
        leaders.delete(name);
        leaders.set(name, entry);
        const [oldest] = leaders.keys();
        if (leaders.size > MOST_PREFIXES && oldest !== undefined) leaders.delete(oldest);
        const onFirstByte = () => {
          entry.warmAt = now();
          begin();
          options.onFirstByte?.();
        };
        try {
          return await model.ask(request, { ...options, onFirstByte });
        } catch (error) {
          if (entry.warmAt === null) forget();
          throw error;
        } finally {
          begin();
        }
      }
    },
  };
}

/** The digest of what is shared, or null where it is too small to matter. */
function digestOfPrefix(request: ModelRequest): string | null {
  const text = JSON.stringify([request.model, request.system]) + textOfTools(request.tools);
  if (text.length / 4 < WORTH_WAITING_TOKENS) return null;
  return createHash('sha1').update(text).digest('base64');
}
