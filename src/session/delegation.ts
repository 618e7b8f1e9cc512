import { briefDelegation } from '../agent/briefing.ts';
import { type ConversationEnd, converse, type TextVerdict } from '../agent/conversation.ts';
import { missingOf } from '../agent/expectation.ts';
import type { News, TurnAhead } from '../agent/news.ts';
import type { Usage } from '../journal/answer.ts';
import type { DelegationEnd, DelegationStart, Draft } from '../journal/entry.ts';
import { Superseded } from '../journal/errors.ts';
import { GIVEN_UP } from '../journal/given-up.ts';
import type { Journal } from '../journal/journal.ts';
import { addTo, lackingTools, treeOf } from '../journal/view.ts';
import { isGraceOver, overOf } from './deadline.ts';
import { readEnds } from './ends.ts';
import { lastWords } from './last-words.ts';
import { equip, SHARED_TOOLS, type Subject } from './mind.ts';
import { mindTime, modelOf, type Services } from './services.ts';
import { delegationSpender, limitOf, newsOf, type Spender, settleTurn } from './spending.ts';
import { judgeTrouble } from './trouble.ts';

/** Output tokens that one answer may have. */
export const MAX_TOKENS = 16_000;
/** Input tokens that fit; older tool results are replaced by pointers above it. */
export const CONTEXT_TOKENS = 172_000;

/**
 * Works on one delegation until it ends or must wait, then wakes its run. Its journal is all it needs, so any process can take it up.
 * Throws `Pending` where it waits, anything else where it has to be tried again.
 */
export async function advanceDelegation(services: Services, id: string, signal: AbortSignal): Promise<void> {
  const journal = await services.store.journals.open(id);
  const first = journal.entries[0];
  if (first?.type !== 'delegation.started') return services.store.expected.forget({ wake: 'delegation', id });
  if (!journal.find('delegation.ended', 'end'))
    await workUntilTold(services, journal, { start: first.start, signal: AbortSignal.any([signal, journal.lost]) });
  services.store.journals.close(id);
  const { batches, expected, queues } = services.store;
  if ((await batches.end(first.start.run, id)) === 0) await queues.wakeRun(first.start.run);
  else await queues.wakeRunSoon(first.start.run);
  await expected.forget({ wake: 'delegation', id });
}

/** Ends a delegation whose process had ended too often; `what` says how often. Its coordinator gets that as an error result, and decides. */
export async function quarantineDelegation(services: Services, id: string, what: string): Promise<void> {
  const journal = await services.store.journals.open(id);
  const first = journal.entries[0];
  if (first?.type !== 'delegation.started' || journal.find('delegation.ended', 'end')) return;
  const turn = journal.entries.filter((entry) => entry.type === 'turn.answered').length;
  const result = `${what}, in turn ${turn + 1} of its work. It was given up; what it recorded until then stands.`;
  const end = endOf(journal, first.start, { status: 'failed', result, ...figuresOf(journal) });
  await journal.append({ type: 'noted', key: GIVEN_UP, value: result }, end);
}

/** Ends a delegation whose journal cannot even be read, by its first and its last entry alone: the others are set aside. Throws where it goes on after all. */
export async function giveUpDelegation({ store }: Services, id: string, what: string): Promise<void> {
  const length = await store.journals.lengthOf(id);
  const { first, last } = await readEnds(store, id);
  if (first?.type !== 'delegation.started') return;
  const result = `${what}. It was given up, and files that it changed are lost; what it recorded until then stands.`;
  const lost: DelegationEnd = { status: 'failed', result, turns: 0, calls: {}, usage: {}, changes: {} };
  const end = last?.type === 'delegation.ended' ? last.end : lost;
  const drafts = [
    { type: 'noted' as const, key: GIVEN_UP, value: result },
    { type: 'delegation.ended' as const, key: 'end', delegation: id, end },
  ];
  if (!(await store.journals.setAside(id, length, drafts))) throw new Superseded(`journal ${id} goes on`);
}

/** A call that is aborted because the delegation was told to end is followed by that end. */
async function workUntilTold(
  services: Services,
  journal: Journal,
  { start, signal }: { start: DelegationStart; signal: AbortSignal },
): Promise<void> {
  const { cancels } = services.store;
  try {
    await cancels.hold(journal.id, signal, (held) => work(services, journal, { start, signal: held }));
  } catch (error) {
    if (signal.aborted || (await cancels.reasonOf(journal.id)) === null) throw error;
    await work(services, journal, { start, signal });
  }
}

async function work(
  services: Services,
  journal: Journal,
  { start, signal }: { start: DelegationStart; signal: AbortSignal },
): Promise<void> {
  const subject: Subject = {
    journal,
    run: start.run,
    event: start.event,
    trust: start.trust,
    agent: start.agent,
    base: start.tree,
    signal,
    partial: start.partial,
    commands: start.commands ?? [],
    rules: start.rules,
  };
  await journal.append(endOf(journal, start, await talk(services, subject, start)));
}

type Spoken = Pick<DelegationEnd, 'status' | 'result' | 'turns' | 'calls'>;

function endOf(journal: Journal, { delegation }: DelegationStart, said: Spoken): Draft {
  const end = { ...said, usage: usageOf(journal), changes: changesOf(journal), ...lackingOf(journal) };
  return { type: 'delegation.ended', key: 'end', delegation, end };
}

