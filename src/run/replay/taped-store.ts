import type { News } from '../../agent/news.ts';
import type { DelegationStart, Draft, Entry, EntryOf } from '../../journal/entry.ts';
import type { Finding } from '../../journal/finding.ts';
import type { Remembered } from '../../session/session.ts';
import type { Letter, Unheard } from '../../store/mailbox.ts';
import type { Store } from '../../store/store.ts';
import { parseArguments } from '../../tools/arguments.ts';
import { toolNamed } from '../../tools/catalog.ts';
import type { Early } from '../leftovers.ts';
import { compareEntries, placeOfKey, type Strictness } from './difference.ts';
import type { Tape } from './tape.ts';
import { makeTapedBudgets } from './taped-budgets.ts';
import type { TapedJournal } from './taped-journal.ts';

/**
 * The store as one journal saw it. What several writers share is answered with what the record shows of it at the place where the replay stands; wakes,
 * timers and lanes do nothing.
 */
export function makeTapedStore(tape: Tape, journal: TapedJournal, strictness: Strictness): Store {
  const nothing = () => Promise.resolve();
  const parts: { [name in keyof Store]?: unknown } = {
    journals: {
      open: (id: string) => Promise.resolve(id === journal.id ? journal : { id, entries: [] }),
      create: (id: string, first: Draft) => checkStart(tape, journal, { id, first, strictness }),
      lastOf: (ids: string[]) => Promise.resolve(ids.map((id) => endOf(tape, journal, id))),
      close: () => undefined,
      expire: nothing,
    },
    queues: {
      wakeRun: nothing,
      wakeRunSoon: nothing,
      wakeDelegation: nothing,
      wakeDelegations: nothing,
      wakeReport: nothing,
      wishReport: nothing,
      setTimer: nothing,
    },
    lanes: {
      enter: () => Promise.resolve(true),
      leave: () => Promise.resolve(null),
      look: () => Promise.resolve({ active: null, queued: [] }),
    },
    expected: { expect: nothing, forget: nothing },
    batches: { open: nothing, end: () => Promise.resolve(1) },
    queued: { clear: nothing },
    cancels: {
      reasonOf: (...ids: string[]) => Promise.resolve(ids.map((id) => orderTo(tape, journal, id)).find((order) => order !== null) ?? null),
      hold: <T>(_: string, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>) => work(outer),
      order: nothing,
      interrupt: nothing,
    },
    mailboxes: {
      open: nothing,
      wait: nothing,
      read: (_: string, session: { step: string }) => Promise.resolve(lettersFor(journal, session)),
      close: (_: string, session: { step: string; force: boolean }) => Promise.resolve(session.force || closes(journal, session.step)),
    },
    budgets: makeTapedBudgets(journal, (work) => nextNews(journal, work)?.value ?? null),
    drafts: { list: () => Promise.resolve(leftoversOf(journal)) },
    pads: () => ({ list: () => Promise.resolve(padsAt(tape, timeIn(journal))) }),
    memory: (_: number, agent: string) => ({ all: () => Promise.resolve(memoryOf(journal, agent)) }),
    blobs: () => ({}),
    now: () => Promise.resolve(timeIn(journal)),
    clock: { now: () => timeIn(journal), sleep: () => new Promise(() => {}), later: () => undefined },
  };
  return new Proxy(parts, {
    get(known, name) {
      if (name in known) return known[name as keyof Store];
      throw new Error(`the replay knows no ${String(name)} of the store`);
    },
  }) as Store;
}

/** The time of what comes next; of an answer of a model, the time at which it was asked for. */
function timeIn(journal: TapedJournal): number {
  const { next } = journal;
  const last = journal.entries.at(-1)?.at ?? 0;
  if (!next) return last;
  return next.type === 'turn.answered' ? Math.max(last, next.at - next.ms) : next.at;
}

