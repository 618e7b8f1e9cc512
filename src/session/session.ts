import { briefCoordinator, type StepBrief } from '../agent/briefing.ts';
import { type ConversationEnd, converse } from '../agent/conversation.ts';
import { maxDelegations } from '../agent/tool-table.ts';
import type { Agent, RunStart } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { treeOf } from '../journal/view.ts';
import type { StepOf } from '../workflow/step.ts';
import { compileTemplate, isFault } from '../workflow/template.ts';
import { type Deadline, deadlineFrom, earliest, hearDeadline } from './deadline.ts';
import { delegateTool } from './delegate-tool.ts';
import { type Desk, delegateAll } from './delegating.ts';
import { CONTEXT_TOKENS, MAX_TOKENS } from './delegation.ts';
import { equip, SHARED_TOOLS, STEP_TOOLS, type Subject } from './mind.ts';
import { modelOf, type Services } from './services.ts';

/** A step at work: what every kind of agent step is given. */
export interface StepWork {
  journal: Journal;
  start: RunStart;
  /** As it was committed, and with its templates filled. */
  source: string;
  instruction: string;
  /** The messages of the steps right before this one. */
  before: { step: string; message: string }[];
  startedAt: number;
  /** When the whole run has to end. */
  limit: Deadline | null;
  modelKey: string | null;
  signal: AbortSignal;
  onStatus(key: string, message: string): Promise<void>;
}

/** Beside delegating, a coordinator only reports, remembers and reads. */
const COORDINATOR_TOOLS = ['read_file'];

/** The coordinator is no agent of the workflow; it has a name so that its memory and its entries can be told apart. */
const COORDINATOR: Agent = {
  id: 'coordinator',
  name: 'Coordinator',
  type: 'Coordinator',
  description: '',
  instructions: '',
  model: null,
  tools: COORDINATOR_TOOLS,
};

/** Lets a coordinator work on its goal with its agents until it completes; throws `Pending` while a delegation is open. */
export async function runSession(
  services: Services,
  step: StepOf<'agent.session'>,
  work: StepWork,
): Promise<{ message: string; by: ConversationEnd['by'] }> {
  const { journal, start } = work;
  const key = `step/${step.id}`;
  const agents = step.params.agentIds.flatMap((id) => start.agents.find((agent) => agent.id === id) ?? []);
  const minutes = step.params.exitCriteria.timeLimit.maxDurationMinutes;
  const deadline = earliest(
    deadlineFrom(work.startedAt, minutes, "the session's time limit"),
    deadlineFrom(work.startedAt, step.stepMaxDurationMinutes, "the step's limit"),
    work.limit,
  );
  if (deadline) await services.store.queues.setTimer({ wake: 'run', id: start.run }, deadline.at);
  const most = maxDelegations(work.source, messagesOf(work.before), step.params.maxDelegations);
  const desk: Desk = { journal, start, step: step.id, agents, most, goal: step.params.goal, modelKey: work.modelKey, deadline };
  const subject: Subject = {
    journal,
    run: start.run,
    event: start.event,
    trust: start.trust,
    agent: COORDINATOR,
    base: { checkouts: [], changes: {} },
    signal: work.signal,
    onStatus: (message) => work.onStatus(key, message),
  };
  const { tools, schemas } = equip(services, subject, {
    tools: COORDINATOR_TOOLS,
    injected: [...STEP_TOOLS, ...SHARED_TOOLS],
    allow: null,
    prohibit: [],
    extra: delegateTool,
    delegate: (calls) => delegateAll(services, desk, calls),
  });
  return converse({
    journal,
    key,
    model: services.model,
    modelId: modelOf(services.settings, step.params.coordinatorModelKey ?? work.modelKey).id,
    maxTokens: MAX_TOKENS,
    contextTokens: CONTEXT_TOKENS,
    brief: async () =>
      briefCoordinator({
        ...(await factsOf(services, work, COORDINATOR.id)),
        goal: step.params.goal,
        agents,
        tools: tools.names,
        maxDelegations: most,
        listens: step.params.listenToComments,
        staysOpen: step.params.keepSessionOpenForComments,
        exitSignals: step.params.exitCriteria.userSignals.explicit,
        minutes,
        source: work.source,
      }),
    schemas,
    tools,
    hear: () => hearDeadline(services, deadline),
    signal: work.signal,
  });
}

function messagesOf(before: StepWork['before']): string {
  return before.map(({ message }) => message).join('\n\n');
}

/** The steps whose outputs a template names. */
function outputsIn(text: string): Set<string> {
  const template = compileTemplate(text);
  const variables = isFault(template) ? [] : template.variables;
  return new Set(variables.flatMap(({ parts }) => (parts[0] === 'outputs' && parts[1] !== undefined ? [parts[1]] : [])));
}

/** What every agent step is told. Published prompts rely on "the previous step's output"; where the instruction templates it, it stands there already. */
export async function factsOf(services: Services, work: StepWork, agent: string): Promise<StepBrief> {
  const { journal, start, instruction, source } = work;
  const templated = outputsIn(source);
  const untold = work.before.filter(({ step }) => !templated.has(step));
  const memory = await services.store.memory(start.event.repository.id, agent).all();
  const tree = treeOf({ checkouts: [], changes: {} }, journal.entries);
  return { event: start.event, instruction, previous: messagesOf(untold) || null, guidance: start.guidance, memory, tree };
}