async function talk(services: Services, subject: Subject, start: DelegationStart): Promise<Spoken> {
  const { tools, schemas } = equip(services, subject, {
    tools: start.agent.tools,
    injected: SHARED_TOOLS,
    allow: start.allow,
    prohibit: start.prohibit,
  });
  const model = modelOf(services.settings, start.agent.model ?? start.modelKey);
  const spender = delegationSpender(services, { journal: subject.journal, start, price: model.price });
  try {
    const end = await converse({
      journal: subject.journal,
      key: 'work',
      model: services.model,
      modelId: model.id,
      maxTokens: MAX_TOKENS,
      contextTokens: CONTEXT_TOKENS,
      brief: async () => briefDelegation(start),
      schemas,
      tools,
      hear: (ahead) => hearDelegation(services, { start, spender, id: subject.journal.id }, ahead),
      onAnswer: (turn, answer) => settleTurn(services, spender, turn, answer),
      ...mindTime(services, start.run, start.deadline),
      onText: (_, turn) => judgeText(services, subject, { start, turn }),
      signal: subject.signal,
    });
    return await settle(services, subject, { start, end });
  } catch (error) {
    const result = await judgeTrouble({ journal: subject.journal, key: 'work', signal: subject.signal }, error);
    return { status: 'failed', result, ...figuresOf(subject.journal) };
  }
}

/** What a delegation hears before a turn: an order to end at once, its time, its limits. */
async function hearDelegation(
  services: Services,
  { start, spender, id }: { start: DelegationStart; spender: Spender; id: string },
  ahead: TurnAhead,
): Promise<News> {
  const [order, limit] = await Promise.all([services.store.cancels.reasonOf(id), limitOf(services, spender, ahead)]);
  if (order !== null) return { texts: [], closing: order, abrupt: true };
  const over = await overOf(services, start.deadline === null ? null : { at: start.deadline, reason: 'its time is over' });
  return newsOf({
    closing: over ?? limit?.closing ?? null,
    warning: over ? null : (limit?.warning ?? null),
    abrupt: await isGraceOver(services, ahead),
  });
}

/** What `expect` misses is named to the agent once; the verdict is recorded, so that a replay comes to the same end. */
async function judgeText(
  services: Services,
  subject: Subject,
  { start, turn }: { start: DelegationStart; turn: number },
): Promise<TextVerdict> {
  if (!start.expect) return { end: true };
  return subject.journal.once(`work/turn/${turn}/verdict`, async (): Promise<TextVerdict> => {
    const missing = await missingFor(services, subject, start);
    const reminded = subject.journal.entries.some((entry) => entry.type === 'noted' && entry.key.endsWith('/verdict'));
    if (missing.length === 0 || reminded) return { end: true };
    return { end: false, reply: `Not done yet: ${missing.join('; ')}. Do it now, then answer.` };
  });
}

async function settle(
  services: Services,
  subject: Subject,
  { start, end }: { start: DelegationStart; end: ConversationEnd },
): Promise<Spoken> {
  const { turns, calls, message } = end;
  if (end.by === 'closing') {
    const order = await services.store.cancels.reasonOf(subject.journal.id);
    if (order !== null)
      return { status: 'cancelled', result: `${order}. Last said: ${lastWords(subject.journal, 'work') || 'nothing'}`, turns, calls };
    return {
      status: 'timed out',
      result: message || `${end.closing}. Last said: ${lastWords(subject.journal, 'work') || 'nothing'}`,
      turns,
      calls,
    };
  }
  if (end.by === 'refusal') return { status: 'failed', result: message, turns, calls };
  const missing = await missingFor(services, subject, start);
  if (missing.length > 0) return { status: 'failed', result: `${message}\n\nNot done: ${missing.join('; ')}.`, turns, calls };
  return { status: 'completed', result: message, turns, calls };
}

async function missingFor(services: Services, { journal, run }: Subject, { expect }: DelegationStart): Promise<string[]> {
  if (!expect) return [];
  const pads = await services.store.pads(run).list();
  const output = lastWords(journal, 'work');
  const calls = journal.entries.filter((entry) => entry.type === 'call.ended').length;
  return missingOf(expect, { scratchpads: pads.filter((pad) => pad.size > 0).map((pad) => pad.name), calls, output });
}

/** What was done until an error ended it. */
function figuresOf({ entries }: Journal): Pick<DelegationEnd, 'turns' | 'calls'> {
  const calls: Record<string, number> = {};
  for (const entry of entries) if (entry.type === 'call.ended') calls[entry.name] = (calls[entry.name] ?? 0) + 1;
  return { turns: entries.filter((entry) => entry.type === 'turn.answered').length, calls };
}

function usageOf(journal: Journal): Record<string, Usage> {
  const usage: Record<string, Usage> = {};
  for (const entry of journal.entries) if (entry.type === 'turn.answered') addTo(usage, entry.answer.model, entry.answer.usage);
  return usage;
}

function lackingOf({ entries }: Journal): { lacking?: string[] } {
  const lacking = lackingTools(entries);
  return lacking.length > 0 ? { lacking } : {};
}

function changesOf(journal: Journal) {
  return treeOf({ checkouts: [], changes: {} }, journal.entries).changes;
}
