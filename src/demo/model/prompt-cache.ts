import { createHash } from 'node:crypto';
import { blocksOf, type Reply } from './call.ts';
import type { MessagesRequest, ModelUsage } from './messages.ts';

/** The smallest prefix that the API caches, in tokens. */
const MINIMUM = 1024;

/** Prefixes up to a `cache_control` mark are remembered; a later request that begins with one reads it at a tenth of the price. */
export class PromptCache {
  #known = new Set<string>();

  /** Token figures of a request and its reply; remembers the request's marked prefixes. */
  charge(request: MessagesRequest, reply: Reply): ModelUsage {
    const hash = createHash('sha1').update(request.model);
    const prefix = { chars: 0, read: 0, marked: 0 };
    const fresh: string[] = [];
    for (const { text, marked } of piecesOf(request)) {
      prefix.chars += text.length;
      const digest = hash.update(`${text.length}:${text}`).copy().digest('base64');
      if (this.#known.has(digest)) prefix.read = prefix.chars;
      if (!marked) continue;
      prefix.marked = prefix.chars;
      fresh.push(digest);
    }
    const large = prefix.marked / 4 >= MINIMUM;
    if (large) for (const digest of fresh) this.#known.add(digest);
    const read = large ? Math.floor(prefix.read / 4) : 0;
    const written = large ? Math.max(0, Math.floor(prefix.marked / 4) - read) : 0;
    const answer = (reply.text ?? '') + (reply.tools ?? []).map((tool) => JSON.stringify(tool.input)).join('');
    return {
      input_tokens: Math.max(0, Math.ceil(prefix.chars / 4) - read - written),
      cache_creation_input_tokens: written,
      cache_read_input_tokens: read,
      output_tokens: Math.ceil(answer.length / 4),
    };
  }
}

function piecesOf(request: MessagesRequest): { text: string; marked: boolean }[] {
  const system = typeof request.system === 'string' ? [{ type: 'text', text: request.system }] : (request.system ?? []);
  const messages = request.messages.flatMap(({ role, content }) => blocksOf(content).map((block) => ({ role, ...block })));
  const pieces = [...(request.tools ?? []), ...system, ...messages].map(({ cache_control: mark, ...rest }) => ({
    text: JSON.stringify(rest),
    marked: Boolean(mark),
  }));
  const last = pieces.at(-1);
  if (request.cache_control && last) last.marked = true;
  return pieces;
}
