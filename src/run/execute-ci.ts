import { z } from 'zod';
import type { CiRunView } from '../github/ci-run.ts';
import { Fatal, Pending } from '../journal/errors.ts';
import { deadlineFrom, earliest } from '../session/deadline.ts';
import { whileOpen } from '../session/fence.ts';
import { askReport, type Services } from '../session/services.ts';
import type { StepOf } from '../workflow/step.ts';
import { renderTemplate, type TemplateData } from '../workflow/template-render.ts';
import type { StepRun } from './step.ts';

const Dispatched = z.object({ before: z.number(), by: z.string() });

/** How often a CI run that is waited for is looked at (ms), and how long one that was started may stay out of sight. */
const LOOK_MS = 15_000;
const FIND_MS = 3_000;
const HIDDEN_MS = 120_000;

/** What is asked to be started, templates filled. */
interface Wanted {
  workflow: string;
  ref: string;
  inputs: Record<string, string>;
}

/**
 * Starts a workflow of the run's own repository, in a trusted run only, and finds the CI run that it made; waits for its end where the step says so, without
 * holding a slot. What GitHub answered is noted, so that a run that is woken again does not ask twice.
 */
export async function executeCi(
  services: Services,
  run: StepRun,
  { step, data }: { step: StepOf<'ci.executeWorkflow'>; data: TemplateData },
): Promise<unknown> {
  const { journal } = run;
  const key = `step/${step.id}`;
  const wanted = await journal.once(`${key}/wanted`, () => readWanted(run, step, data));
  const dispatched = await journal.once(`${key}/dispatched`, () => dispatch(services, run, { key, wanted }));
  const started = await journal.once(`${key}/run`, () => find(services, run, { step, wanted, dispatched }));
  if (!step.params.waitForCompletion) return started;
  return journal.once(`${key}/end`, () => waitForEnd(services, run, { step, runId: started.runId }));
}

function readWanted({ start }: StepRun, { params }: StepOf<'ci.executeWorkflow'>, data: TemplateData): Wanted {
  const { repository } = start.event;
  const name = renderTemplate(params.repoFullName, data).trim();
  if (name.toLowerCase() !== repository.fullName.toLowerCase())
    throw new Fatal(
      `a workflow of "${name}" is not started: only those of the event's own repository, {{trigger.repository.fullName}}, can be`,
    );
  if (start.trust !== 'trusted')
    throw new Fatal('no workflow is started in a run that is not trusted: have it started by somebody with write permission');
  const inputs = Object.entries(params.inputs).map(([input, value]) => [input, renderTemplate(value, data)] as const);
  return {
    workflow: renderTemplate(params.workflowId, data).trim(),
    ref: renderTemplate(params.ref, data).trim() || repository.defaultBranch,
    inputs: Object.fromEntries(inputs),
  };
}

async function dispatch(services: Services, { start, signal }: StepRun, { key, wanted }: { key: string; wanted: Wanted }) {
  const effect = { type: 'ci.dispatch' as const, ...wanted };
  const mayStillAct = whileOpen(services.store, start.run);
  const outcome = await services.github.perform({
    run: start.run,
    key: `${key}/dispatch`,
    event: start.event,
    effect,
    signal,
    mayStillAct,
  });
  if (outcome.status === 'refused') throw new Fatal(outcome.reason);
  if (outcome.status === 'unknown') throw new Error(`whether the workflow was started is not known yet: ${outcome.reason}`);
  return { ...Dispatched.parse(outcome.result), at: await services.store.now() };
}

async function find(
  services: Services,
  run: StepRun,
  {
    step,
    wanted,
    dispatched,
  }: { step: StepOf<'ci.executeWorkflow'>; wanted: Wanted; dispatched: z.infer<typeof Dispatched> & { at: number } },
) {
  const runs = await services.github.reader(run.start.event).listDispatched(wanted.workflow);
  const ours = runs.filter(({ runId, actor, branch }) => runId > dispatched.before && actor === dispatched.by && branch === wanted.ref);
  const first = ours.sort((a, b) => a.runId - b.runId)[0];
  if (first) return describe(first);
  const now = await services.store.now();
  if (now - dispatched.at > HIDDEN_MS)
    throw new Fatal(`the workflow "${wanted.workflow}" was started, but GitHub shows no run of it on ${wanted.ref}`);
  return waitUntil(services, run, { step, at: now + FIND_MS, what: 'the CI run to begin' });
}

async function waitForEnd(services: Services, run: StepRun, { step, runId }: { step: StepOf<'ci.executeWorkflow'>; runId: number }) {
  const read = await services.github.reader(run.start.event).readCiRun(runId);
  if (read.status === 'completed') return describe(read);
  return waitUntil(services, run, { step, at: (await services.store.now()) + LOOK_MS, what: `CI run ${runId}` });
}

/** Suspends until then, or ends the step where an order, or its time, says so. */
async function waitUntil(
  services: Services,
  { journal, start, limit }: StepRun,
  { step, at, what }: { step: StepOf<'ci.executeWorkflow'>; at: number; what: string },
): Promise<never> {
  const order = await services.store.cancels.reasonOf(start.run);
  if (order !== null) throw new Fatal(order);
  const started = journal.find('step.started', step.id)?.at ?? 0;
  const deadline = earliest(deadlineFrom(started, step.stepMaxDurationMinutes, "the step's limit"), limit);
  if (deadline && (await services.store.now()) >= deadline.at) throw new Fatal(`${deadline.reason}, and ${what} has not come to its end`);
  if (!journal.entries.some((entry) => entry.type === 'step.state' && entry.step === step.id)) {
    await journal.append({ type: 'step.state', step: step.id, state: 'WaitingForExternal' });
    askReport(services, journal.id);
  }
  throw new Pending(what, Math.min(at, deadline?.at ?? at));
}

function describe({ runId, url, status, conclusion }: CiRunView) {
  return { runId, url, status, conclusion };
}
