import type { ContentBlock, MessageParam, MessagesRequest, ToolParam } from './messages.ts';

/** An earlier tool call of the conversation. `result` is null while none was sent back; `error` tells that the tool refused. */
export interface Step {
  id: string;
  name: string;
  input: Record<string, unknown>;
  result: string | null;
  error: boolean;
  /** Index of the assistant message that asked for it. */
  turn: number;
}

/** One request to the model, seen the way a director wants it: who is asked, with which tools, and what was done so far. */
export interface Call {
  /** The model id that was asked for. */
  model: string;
  system: string;
  tools: ToolParam[];
  /** Every text of the user's side, in order, tool results not included. */
  userTexts: string[];
  /** The same with the index of the message that each stands in. */
  heard: { text: string; turn: number }[];
  steps: Step[];
  /** True where the model has not answered yet in this conversation. */
  first: boolean;
  offers(tool: string): boolean;
  done(tool: string): Step[];
}

/** What a director wants the model to answer. Tools without a text, a text without tools, both, or neither (an empty end of turn). */
export interface Reply {
  text?: string;
  tools?: { name: string; input: Record<string, unknown> }[];
  /** Overrides the server's latency for this answer, in milliseconds. */
  delayMs?: number;
  /** Overrides the stop reason, which otherwise follows from `tools`. */
  stop?: 'end_turn' | 'tool_use' | 'max_tokens' | 'refusal';
}

/** Decides what the model answers. It is given the conversation and nothing else, so it may be asked twice; what it throws is answered as a 500. */
export type Director = (call: Call) => Reply | Promise<Reply>;

/** Reads a request (already validated) into a `Call`. */
export function readCall(request: MessagesRequest): Call {
  const tools = request.tools ?? [];
  const { messages } = request;
  const steps = readSteps(messages);
  const heard = readTexts(messages);
  return {
    model: request.model,
    system: textOf(request.system ?? ''),
    tools,
    userTexts: heard.map(({ text }) => text),
    heard,
    steps,
    first: !messages.some((message) => message.role === 'assistant'),
    offers: (name) => tools.some((tool) => tool.name === name),
    done: (name) => steps.filter((step) => step.name === name),
  };
}

/** The text of a content field, whether it is a string or blocks. */
export function textOf(content: string | ContentBlock[]): string {
  if (typeof content === 'string') return content;
  return content.flatMap((block) => (block.type === 'text' ? [String(block.text ?? '')] : [])).join('\n');
}

/** The blocks of a content field, whether it is a string or blocks. */
export function blocksOf(content: string | ContentBlock[]): ContentBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function readTexts(messages: MessageParam[]): { text: string; turn: number }[] {
  return messages.flatMap(({ role, content }, turn) => {
    const blocks = role === 'user' ? blocksOf(content) : [];
    return blocks.flatMap((block) => (block.type === 'text' ? [{ text: String(block.text ?? ''), turn }] : []));
  });
}

function readSteps(messages: MessageParam[]): Step[] {
  const results = new Map<string, ContentBlock>();
  for (const { role, content } of messages) {
    if (role !== 'user') continue;
    for (const block of blocksOf(content)) if (block.type === 'tool_result') results.set(String(block.tool_use_id), block);
  }
  return messages.flatMap(({ role, content }, turn) => {
    if (role !== 'assistant') return [];
    return blocksOf(content)
      .filter((block) => block.type === 'tool_use')
      .map((block) => readStep(block, results.get(String(block.id)), turn));
  });
}

function readStep(use: ContentBlock, result: ContentBlock | undefined, turn: number): Step {
  return {
    id: String(use.id),
    name: String(use.name),
    input: (use.input ?? {}) as Record<string, unknown>,
    result: result ? textOf((result.content ?? '') as string | ContentBlock[]) : null,
    error: result?.is_error === true,
    turn,
  };
}
