import { describeMisses, explain } from './condition.ts';
import type { Edge, Workflow } from './definition.ts';

/** How a step ended; only one that Completed leads on. */
export interface EndedStep {
  state: 'Completed' | 'Failed' | 'Skipped' | 'Canceled';
  output: unknown;
}

/** What may happen next. `ready` may start now (those under way included: the caller knows what it has started), `skipped` will never run. */
export interface Readiness {
  ready: string[];
  skipped: { step: string; reason: string }[];
}

/** All edges of a flow: as written, with entries for steps that nothing leads to where none is named, or the order of the steps. */
export function completeFlow(ids: readonly string[], edges: readonly Edge[]): Edge[] {
  if (edges.length === 0) return ids.map((to, index) => ({ from: ids[index - 1] ?? '', to, condition: null }));
  if (edges.some(({ from }) => from === '')) return [...edges];
  const targets = new Set(edges.map(({ to }) => to));
  return [...ids.filter((id) => !targets.has(id)).map((to) => ({ from: '', to, condition: null })), ...edges];
}

/**
 * Which steps may start and which are skipped, given what ended. A step starts when the source of every edge into it has
 * ended and one of these edges is taken; it is skipped when none is. Skipping one may skip others, all in one answer. Pure.
 */
export function readySteps(workflow: Pick<Workflow, 'steps' | 'flow'>, ended: ReadonlyMap<string, EndedStep>, context: object): Readiness {
  const known = new Map(ended);
  const skipped: Readiness['skipped'] = [];
  for (let grew = true; grew; ) {
    grew = false;
    for (const { id } of workflow.steps) {
      const verdict = known.has(id) ? null : judgeStep(id, { flow: workflow.flow, known, context });
      if (!verdict || verdict.taken) continue;
      known.set(id, { state: 'Skipped', output: null });
      skipped.push({ step: id, reason: verdict.reason });
      grew = true;
    }
  }
  const open = workflow.steps.filter(({ id }) => !known.has(id));
  const ready = open.filter(({ id }) => judgeStep(id, { flow: workflow.flow, known, context })?.taken).map(({ id }) => id);
  return { ready, skipped };
}

/** The steps that nothing follows: the last of them to end gives the run its message. */
export function lastSteps(workflow: Pick<Workflow, 'steps' | 'flow'>): string[] {
  const sources = new Set(workflow.flow.map(({ from }) => from));
  return workflow.steps.map(({ id }) => id).filter((id) => !sources.has(id));
}

/** The steps whose edges lead straight into one, in the order of the flow. */
export function stepsBefore(workflow: Pick<Workflow, 'flow'>, step: string): string[] {
  return [...new Set(workflow.flow.filter(({ from, to }) => to === step && from !== '').map(({ from }) => from))];
}

interface Moment {
  flow: readonly Edge[];
  known: ReadonlyMap<string, EndedStep>;
  context: object;
}

/** Null while a source has not ended. */
function judgeStep(id: string, moment: Moment): { taken: boolean; reason: string } | null {
  const inbound = moment.flow.filter(({ to }) => to === id);
  if (inbound.some(({ from }) => from !== '' && !moment.known.has(from))) return null;
  const refusals = inbound.map((edge) => refusalOf(edge, moment));
  return { taken: refusals.includes(null), reason: refusals.filter((text) => text !== null).join('; ') || 'nothing leads to it' };
}

function refusalOf({ from, condition }: Edge, { known, context }: Moment): string | null {
  const source = known.get(from);
  if (source && source.state !== 'Completed') return `${from} is ${source.state}`;
  const outputs = Object.fromEntries([...known].map(([id, { output }]) => [id, output]));
  const { held, comparisons } = explain(condition, { context, outputs });
  return held
    ? null
    : `the condition of ${from === '' ? 'its entry' : `the edge from ${from}`} does not hold: ${describeMisses(comparisons)}`;
}
