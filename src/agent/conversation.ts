import type { Answer, Block, Message } from '../journal/answer.ts';
import { CLOCK, type Clock } from '../journal/clock.ts';
import { Pending } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import { type CallRequest, runCalls, type TurnTools } from './calls.ts';
import { fitMessages, tokensIn } from './context-window.ts';
import { digestOfRequest, type Model, ModelUnavailable, PromptTooLong, type ToolSchema } from './model.ts';
import { hearTurn, type News, type TurnAhead, type TurnNews } from './news.ts';

/** What an agent is told at its start; written to the journal once, so that a later build or a changed memory cannot change a running conversation. */
export interface Briefing {
  system: string;
  messages: string[];
}

/** What a turn of text alone means: the end, or that the conversation goes on, with a text that is given back to the agent. */
export type TextVerdict = { end: true } | { end: false; reply: string | null };

/** An answer, and how long the model took (ms). */
export interface Answered {
  answer: Answer;
  ms: number;
}

/** What a conversation needs; everything that has to survive a crash goes through its journal. */
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
  /** Told of an answer that was really asked for, before it is recorded. */
  onAnswer?(turn: number, answered: Answered): Promise<void>;
  /** Told that the model went away, or came back, once the journal says so. */
  onAway?(): void;
  /** When it is to be asked for its end (ms since 1970); null for never. A call that is under way later by `graceMs` is given up, and so is a last turn. */
  latest?: number | null;
  /** How long that is, by the reason of the end where it is known. */
  graceMs?: (reason: string | null) => number;
  /** The clock that `latest` is meant by; this machine's where it is absent. */
  clock?: Clock;
  onText?(text: string, turn: number): Promise<TextVerdict>;
  /** Whether `task_completed` is the end. Asked again on a replay, so it must answer from the journal. */
  onCompleted?(message: string, turn: number): Promise<boolean>;
  signal: AbortSignal;
}

/** How a conversation ended: its last message, and whether the agent said so itself. */
export interface ConversationEnd {
  message: string;
  by: 'task_completed' | 'text' | 'closing' | 'refusal';
  /** Why the last turn was the last, where the agent did not choose it; null where it did. */
  closing: string | null;
  /** The number of its last turn, and how many were answered. */
  last: number;
  turns: number;
  calls: Record<string, number>;
}

/** The tools that are left when a conversation is told to end. */
const LAST_TOOLS = new Set(['update_status', 'task_completed']);
const DEFAULT_GRACE_MS = 60_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

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
  try {
    return await walkTurns(options, walk);
  } finally {
    await written.catch(() => 'told to whoever waits for it');
  }
}

async function walkTurns<C>(options: ConversationOptions<C>, walk: Walk): Promise<ConversationEnd> {
  for (let turn = 0; ; turn++) {
    const end = await takeTurn(options, walk, turn);
    if (end)
      return {
        ...end,
        last: turn,
        turns: options.journal.find('turn.answered', `${options.key}/turn/${turn}`) ? turn + 1 : turn,
        calls: countCalls(walk.used),
      };
  }
}

type TurnEnd = Pick<ConversationEnd, 'message' | 'by' | 'closing'>;

async function takeTurn<C>(options: ConversationOptions<C>, walk: Walk, turn: number): Promise<TurnEnd | null> {
  const { messages, used } = walk;
  const key = `${options.key}/turn/${turn}`;
  const isAnswered = options.journal.find('turn.answered', key) !== undefined;
  const ahead = { turn, calls: used.length, tokens: isAnswered ? 0 : tokensIn(messages) };
  const news = await hearTurn(options.journal, key, ahead, (one) => options.hear(one));
  const { closing } = news;
  if (news.abrupt) return { message: '', by: 'closing', closing };
  addTexts(messages, closing === null ? news.texts : [...news.texts, closingNotice(closing, lastNames(options.schemas))]);
  const [answer] = await Promise.all([askOnce(options, { key, turn, system: walk.system, messages, news }), walk.written]);
  messages.push({ role: 'assistant', content: speakable(answer.content) });
  if (answer.stop === 'refusal') return { message: 'The model refused to go on with this task.', by: 'refusal', closing };
  const calls = callsOf(answer, key);
  if (calls.length === 0) return takeText(options, messages, { text: textOf(answer), turn, closing });
  const onlyNames = closing === null ? null : LAST_TOOLS;
  const { results, completed } = await runCalls(options.journal, options.tools, { calls, used, onlyNames });
  messages.push({ role: 'results', results, text: [] });
  if (completed === null) return closing === null ? null : { message: textOf(answer), by: 'closing', closing };
  const ends = closing !== null || !options.onCompleted || (await options.onCompleted(completed, turn));
  return ends ? { message: completed, by: 'task_completed', closing } : null;
}

