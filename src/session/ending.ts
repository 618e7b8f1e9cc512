import type { RunStart } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Letter, Unheard } from '../store/mailbox.ts';
import type { Deadline } from './deadline.ts';
import { orderFor } from './order-to-end.ts';
import type { Services } from './services.ts';

/** A session that takes comments: where it stands, how it may end, and its place in the mailboxes. */
export interface Room {
  journal: Journal;
  start: RunStart;
  step: string;
  /** `step/<id>`. */
  key: string;
  resource: string;
  listens: boolean;
  keepsOpen: boolean;
  deadline: Deadline | null;
}

/** A session's place in its journal and in the mailboxes. */
export type Box = Pick<Room, 'journal' | 'start' | 'step' | 'key' | 'resource'>;

/** Why a session has to end. `now` says that calls under way are not waited for. */
export interface Ending {
  reason: string;
  now: boolean;
}

/** Letters that this session has not heard yet, in order. */
export async function readLetters({ store }: Services, box: Box): Promise<Unheard> {
  return store.mailboxes.read(box.resource, { run: box.start.run, step: box.step, heard: heardIn(box) });
}

/** The comments that this session has heard. */
export function heardIn({ journal, key }: Pick<Box, 'journal' | 'key'>): number[] {
  return journal.entries.flatMap((entry) => (entry.type === 'comment.heard' && entry.key.startsWith(`${key}/`) ? [entry.comment] : []));
}

/** Why a session has to end now, if it has: an exit signal, an order, or its time; in this order. */
export async function endingOf(services: Services, room: Room, letters: Letter[]): Promise<Ending | null> {
  const signal = letters.find((letter) => letter.signal);
  if (signal) return { reason: `@${signal.author} ended it with "${signal.body.trim()}"`, now: true };
  const order = await orderFor(services, room.start.run, room.key);
  if (order !== null) return { reason: order, now: true };
  if (!room.deadline) return null;
  const time = await services.store.now();
  if (time < room.deadline.at) return null;
  return { reason: room.deadline.reason, now: time >= room.deadline.at + services.settings.gracePeriodSeconds * 1000 };
}

/** Tells the open delegations of a session to end where it has to; those under way are aborted at once, or after the grace period where its time is over. */
export async function endDelegations(services: Services, room: Room, open: string[]): Promise<void> {
  const { letters } = await readLetters(services, room);
  const ending = await endingOf(services, room, letters);
  if (!ending) return;
  if (ending.now) {
    await services.store.cancels.order(open.map((id) => ({ id, reason: ending.reason })));
    await services.store.queues.wakeDelegations(open);
    return;
  }
  if (!room.deadline) return;
  const over = room.deadline.at + services.settings.gracePeriodSeconds * 1000;
  await services.store.queues.setTimer({ wake: 'run', id: room.start.run }, over);
}
