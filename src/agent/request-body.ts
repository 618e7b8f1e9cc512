import type Anthropic from '@anthropic-ai/sdk';
import type { Block, Message } from '../journal/answer.ts';
import type { ModelRequest } from './model.ts';

type Cached = { cache_control?: Anthropic.CacheControlEphemeral | null };
type UserBlock = Anthropic.TextBlockParam | Anthropic.ToolResultBlockParam;

const MARK: Anthropic.CacheControlEphemeral = { type: 'ephemeral' };

/**
 * A request in the words of the Messages API, streaming, with at most four cache marks: the last tool, the system prompt, the newest message, and
 * the message of ours before it (in a conversation's first request the end of what is common). What the API would refuse (empty texts, lone
 * surrogates, odd tool names) is mended.
 */
export function requestBody(request: ModelRequest): Anthropic.MessageCreateParamsStreaming {
  const messages = request.messages.map(toParam);
  markMessages(messages);
  const tools = request.tools.map((tool, at) => ({ ...tool, ...(at === request.tools.length - 1 ? { cache_control: MARK } : {}) }));
  return {
    model: request.model,
    max_tokens: request.maxTokens,
    stream: true,
    ...(request.system.trim() ? { system: [{ type: 'text', text: wellFormed(request.system), cache_control: MARK }] } : {}),
    ...(tools.length > 0 ? { tools } : {}),
    messages,
  };
}

function toParam(message: Message): Anthropic.MessageParam {
  switch (message.role) {
    case 'user':
      return { role: 'user', content: textBlocks(message.text, '(no text)') };
    case 'assistant':
      return { role: 'assistant', content: assistantBlocks(message.content) };
    case 'results': {
      const results = message.results.map(({ id, text, error }): UserBlock => {
        const content = wellFormed(text) || '(no output)';
        return { type: 'tool_result', tool_use_id: id, content, ...(error ? { is_error: true } : {}) };
      });
      return { role: 'user', content: [...results, ...textBlocks(message.text, results.length > 0 ? null : '(no text)')] };
    }
  }
}

function textBlocks(texts: string[], instead: string | null): UserBlock[] {
  const kept = texts.filter((text) => text.trim() !== '');
  const all = kept.length > 0 || instead === null ? kept : [instead];
  return all.map((text) => ({ type: 'text', text: wellFormed(text) }));
}

function assistantBlocks(content: Block[]): Anthropic.ContentBlockParam[] {
  const blocks = content.flatMap((block): Anthropic.ContentBlockParam[] => {
    if (block.type === 'text') return block.text.trim() ? [{ type: 'text', text: wellFormed(block.text) }] : [];
    if (block.type !== 'tool_use') return [block];
    return [{ type: 'tool_use', id: block.id, name: sendableName(block.name), input: asObject(mend(block.input)) }];
  });
  return blocks.some((block) => block.type === 'text' || block.type === 'tool_use')
    ? blocks
    : [...blocks, { type: 'text', text: '(no answer)' }];
}

/** Marks the newest two of our messages, so that the cache entry which the request before wrote is found again and extended. */
function markMessages(messages: Anthropic.MessageParam[]): void {
  const ours = messages.flatMap((message) =>
    message.role === 'user' && Array.isArray(message.content) ? [message.content as Cached[]] : [],
  );
  const newest = ours.at(-1);
  mark(newest?.at(-1));
  if (ours.length > 1) mark(ours.at(-2)?.at(-1));
  else if (newest && newest.length > 1) mark(newest[0]);
}

function mark(block: Cached | undefined): void {
  if (block) block.cache_control = MARK;
}

/** A name that a model made up must be sendable, or the conversation could not go on. */
function sendableName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 128) || 'unnamed';
}

function asObject(input: unknown): Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? { ...input } : { value: input };
}

function mend(value: unknown): unknown {
  if (typeof value === 'string') return wellFormed(value);
  if (Array.isArray(value)) return value.map(mend);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [wellFormed(key), mend(inner)]));
}

/** The API refuses half of a surrogate pair, which cutting a text leaves behind. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