/** A delegation has to be started as it was; the difference is told as one of the call that delegates. */
function checkStart(
  tape: Tape,
  journal: TapedJournal,
  { id, first, strictness }: { id: string; first: Draft; strictness: Strictness },
): Promise<boolean> {
  const recorded = tape.journals.get(id)?.[0];
  const field = recorded ? compareEntries(recorded, first, strictness) : null;
  if (recorded && field) {
    const { start } = recorded as { start: DelegationStart };
    const words = `the delegation "${start.label}" to ${start.agent.name} starts`;
    journal.diverge({ place: placeOfKey(start.key), recorded: words, derived: describeStart(first, words), field });
  }
  return Promise.resolve(true);
}

function describeStart(first: Draft, words: string): string {
  return first.type === 'delegation.started' ? `the delegation "${first.start.label}" to ${first.start.agent.name} starts` : words;
}

/** The end of a delegation, once the run took it. */
function endOf(tape: Tape, journal: TapedJournal, id: string): Entry | null {
  const taken = journal.tape.find((entry) => entry.type === 'delegation.ended' && entry.delegation === id);
  if (!taken) return null;
  const own = tape.journals.get(id)?.at(-1);
  return own?.type === 'delegation.ended' ? own : taken;
}

/** An order to end, from the place on at which the record shows it. */
function orderTo(tape: Tape, journal: TapedJournal, id: string): string | null {
  if (id.startsWith(`${journal.id}/`)) return orderToStep(journal, id.slice(journal.id.length + 1), tape.orders.get(id));
  const shown = journal.tape.findIndex((entry) => id === journal.id && orderShownBy(entry, tape.orders.get(id)) !== null);
  const entry = journal.tape[shown];
  const isWaking = (other: Entry) => other.type === 'step.state' && other.state === 'InSession';
  if (!entry || !journal.tape.slice(journal.entries.length, shown).every(isWaking)) return null;
  return orderShownBy(entry, tape.orders.get(id));
}

/** An order to one step (its place in the journal), where the step heard of it next, or is at its end and next posts what it had found. */
function orderToStep(journal: TapedJournal, step: string, known: string | undefined): string | null {
  if (known !== undefined && nextNews(journal, step)?.value.closing === known) return known;
  const at = journal.positionWhere((entry) => entry.type === 'noted' && entry.key === `${step}/early`);
  const entry = journal.tape[at];
  const isOwn = (other: Entry) => 'key' in other && other.key.startsWith(`${step}/`);
  if (entry?.type !== 'noted' || journal.tape.slice(journal.entries.length, at).some(isOwn)) return null;
  return (entry.value as Early).reason;
}

/** The reason that an entry names as an order's, or null. `known`: the reason, where the order was recorded too. */
function orderShownBy(entry: Entry, known: string | undefined): string | null {
  if (entry.type === 'run.ended') return entry.state === 'Cancelled' ? entry.reason : null;
  if (entry.type === 'noted' && /\/news(\/\d+)?$/.test(entry.key)) {
    const { closing, abrupt } = entry.value as { closing: string | null; abrupt?: boolean };
    return abrupt || (known !== undefined && closing === known) ? closing : null;
  }
  if (known === undefined) return null;
  if (entry.type === 'run.state' && entry.state === 'Terminating' && entry.reason === known) return known;
  return entry.type === 'delegation.ended' && entry.end.status === 'cancelled' ? known : null;
}

/** What a conversation heard next, if it stands where it heard it: the record of the news, and the comments among them, which were written with it. */
function nextNews(journal: TapedJournal, work: string): { value: News; heard: EntryOf<'comment.heard'>[] } | null {
  const at = journal.positionWhere(
    (entry) => entry.type === 'noted' && entry.key.startsWith(`${work}/turn/`) && /\/news(\/\d+)?$/.test(entry.key),
  );
  const entry = journal.tape[at];
  const isOwn = (other: Entry) => 'key' in other && other.key.startsWith(`${work}/`);
  if (entry?.type !== 'noted' || journal.tape.slice(journal.entries.length, at).some(isOwn)) return null;
  const heard: EntryOf<'comment.heard'>[] = [];
  for (let k = at + 1; ; k++) {
    const next = journal.tape[k];
    if (next?.type !== 'comment.heard' || !isOwn(next)) return { value: entry.value as News, heard };
    heard.push(next);
  }
}

