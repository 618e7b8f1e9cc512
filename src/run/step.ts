import type { RunStart, StepEnd } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { resourceKey } from '../journal/resource.ts';
import { endedSteps } from '../journal/view.ts';
import { runAgent } from '../session/agent-run.ts';
import type { Deadline } from '../session/deadline.ts';
import { closeSession } from '../session/hearing.ts';
import { stepOrder } from '../session/order-to-end.ts';
import type { Services } from '../session/services.ts';
import { askReport } from '../session/services.ts';
import { runSession, type StepWork } from '../session/session.ts';
import { judgeTrouble } from '../session/trouble.ts';
import { stepsBefore } from '../workflow/order.ts';
import type { Step } from '../workflow/step.ts';
import { renderTemplate } from '../workflow/template-render.ts';
import { cloneRepositories } from './clone.ts';
import { executeCi } from './execute-ci.ts';
import { identifyRepositories } from './identify.ts';
import { postEarly } from './leftovers.ts';

/** A step of a run, and the journal that it is walked in. */
export interface StepRun {
  journal: Journal;
  start: RunStart;
  signal: AbortSignal;
  step: string;
  /** When the whole run has to end. */
  limit: Deadline | null;
}

interface End {
  state: StepEnd;
  output: unknown;
  reason: string;
}

/** Runs one step to its end, which it records; throws `Pending` where it waits. An error that repeats ends the step as failed. */
export async function runStep(services: Services, run: StepRun): Promise<void> {
  const { journal } = run;
  const step = run.start.workflow.definition.steps.find((one) => one.id === run.step);
  if (!step) throw new Error(`the workflow has no step "${run.step}"`);
  if (!journal.find('step.started', step.id)) {
    await journal.append({ type: 'step.started', step: step.id });
    askReport(services, journal.id);
  }
  const end = await tryStep(services, run, step);
  const key = `step/${step.id}`;
  const early = await services.store.cancels.reasonOf(stepOrder(journal.id, key));
  if (early !== null) await postEarly(services, run, { step: key, reason: early });
  await journal.append({ type: 'step.ended', step: step.id, ...end });
  askReport(services, journal.id);
}

async function tryStep(services: Services, run: StepRun, step: Step): Promise<End> {
  try {
    return await act(services, run, step);
  } catch (error) {
    const { journal, start } = run;
    const key = `step/${step.id}`;
    const reason = await judgeTrouble({ journal, key, signal: run.signal }, error);
    if (step.action === 'agent.session')
      await closeSession(services, { journal, start, step: step.id, key, resource: resourceKey(start.event.resource) });
    return { state: 'Failed', output: null, reason };
  }
}

async function act(services: Services, run: StepRun, step: Step): Promise<End> {
  const { journal, start } = run;
  const ended = endedSteps(journal.entries);
  const outputs = Object.fromEntries([...ended].map(([id, end]) => [id, end.output]));
  const data = { trigger: start.event.context, outputs };
  if (step.action === 'git.clone') return completed(await cloneRepositories(services, run, { step, data }));
  if (step.action === 'repo.identify') {
    const work = workOf(services, run, { step, source: '', instruction: '', before: [] });
    return completed(await identifyRepositories(services, step, { work, data }));
  }
  if (step.action === 'agent.run' || step.action === 'agent.session') {
    const source = step.instruction;
    const work = workOf(services, run, {
      step,
      source,
      instruction: renderTemplate(source, data),
      before: messagesBefore(run, step, outputs),
    });
    const end = step.action === 'agent.run' ? await runAgent(services, step, work) : await runSession(services, step, work);
    if (end.by === 'refusal') return { state: 'Failed', output: { message: end.message }, reason: end.message };
    return completed({ message: end.message }, end.early ?? '');
  }
  return completed(await executeCi(services, run, { step, data }));
}

/** `reason` says why it ended early, where it did. */
function completed(output: unknown, reason = ''): End {
  return { state: 'Completed', output, reason };
}

function workOf(services: Services, run: StepRun, work: Pick<StepWork, 'source' | 'instruction' | 'before'> & { step: Step }): StepWork {
  const { journal, start, signal } = run;
  const started = journal.find('step.started', work.step.id);
  return {
    journal,
    start,
    source: work.source,
    instruction: work.instruction,
    before: work.before,
    startedAt: started?.at ?? 0,
    limit: run.limit,
    modelKey: start.workflow.definition.defaultModelKey,
    signal,
    async onStatus(key, message) {
      if (!journal.find('status', key)) await journal.append({ type: 'status', key, message });
      askReport(services, journal.id);
    },
  };
}

function messagesBefore({ start }: StepRun, step: Step, outputs: Record<string, unknown>): StepWork['before'] {
  return stepsBefore(start.workflow.definition, step.id).flatMap((id) => {
    const output = outputs[id];
    const said = typeof output === 'object' && output !== null && 'message' in output && typeof output.message === 'string';
    return said ? [{ step: id, message: String(output.message) }] : [];
  });
}
