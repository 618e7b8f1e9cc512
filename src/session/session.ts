import { briefCoordinator, type StepBrief } from '../agent/briefing.ts';
import { type ConversationOptions, converse } from '../agent/conversation.ts';
import { maxDelegations } from '../agent/tool-table.ts';
import type { Agent, RunStart } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { resourceKey } from '../journal/resource.ts';
import { treeOf } from '../journal/view.ts';
import type { ToolContext } from '../tools/context.ts';
import type { StepOf } from '../workflow/step.ts';
import { compileTemplate, isFault } from '../workflow/template.ts';
import { limitsOf } from './accounts.ts';
import { type Deadline, deadlineFrom, earliest } from './deadline.ts';
import { delegateTool } from './delegate-tool.ts';
import { type Desk, delegateAll } from './delegating.ts';
import { CONTEXT_TOKENS, MAX_TOKENS } from './delegation.ts';
import { endDelegations, type Room } from './ending.ts';
import { heardBefore } from './heard-before.ts';
import { closeSession, completeSession, hearSession } from './hearing.ts';
import { commandsOf, equip, SHARED_TOOLS, STEP_TOOLS, type Subject, withBuiltTools } from './mind.ts';
import { outcomeOf, type StepOutcome } from './outcome.ts';
import { mindTime, modelOf, rulesOf, type Services } from './services.ts';
import { type Spender, settleTurn, stepSpender } from './spending.ts';

