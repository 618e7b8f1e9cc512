import type { Answer, Block, Message } from '../journal/answer.ts';
import type { HeardComment } from '../journal/entry.ts';
import { Pending } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import { type CallRequest, runCalls, type TurnTools } from './calls.ts';
import { fitMessages, tokensIn } from './context-window.ts';
import { digestOfRequest, type Model, ModelUnavailable, PromptTooLong, type ToolSchema } from './model.ts';

/** What an agent is told at its start; written to the journal once, so that a later build or a changed memory cannot change a running conversation. */
export interface Briefing {
  system: string;
  messages: string[];
}

/** What reaches a conversation before a turn: texts (comments, notices), and the reason if this is to be its last turn, or (`abrupt`) if there is to be none. */
export interface News {
  texts: string[];
  closing: string | null;
  abrupt?: boolean;
  /** Comments among the texts, for the record. */
  heard?: HeardComment[];
}

/** The turn that is about to be asked: its number, the calls made so far, and the size of its prompt in tokens, roughly. */
export interface TurnAhead {
  turn: number;
  calls: number;
  tokens: number;
}

/** What a turn of text alone means: the end, or that the conversation goes on, with a text that is given back to the agent. */
export type TextVerdict = { end: true } | { end: false; reply: string | null };

export interface ConversationOptions<C> {
  journal: Journal;
  /** Place of this conversation in the journal, such as `step/review`; every turn and call gets a key below it. */
  key: string;
  model: Model;
  modelId: string;
  maxTokens: number;
  contextTokens: number;
  brief(): Promise<Briefing>;
  schemas: ToolSchema[];
  tools: TurnTools<C>;
  /** Asked before each turn that was not answered yet. Must only record what it answers; it may throw `Pending`. */
  hear(ahead: TurnAhead): Promise<News>;
  /** Told of an answer that was really asked for, while it is recorded. */
  onAnswer?(turn: number, answer: Answer): Promise<void>;
  onText?(text: string, turn: number): Promise<TextVerdict>;
  /** Whether `task_completed` is the end. Asked again on a replay, so it must answer from the journal. */
  onCompleted?(message: string, turn: number): Promise<boolean>;
  signal: AbortSignal;
}

/** How a conversation ended: its last message, and whether the agent said so itself. */
export interface ConversationEnd {
  message: string;
  by: 'task_completed' | 'text' | 'closing' | 'refusal';
  turns: number;
  calls: Record<string, number>;
}

/** The tools that are left when a conversation is told to end. */
const LAST_TOOLS = new Set(['update_status', 'task_completed']);

/** A conversation as far as it was walked. */
interface Walk {
  system: string;
  messages: Message[];
  used: { name: string; input: unknown }[];
  /** Settles when the briefing stands in the journal. */
  written: Promise<void>;
}

/**
 * Walks a conversation from its first turn; what the journal holds is answered from there, so the same code starts, resumes and replays.
 * Throws `Pending` where something has no answer yet.
 */
export async function converse<C>(options: ConversationOptions<C>): Promise<ConversationEnd> {
  const { briefing, written } = await briefOnce(options);
  const walk: Walk = { system: briefing.system, messages: [{ role: 'user', text: [...briefing.messages] }], used: [], written };
  for (let turn = 0; ; turn++) {
    const end = await takeTurn(options, walk, turn);
    if (end) return { ...end, turns: end.by === 'closing' && end.message === '' ? turn : turn + 1, calls: countCalls(walk.used) };
  }
}

type TurnEnd = Pick<ConversationEnd, 'message' | 'by'>;

async function takeTurn<C>(options: ConversationOptions<C>, walk: Walk, turn: number): Promise<TurnEnd | null> {
  const { messages, used } = walk;
  const key = `${options.key}/turn/${turn}`;
  const news = await hearOnce(options, key, { turn, calls: used.length, tokens: tokensIn(messages) });
  if (news.abrupt) return { message: '', by: 'closing' };
  addTexts(messages, news.closing === null ? news.texts : [...news.texts, closingNotice(news.closing, lastNames(options.schemas))]);
  const closing = news.closing !== null;
  const [answer] = await Promise.all([askOnce(options, { key, turn, system: walk.system, messages, closing }), walk.written]);
  messages.push({ role: 'assistant', content: speakable(answer.content) });
  if (answer.stop === 'refusal') return { message: 'The model refused to go on with this task.', by: 'refusal' };
  const calls = callsOf(answer, key);
  if (calls.length === 0) return takeText(options, messages, { text: textOf(answer), turn, closing });
  const { results, completed } = await runCalls(options.journal, options.tools, { calls, used, onlyNames: closing ? LAST_TOOLS : null });
  messages.push({ role: 'results', results, text: [] });
  if (completed === null) return closing ? { message: textOf(answer), by: 'closing' } : null;
  const ends = closing || !options.onCompleted || (await options.onCompleted(completed, turn));
  return ends ? { message: completed, by: 'task_completed' } : null;
}