async function takeText<C>(
  options: ConversationOptions<C>,
  messages: Message[],
  said: { text: string; turn: number; closing: string | null },
): Promise<TurnEnd | null> {
  if (said.closing !== null) return { message: said.text, by: 'closing', closing: said.closing };
  const verdict = options.onText ? await options.onText(said.text, said.turn) : { end: true as const };
  if (verdict.end) return { message: said.text, by: 'text', closing: null };
  if (verdict.reply !== null) messages.push({ role: 'user', text: [verdict.reply] });
  return null;
}

/**
 * The entry is under way while the model is asked; it stands before the answer's, and `written` tells whether it was taken. A conversation is not left
 * before that: whoever walks it again by the same journal would be briefed twice.
 */
async function briefOnce<C>(options: ConversationOptions<C>): Promise<{ briefing: Briefing; written: Promise<void> }> {
  const known = options.journal.find('briefed', options.key);
  if (known) return { briefing: { system: known.system, messages: known.messages }, written: Promise.resolve() };
  const briefing = await options.brief();
  const names = options.schemas.map((tool) => tool.name);
  const written = options.journal.append({ type: 'briefed', key: options.key, ...briefing, tools: names });
  written.catch(() => 'told to whoever waits for it');
  return { briefing, written };
}

/** One question to the model; `news` says whether it is the last. */
interface Asking {
  key: string;
  turn: number;
  system: string;
  messages: Message[];
  news: TurnNews;
}

async function askOnce<C>(options: ConversationOptions<C>, at: Asking): Promise<Answer> {
  const known = options.journal.find('turn.answered', at.key);
  if (known) return known.answer;
  const { closing } = at.news;
  const tools = closing === null ? options.schemas : options.schemas.filter((tool) => LAST_TOOLS.has(tool.name));
  const started = performance.now();
  const { answer, request } = await askInTime(options, at, tools);
  const ms = Math.round(performance.now() - started);
  await options.onAnswer?.(at.turn, { answer, ms });
  await options.journal.append({ type: 'turn.answered', key: at.key, answer, ms, request });
  if (options.journal.find('model.away', at.key)) options.onAway?.();
  return answer;
}

/** Asks until the time is over: then, and where the model is away, it waits, so that the end is heard. */
async function askInTime<C>(
  options: ConversationOptions<C>,
  at: Asking,
  tools: ToolSchema[],
): Promise<{ answer: Answer; request: string }> {
  const late = at.news.closingAt ?? options.latest ?? null;
  const time = options.clock ?? CLOCK;
  const clock = late === null ? null : startClock(time, late + graceOf(options, at.news), options.signal);
  try {
    const prompt = { place: at.key, system: at.system, tools, messages: at.messages };
    return await askFitting({ ...options, signal: clock?.signal ?? options.signal }, prompt);
  } catch (error) {
    if (error instanceof ModelUnavailable) throw await waitForModel(options, at, error);
    if (clock?.signal.aborted && !options.signal.aborted) throw new Pending('its end', time.now());
    throw error;
  } finally {
    clock?.stop();
  }
}

/** A signal that aborts with another, and at a time (ms since 1970). */
function startClock(time: Clock, at: number, outer: AbortSignal): { signal: AbortSignal; stop(): void } {
  const clock = new AbortController();
  const follow = () => clock.abort(outer.reason);
  if (outer.aborted) follow();
  outer.addEventListener('abort', follow, { once: true });
  const stopped = new AbortController();
  const ms = Math.min(LONGEST_TIMER_MS, Math.max(0, at - time.now()));
  time.sleep(ms, stopped.signal).then(
    () => clock.abort(new Error('its time is over')),
    () => 'stopped before',
  );
  return {
    signal: clock.signal,
    stop() {
      stopped.abort('in time');
      outer.removeEventListener('abort', follow);
    },
  };
}

function graceOf<C>({ graceMs }: ConversationOptions<C>, { closing }: TurnNews): number {
  return graceMs?.(closing) ?? DEFAULT_GRACE_MS;
}

/** Comes back when the model may be there again, or sooner to hear its end. The wait is recorded, so that people are told of it. */
async function waitForModel<C>(options: ConversationOptions<C>, { key, news }: Asking, error: ModelUnavailable): Promise<Pending> {
  await options.journal.append({ type: 'model.away', key, message: error.message, until: error.retryAt });
  options.onAway?.();
  const end = news.closingAt === null ? (options.latest ?? null) : news.closingAt + graceOf(options, news);
  const soonest = end !== null && end > (options.clock ?? CLOCK).now() ? Math.min(end, error.retryAt) : error.retryAt;
  return new Pending(`the model (${error.message})`, soonest);
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
