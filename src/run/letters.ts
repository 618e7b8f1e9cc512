import { toCommentChange } from '../github/comment-change.ts';
import type { Delivery } from '../github/webhook.ts';
import type { Event } from '../journal/event.ts';
import { resourceKey } from '../journal/resource.ts';
import type { Services } from '../session/services.ts';
import type { Decision } from '../store/decisions.ts';
import type { Letter, Recipient } from '../store/mailbox.ts';
import { refuseComment } from './refusal.ts';

/** What became of a comment that an open session might take. */
type Sent = Pick<Decision, 'verdict' | 'reason' | 'run'>;

/** What handing a comment over asks: who may write, and for the comments before it (`opened`: since when its session takes comments). */
export interface Handover {
  canWrite(login: string): Promise<boolean>;
  lookBefore(opened: number): Promise<void>;
}

/**
 * Hands a comment to the newest open session of its resource that takes comments now. Only people with write permission and the author of the pull request or
 * issue are heard; others get a "confused" reaction. Null where no session is open for it: triggers may then look at it.
 */
export async function sendToSession(services: Services, event: Event, { canWrite, lookBefore }: Handover): Promise<Sent | null> {
  if (!event.comment) return null;
  const { mailboxes } = services.store;
  const resource = resourceKey(event.resource);
  const [open, taker] = await Promise.all([mailboxes.recipients(resource), mailboxes.takerOf(resource, event.comment.id)]);
  if (taker) return wakeTaker(services, taker, 'a comment');
  const [newest, ...others] = open.filter((one) => one.takes);
  if (!newest) return null;
  if (event.actor.bot) return { verdict: 'not matched', reason: `@${event.actor.login} is a bot: sessions hear people`, run: null };
  const isAuthor = event.actor.login === newest.author;
  const [may] = await Promise.all([isAuthor || canWrite(event.actor.login), lookBefore(newest.since)]);
  if (!may) return refuseStranger(services, event);
  for (const recipient of [newest, ...others]) {
    const letter = letterOf(event, recipient);
    if (!letter || !(await mailboxes.post(resource, recipient, letter))) continue;
    if (letter.signal) await services.store.cancels.interrupt(recipient.run);
    return wakeTaker(services, recipient, letter.signal ? 'its exit signal' : 'a comment');
  }
  return null;
}

/**
 * Keeps what a delivery says of a comment that was edited or deleted, where a session is open: it hears the newest text, or nothing, if it has not heard the
 * comment yet. It is woken, for the text may be its exit signal now.
 */
export async function amendLetter({ store }: Pick<Services, 'store'>, delivery: Delivery): Promise<void> {
  const change = toCommentChange(delivery);
  if (!change) return;
  const { repository, kind, number, comment, body, at } = change;
  const resource = `${repository}:${kind}:${number}`;
  const open = await store.mailboxes.recipients(resource);
  if (open.length === 0) return;
  await store.mailboxes.amend(resource, { comment, body, at });
  const taker = await store.mailboxes.takerOf(resource, comment);
  if (taker) await store.queues.wakeRun(taker.run);
}

/** A comment that was handed over before its delivery was cut off is not handed over again, but its session is woken. */
async function wakeTaker({ store }: Services, { run, step }: Pick<Recipient, 'run' | 'step'>, what: string): Promise<Sent> {
  await store.queues.wakeRun(run);
  return { verdict: 'sent to a session', reason: `${what} for step "${step}"`, run };
}

/** Says that a comment is being looked at, so that sessions hear comments in their order; `settleComment` lets them go on, and wakes those it held up. */
export async function announceComment({ store }: Services, { comment, resource }: Event): Promise<void> {
  if (comment) await store.mailboxes.announce(resourceKey(resource), { comment: comment.id, createdAt: comment.createdAt });
}

/** Ends what `announceComment` began, once it is decided what becomes of the comment. */
export async function settleComment({ store }: Services, { comment, resource }: Event): Promise<void> {
  if (!comment) return;
  const key = resourceKey(resource);
  await store.mailboxes.settle(key, { comment: comment.id, createdAt: comment.createdAt });
  for (const { run } of await store.mailboxes.recipients(key)) await store.queues.wakeRun(run);
}

/** The text counts as a signal only if it is exactly one of them. */
function letterOf({ comment }: Event, { signals }: Recipient): Letter | null {
  if (!comment) return null;
  const { id, author, place, body, url, createdAt, path, line, inReplyTo } = comment;
  return {
    comment: id,
    author: author.login,
    place,
    body,
    url,
    createdAt,
    signal: signals.includes(body.trim()),
    ...(path ? { path } : {}),
    ...(line ? { line } : {}),
    ...(inReplyTo ? { inReplyTo } : {}),
  };
}

async function refuseStranger(services: Services, event: Event): Promise<Sent> {
  await refuseComment(services, event);
  return {
    verdict: 'not matched',
    reason: `@${event.actor.login} has no write permission and is not the author: the session does not hear them`,
    run: null,
  };
}
