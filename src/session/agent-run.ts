import { briefAgent } from '../agent/briefing.ts';
import { converse } from '../agent/conversation.ts';
import { readToolTable } from '../agent/tool-table.ts';
import type { Agent } from '../journal/entry.ts';
import { Fatal } from '../journal/errors.ts';
import { earlyEndIn } from '../journal/view.ts';
import type { StepOf } from '../workflow/step.ts';
import { deadlineFrom, earliest } from './deadline.ts';
import { CONTEXT_TOKENS, MAX_TOKENS } from './delegation.ts';
import { commandsOf, equip, SHARED_TOOLS, STEP_TOOLS, type Subject } from './mind.ts';
import { outcomeOf, type StepOutcome } from './outcome.ts';
import { mindTime, modelOf, type Services } from './services.ts';
import { factsOf, type StepWork } from './session.ts';
import { hearLimits, settleTurn, stepSpender } from './spending.ts';

/** Lets one agent work on a step with its own tools; a step's tool table is read from the text before templates were filled. */
export async function runAgent(services: Services, step: StepOf<'agent.run'>, work: StepWork): Promise<StepOutcome> {
  const { journal, start } = work;
  const key = `step/${step.id}`;
  const agent = agentOf(start.agents, step.params.agentId);
  const deadline = earliest(deadlineFrom(work.startedAt, step.stepMaxDurationMinutes, "the step's limit"), work.limit);
  const { allow, prohibit } = readToolTable(work.source);
  const subject: Subject = {
    journal,
    run: start.run,
    event: start.event,
    trust: start.trust,
    agent,
    base: { checkouts: [], changes: {} },
    signal: work.signal,
    partial: earlyEndIn(journal.entries) ?? undefined,
    commands: commandsOf(start),
    rules: start.rules,
    onStatus: work.onStatus,
  };
  const { tools, schemas } = equip(services, subject, { tools: agent.tools, injected: [...STEP_TOOLS, ...SHARED_TOOLS], allow, prohibit });
  const model = modelOf(services.settings, agent.model ?? work.modelKey);
  const spender = stepSpender(services, { journal, start, key, price: model.price });
  const end = await converse({
    journal,
    key,
    model: services.model,
    modelId: model.id,
    maxTokens: MAX_TOKENS,
    contextTokens: CONTEXT_TOKENS,
    brief: async () => briefAgent({ ...(await factsOf(services, work, { key, agent: agent.id })), agent }),
    schemas,
    tools,
    hear: (ahead) => hearLimits(services, { spender, deadline }, ahead),
    onAnswer: (turn, answer) => settleTurn(services, spender, turn, answer),
    ...mindTime(services, start.run, deadline?.at ?? null),
    signal: work.signal,
  });
  return outcomeOf(journal, key, end);
}

function agentOf(agents: Agent[], id: string): Agent {
  const agent = agents.find((one) => one.id === id);
  if (!agent) throw new Fatal(`the workflow names no agent "${id}"`);
  return agent;
}
