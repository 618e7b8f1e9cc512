import type { ToolResult } from '../journal/answer.ts';
import { Pending, ToolError } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { Changes } from '../journal/tree.ts';
import { LACKING } from '../journal/view.ts';
import { brokenInput } from './answer-stream.ts';
import { canonicalToolName } from './role.ts';
import type { Tool, ToolAnswer } from './tool.ts';

/** A tool call of a model. `id` is the model's own and only goes back to it; `key` is ours. */
export interface CallRequest {
  key: string;
  id: string;
  name: string;
  input: unknown;
}

/** The tools of one agent, and what surrounds a call. */
export interface TurnTools<C> {
  agent: string;
  /** The tool of a name or alias that this agent has. */
  find(name: string): Tool<C> | null;
  /** All names it has, for the answer to a wrong one. */
  names: string[];
  /** Tools that are the agent's to use and are not built. */
  lacking?: readonly string[];
  /** Whether a call is allowed after those that were used before it. */
  check(used: { name: string; input: unknown }[], call: { name: string; input: unknown }): { ok: true } | { ok: false; reason: string };
  run(tool: Tool<C>, call: CallRequest): Promise<ToolAnswer>;
  /** Delegations of one turn, together; answers in their order, or throws `Pending`. */
  delegate?(calls: CallRequest[]): Promise<ToolAnswer[]>;
}

/** What a call gave, as the model is told it; `id` is the call's own in the answer. */
export interface CallResult {
  id: string;
  text: string;
  error: boolean;
}

interface Planned<C> {
  call: CallRequest;
  refusal: string | null;
  tool: Tool<C> | null;
}

const COMPLETED = 'task_completed';
const DELEGATE = 'delegate_to_sub_agent';

/**
 * Runs the calls of one turn: those without effect together, writes in the order of the calls, then all delegations together, `task_completed` last.
 * `used` grows by what was allowed. Answers in the order of the calls; `completed` is the message of `task_completed`.
 */
export async function runCalls<C>(
  journal: Journal,
  tools: TurnTools<C>,
  turn: { calls: CallRequest[]; used: { name: string; input: unknown }[]; onlyNames: Set<string> | null },
): Promise<{ results: CallResult[]; completed: string | null }> {
  const planned = turn.calls.map((call) => planCall(tools, turn, call));
  await noteLacking(journal, tools, turn.calls);
  const answers = new Map<string, ToolResult>();
  for (const { call, refusal } of planned) if (refusal !== null) answers.set(call.key, { text: refusal, error: true });
  const open = planned.filter((one) => one.refusal === null);
  const nameOf = (one: Planned<C>) => one.tool?.name ?? one.call.name;
  const delegations = open.filter((one) => nameOf(one) === DELEGATE);
  const last = open.filter((one) => nameOf(one) === COMPLETED);
  const own = open.filter((one) => !delegations.includes(one) && !last.includes(one));
  const keep = async (one: Planned<C>) => void answers.set(one.call.key, await runOnce(journal, tools, one));
  await allOrThrow(own.filter((one) => one.tool?.effect === 'none').map(keep));
  for (const one of own.filter((other) => other.tool?.effect !== 'none')) await keep(one);
  await delegateOnce(journal, tools, { delegations, answers });
  for (const one of last) await keep(one);
  const results = turn.calls.map((call) => {
    const answer = answers.get(call.key) ?? { text: 'not run', error: true };
    return { id: call.id, text: answer.text === '' ? '(empty)' : answer.text, error: answer.error === true };
  });
  const completed = last.map((one) => answers.get(one.call.key)).find((answer) => answer && !answer.error);
  return { results, completed: completed ? completed.text : null };
}