/** The record of what an agent remembered, newest first. */
export interface Remembered {
  agent: string;
  memory: { title: string; content: string }[];
}

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
  onStatus(call: string, message: string): Promise<void>;
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
export async function runSession(services: Services, step: StepOf<'agent.session'>, work: StepWork): Promise<StepOutcome> {
  const { journal, start } = work;
  const key = `step/${step.id}`;
  const agents = step.params.agentIds.flatMap((id) => start.agents.find((agent) => agent.id === id) ?? []);
  const limits = limitsOf(services.settings, start).session;
  const minutes = Math.min(step.params.exitCriteria.timeLimit.maxDurationMinutes, limits.minutes ?? Number.POSITIVE_INFINITY);
  const deadline = earliest(
    deadlineFrom(work.startedAt, minutes, "the session's time limit"),
    deadlineFrom(work.startedAt, step.stepMaxDurationMinutes, "the step's limit"),
    work.limit,
  );
  await setAlarm(services, start.run, deadline);
  const wanted = maxDelegations(work.source, messagesOf(work.before), step.params.maxDelegations);
  const most = Math.min(wanted, limits.delegations ?? wanted);
  const model = modelOf(services.settings, step.params.coordinatorModelKey ?? work.modelKey);
  const room = roomOf(step, work, deadline);
  const spender = stepSpender(services, { journal, start, key, price: model.price });
  await openRoom(services, step, room);
  const desk = deskOf(services, { step, work, agents, most, room });
  const subject = subjectOf(work);
  const { tools, schemas } = equip(services, subject, {
    tools: COORDINATOR_TOOLS,
    injected: [...STEP_TOOLS, ...SHARED_TOOLS],
    allow: null,
    prohibit: [],
    extra: delegateTool,
    delegate: (calls) => delegateAll(services, desk, calls),
  });
  const end = await converse({
    journal,
    key,
    model: services.model,
    modelId: model.id,
    maxTokens: MAX_TOKENS,
    contextTokens: CONTEXT_TOKENS,
    brief: async () =>
      briefCoordinator({
        ...(await factsOf(services, work, { key, agent: COORDINATOR.id })),
        goal: step.params.goal,
        agents: withBuiltTools(agents, rulesOf(services, start)),
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
    ...mannersOf(services, room, spender),
    signal: work.signal,
  });
  await closeSession(services, room);
  return outcomeOf(journal, key, end);
}

function deskOf(
  services: Services,
  { step, work, agents, most, room }: Pick<Desk, 'agents' | 'most'> & { step: StepOf<'agent.session'>; work: StepWork; room: Room },
): Desk {
  const { journal, start, modelKey } = work;
  const onOpen = (open: string[]) => endDelegations(services, room, open);
  const delegationMinutes = limitsOf(services.settings, start).delegation.minutes;
  return {
    journal,
    start,
    step: step.id,
    agents,
    most,
    goal: step.params.goal,
    modelKey,
    deadline: room.deadline,
    delegationMinutes,
    onOpen,
  };
}

/** Wakes the run at its deadline; one that is over has done so, and would wake without end. */
async function setAlarm({ store }: Services, run: string, deadline: Deadline | null): Promise<void> {
  if (deadline && (await store.now()) < deadline.at) await store.queues.setTimer({ wake: 'run', id: run }, deadline.at);
}

function subjectOf({ journal, start, signal, onStatus }: StepWork): Subject {
  const { run, event, trust, rules } = start;
  const base = { checkouts: [], changes: {} };
  return { journal, run, event, trust, agent: COORDINATOR, base, signal, commands: commandsOf(start), rules, onStatus };
}

function roomOf(step: StepOf<'agent.session'>, { journal, start }: StepWork, deadline: Deadline | null): Room {
  const { listenToComments: listens, keepSessionOpenForComments: keepsOpen } = step.params;
  return {
    journal,
    start,
    step: step.id,
    key: `step/${step.id}`,
    resource: resourceKey(start.event.resource),
    listens,
    keepsOpen,
    deadline,
  };
}

/** How a session hears and ends. A turn of text alone is its end too, or a question where it listens. */
function mannersOf(
  services: Services,
  room: Room,
  spender: Spender,
): Partial<ConversationOptions<ToolContext>> & Pick<ConversationOptions<ToolContext>, 'hear'> {
  return {
    hear: (ahead) => hearSession(services, room, spender, ahead),
    onAnswer: (turn, answer) => settleTurn(services, spender, turn, answer),
    ...mindTime(services, room.start.run, room.deadline?.at ?? null),
    async onText(message, turn) {
      const ended = await completeSession(services, room, { message, turn, waits: room.listens || room.keepsOpen });
      return ended ? { end: true } : { end: false, reply: null };
    },
    onCompleted: (message, turn) => completeSession(services, room, { message, turn, waits: room.keepsOpen }),
  };
}

/** Opens the session's mailbox where comments can ever reach it. */
async function openRoom({ store }: Services, step: StepOf<'agent.session'>, { start, resource, listens, keepsOpen }: Room): Promise<void> {
  if (!listens && !keepsOpen) return;
  const { installation, repository, author, resource: about } = start.event;
  const place = 'number' in about ? { place: { installation, repository, number: about.number } } : {};
  const signals = step.params.exitCriteria.userSignals.explicit;
  await store.mailboxes.open(resource, { run: start.run, step: step.id, listens, signals, author: author?.login ?? '', ...place });
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
export async function factsOf(services: Services, work: StepWork, teller: { key: string; agent: string }): Promise<StepBrief> {
  const { journal, start, instruction, source } = work;
  const templated = outputsIn(source);
  const untold = work.before.filter(({ step }) => !templated.has(step));
  const [memory, said] = await Promise.all([recall(services, work, teller), heardBefore(services, work, teller.key)]);
  const tree = treeOf({ checkouts: [], changes: {} }, journal.entries);
  const previous = messagesOf(untold) || null;
  return { event: start.event, rules: start.rules, instruction, previous, guidance: start.guidance, memory, tree, ...said };
}

/** As much of all memories as a briefing can show, in bytes. */
const TOLD = 4_096;

/** What an agent remembers when it is told its task, for the record: it may be another by the time somebody asks what it was told. */
async function recall(
  { store }: Services,
  { journal, start }: StepWork,
  { key, agent }: { key: string; agent: string },
): Promise<Remembered['memory']> {
  const noted = journal.find('noted', `${key}/memory`);
  if (noted) return (noted.value as Remembered).memory;
  const all = await store.memory(start.event.repository.id, agent).all();
  let room = TOLD;
  const memory = all.map(({ title, content }) => {
    const told = room < 0 ? '' : content.slice(0, TOLD + 1);
    room -= Buffer.byteLength(told);
    return { title, content: told };
  });
  if (memory.length > 0) await journal.append({ type: 'noted', key: `${key}/memory`, value: { agent, memory } satisfies Remembered });
  return memory;
}
