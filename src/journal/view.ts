import type { Usage } from './answer.ts';
import { addUsage, NO_USAGE } from './cost.ts';
import type { Entry, EntryOf, RunEnd, RunStart, RunState, StepEnd, StepState } from './entry.ts';
import type { Tree } from './tree.ts';

/** A step as its entries tell it. */
export interface StepView {
  id: string;
  state: StepState;
  startedAt: number;
  endedAt: number | null;
  output: unknown;
  reason: string;
}

/** A wait for a model that is away. Times in ms since 1970. */
export interface Away {
  message: string;
  since: number;
  until: number;
}

/** A run as its journal tells it: what the status comment, the check run, the dashboard and the command line show. */
export interface RunView {
  start: RunStart;
  state: RunState;
  reason: string;
  message: string;
  startedAt: number;
  endedAt: number | null;
  /** In the order they began. */
  steps: StepView[];
  delegations: { queued: number; ended: number; failed: number };
  agents: string[];
  turns: number;
  /** Tokens by model id, delegations included once they ended. */
  usage: Record<string, Usage>;
  /** The newest message of `update_status`. */
  status: string | null;
  /** Tools that agents asked for and that are not built. */
  lacking: string[];
  /** The model is away: which word to that end is the newest, since when, and when it is asked again (ms since 1970); null where it answers. */
  away: Away | null;
  /** Comments that sessions took; answered once the session spoke or ended after them. */
  heard: { comment: number; place: 'conversation' | 'thread'; answered: boolean }[];
}

/** What a run was started with, and the newest event that was merged into it before it began. Null where the first entry is not a run's start. */
export function startOf(entries: readonly Entry[]): RunStart | null {
  const first = entries[0];
  if (first?.type !== 'run.started') return null;
  const merged = entries.findLast((entry) => entry.type === 'run.merged');
  return merged?.type === 'run.merged' ? { ...first.start, event: merged.event, notBefore: merged.notBefore } : first.start;
}

/** Whether every step that is under way waits for a reply. */
export function onlyWaits({ steps }: RunView): boolean {
  const open = steps.filter((step) => step.endedAt === null);
  return open.length > 0 && open.every((step) => step.state === 'WaitingForReply');
}

/** Derives a run's view from its entries; null where the first is not a run's start. */
export function viewRun(entries: readonly Entry[]): RunView | null {
  const first = entries[0];
  if (first?.type !== 'run.started') return null;
  const view: RunView = {
    start: first.start,
    state: 'Queued',
    reason: '',
    message: '',
    startedAt: first.at,
    endedAt: null,
    steps: [],
    delegations: { queued: 0, ended: 0, failed: 0 },
    agents: [],
    turns: 0,
    usage: {},
    status: null,
    lacking: [],
    away: null,
    heard: [],
  };
  for (const entry of entries) take(view, entry);
  view.lacking = lackingTools(entries);
  view.away = awayOf(entries);
  return view;
}

/** A run that was on hold goes on as soon as anything else is written. */
function take(view: RunView, entry: Entry): void {
  if (view.state === 'OnHold') Object.assign(view, { state: 'Running', reason: '' });
  switch (entry.type) {
    case 'run.merged':
      view.start = { ...view.start, event: entry.event, notBefore: entry.notBefore };
      break;
    case 'run.state':
      Object.assign(view, { state: entry.state, reason: entry.reason });
      break;
    case 'run.ended':
      Object.assign(view, { state: entry.state, reason: entry.reason, message: entry.message, endedAt: entry.at });
      break;
    case 'step.started':
      view.steps.push({ id: entry.step, state: 'Running', startedAt: entry.at, endedAt: null, output: null, reason: '' });
      break;
    case 'step.state':
      if (entry.state === 'WaitingForReply') answerAll(view);
      changeStep(view, entry.step, { state: entry.state });
      break;
    case 'step.ended':
      answerAll(view);
      endStep(view, entry);
      break;
    case 'delegation.queued':
      view.delegations.queued++;
      if (!view.agents.includes(entry.agent)) view.agents.push(entry.agent);
      break;
    case 'delegation.ended':
      view.delegations.ended++;
      if (entry.end.status !== 'completed') view.delegations.failed++;
      view.turns += entry.end.turns;
      for (const [model, usage] of Object.entries(entry.end.usage)) addTo(view.usage, model, usage);
      break;
    case 'turn.answered':
      view.turns++;
      addTo(view.usage, entry.answer.model, entry.answer.usage);
      break;
    case 'comment.heard':
      view.heard.push({ comment: entry.comment, place: entry.place, answered: false });
      break;
    case 'status':
      view.status = entry.message;
      break;
    default:
  }
}

