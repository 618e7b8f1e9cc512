import { ModelRefused } from '../agent/model.ts';
import type { RunStart, StepEnd } from '../journal/entry.ts';
import { Fatal, Pending, Superseded } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import { endedSteps } from '../journal/view.ts';
import { runAgent } from '../session/agent-run.ts';
import type { Services } from '../session/services.ts';
import { runSession, type StepWork } from '../session/session.ts';
import { stepsBefore } from '../workflow/order.ts';
import type { Step } from '../workflow/step.ts';
import { renderTemplate, TemplateError } from '../workflow/template-render.ts';
import { cloneRepositories } from './clone.ts';
import { askReport } from './report.ts';

/** How often a step is tried again after an error that is not the model's to mend. */
const MOST_TROUBLES = 5;

export interface StepRun {
  journal: Journal;
  start: RunStart;
  signal: AbortSignal;
  step: string;
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
  await journal.append({ type: 'step.ended', step: step.id, ...end });
  askReport(services, journal.id);
}

async function tryStep(services: Services, run: StepRun, step: Step): Promise<End> {
  try {
    return await act(services, run, step);
  } catch (error) {
    if (error instanceof Pending || error instanceof Superseded || run.signal.aborted) throw error;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof Fatal || error instanceof ModelRefused || error instanceof TemplateError)
      return { state: 'Failed', output: null, reason: message };
    const troubles = run.journal.entries.filter(
      (entry) => entry.type === 'noted' && entry.key.startsWith(`step/${step.id}/trouble/`),
    ).length;
    if (troubles + 1 >= MOST_TROUBLES) return { state: 'Failed', output: null, reason: `tried ${MOST_TROUBLES} times: ${message}` };
    await run.journal.append({ type: 'noted', key: `step/${step.id}/trouble/${troubles}`, value: message });
    throw error;
  }
}

async function act(services: Services, run: StepRun, step: Step): Promise<End> {
  const { journal, start } = run;
  const ended = endedSteps(journal.entries);
  const outputs = Object.fromEntries([...ended].map(([id, end]) => [id, end.output]));
  const data = { trigger: start.event.context, outputs };
  if (step.action === 'git.clone') return completed(await cloneRepositories(services, run, { step, data }));
  if (step.action === 'agent.run' || step.action === 'agent.session') {
    const source = step.instruction;
    const work = workOf(services, run, {
      step,
      source,
      instruction: renderTemplate(source, data),
      previous: previousMessage(run, step, outputs),
    });
    const end = step.action === 'agent.run' ? await runAgent(services, step, work) : await runSession(services, step, work);
    if (end.by === 'refusal') return { state: 'Failed', output: { message: end.message }, reason: end.message };
    return completed({ message: end.message });
  }
  throw new Fatal(`steps of the kind ${step.action} are not built yet: see the README for what is`);
}

function completed(output: unknown): End {
  return { state: 'Completed', output, reason: '' };
}

function workOf(services: Services, run: StepRun, work: Pick<StepWork, 'source' | 'instruction' | 'previous'> & { step: Step }): StepWork {
  const { journal, start, signal } = run;
  const started = journal.find('step.started', work.step.id);
  return {
    journal,
    start,
    source: work.source,
    instruction: work.instruction,
    previous: work.previous,
    startedAt: started?.at ?? 0,
    modelKey: start.workflow.definition.defaultModelKey,
    signal,
    async onStatus(key, message) {
      await journal.append({ type: 'status', key, message });
      askReport(services, journal.id);
    },
  };
}

/** Published prompts rely on "the previous step's output"; where the instruction templates it, it stands there already. */
function previousMessage({ start }: StepRun, step: Step, outputs: Record<string, unknown>): string | null {
  const source = step.instruction ?? '';
  const messages = stepsBefore(start.workflow.definition, step.id).flatMap((id) => {
    const output = outputs[id];
    const said = typeof output === 'object' && output !== null && 'message' in output && typeof output.message === 'string';
    return said && !source.includes(`outputs.${id}`) ? [String(output.message)] : [];
  });
  return messages.length > 0 ? messages.join('\n\n') : null;
}
