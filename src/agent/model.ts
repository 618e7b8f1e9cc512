import { createHash } from 'node:crypto';
import type { Answer, Message } from '../journal/answer.ts';

/** A tool as the model is shown it. */
export interface ToolSchema {
  name: string;
  description: string;
  input_schema: { type: 'object'; [key: string]: unknown };
}

/** One question to a model. `system` and `tools` are the prefix that delegations of one agent share byte for byte. */
export interface ModelRequest {
  model: string;
  maxTokens: number;
  system: string;
  tools: ToolSchema[];
  messages: Message[];
}

/**
 * A model provider. `ask` resolves with a whole answer or throws `ModelUnavailable`, an abort, or an error that retries cannot cure (`ModelRefused`).
 * `place`: the key of the turn that asks, in its journal.
 */
export interface Model {
  ask(request: ModelRequest, options: { signal?: AbortSignal; onFirstByte?: () => void; place?: string }): Promise<Answer>;
}

const DIGEST_LENGTH = 16;

/** What a model is told, as a short digest: the record of a turn keeps it, so that a replay knows whether it would be told the same. Ids that a model made up do not count. */
export function digestOfRequest({ system, tools, messages }: Pick<ModelRequest, 'system' | 'tools' | 'messages'>): string {
  const told = `[${JSON.stringify(system)},${textOfTools(tools)},${JSON.stringify(messages.map(withoutIds))}]`;
  return createHash('sha256').update(told).digest('hex').slice(0, DIGEST_LENGTH);
}

/** Tools stay the same from turn to turn and from agent to agent. */
const texts = new WeakMap<ToolSchema, string>();

/** Tools as JSON. */
export function textOfTools(tools: readonly ToolSchema[]): string {
  return `[${tools.map(textOfTool).join(',')}]`;
}

function textOfTool(tool: ToolSchema): string {
  const known = texts.get(tool) ?? JSON.stringify(tool);
  texts.set(tool, known);
  return known;
}

function withoutIds(message: Message): unknown {
  if (message.role === 'assistant') return message.content.map((block) => (block.type === 'tool_use' ? [block.name, block.input] : block));
  return message.role === 'user' ? message.text : [message.results.map(({ text, error }) => [text, error]), message.text];
}

/** The provider is away or overloaded for longer than a call may wait: try again at `retryAt` (ms since 1970). */
export class ModelUnavailable extends Error {
  override name = 'ModelUnavailable';
  readonly retryAt: number;

  constructor(message: string, retryAt: number) {
    super(message);
    this.retryAt = retryAt;
  }
}

/** The provider refused the request itself (400, 401, 403, 404, 413): asking again changes nothing. The message says what to do. */
export class ModelRefused extends Error {
  override name = 'ModelRefused';
}

/** The prompt does not fit the model's context: a shorter one may. */
export class PromptTooLong extends ModelRefused {
  override name = 'PromptTooLong';
}
