import { blocksOf } from './call.ts';
import { type ContentBlock, type MessageParam, type MessagesRequest, refuseRequest, type ToolParam } from './messages.ts';

/**
 * Checks a request as the real API does and answers it typed: fields, roles, empty texts, the pairing of tool_use and tool_result, tool names, and at
 * most four cache_control marks. Throws an `ApiError` 400 whose text is the API's own.
 */
export function validateRequest(body: unknown, limits: { contextTokens: number }): MessagesRequest {
  if (typeof body !== 'object' || body === null) throw refuseRequest('The request body must be an object');
  const request = body as MessagesRequest;
  if (typeof request.model !== 'string' || request.model === '') throw refuseRequest('model: Field required');
  if (!Number.isInteger(request.max_tokens) || request.max_tokens < 1) throw refuseRequest('max_tokens: Field required');
  validateMessages(request.messages);
  validateTools(request.tools ?? []);
  const marks = countMarks(request);
  if (marks > 4) throw refuseRequest(`A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`);
  const tokens = countTokens(request);
  if (tokens > limits.contextTokens) throw refuseRequest(`prompt is too long: ${tokens} tokens > ${limits.contextTokens} maximum`);
  return request;
}

/** Tokens of a request by the rule of thumb of four characters each. */
export function countTokens(request: Partial<MessagesRequest>): number {
  return Math.ceil(JSON.stringify([request.system ?? '', request.tools ?? [], request.messages ?? []]).length / 4);
}

function validateMessages(messages: unknown): void {
  if (!Array.isArray(messages) || messages.length === 0) throw refuseRequest('messages: at least one message is required');
  if (messages[0]?.role !== 'user') throw refuseRequest('messages: first message must use the "user" role');
  for (const [at, message] of (messages as MessageParam[]).entries()) {
    validateContent(message, at, at === messages.length - 1);
    if (message.role === 'assistant') validateUses(messages, at);
    else validateResults(messages, at);
  }
}

function validateContent(message: MessageParam, at: number, last: boolean): void {
  if (message?.role !== 'user' && message?.role !== 'assistant')
    throw refuseRequest(`messages.${at}.role: Input should be 'user' or 'assistant'`);
  if (typeof message.content !== 'string' && !Array.isArray(message.content))
    throw refuseRequest(`messages.${at}.content: Input should be a valid list`);
  const blocks = blocksOf(message.content);
  if (blocks.length === 0 && !(last && message.role === 'assistant'))
    throw refuseRequest(`messages.${at}: all messages must have non-empty content`);
  if (blocks.some((block) => block.type === 'text' && block.text === ''))
    throw refuseRequest('messages: text content blocks must be non-empty');
}

function validateUses(messages: MessageParam[], at: number): void {
  const ids = idsOf(messages[at], 'tool_use', 'id');
  if (new Set(ids).size !== ids.length) throw refuseRequest(`messages.${at}: \`tool_use\` ids must be unique`);
  const answered = new Set(idsOf(messages[at + 1], 'tool_result', 'tool_use_id'));
  const missing = ids.filter((id) => !answered.has(id));
  if (missing.length === 0) return;
  throw refuseRequest(
    `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
  );
}

function validateResults(messages: MessageParam[], at: number): void {
  const asked = new Set(idsOf(messages[at - 1], 'tool_use', 'id'));
  for (const id of idsOf(messages[at], 'tool_result', 'tool_use_id')) {
    if (asked.has(id)) continue;
    throw refuseRequest(
      `messages.${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
    );
  }
}

function idsOf(message: MessageParam | undefined, type: string, field: string): string[] {
  const blocks: ContentBlock[] = message ? blocksOf(message.content) : [];
  return blocks.filter((block) => block.type === type).map((block) => String(block[field]));
}

function validateTools(tools: ToolParam[]): void {
  if (!Array.isArray(tools)) throw refuseRequest('tools: Input should be a valid list');
  const names = new Set<string>();
  for (const [at, tool] of tools.entries()) {
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(tool?.name ?? ''))
      throw refuseRequest(`tools.${at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
    if (names.has(tool.name)) throw refuseRequest('tools: Tool names must be unique.');
    if (tool.input_schema?.type !== 'object') throw refuseRequest(`tools.${at}.custom.input_schema.type: Field required`);
    names.add(tool.name);
  }
}

/** Only places where a mark has its meaning; an agent's own text or input may hold the same word. */
function countMarks(request: MessagesRequest): number {
  const system = typeof request.system === 'string' ? [] : (request.system ?? []);
  const blocks = request.messages.flatMap((message) => blocksOf(message.content));
  return [request, ...(request.tools ?? []), ...system, ...blocks].filter((item) => item.cache_control).length;
}
