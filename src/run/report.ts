import type { Effect } from '../journal/effect.ts';
import type { Entry } from '../journal/entry.ts';
import { Pending } from '../journal/errors.ts';
import { isGivenUp } from '../journal/given-up.ts';
import { type Away, awayOf, type RunView, viewRun } from '../journal/view.ts';
import { withheldIn } from '../journal/withheld.ts';
import { readEnds } from '../session/ends.ts';
import { whileOpen } from '../session/fence.ts';
import { priceOf, rulesOf, type Services } from '../session/services.ts';
import type { Store } from '../store/store.ts';
import { hasSubmitted } from '../tools/submission.ts';
import { budgetLines } from './budget.ts';
import { buttonsOf } from './buttons.ts';
import { coverageOf } from './coverage.ts';
import { checkOutput, conclusionOf, isAtWork, PULSE_MS, type Reported } from './report-text.ts';
import { numberIn, type Showing, showStatus, type Write } from './status-comment.ts';

/** Edits of one comment or check that come closer than this are merged. */
const BETWEEN_EDITS_MS = 2_000;
/** Stands in the place of a reason, so that a run of which not all could be looked at is not shown as a success. */
const BRIEF = "its report could not be made in full: the server's log says why";

interface Shown {
  at: number;
  /** Length of the journal then. */
  length: number;
  status: string;
  check: string;
}

/** What was last shown of a run from here, so that identical texts are not written again. */
const shownBy = new WeakMap<Store, Map<string, Shown>>();

function shownIn(store: Store): Map<string, Shown> {
  const known = shownBy.get(store) ?? new Map();
  shownBy.set(store, known);
  return known;
}

/**
 * Brings what people see of a run up to its journal: the reaction, the check run and the status comment. May be repeated at any time, by any process;
 * it reads entries and nothing else, and writes only what has changed. `brief`: of a run whose report failed again and again it reads the first and the last
 * entry alone, and shows no more than those tell.
 */
export async function reportRun(
  services: Services,
  id: string,
  { signal, brief = false }: { signal: AbortSignal; brief?: boolean },
): Promise<void> {
  const entries = brief ? await endsOf(services, id) : await services.store.journals.read(id);
  const view = viewRun(entries);
  if (!view || view.start.event.resource.kind === 'schedule' || view.start.event.resource.kind === 'branch')
    return services.store.expected.forget({ wake: 'report', id });
  if (brief) view.reason ||= BRIEF;
  const shown = shownIn(services.store);
  const last = shown.get(id);
  const now = await services.store.now();
  if (last && view.endedAt === null && now - last.at < BETWEEN_EDITS_MS) throw new Pending('the next edit', last.at + BETWEEN_EDITS_MS);
  const report = await gather(services, { id, view, entries, brief, now });
  const current = view.endedAt === null ? { mayStillAct: whileOpen(services.store, id) } : {};
  const write: Write = async (key, effect, owner = id) => {
    let made = false;
    const onMade = () => {
      made = true;
    };
    const outcome = await services.github.perform({ run: owner, key, event: view.start.event, effect, signal, onMade, ...current });
    return { outcome, made };
  };
  await react(view, write);
  const at = `${nameEdit(entries.length, report, last)}${brief || entries.some(isGivenUp) ? '.given-up' : ''}`;
  const status = report.quiet ? '' : await showStatus(services, report, { write, last: last?.status ?? '', at });
  const check = await showCheck(report, { write, last: last?.check ?? '', at });
  if (view.endedAt === null) shown.set(id, { at: now, length: entries.length, status, check });
  else shown.delete(id);
  const { expected } = services.store;
  if (isAtWork(view)) await expected.expect([{ wake: 'report', id }], view.startedAt + (pulseOf(report) + 1) * PULSE_MS);
  else await expected.forget({ wake: 'report', id });
}

