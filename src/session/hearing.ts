import { describeComment } from '../agent/briefing.ts';
import type { News, TurnAhead } from '../agent/news.ts';
import type { HeardComment } from '../journal/entry.ts';
import { Pending } from '../journal/errors.ts';
import { type Letter, LOOKED_AT_MS } from '../store/mailbox.ts';
import { earliest, isGraceOver } from './deadline.ts';
import { type Box, endingOf, heardIn, type Room, readLetters } from './ending.ts';
import { whileOpen } from './fence.ts';
import { askReport, type Services } from './services.ts';
import { limitOf, type Spender } from './spending.ts';

/** What a session is told that did not end because of a comment, which was deleted before it could be heard. */
const WITHDRAWN = 'A comment that came in meanwhile was deleted. If there is nothing else to do, call task_completed again.';

/**
 * What a session hears before a turn: letters, limits, its end. Throws `Pending` while it waits for replies and none came, and where it did not end because
 * of a letter that is held back: there is nothing to say before it may be heard.
 */
export async function hearSession(services: Services, room: Room, spender: Spender, ahead: TurnAhead): Promise<News> {
  const [{ letters, held }, word] = await Promise.all([readLetters(services, room), limitOf(services, spender, ahead)]);
  const ending = await endingOf(services, room, letters);
  const limit = ending ? null : word;
  const closing = ending?.reason ?? limit?.closing ?? null;
  const before = `${room.key}/turn/${ahead.turn - 1}`;
  const waits = room.journal.find('noted', `${before}/waits`) !== undefined;
  const stays = room.journal.find('noted', `${before}/ends`)?.value === false;
  const idle = (waits || stays) && letters.length === 0 && !ending && !ahead.again;
  if (idle && (waits || held.length > 0)) throw await waitFor(services, room, held);
  if (waits) await resume(services, room);
  if (letters.length > 0) askReport(services, room.start.run);
  const until = letters.findIndex((letter) => letter.signal);
  const taken = until < 0 ? letters : letters.slice(0, until + 1);
  return {
    texts: [
      ...(idle ? [WITHDRAWN] : []),
      ...taken.filter((letter) => !letter.signal).map(describeLetter),
      ...(limit?.warning ? [limit.warning] : []),
    ],
    closing,
    ...(limit?.warning ? { warned: true } : {}),
    ...(closing !== null && (await isGraceOver(services, ahead)) ? { abrupt: true } : {}),
    heard: taken.map(recordOf),
  };
}

/** A letter that is held back is looked for again when it may be read at the latest; whoever settles what holds it up wakes the session before. */
async function waitFor({ store }: Services, { deadline }: Room, held: Letter[]): Promise<Pending> {
  const again = held.length > 0 ? { at: (await store.now()) + LOOKED_AT_MS, reason: '' } : null;
  return new Pending('a reply', earliest(deadline, again)?.at ?? null);
}

function recordOf({ comment, author, place, body, createdAt, path, line }: Letter): HeardComment {
  return { comment, author, place, text: body, createdAt, ...(path ? { path } : {}), ...(line ? { line } : {}) };
}

function describeLetter(letter: Letter): string {
  return describeComment({
    id: letter.comment,
    place: letter.place,
    author: { id: 0, login: letter.author, bot: false },
    body: letter.body,
    createdAt: letter.createdAt,
    ...(letter.path ? { path: letter.path } : {}),
    ...(letter.line ? { line: letter.line } : {}),
  });
}

/** A session that waited is at work again: where it does not listen while it works, what is posted from now on is not for it. */
async function resume({ store }: Services, { journal, start, step }: Room): Promise<void> {
  await store.mailboxes.wait(start.run, step, false);
  const states = journal.entries.filter((entry) => entry.type === 'step.state' && entry.step === step);
  const last = states.at(-1);
  if (last?.type === 'step.state' && last.state === 'WaitingForReply')
    await journal.append({ type: 'step.state', step, state: 'InSession' });
}

/**
 * What becomes of a session when its coordinator says that it is done: closed, unless a letter lies there that was not heard; or, where it is kept open, its
 * message is posted and it waits for replies. Answers whether it ended. Done once, whatever is repeated.
 */
export async function completeSession(
  services: Services,
  room: Room,
  said: { message: string; turn: number; waits: boolean },
): Promise<boolean> {
  const { journal, start, step, key, resource } = room;
  const place = `${key}/turn/${said.turn}`;
  const known = journal.find('noted', `${place}/ends`);
  if (known) return known.value === true;
  if (journal.find('noted', `${place}/waits`)) return false;
  if (said.waits) {
    await postMessage(services, room, said);
    await services.store.mailboxes.wait(start.run, step, true);
    await journal.append({ type: 'noted', key: `${place}/waits`, value: true }, { type: 'step.state', step, state: 'WaitingForReply' });
    askReport(services, start.run);
    return false;
  }
  const ended = await services.store.mailboxes.close(resource, { run: start.run, step, heard: heardIn(room), force: false });
  await journal.append({ type: 'noted', key: `${place}/ends`, value: ended });
  return ended;
}

/** Posts what a session says to people, in the thread where it was asked in one; the same words once. */
async function postMessage(
  services: Services,
  { journal, start, key }: Room,
  { message, turn }: { message: string; turn: number },
): Promise<void> {
  if (message.trim() === '') return;
  const said = journal.entries.some(
    (entry) => entry.type === 'noted' && entry.key.startsWith(`${key}/`) && entry.key.endsWith('/said') && entry.value === message,
  );
  if (said) return;
  const last = journal.entries.findLast((entry) => entry.type === 'comment.heard' && entry.key.startsWith(`${key}/`));
  const thread = last?.type === 'comment.heard' && last.place === 'thread' ? String(last.comment) : null;
  const effect =
    thread === null ? { type: 'comment.create' as const, body: message } : { type: 'thread.reply' as const, thread, body: message };
  const mayStillAct = whileOpen(services.store, start.run);
  await services.github.perform({ run: start.run, key: `${key}/turn/${turn}/said`, event: start.event, effect, mayStillAct });
  await journal.append({ type: 'noted', key: `${key}/turn/${turn}/said`, value: message });
}

/** Closes a session's box for good; letters that came too late are told so by a reaction. */
export async function closeSession(services: Services, box: Box): Promise<void> {
  const { start, step, resource } = box;
  await services.store.mailboxes.close(resource, { run: start.run, step, heard: [], force: true });
  const { letters, held } = await readLetters(services, box);
  for (const letter of [...letters, ...held]) {
    const target = { kind: letter.place === 'thread' ? ('thread' as const) : ('comment' as const), id: letter.comment };
    await services.github.perform({
      run: start.run,
      key: `late/${letter.comment}`,
      event: start.event,
      effect: { type: 'reaction.add', target, content: 'confused' },
    });
  }
}
