import type { Doubts, Effect, Outcome } from '../journal/effect.ts';
import type { Event } from '../journal/event.ts';
import type { Api } from './api.ts';
import { findCheck } from './check.ts';
import { findComment } from './comment.ts';
import type { Governor } from './governor.ts';
import { removeLate } from './pending-review.ts';
import { checkRecord, claim, type RecordKeeper } from './record.ts';
import { findReply } from './thread-effect.ts';
import { Writer } from './writer.ts';

/** What doubts are settled with. */
export interface DoubtParts extends RecordKeeper {
  doubts: Doubts;
  api: (installation: number, repository: number, purpose: 'review') => Promise<Api>;
  identity: () => Promise<{ login: string }>;
  governor: Governor;
}

/** GitHub's lists may lag: when to look again for a double (ms after the second try). */
const LOOK_AGAIN_MS = [10_000, 40_000] as const;
const CAN_BE_DOUBLED: Effect['type'][] = ['comment.create', 'thread.reply', 'check.create', 'review.submit'];

/** Before a write is repeated that was not found: the first may yet show up, so doubles are looked for, and removed, for a minute, whoever lives then. */
export async function noteDoubt(
  { doubts, clock }: DoubtParts,
  id: string,
  begun: { event: Event; effect: Effect; since: number },
): Promise<void> {
  const { event, effect, since } = begun;
  const noted = clock.now();
  if (CAN_BE_DOUBLED.includes(effect.type)) await doubts.note(id, { event, effect, since, noted }, noted + LOOK_AGAIN_MS[0]);
}

/**
 * Looks again for what an effect in doubt has made, and removes doubles: all but what its record names. One under way is taken over first, so that whoever
 * had it records nothing that is removed here, but looks as well. Answers when to look once more (ms since 1970), or null.
 */
export async function lookAgain(parts: DoubtParts, id: string): Promise<number | null> {
  const { doubts, api, identity, governor, clock, records } = parts;
  const doubt = await doubts.of(id);
  if (!doubt) return null;
  const { event, effect, since, noted } = doubt;
  const isReview = effect.type === 'review.submit';
  const known = await records.get(id);
  const claimed = isReview && known?.state !== 'ended' ? null : await claim(parts, id, known);
  if (claimed) {
    const made = claimed.status === 'ended' ? idIn(claimed.outcome) : {};
    const guard = async () => (claimed.status === 'ended' ? undefined : checkRecord(parts, id));
    const { login } = await identity();
    const own = { api: await api(event.installation, event.repository.id, 'review'), governor, clock, event, login };
    await removeDoubles(new Writer({ ...own, ...made, key: id, since, resumed: true, guard }), effect);
  }
  const next = LOOK_AGAIN_MS.find((ms) => noted + ms > clock.now());
  return next === undefined ? null : noted + next;
}

async function removeDoubles(writer: Writer, effect: Effect): Promise<unknown> {
  switch (effect.type) {
    case 'comment.create':
      return findComment(writer, effect.slot);
    case 'thread.reply':
      return findReply(writer);
    case 'check.create':
      return findCheck(writer, effect);
    case 'review.submit':
      return removeLate(writer);
    default:
      return null;
  }
}

/** What an effect has made, by its outcome. */
function idIn(outcome: Outcome): { made?: number } {
  if (outcome.status !== 'done' || typeof outcome.result !== 'object' || outcome.result === null) return {};
  const { commentId, checkId } = outcome.result as { commentId?: unknown; checkId?: unknown };
  const id = commentId ?? checkId;
  return typeof id === 'number' ? { made: id } : {};
}