async function takeText<C>(
  options: ConversationOptions<C>,
  messages: Message[],
  said: { text: string; turn: number; closing: boolean },
): Promise<TurnEnd | null> {
  if (said.closing) return { message: said.text, by: 'closing' };
  const verdict = options.onText ? await options.onText(said.text, said.turn) : { end: true as const };
  if (verdict.end) return { message: said.text, by: 'text' };
  if (verdict.reply !== null) messages.push({ role: 'user', text: [verdict.reply] });
  return null;
}

/** The entry is under way while the model is asked; it stands before the answer's, and `written` tells whether it was taken. */
async function briefOnce<C>(options: ConversationOptions<C>): Promise<{ briefing: Briefing; written: Promise<void> }> {
  const known = options.journal.find('briefed', options.key);
  if (known) return { briefing: { system: known.system, messages: known.messages }, written: Promise.resolve() };
  const briefing = await options.brief();
  const names = options.schemas.map((tool) => tool.name);
  const written = options.journal.append({ type: 'briefed', key: options.key, ...briefing, tools: names });
  written.catch(() => 'told to whoever waits for it');
  return { briefing, written };
}

async function hearOnce<C>({ journal, hear }: ConversationOptions<C>, key: string, ahead: TurnAhead): Promise<News> {
  const noted = journal.find('noted', `${key}/news`);
  if (noted) return noted.value as News;
  if (journal.find('turn.answered', key)) return { texts: [], closing: null };
  const { heard = [], ...news } = await hear(ahead);
  if (news.texts.length > 0 || news.closing !== null || heard.length > 0) {
    const comments = heard.map((one) => ({ type: 'comment.heard' as const, key: `${key}/heard/${one.comment}`, ...one }));
    await journal.append({ type: 'noted', key: `${key}/news`, value: news }, ...comments);
  }
  return news;
}

async function askOnce<C>(
  options: ConversationOptions<C>,
  at: { key: string; turn: number; system: string; messages: Message[]; closing: boolean },
): Promise<Answer> {
  const known = options.journal.find('turn.answered', at.key);
  if (known) return known.answer;
  const tools = at.closing ? options.schemas.filter((tool) => LAST_TOOLS.has(tool.name)) : options.schemas;
  const started = performance.now();
  try {
    const { answer, request } = await askFitting(options, { place: at.key, system: at.system, tools, messages: at.messages });
    const entry = { type: 'turn.answered' as const, key: at.key, answer, ms: Math.round(performance.now() - started), request };
    await Promise.all([options.journal.append(entry), options.onAnswer?.(at.turn, answer)]);
    return answer;
  } catch (error) {
    if (error instanceof ModelUnavailable) throw new Pending(`the model (${error.message})`, error.retryAt);
    throw error;
  }
}

/** Tokens are only estimated, so a prompt that the provider finds too long is shortened and asked again. */
async function askFitting<C>(
  options: ConversationOptions<C>,
  { place, ...prompt }: { place: string; system: string; tools: ToolSchema[]; messages: Message[] },
): Promise<{ answer: Answer; request: string }> {
  const ask = async (share: number) => {
    const told = { ...prompt, messages: fitMessages(prompt.messages, options.contextTokens * share) };
    const request = { ...told, model: options.modelId, maxTokens: options.maxTokens };
    const answer = await options.model.ask(request, { signal: options.signal, place });
    return { answer, request: digestOfRequest(told) };
  };
  for (const share of [1, 0.7]) {
    try {
      return await ask(share);
    } catch (error) {
      if (!(error instanceof PromptTooLong)) throw error;
    }
  }
  return ask(0.45);
}

/** Texts join the newest message that is ours, so that roles keep alternating. */
function addTexts(messages: Message[], texts: string[]): void {
  if (texts.length === 0) return;
  const last = messages.at(-1);
  if (last && last.role !== 'assistant') last.text.push(...texts);
  else messages.push({ role: 'user', text: texts });
}

function closingNotice(reason: string, names: string[]): string {
  const left = names.length === 0 ? 'No tool can be used any more' : `Only ${names.join(' and ')} exist`;
  const how = names.includes('task_completed') ? 'call task_completed with what there is' : 'answer with what there is';
  return `Your time ends now: ${reason}. This is your last turn. ${left}; ${how}.`;
}

function lastNames(schemas: ToolSchema[]): string[] {
  return schemas.map((tool) => tool.name).filter((name) => LAST_TOOLS.has(name));
}

/** The API takes no empty message back, and no empty text. */
function speakable(content: Block[]): Block[] {
  const kept = content.filter((block) => block.type !== 'text' || block.text.trim() !== '');
  return kept.length > 0 ? kept : [{ type: 'text', text: '(no answer)' }];
}

function callsOf(answer: Answer, key: string): CallRequest[] {
  return answer.content
    .filter((block) => block.type === 'tool_use')
    .map((block, index) => ({ key: `${key}/call/${index}`, id: block.id, name: block.name, input: block.input }));
}

function textOf(answer: Answer): string {
  return answer.content
    .flatMap((block) => (block.type === 'text' ? [block.text] : []))
    .join('\n')
    .trim();
}

function countCalls(used: { name: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name } of used) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
