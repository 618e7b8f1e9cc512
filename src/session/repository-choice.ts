import { z } from 'zod';
import { briefAgent } from '../agent/briefing.ts';
import { converse } from '../agent/conversation.ts';
import { dataBlock } from '../agent/data-block.ts';
import { defineTool, type Tool } from '../agent/tool.ts';
import type { Agent } from '../journal/entry.ts';
import type { ToolContext } from '../tools/context.ts';
import type { StepOf } from '../workflow/step.ts';
import { deadlineFrom, earliest } from './deadline.ts';
import { CONTEXT_TOKENS, MAX_TOKENS } from './delegation.ts';
import { equip, type Subject } from './mind.ts';
import { mindTime, modelOf, type Services } from './services.ts';
import type { StepWork } from './session.ts';
import { hearLimits, settleTurn, stepSpender } from './spending.ts';

/** A repository that may be chosen, as the model is shown it. */
export interface Candidate {
  repoFullName: string;
  description: string;
  language: string;
  topics: string[];
}

/** A repository with how sure the model is (0 to 1), and why. */
export const Choice = z.object({ repoFullName: z.string().min(1), confidence: z.number().min(0).max(1), reason: z.string().default('') });
export type Choice = z.infer<typeof Choice>;

/** What such a step works with; it has no instruction of its own. */
export type ChoiceWork = Pick<StepWork, 'journal' | 'start' | 'startedAt' | 'limit' | 'modelKey' | 'signal'>;

const CHOOSER: Agent = {
  id: 'repo.identify',
  name: 'Repository finder',
  type: 'Custom',
  description: '',
  instructions:
    'You decide which repositories a request is about. You see their names and descriptions only; you read no code and do no other work.',
  model: null,
  tools: [],
};

/** Ends the conversation, so a choice costs one answer of the model. */
const reportChoice: Tool<ToolContext> = defineTool({
  name: 'task_completed',
  description: 'Ends your task: the repositories that fit, the likeliest first.',
  effect: 'none',
  input: z.object({ repositories: z.array(Choice) }),
  run: async (_, { repositories }) => ({ text: JSON.stringify(repositories) }),
});

/** Answers of text alone before the step goes on without a choice. */
const MOST_TEXTS = 3;

/**
 * Has the model choose among candidates, in a conversation of its own in the run's journal. Answers what it reported, as it said it; nothing where it gave no
 * answer in the form that was asked for.
 */
export async function chooseRepositories(
  services: Services,
  step: StepOf<'repo.identify'>,
  asked: { work: ChoiceWork; candidates: Candidate[]; hints: string },
): Promise<Choice[]> {
  const { work, candidates, hints } = asked;
  const { journal, start, signal } = work;
  const key = `step/${step.id}`;
  const { run, event, trust } = start;
  const subject: Subject = { journal, run, event, trust, agent: CHOOSER, base: { checkouts: [], changes: {} }, signal };
  const { tools, schemas } = equip(services, subject, { tools: [], injected: [], allow: null, prohibit: [], extra: reportChoice });
  const model = modelOf(services.settings, work.modelKey);
  const spender = stepSpender(services, { journal, start, key, price: model.price });
  const deadline = earliest(deadlineFrom(work.startedAt, step.stepMaxDurationMinutes, "the step's limit"), work.limit);
  const end = await converse({
    journal,
    key,
    model: services.model,
    modelId: model.id,
    maxTokens: MAX_TOKENS,
    contextTokens: CONTEXT_TOKENS,
    brief: async () => briefAgent({ event, instruction: askFor(step, candidates, hints), agent: CHOOSER }),
    schemas,
    tools,
    hear: (ahead) => hearLimits(services, { spender, deadline }, ahead),
    onAnswer: (turn, answer) => settleTurn(services, spender, turn, answer),
    ...mindTime(services, run, deadline?.at ?? null),
    onText: async (_, turn) =>
      turn + 1 < MOST_TEXTS ? { end: false, reply: 'Call task_completed with the repositories.' } : { end: true },
    signal,
  });
  return end.by === 'task_completed' ? z.array(Choice).parse(JSON.parse(end.message)) : [];
}

function askFor({ params }: StepOf<'repo.identify'>, candidates: Candidate[], hints: string): string {
  return [
    `Which of the repositories below is the request about: where would code have to be read or changed for it? Name at most ${params.maxResults}, each with a confidence from 0 to 1 and a reason of one sentence. Only names of this list count; where none fits, report none.`,
    ...(hints.trim() ? [`What the workflow says about them: ${hints.trim()}`] : []),
    dataBlock('repositories to choose from', candidates.map(describeCandidate).join('\n')),
  ].join('\n\n');
}

function describeCandidate({ repoFullName, description, language, topics }: Candidate): string {
  const facts = [description, language, topics.join(', ')].filter(Boolean).join('; ');
  return facts ? `${repoFullName}: ${facts}` : repoFullName;
}
