import { setImmediate as breathe } from 'node:timers/promises';
import { pino } from 'pino';
import type { Draft, Entry } from '../../journal/entry.ts';
import { Pending } from '../../journal/errors.ts';
import { givenUpIn, isGivenUp } from '../../journal/given-up.ts';
import { advanceDelegation } from '../../session/delegation.ts';
import type { Services } from '../../session/services.ts';
import { advanceRun } from '../run.ts';
import type { Difference, Strictness } from './difference.ts';
import type { Tape } from './tape.ts';
import { TapedJournal } from './taped-journal.ts';
import { makeTapedStore } from './taped-store.ts';
import { type Asked, makeTapedWorld } from './taped-world.ts';

/** What a replay came to: how much was derived again, and where it first went another way. */
export interface Replay {
  difference: Difference | null;
  /** Entries that are as recorded, by journal. */
  same: Map<string, number>;
  /** Ids of delegations whose journals the record lacks. */
  missing: string[];
  /** Why the run or a delegation was given up from outside, which nothing in the record leads to. */
  givenUp: string[];
  /** Whether the record ends with the run's end. */
  isWhole: boolean;
}

/** One journal after its replay: what was derived, by its place in the record. */
export interface ReplayedJournal {
  difference: Difference | null;
  same: number;
  derived: ReadonlyMap<number, Draft>;
}

/**
 * Runs the engine again over a record: every entry that it writes has to be the recorded one, in the recorded order. Nothing outside of the record is
 * read and nothing is written; the same record gives the same answer.
 */
export async function replayTape(tape: Tape, strictness: Strictness): Promise<Replay> {
  const same = new Map<string, number>();
  const differences: Difference[] = [];
  for (const id of tape.journals.keys()) {
    const replayed = await replayJournal(tape, id, { strictness });
    same.set(id, replayed.same);
    if (replayed.difference) differences.push(replayed.difference);
  }
  const entries = tape.journals.get(tape.run) ?? [];
  return {
    difference: earliest(tape, differences),
    same,
    missing: entries.flatMap((entry) =>
      entry.type === 'delegation.queued' && !tape.journals.has(entry.delegation) ? [entry.delegation] : [],
    ),
    givenUp: [...tape.journals.values()].flatMap(givenUpIn),
    isWhole: entries.at(-1)?.type === 'run.ended',
  };
}

/** Replays one journal of a record. `asked` hears what is asked of the outside, and may tell the journal that it differs. */
export async function replayJournal(
  tape: Tape,
  id: string,
  { strictness, asked }: { strictness: Strictness; asked?(journal: TapedJournal): Asked },
): Promise<ReplayedJournal> {
  const journal = new TapedJournal(id, tape.journals.get(id) ?? [], strictness);
  const services: Services = {
    ...makeTapedWorld(tape, journal, asked?.(journal) ?? (() => {})),
    store: makeTapedStore(tape, journal, strictness),
    settings: tape.settings,
    log: pino({ level: 'silent' }),
  };
  const advance = id === tape.run ? advanceRun : advanceDelegation;
  while (journal.difference === null && journal.next) {
    const before = journal.entries.length;
    const fate = await settle(journal, advance(services, id, new AbortController().signal));
    if (journal.difference || !journal.next) break;
    if (fate.status !== 'stands still' && journal.entries.length > before) continue;
    if (!takeOver(journal, journal.next)) journal.stop(fate.words);
  }
  if (!journal.difference && journal.isWhole && journal.wishes.length > 0) journal.stop('goes on');
  return { difference: journal.difference, same: journal.entries.length, derived: journal.derived };
}

interface Fate {
  status: 'ended' | 'stands still';
  /** What the replay does instead of going on, for people. */
  words: string;
}

/** Longer than any chain of work that waits for nothing but itself. */
const BREATHS = 3;

/**
 * Lets the engine go as far as it can. Everything is answered at once or never, so when nothing happens for a moment it stands still: it waits for an
 * answer that the record does not have, or wants to write what the record has later. Where it had got further before, one branch may have left while others
 * wait for it: then this advance ends, as the recorded one did, and the next goes on.
 */
async function settle(journal: TapedJournal, advance: Promise<void>): Promise<Fate> {
  let fate: Fate | null = null;
  const settled = advance.then(
    () => (fate = { status: 'ended', words: 'it ends here' }),
    (error: unknown) => (fate = { status: 'ended', words: wordsOf(error) }),
  );
  void settled;
  const begun = journal.entries.length;
  let mayGiveUp = true;
  for (let idle = 0, seen = journal.activity; idle < BREATHS && fate === null; idle++) {
    await breathe();
    if (journal.activity !== seen) idle = 0;
    seen = journal.activity;
    const stuckAt = idle === BREATHS - 1 ? journal.next : undefined;
    if (!stuckAt) continue;
    if (takeOver(journal, stuckAt)) idle = 0;
    else if (mayGiveUp && journal.entries.length > begun) {
      journal.giveUp();
      mayGiveUp = false;
    } else continue;
    idle = 0;
  }
  return fate ?? { status: 'stands still', words: 'it does not come to that' };
}

function wordsOf(error: unknown): string {
  if (error instanceof Pending) return `it is ${error.message.replace(/^(waiting for )+/, 'waiting for ')}`;
  return `it fails: ${error instanceof Error ? error.message : String(error)}`;
}

/** Takes what came from outside over from the record; where it ended what was under way, nothing is wanted any more. Answers whether it came from there. */
function takeOver(journal: TapedJournal, next: Entry): boolean {
  const ends = isByGivingUp(journal.entries, next);
  if (!ends && !isOutside(next)) return false;
  journal.takeOver();
  if (ends) journal.giveUp();
  return true;
}

/** The note that work was given up, what stands right behind it, and the ends of further steps for the same reason. */
function isByGivingUp(before: readonly Entry[], entry: Entry): boolean {
  const note = before.findLast(isGivenUp);
  if (isGivenUp(entry)) return true;
  return note !== undefined && (before.at(-1) === note || (entry.type === 'step.ended' && entry.reason === note.value));
}

/** Something of the outside that is not derived again where it came from: that it stands there is what matters. */
function isOutside(entry: Entry): boolean {
  if (entry.type === 'run.state') return entry.state === 'OnHold';
  return entry.type === 'model.away' || (entry.type === 'noted' && entry.key.includes('trouble/'));
}

/** Of the differences of several journals the one that was recorded first. */
function earliest(tape: Tape, differences: Difference[]): Difference | null {
  const timeOf = ({ journal, entry }: Difference) => {
    const entries = tape.journals.get(journal) ?? [];
    return (entries[entry - 1] ?? entries.at(-1))?.at ?? 0;
  };
  return differences.sort((a, b) => timeOf(a) - timeOf(b))[0] ?? null;
}
