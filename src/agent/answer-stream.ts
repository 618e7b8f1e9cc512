import { z } from 'zod';
import type { Answer, Block, Usage } from '../journal/answer.ts';

/** The stream ended, or said something that cannot be read, before the answer was whole: ask again. */
export class StreamBroken extends Error {
  override name = 'StreamBroken';
}

/** The provider reported an error inside the stream; `kind` is its word, such as `overloaded_error`. */
export class StreamError extends Error {
  override name = 'StreamError';
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

const Count = z.number().nullish();
const Tokens = z.object({ input_tokens: Count, output_tokens: Count, cache_read_input_tokens: Count, cache_creation_input_tokens: Count });
const Start = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string().default('') }),
  z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown() }),
  z.object({ type: z.literal('thinking'), thinking: z.string().default(''), signature: z.string().default('') }),
  z.object({ type: z.literal('redacted_thinking'), data: z.string() }),
]);
const Delta = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text_delta'), text: z.string() }),
  z.object({ type: z.literal('input_json_delta'), partial_json: z.string() }),
  z.object({ type: z.literal('thinking_delta'), thinking: z.string() }),
  z.object({ type: z.literal('signature_delta'), signature: z.string() }),
]);
const StreamEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message_start'), message: z.object({ model: z.string(), usage: Tokens }) }),
  z.object({ type: z.literal('content_block_start'), index: z.number(), content_block: Start }),
  z.object({ type: z.literal('content_block_delta'), index: z.number(), delta: Delta }),
  z.object({ type: z.literal('message_delta'), delta: z.object({ stop_reason: z.string().nullish() }), usage: Tokens.nullish() }),
  z.object({ type: z.literal('message_stop') }),
  z.object({ type: z.literal('error'), error: z.object({ type: z.string().default('api_error'), message: z.string().default('') }) }),
]);
type StreamEvent = z.infer<typeof StreamEvent>;

/** A block that is being written; `json` is what came of a tool's input so far. */
type Draft = { block: Block; json: string };

/** What has been read of an answer. `broken` counts tool calls whose input is no JSON object. */
export interface Reading {
  readonly usage: Usage;
  /** The answer is whole, whatever the connection does now. */
  readonly ended: boolean;
  /** Takes one event of the stream. Throws `StreamBroken` or `StreamError`. Events and blocks of unknown kinds are passed over. */
  take(data: string): void;
  /** The whole answer; throws `StreamBroken` where the stream ended too early. */
  finish(): { answer: Answer; broken: number };
}

/** Puts an answer together from the events of a stream. */
export function readAnswer(model: string): Reading {
  const state: State = { model, drafts: new Map(), usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }, stop: null, ended: false };
  return {
    get usage() {
      return state.usage;
    },
    get ended() {
      return state.ended;
    },
    take: (data) => takeEvent(state, data),
    finish: () => finishAnswer(state),
  };
}

interface State {
  model: string;
  drafts: Map<number, Draft>;
  usage: Usage;
  stop: string | null;
  ended: boolean;
}

function takeEvent(state: State, data: string): void {
  const event = parseEvent(data);
  switch (event?.type) {
    case 'message_start':
      state.model = event.message.model;
      state.usage = usageOf(state.usage, event.message.usage);
      return;
    case 'content_block_start':
      state.drafts.set(event.index, startBlock(event.content_block));
      return;
    case 'content_block_delta':
      addDelta(state.drafts.get(event.index), event.delta);
      return;
    case 'message_delta':
      state.stop = event.delta.stop_reason ?? state.stop;
      state.usage = usageOf(state.usage, event.usage ?? {});
      return;
    case 'message_stop':
      state.ended = true;
      return;
    case 'error':
      throw new StreamError(event.error.type, event.error.message);
  }
}

const KNOWN = new Set(['message_start', 'message_delta', 'error']);

function parseEvent(data: string): StreamEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw new StreamBroken('the model provider sent an event that is no JSON');
  }
  const parsed = StreamEvent.safeParse(value);
  if (parsed.success) return parsed.data;
  const type = typeof value === 'object' && value !== null && 'type' in value ? String(value.type) : '';
  if (KNOWN.has(type)) throw new StreamBroken(`the model provider sent a ${type} event that cannot be read`);
  return null;
}

function startBlock(start: z.infer<typeof Start>): Draft {
  if (start.type !== 'tool_use') return { block: start, json: '' };
  const given = typeof start.input === 'object' && start.input !== null && Object.keys(start.input).length > 0;
  return { block: { type: 'tool_use', id: start.id, name: start.name, input: {} }, json: given ? JSON.stringify(start.input) : '' };
}

function addDelta(draft: Draft | undefined, delta: z.infer<typeof Delta>): void {
  if (!draft) return;
  const { block } = draft;
  if (delta.type === 'input_json_delta') draft.json += delta.partial_json;
  else if (delta.type === 'text_delta' && block.type === 'text') block.text += delta.text;
  else if (delta.type === 'thinking_delta' && block.type === 'thinking') block.thinking += delta.thinking;
  else if (delta.type === 'signature_delta' && block.type === 'thinking') block.signature = delta.signature;
}

function finishAnswer(state: State): { answer: Answer; broken: number } {
  if (!state.ended) throw new StreamBroken('the stream of the model provider ended before the answer was whole');
  const stop = stopOf(state.stop);
  const drafts = [...state.drafts].sort(([a], [b]) => a - b).map(([, draft]) => draft);
  let broken = 0;
  const content = drafts.flatMap(({ block, json }, at): Block[] => {
    if (block.type !== 'tool_use') return [block];
    const cutOff = stop === 'max_tokens' && at === drafts.length - 1;
    const input = parseInput(json === '' && !cutOff ? '{}' : json);
    if (input !== null) return [{ ...block, input }];
    if (!cutOff) broken++;
    return cutOff ? [] : [{ ...block, input: { [BROKEN_INPUT]: json.slice(0, 2000) } }];
  });
  return { answer: { content: withUniqueIds(content), stop, usage: state.usage, model: state.model }, broken };
}

const BROKEN_INPUT = '__broken_json';

/** What a tool call has as input that was no JSON however often it was asked for: show it to the model as an error. Null for a sound input. */
export function brokenInput(input: unknown): string | null {
  return typeof input === 'object' && input !== null && BROKEN_INPUT in input ? String(input[BROKEN_INPUT]) : null;
}

function parseInput(json: string): object | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function withUniqueIds(content: Block[]): Block[] {
  const seen = new Set<string>();
  return content.map((block) => {
    if (block.type !== 'tool_use') return block;
    const id = seen.has(block.id) ? `${block.id}_${seen.size}` : block.id;
    seen.add(id);
    return { ...block, id };
  });
}

function stopOf(reason: string | null): Answer['stop'] {
  switch (reason) {
    case 'end_turn':
    case 'tool_use':
    case 'max_tokens':
    case 'refusal':
      return reason;
    case 'stop_sequence':
      return 'end_turn';
    case 'model_context_window_exceeded':
      return 'max_tokens';
    default:
      return 'other';
  }
}

function usageOf(before: Usage, tokens: z.infer<typeof Tokens> | Record<string, never>): Usage {
  return {
    input: tokens.input_tokens ?? before.input,
    output: tokens.output_tokens ?? before.output,
    cacheRead: tokens.cache_read_input_tokens ?? before.cacheRead,
    cacheWrite: tokens.cache_creation_input_tokens ?? before.cacheWrite,
  };
}
