import type { Effect, Outcome } from '../journal/effect.ts';
import { Pending } from '../journal/errors.ts';
import { type RunView, viewRun } from '../journal/view.ts';
import type { Services } from '../session/services.ts';
import type { Store } from '../store/store.ts';
import { buttonsOf } from './buttons.ts';
import { checkOutput, conclusionOf, type Reported, statusComment } from './report-text.ts';

/** Edits of one comment or check that come closer than this are merged. */
const BETWEEN_EDITS_MS = 2_000;

interface Shown {
  at: number;
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
 * it reads entries and nothing else, and writes only what has changed.
 */
export async function reportRun(services: Services, id: string, signal: AbortSignal): Promise<void> {
  const entries = await services.store.journals.read(id);
  const view = viewRun(entries);
  if (!view || view.start.event.resource.kind === 'schedule' || view.start.event.resource.kind === 'branch') return;
  const shown = shownIn(services.store);
  const last = shown.get(id);
  const now = await services.store.now();
  if (last && view.endedAt === null && now - last.at < BETWEEN_EDITS_MS) throw new Pending('the next edit', last.at + BETWEEN_EDITS_MS);
  const findings = view.start.event.resource.kind === 'pr' ? await services.store.drafts.list(id) : [];
  const report: Reported = { view, findings, priceOf: (model) => priceOf(services, model), now };
  const write = (key: string, effect: Effect) => services.github.perform({ run: id, key, event: view.start.event, effect, signal });
  await react(view, write);
  const status = await showStatus(report, { write, last: last?.status ?? '', at: entries.length });
  const check = await showCheck(report, { write, last: last?.check ?? '', at: entries.length });
  if (view.endedAt === null) shown.set(id, { at: now, status, check });
  else shown.delete(id);
}

type Write = (key: string, effect: Effect) => Promise<Outcome>;

interface Showing {
  write: Write;
  /** What was written last. */
  last: string;
  /** Length of the journal, which makes the keys of edits. */
  at: number;
}

function priceOf({ settings }: Services, model: string) {
  return Object.values(settings.models).find((one) => model === one.id || model.startsWith(one.id))?.price ?? null;
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

async function showStatus(report: Reported, { write, last, at }: Showing): Promise<string> {
  const { view } = report;
  const still = view.start.workflow.definition.statusUpdateMethod === 'static_comment' && view.endedAt === null;
  const body = statusComment(report);
  const made = await write('status', { type: 'comment.create', body });
  const comment = numberIn(made, 'commentId');
  const fresh = last === '' && isNew(view);
  if (comment === null || still || body === last || fresh) return body;
  await write(`status/${at}`, { type: 'comment.update', comment, body });
  return body;
}

async function showCheck(report: Reported, { write, last, at }: Showing): Promise<string> {
  const { resource } = report.view.start.event;
  if (resource.kind !== 'pr') return '';
  const output = checkOutput(report);
  const text = `${output.title}\n${report.view.endedAt}`;
  const name = report.view.start.workflow.name;
  const made = await write('check', {
    type: 'check.create',
    sha: resource.head.sha,
    name,
    external: report.view.start.run,
    output,
    actions: buttonsOf({ ended: false }),
  });
  const check = numberIn(made, 'checkId');
  if (check === null || text === last) return text;
  const ended = report.view.endedAt !== null;
  await write(`check/${at}`, {
    type: 'check.update',
    check,
    status: ended ? 'completed' : 'in_progress',
    ...(ended ? { conclusion: conclusionOf(report) } : {}),
    output,
    actions: buttonsOf({ ended }),
  });
  return text;
}

/** A run that has not walked yet: what was just created says all there is. */
function isNew(view: RunView): boolean {
  return view.endedAt === null && view.status === null && view.steps.length === 0;
}

function numberIn(outcome: Outcome, name: string): number | null {
  if (outcome.status !== 'done' || typeof outcome.result !== 'object' || outcome.result === null) return null;
  const value: unknown = Object.entries(outcome.result).find(([key]) => key === name)?.[1];
  return typeof value === 'number' ? value : null;
}