/** The wait for a model that a run's or a delegation's journal ends with; parallel steps wait for the same provider, so one that has an answer ends the wait of all. */
export function awayOf(entries: readonly Entry[]): Away | null {
  const back = entries.findLastIndex(
    (entry) => entry.type === 'turn.answered' || entry.type === 'step.ended' || entry.type === 'run.ended',
  );
  const waits = entries.slice(back + 1).filter((entry) => entry.type === 'model.away');
  const [first] = waits;
  const last = waits.at(-1);
  return first && last ? { message: last.message, since: first.at, until: last.until } : null;
}

function endStep(view: RunView, entry: EntryOf<'step.ended'>): void {
  if (!view.steps.some((step) => step.id === entry.step)) {
    view.steps.push({
      id: entry.step,
      state: entry.state,
      startedAt: entry.at,
      endedAt: entry.at,
      output: entry.output,
      reason: entry.reason,
    });
  }
  changeStep(view, entry.step, { state: entry.state, endedAt: entry.at, output: entry.output, reason: entry.reason });
}

function answerAll(view: RunView): void {
  for (const one of view.heard) one.answered = true;
}

function changeStep(view: RunView, id: string, change: Partial<StepView>): void {
  const step = view.steps.find((one) => one.id === id);
  if (step) Object.assign(step, change);
}

/** Tools that were asked for and are not built, as the conversations of a journal and its delegations noted them; each once. */
export function lackingTools(entries: readonly Entry[]): string[] {
  const names = entries.flatMap((entry) => {
    if (entry.type === 'delegation.ended') return entry.end.lacking ?? [];
    return entry.type === 'noted' && entry.key.endsWith(LACKING) ? [String(entry.value)] : [];
  });
  return [...new Set(names)];
}

/** Ends the key of a call for a tool that is not built; the note's value is its name. */
export const LACKING = '/lacking';

/** Adds tokens to a model's figure. */
export function addTo(usage: Record<string, Usage>, model: string, more: Usage): void {
  usage[model] = addUsage(usage[model] ?? NO_USAGE, more);
}

/** How every ended step of a journal ended, for the order of those that follow. */
export function endedSteps(entries: readonly Entry[]): Map<string, { state: StepEnd; output: unknown }> {
  const ends = entries.filter((entry) => entry.type === 'step.ended');
  return new Map(ends.map((entry) => [entry.step, { state: entry.state, output: entry.output }]));
}

/** The workspace as the journal tells it: what was checked out, and what calls changed since, in their order. */
export function treeOf(base: Tree, entries: readonly Entry[]): Tree {
  const tree: Tree = { checkouts: [...base.checkouts], changes: { ...base.changes } };
  for (const entry of entries) {
    if (entry.type === 'checkout') tree.checkouts.push(entry.checkout);
    if (entry.type === 'call.ended' && entry.changes) Object.assign(tree.changes, entry.changes);
  }
  return tree;
}

/** Why what a run has is partial: the first step that ended before its agents were done, with the reason; null where none did. */
export function earlyEnd({ steps }: Pick<RunView, 'steps'>): string | null {
  const early = steps.find((step) => step.state === 'Completed' && step.reason !== '');
  return early ? `step "${early.id}" ended early: ${early.reason}` : null;
}

/** As `earlyEnd`, from entries alone. */
export function earlyEndIn(entries: readonly Entry[]): string | null {
  const ends = entries.filter((entry) => entry.type === 'step.ended');
  return earlyEnd({ steps: ends.map((entry) => ({ ...entry, id: entry.step, startedAt: 0, endedAt: entry.at })) });
}

/**
 * The end of a run from its steps: timed out where its limit ended it, failed where one failed, else completed, with the message of the last that ended. A
 * reason beside `Completed` says why its results are partial.
 */
export function endOfRun(view: RunView): { state: RunEnd; reason: string; message: string } {
  const failed = view.steps.find((step) => step.state === 'Failed' || step.state === 'Canceled');
  const completed = view.steps.filter((step) => step.state === 'Completed').sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  const message = messageOf(completed.at(-1)?.output);
  if (view.state === 'Terminating') return { state: 'Timeout', reason: view.reason, message };
  if (failed) return { state: 'Failed', reason: `step "${failed.id}": ${failed.reason}`, message };
  if (completed.length === 0) return { state: 'Skipped', reason: 'no step had to run', message };
  return { state: 'Completed', reason: earlyEnd(view) ?? '', message };
}

function messageOf(output: unknown): string {
  if (typeof output === 'object' && output !== null && 'message' in output) return String(output.message);
  return '';
}
