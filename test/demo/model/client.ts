import type { ContentBlock, MessageParam, MessagesRequest, ToolParam } from '../../../src/demo/model/messages.ts';
import type { ScriptedModel } from '../../../src/demo/model/scripted-model.ts';

export interface Answer {
  content: ContentBlock[];
  stop_reason: string;
  model: string;
  usage: Record<string, number>;
}

export function post(model: ScriptedModel, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${model.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': model.apiKey, 'anthropic-version': '2023-06-01', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

export function ask(messages: MessageParam[], more: Partial<MessagesRequest> = {}): MessagesRequest {
  return { model: 'any', max_tokens: 1000, messages, ...more };
}

/** An event of a streamed answer, with the fields that a client looks at. */
export interface StreamEvent {
  type: string;
  index: number;
  message: Answer;
  content_block: ContentBlock;
  delta: { type?: string; text?: string; partial_json?: string; stop_reason?: string };
}

export function eventsIn(text: string): StreamEvent[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!));
}

/** Puts a streamed answer together as a client does. */
export function assemble(text: string): Answer {
  const events = eventsIn(text);
  const answer = events.find((event) => event.type === 'message_start')!.message;
  const inputs = new Map<number, string>();
  for (const { type, index, content_block: block, delta } of events) {
    if (type === 'content_block_start') answer.content[index] = block;
    if (delta?.type === 'text_delta') answer.content[index]!.text += delta.text!;
    if (delta?.type === 'input_json_delta') inputs.set(index, (inputs.get(index) ?? '') + delta.partial_json);
    if (type === 'message_delta') answer.stop_reason = delta.stop_reason!;
  }
  for (const [index, json] of inputs) answer.content[index]!.input = JSON.parse(json || '{}');
  return answer;
}

export const tool = (name: string, properties: Record<string, unknown> = {}): ToolParam => ({
  name,
  description: name,
  input_schema: { type: 'object', properties },
});