function planCall<C>(
  tools: TurnTools<C>,
  turn: { used: { name: string; input: unknown }[]; onlyNames: Set<string> | null },
  call: CallRequest,
): Planned<C> {
  const tool = tools.find(call.name);
  if (!tool && isLacking(tools, call))
    return {
      call,
      tool,
      refusal: `${call.name} is not built in this release of Pitwall. Do what can be done without it, and say in your result what was left undone.`,
    };
  if (!tool) return { call, tool, refusal: `There is no tool "${call.name}" here. You have: ${tools.names.join(', ')}.` };
  if (brokenInput(call.input) !== null)
    return { call, tool, refusal: `The input of ${tool.name} was no JSON: send the call again with a whole JSON object.` };
  if (turn.onlyNames && !turn.onlyNames.has(tool.name))
    return { call, tool, refusal: `The session is ending: only ${[...turn.onlyNames].join(' and ')} can be used now.` };
  const verdict = tools.check(turn.used, { name: tool.name, input: call.input });
  if (!verdict.ok) return { call, tool, refusal: verdict.reason };
  turn.used.push({ name: tool.name, input: call.input });
  return { call, tool, refusal: null };
}

function isLacking<C>({ lacking = [] }: TurnTools<C>, { name }: CallRequest): boolean {
  return lacking.includes(canonicalToolName(name));
}

/** So that the run can say what was asked for and is not there. */
async function noteLacking<C>(journal: Journal, tools: TurnTools<C>, calls: CallRequest[]): Promise<void> {
  const asked = calls.filter((call) => isLacking(tools, call) && !journal.find('noted', `${call.key}${LACKING}`));
  await journal.append(
    ...asked.map(({ key, name }) => ({ type: 'noted' as const, key: `${key}${LACKING}`, value: canonicalToolName(name) })),
  );
}

async function runOnce<C>(journal: Journal, tools: TurnTools<C>, { call, tool }: Planned<C>): Promise<ToolResult> {
  const known = journal.find('call.ended', call.key);
  if (known) return known.result;
  if (!tool) throw new Error(`no tool for ${call.key}`);
  if (tool.effect !== 'none' && !journal.find('call.started', call.key)) {
    await journal.append({ type: 'call.started', key: call.key, name: tool.name, agent: tools.agent });
  }
  const { result, changes } = await attempt(() => tools.run(tool, call));
  await journal.append({ type: 'call.ended', key: call.key, name: tool.name, result, ...(changes ? { changes } : {}) });
  return result;
}

async function delegateOnce<C>(
  journal: Journal,
  tools: TurnTools<C>,
  turn: { delegations: Planned<C>[]; answers: Map<string, ToolResult> },
): Promise<void> {
  const open = turn.delegations.filter(({ call }) => {
    const known = journal.find('call.ended', call.key);
    if (known) turn.answers.set(call.key, known.result);
    return !known;
  });
  if (open.length === 0) return;
  if (!tools.delegate) throw new Error('this agent cannot delegate');
  const given = await tools.delegate(open.map((one) => one.call));
  const ended = open.map(({ call }, k) => {
    const { result, changes } = resultOf(given[k] ?? { text: 'This delegation gave no answer.', error: true });
    turn.answers.set(call.key, result);
    return { type: 'call.ended' as const, key: call.key, name: DELEGATE, result, ...(changes ? { changes } : {}) };
  });
  await journal.append(...ended);
}

async function attempt(work: () => Promise<ToolAnswer>): Promise<{ result: ToolResult; changes?: Changes }> {
  try {
    return resultOf(await work());
  } catch (error) {
    if (error instanceof ToolError) return { result: { text: error.message, error: true } };
    throw error;
  }
}

function resultOf({ text, error, changes }: ToolAnswer): { result: ToolResult; changes?: Changes } {
  return { result: error ? { text, error } : { text }, ...(changes ? { changes } : {}) };
}

/** Waits for all, so that one that waits does not orphan another's call; then a real error goes before `Pending`. */
async function allOrThrow(work: Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(work);
  const reasons = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const worst = reasons.find((reason) => !(reason instanceof Pending)) ?? reasons[0];
  if (worst !== undefined) throw worst;
}
