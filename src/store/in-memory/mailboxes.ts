import type { Clock } from '../../journal/clock.ts';
import { type Amendment, amendLetters } from '../amendments.ts';
import { type Letter, type Mailboxes, type Recipient, unheardOf, type Written } from '../mailbox.ts';
import { type AtOnce, copyOf, getOr } from './way.ts';

interface Box {
  resource: string;
  since: number;
  recipient: Recipient;
  open: boolean;
  waiting: boolean;
  letters: Letter[];
}

interface Place {
  /** Sessions that are open, oldest first. */
  sessions: string[];
  taken: Map<number, { run: string; step: string }>;
  arriving: Map<number, { written: Written; at: number }>;
  amended: Map<number, Amendment>;
}

/** Mailboxes in this process' memory. */
export function mailboxes(clock: Clock): AtOnce<Mailboxes> {
  const boxes = new Map<string, Box>();
  const places = new Map<string, Place>();
  const reread = new Map<number, number>();
  const idOf = ({ run, step }: { run: string; step: string }) => `${run}/${step}`;
  const placeOf = (resource: string) => getOr(places, resource, makePlace);
  return {
    open(resource, recipient) {
      const id = idOf(recipient);
      if (boxes.has(id)) return;
      boxes.set(id, { resource, since: clock.now(), recipient: copyOf(recipient), open: true, waiting: false, letters: [] });
      placeOf(resource).sessions.push(id);
    },
    recipients(resource) {
      const open = placeOf(resource).sessions.flatMap((id) => boxes.get(id) ?? []);
      return open.map(({ recipient, waiting, since }) => ({ ...copyOf(recipient), takes: recipient.listens || waiting, since })).reverse();
    },
    rooms() {
      const open = [...boxes.values()].filter((box) => box.open);
      return open.map(({ resource, since, recipient }) => ({ resource, since, recipient: copyOf(recipient) }));
    },
    rereadAt: (repository) => reread.get(repository) ?? 0,
    reread: (repository, at) => void reread.set(repository, at),
    post(resource, { run, step }, letter) {
      const { taken } = placeOf(resource);
      const taker = taken.get(letter.comment);
      if (taker) return idOf(taker) === idOf({ run, step });
      const box = boxes.get(idOf({ run, step }));
      if (!box?.open || !(box.recipient.listens || box.waiting)) return false;
      taken.set(letter.comment, { run, step });
      box.letters.push(copyOf(letter));
      return true;
    },
    takerOf: (resource, comment) => placeOf(resource).taken.get(comment) ?? null,
    announce: (resource, written) => void placeOf(resource).arriving.set(written.comment, { written: copyOf(written), at: clock.now() }),
    settle: (resource, { comment }) => void placeOf(resource).arriving.delete(comment),
    amend(resource, amendment) {
      const { amended } = placeOf(resource);
      const known = amended.get(amendment.comment);
      if (known && (known.body === null || known.at > amendment.at) && amendment.body !== null) return;
      amended.set(amendment.comment, copyOf(amendment));
    },
    read(resource, { run, step, heard }) {
      const letters = lettersOf(placeOf(resource), boxes.get(idOf({ run, step })));
      return unheardOf(letters, { heard, arriving: [...placeOf(resource).arriving.values()], now: clock.now() });
    },
    wait(run, step, waiting) {
      const box = boxes.get(idOf({ run, step }));
      if (box) box.waiting = waiting;
    },
    close(resource, { run, step, heard, force }) {
      const box = boxes.get(idOf({ run, step }));
      if (!box) return true;
      if (!force && lettersOf(placeOf(resource), box).some(({ comment }) => !heard.includes(comment))) return false;
      box.open = false;
      const place = placeOf(resource);
      place.sessions = place.sessions.filter((id) => id !== idOf({ run, step }));
      return true;
    },
  };
}

function makePlace(): Place {
  return { sessions: [], taken: new Map(), arriving: new Map(), amended: new Map() };
}

function lettersOf({ amended }: Place, box: Box | undefined): Letter[] {
  const newest = new Map([...amended].map(([comment, { body }]) => [comment, body]));
  return amendLetters(copyOf(box?.letters ?? []), newest, box?.recipient.signals ?? []);
}