/** All that is shown of a run. */
async function gather(
  services: Services,
  { id, view, entries, brief, now }: { id: string; view: RunView; entries: Entry[]; brief: boolean; now: number },
): Promise<Reported> {
  const findings = view.start.event.resource.kind === 'pr' && !brief ? await services.store.drafts.list(id) : [];
  const away = isAtWork(view) ? (view.away ?? (await awayIn(services, entries))) : null;
  const reviewed = view.endedAt !== null && (findings.length > 0 || (await hasSubmitted(services.store.pads(id))));
  const isCovered = view.endedAt !== null && !brief;
  const cover = isCovered ? { reviewed, coverage: await coverageOf(services, { view, entries, reviewed }) } : {};
  const budgets = await budgetLines(services, view.start, entries.at(-1));
  const rules = rulesOf(services, view.start);
  const quiet = rules.quiet && view.start.event.resource.kind === 'pr';
  const withheld = withheldIn(findings, rules);
  const prices = { priceOf: (model: string) => priceOf(services.settings, model) };
  return { view, findings, withheld, quiet, ...prices, now, away, budgets, ...cover };
}

async function endsOf({ store }: Services, id: string): Promise<Entry[]> {
  const { first, last } = await readEnds(store, id);
  return [...(first ? [first] : []), ...(last && last.type !== first?.type ? [last] : [])];
}

/** How many pulses a run at work has had: each shows a sign of life, so that it is never silent for long. */
function pulseOf({ view, now }: Reported): number {
  return isAtWork(view) ? Math.max(0, Math.floor((now - view.startedAt) / PULSE_MS)) : 0;
}

/**
 * Names an edit by the journal's length where that has grown since the last one from here, else by its time: what delegations do, and the clock, change texts too.
 * The same name is written once, by whichever process.
 */
function nameEdit(length: number, { view, now }: Reported, last: Shown | undefined): string {
  const grown = view.endedAt !== null || (last !== undefined && last.length !== length);
  return grown ? `${length}` : `${length}.${Math.floor(now / BETWEEN_EDITS_MS)}`;
}

/** The wait for a model that one of the open delegations is in. */
async function awayIn({ store }: Services, entries: readonly Entry[]): Promise<Away | null> {
  const ended = new Set(entries.flatMap((entry) => (entry.type === 'delegation.ended' ? [entry.delegation] : [])));
  const open = entries.flatMap((entry) => (entry.type === 'delegation.queued' && !ended.has(entry.delegation) ? [entry.delegation] : []));
  const last = open.length > 0 ? await store.journals.lastOf(open) : [];
  const waiting = open.find((_, k) => last[k]?.type === 'model.away');
  return waiting === undefined ? null : awayOf(await store.journals.read(waiting));
}

/** Eyes on the comment that started the run and on each that a session took, a rocket once it was answered. */
async function react({ start, heard }: RunView, write: Write): Promise<void> {
  const { comment } = start.event;
  if (comment) await write('reaction', reactionOf({ comment: comment.id, place: comment.place }, 'eyes'));
  for (const one of heard) {
    await write(`eyes/${one.comment}`, reactionOf(one, 'eyes'));
    if (one.answered) await write(`rocket/${one.comment}`, reactionOf(one, 'rocket'));
  }
}

function reactionOf({ comment, place }: { comment: number; place: 'conversation' | 'thread' }, content: 'eyes' | 'rocket'): Effect {
  return { type: 'reaction.add', target: { kind: place === 'thread' ? 'thread' : 'comment', id: comment }, content };
}

async function showCheck(report: Reported, { write, last, at }: Showing): Promise<string> {
  const { resource } = report.view.start.event;
  if (resource.kind !== 'pr') return '';
  const output = checkOutput(report);
  const actions = buttonsOf(report);
  const buttons = actions.map(({ identifier }) => identifier).join();
  const said = report.quiet ? report.view.status : '';
  const text = `${output.title}\n${report.view.endedAt}\n${pulseOf(report)}\n${buttons}\n${said}`;
  const name = report.view.start.workflow.name;
  const { outcome, made } = await write('check', {
    type: 'check.create',
    sha: resource.head.sha,
    name,
    external: report.view.start.run,
    output,
    actions,
  });
  const check = numberIn(outcome, 'checkId');
  const ended = report.view.endedAt !== null;
  if (check === null || text === last || (made && !ended)) return text;
  await write(`check/${at}`, {
    type: 'check.update',
    check,
    status: ended ? 'completed' : 'in_progress',
    ...(ended ? { conclusion: conclusionOf(report) } : {}),
    output,
    actions,
  });
  return text;
}
