import { readMarker } from '../../src/github/markers.ts';
import type { Entry, EntryOf, EntryType } from '../../src/journal/entry.ts';
import { getOr } from '../../src/store/in-memory/way.ts';
import { QUEUES } from '../../src/store/jobs.ts';
import { LOGIN } from './github.ts';
import type { Remains } from './world.ts';

/** What must hold when a simulation has come to rest; answers what does not. */
export function brokenIn(remains: Remains): string[] {
  const runs = [...remains.shelf.runs.keys()];
  if (!remains.rested)
    return ['it does not come to rest', ...brokenWriters(remains), ...runs.flatMap((run) => writtenAfterEnd(remains, run))];
  return [
    ...(runs.length === 0 ? ['no run was started'] : []),
    ...runs.flatMap((run) => brokenRun(remains, run)),
    ...brokenWriters(remains),
    ...brokenComments(remains, runs),
    ...brokenEffects(remains),
    ...leftovers(remains),
  ];
}

const read = new WeakMap<Remains, Map<string, Entry[]>>();

function entriesOf(remains: Remains, id: string): Entry[] {
  const known = read.get(remains) ?? new Map<string, Entry[]>();
  read.set(remains, known);
  return getOr(known, id, () => remains.shelf.streams.read(id, 1));
}

function all<T extends EntryType>(entries: Entry[], type: T): EntryOf<T>[] {
  return entries.filter((entry): entry is EntryOf<T> => entry.type === type);
}

/** Longer than all crashes and freezes of a seed together hold anything up (ms), shorter than most deadlines, which wake whatever was forgotten. */
const PATIENCE_MS = 180_000;

function brokenRun(remains: Remains, run: string): string[] {
  const entries = entriesOf(remains, run);
  const ends = all(entries, 'run.ended');
  const [end] = ends;
  if (!end || ends.length > 1) return [`${run} ended ${ends.length} times`];
  const broken = [...brokenJournal(run, entries), ...brokenBudget(remains, run, entries), ...writtenAfterEnd(remains, run)];
  if (end.state === 'Failed') broken.push(`${run} failed: ${end.reason}`);
  for (const { delegation, key } of all(entries, 'delegation.queued')) {
    const own = entriesOf(remains, delegation);
    const last = own.at(-1);
    const told = all(entries, 'delegation.ended').filter((entry) => entry.delegation === delegation);
    broken.push(...brokenJournal(delegation, own));
    if (last?.type !== 'delegation.ended') broken.push(`${delegation} did not end`);
    else if (told.length !== 1) broken.push(`the end of ${delegation} was told ${told.length} times`);
    else if (JSON.stringify(told[0]?.end) !== JSON.stringify(last.end)) broken.push(`${delegation} ended otherwise than was told`);
    else if (last.at > end.at) broken.push(`${delegation} ended after its run`);
    else if ((told[0]?.at ?? 0) - last.at > PATIENCE_MS) broken.push(`the end of ${delegation} was told late`);
    const result = all(entries, 'call.ended').find((entry) => entry.key === key)?.result.text ?? '';
    if (last?.type === 'delegation.ended' && !result.includes(last.end.result))
      broken.push(`the result of ${delegation} did not come back`);
  }
  return broken;
}

function writtenAfterEnd(remains: Remains, run: string): string[] {
  const entries = entriesOf(remains, run);
  const end = entries.findIndex(({ type }) => type === 'run.ended');
  return end >= 0 && end < entries.length - 1 ? [`${run} was written to after its end`] : [];
}

/** What is said once in a journal: by type and key, step or delegation. */
function brokenJournal(id: string, entries: Entry[]): string[] {
  const seen = new Set<string>();
  return entries.flatMap((entry) => {
    if (entry.type === 'step.state' || entry.type === 'run.merged' || entry.type === 'run.state' || entry.type === 'model.away') return [];
    const name = `${entry.type} ${'key' in entry ? entry.key : 'step' in entry ? entry.step : ''}`;
    if (seen.has(name)) return [`${id} says twice: ${name}`];
    seen.add(name);
    return [];
  });
}