/** The letters that the session heard next. */
function lettersFor(journal: TapedJournal, { step }: { step: string }): Unheard {
  if (isCutOff(journal, step)) return { letters: [UNTOLD], held: [] };
  const signals = signalsOf(journal, step);
  const heard = nextNews(journal, `step/${step}`)?.heard ?? [];
  const letters = heard.map(({ comment, author, place, text, createdAt = '', path, line }): Letter => {
    const where = { ...(path ? { path } : {}), ...(line ? { line } : {}) };
    return { comment, author, place, body: text, url: '', createdAt, ...where, signal: signals.includes(text.trim()) };
  });
  return { letters, held: [] };
}

const UNTOLD: Letter = { comment: 0, author: '', place: 'conversation', body: '', url: '', createdAt: '', signal: false };

/** The record ends where a session that waited was woken, before it tells by what. */
function isCutOff({ tape, next }: TapedJournal, step: string): boolean {
  return next === tape.at(-1) && next?.type === 'step.state' && next.step === step && next.state === 'InSession';
}

function signalsOf(journal: TapedJournal, step: string): string[] {
  const first = journal.entries[0];
  const found = first?.type === 'run.started' ? first.start.workflow.definition.steps.find((one) => one.id === step) : undefined;
  return found?.action === 'agent.session' ? found.params.exitCriteria.userSignals.explicit : [];
}

/** Whether a session that said it was done could close: not where a letter had come. */
function closes(journal: TapedJournal, step: string): boolean {
  const at = journal.positionWhere(
    (entry) => entry.type === 'noted' && entry.key.startsWith(`step/${step}/`) && entry.key.endsWith('/ends'),
  );
  const entry = journal.tape[at];
  return entry?.type !== 'noted' || entry.value === true;
}

/** Something is left over where the record posted it. */
function leftoversOf(journal: TapedJournal): Finding[] {
  const posts = journal.tape.slice(journal.entries.length);
  const next = posts.find((entry) => entry.type === 'noted' && (entry.key.startsWith('leftovers') || entry.key.endsWith('/early')));
  const isLeft = next?.type === 'noted' && !(next.key.endsWith('/early') && (next.value as Early).outcome === null);
  return isLeft ? [{ id: 'left', path: '', side: 'RIGHT', body: '', rung: 'body', key: '' }] : [];
}

function memoryOf(journal: TapedJournal, agent: string): Remembered['memory'] {
  const told = journal.tape.flatMap((entry) =>
    entry.type === 'noted' && entry.key.endsWith('/memory') ? [entry.value as Remembered] : [],
  );
  return told.find((one) => one.agent === agent)?.memory ?? [];
}

const WRITES = new Set(['write_scratchpad', 'append_scratchpad']);

/** The scratchpads that had been written by a time, in any journal of the run. */
function padsAt({ journals }: Tape, time: number): { name: string; size: number }[] {
  const names = new Set<string>();
  for (const entries of journals.values()) {
    for (const entry of entries) {
      if (entry.type !== 'call.ended' || !WRITES.has(entry.name) || entry.result.error || entry.at > time) continue;
      const name = padNameOf(entries, entry.key);
      if (name !== null) names.add(name);
    }
  }
  return [...names].map((name) => ({ name, size: 1 }));
}

/** The pad that a call wrote, from the model's own words. */
function padNameOf(entries: readonly Entry[], key: string): string | null {
  const [turn, index] = key.split('/call/');
  const answer = entries.find((entry) => entry.type === 'turn.answered' && entry.key === turn);
  const calls = answer?.type === 'turn.answered' ? answer.answer.content.filter((block) => block.type === 'tool_use') : [];
  const call = calls[Number(index)];
  const tool = call ? toolNamed(call.name) : null;
  return call && tool ? (parseArguments(tool, call.input) as { name: string }).name : null;
}
