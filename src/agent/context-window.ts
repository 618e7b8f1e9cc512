import type { Block, Message } from '../journal/answer.ts';

/** What stands for something that was left out: `call` is the id of the tool call, `chars` the length of the text. */
export type PointTo = (left: { call: string; tool: string; chars: number }) => string;

const CHARS_PER_TOKEN = 4;
const WORTH_IT = 400;
/** Room is made in steps of this share of the limit, so that the beginning of a conversation (and with it the prompt cache) changes seldom. */
const STEP = 0.25;

/** A rough count of tokens: 4 characters each. */
export function tokensIn(messages: readonly Message[]): number {
  return Math.ceil(messages.reduce((sum, message) => sum + lengthOf(message), 0) / CHARS_PER_TOKEN);
}

/**
 * A conversation that fits: where it is over `limitTokens` the oldest tool results are replaced by pointers, then long arguments of old calls.
 * The newest results stay whole. Pure: the same conversation gives the same bytes. It may still be too long when nothing old is left.
 */
export function fitMessages(messages: readonly Message[], limitTokens: number, pointTo: PointTo = pointToCall): Message[] {
  const excess = messages.reduce((sum, message) => sum + lengthOf(message), 0) - limitTokens * CHARS_PER_TOKEN;
  if (excess <= 0) return [...messages];
  const step = Math.max(1, limitTokens * CHARS_PER_TOKEN * STEP);
  const room = { toFree: Math.ceil(excess / step) * step };
  const newest = messages.findLastIndex((message) => message.role !== 'assistant');
  const names = toolNames(messages);
  const shorter = messages.map((message, at) => (at < newest ? shortenResults(message, { room, names, pointTo }) : message));
  return shorter.map((message, at) => (at < newest - 1 ? shortenArguments(message, { room, pointTo }) : message));
}

function shortenResults(message: Message, { room, names, pointTo }: { room: Room; names: Map<string, string>; pointTo: PointTo }): Message {
  if (message.role !== 'results' || room.toFree <= 0) return message;
  const results = message.results.map((result) => {
    if (room.toFree <= 0 || result.text.length < WORTH_IT) return result;
    const text = pointTo({ call: result.id, tool: names.get(result.id) ?? 'a tool', chars: result.text.length });
    room.toFree -= result.text.length - text.length;
    return { ...result, text };
  });
  return { ...message, results };
}

function shortenArguments(message: Message, { room, pointTo }: { room: Room; pointTo: PointTo }): Message {
  if (message.role !== 'assistant' || room.toFree <= 0) return message;
  const content = message.content.map((block) => {
    if (block.type !== 'tool_use' || room.toFree <= 0 || typeof block.input !== 'object' || block.input === null) return block;
    const input = Object.entries(block.input).map(([name, value]) => {
      if (typeof value !== 'string' || value.length < WORTH_IT || room.toFree <= 0) return [name, value];
      const text = pointTo({ call: block.id, tool: block.name, chars: value.length });
      room.toFree -= value.length - text.length;
      return [name, text];
    });
    return { ...block, input: Object.fromEntries(input) };
  });
  return { ...message, content };
}

interface Room {
  toFree: number;
}

function pointToCall({ call, tool, chars }: { call: string; tool: string; chars: number }): string {
  return `[left out to make room: ${chars} characters of ${tool}, call ${call}. Call the tool again if you need them.]`;
}

function toolNames(messages: readonly Message[]): Map<string, string> {
  const blocks = messages.flatMap((message) => (message.role === 'assistant' ? message.content : []));
  return new Map(blocks.flatMap((block) => (block.type === 'tool_use' ? [[block.id, block.name] as const] : [])));
}

function lengthOf(message: Message): number {
  if (message.role === 'user') return lengthOfTexts(message.text);
  if (message.role === 'results') return lengthOfTexts(message.text) + lengthOfTexts(message.results.map((result) => result.text));
  return message.content.reduce((sum, block) => sum + lengthOfBlock(block), 0);
}

function lengthOfTexts(texts: string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

function lengthOfBlock(block: Block): number {
  if (block.type === 'text') return block.text.length;
  if (block.type === 'tool_use') return block.name.length + JSON.stringify(block.input ?? {}).length;
  return block.type === 'thinking' ? block.thinking.length + block.signature.length : block.data.length;
}