/** Turns that were not told to be the last stay within the budget of the run. */
function brokenBudget(remains: Remains, run: string, entries: Entry[]): string[] {
  const { tokens } = remains.scenario;
  if (tokens === null) return [];
  const journals = [entries, ...all(entries, 'delegation.queued').map(({ delegation }) => entriesOf(remains, delegation))];
  const used = journals.flatMap((own) =>
    all(own, 'turn.answered').map((turn) => (isLast(own, turn.key) ? 0 : turn.answer.usage.input + turn.answer.usage.output)),
  );
  const sum = used.reduce((a, b) => a + b, 0);
  return sum > tokens ? [`${run} used ${sum} tokens of ${tokens}`] : [];
}

function isLast(entries: Entry[], key: string): boolean {
  const news = all(entries, 'noted').filter((entry) => entry.key === `${key}/news` || entry.key.startsWith(`${key}/news/`));
  return news.some(({ value }) => typeof value === 'object' && value !== null && 'closing' in value && value.closing !== null);
}

/** Who has lost a journal to another never writes to it again. */
function brokenWriters({ writes }: Remains): string[] {
  const writers = new Map<string, string[]>();
  for (const { id, writer } of writes) {
    const known = writers.get(id) ?? [];
    if (known.at(-1) !== writer) writers.set(id, [...known, writer]);
  }
  return [...writers].flatMap(([id, known]) => (new Set(known).size < known.length ? [`${id} is written by one who had lost it`] : []));
}

/** A comment that a session took is heard once, or told that it came too late; one that none took is not heard. */
function brokenComments(remains: Remains, runs: string[]): string[] {
  const { scenario, shelf, github } = remains;
  const heard = runs.flatMap((run) => all(entriesOf(remains, run), 'comment.heard').map(({ comment }) => ({ run, comment })));
  const broken = scenario.comments.flatMap(({ id }) => {
    const taker = shelf.mailboxes.takerOf('7:pr:7', id);
    const times = heard.filter(({ comment }) => comment === id).length + (github.reactions.has(`comment ${id} confused`) ? 1 : 0);
    if (times !== (taker ? 1 : 0)) return [`comment ${id} was heard ${times} times, taken by ${taker?.run ?? 'nobody'}`];
    if (!taker || !github.reactions.has(`comment ${id} confused`)) return [];
    return endedByItself(entriesOf(remains, taker.run), taker.step)
      ? [`comment ${id} lay unheard in the box of ${taker.run} as it closed`]
      : [];
  });
  return broken;
}

/** Whether a session said itself that it was done: then nothing may have been left unheard. */
function endedByItself(entries: Entry[], step: string): boolean {
  const last = all(entries, 'turn.answered').findLast(({ key }) => key.startsWith(`step/${step}/`));
  const end = all(entries, 'step.ended').find((entry) => entry.step === step);
  return last !== undefined && end?.state === 'Completed' && !isLast(entries, last.key);
}

/** Everything that was to be done on GitHub stands there once. */
function brokenEffects({ github }: Remains): string[] {
  const own = [...github.comments.values()].filter(({ login }) => login === LOGIN);
  const keys = own.map(({ body }) => readMarker(body).key ?? '');
  const doubled = keys.filter((key, k) => keys.indexOf(key) !== k).map((key) => `${key} stands twice`);
  const checks = [...github.checks.values()].filter(({ external_id }) => external_id !== '').map(({ external_id }) => String(external_id));
  const double = checks.filter((check, k) => checks.indexOf(check) !== k).map((check) => `the check of ${check} stands twice`);
  return [...doubled, ...double];
}

function leftovers({ shelf }: Remains): string[] {
  const jobs = QUEUES.flatMap((name) => (shelf.jobs.queues[name].count > 0 ? [`${shelf.jobs.queues[name].count} ${name} are left`] : []));
  const { active, queued } = shelf.lanes.look('7:pr:7');
  const lane = active !== null || queued.length > 0 ? [`the lane is not empty: ${[active, ...queued].join(' ')}`] : [];
  const open = shelf.mailboxes.recipients('7:pr:7').map(({ run }) => `the box of ${run} is open`);
  return [...jobs, ...lane, ...open];
}
