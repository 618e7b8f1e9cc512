import type { Effect } from '../journal/effect.ts';
import type { Event } from '../journal/event.ts';
import { resourceKey } from '../journal/resource.ts';
import type { Services } from '../session/services.ts';

/** A stranger gets no more than one reaction in this time on each pull request or issue, whatever they write. */
const BETWEEN_SECONDS = 60;

/** Tells somebody who may not command, by a "confused" reaction, that nothing comes of their comment. Bots are not answered. */
export async function refuseComment(services: Services, event: Event): Promise<void> {
  const { comment, actor, resource } = event;
  if (!comment || actor.bot) return;
  const first = await services.store.claims.isFirst(`refused:${resourceKey(resource)}:${actor.id}`, String(comment.id), BETWEEN_SECONDS);
  if (first) await reactTo(services, event, 'confused');
}

/** Reacts to the comment of an event, once for each kind. */
export async function reactTo({ github }: Services, event: Event, content: 'rocket' | 'confused'): Promise<void> {
  const { comment } = event;
  if (!comment) return;
  const target = { kind: comment.place === 'thread' ? ('thread' as const) : ('comment' as const), id: comment.id };
  const effect: Effect = { type: 'reaction.add', target, content };
  await github.perform({ run: `event-${event.delivery}`, key: content, event, effect });
}

/** Answers a command on its pull request or issue; in a thread where it was said in one. */
export async function replyTo({ github }: Services, event: Event, body: string): Promise<void> {
  const { comment, command, delivery } = event;
  const effect: Effect =
    comment?.place === 'thread' ? { type: 'thread.reply', thread: String(comment.id), body } : { type: 'comment.create', body };
  await github.perform({ run: `event-${delivery}`, key: `reply/${command?.name ?? ''}`, event, effect });
}
