import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, type Director, type Reply, readCall } from './call.ts';
import { cut, streamAnswer } from './event-stream.ts';
import { type Fault, type FaultPlan, takeFault } from './fault.ts';
import { ApiError, type MessageAnswer, type MessagesRequest, type ModelUsage, refuseRequest } from './messages.ts';
import { PromptCache } from './prompt-cache.ts';
import { directReview } from './reviewer.ts';
import { countTokens, validateRequest } from './validation.ts';

/** The only model there is here; its name says that nobody thinks. */
export const SCRIPTED_MODEL = 'pitwall-scripted';

const MAX_BODY = 64 * 1024 * 1024;

/** How a scripted model is started. All are optional; the port is a free one by default. */
export interface ScriptedModelOptions {
  port?: number;
  /** Milliseconds before each answer. */
  latencyMs?: number | ((call: Call) => number);
  apiKey?: string;
  /** Who decides the answers; the scripted reviewer by default. */
  director?: Director;
  /** A longer prompt is refused as the real API does. */
  contextTokens?: number;
  /** How many of the newest requests `requests` keeps. */
  keep?: number;
}

/** One call of /v1/messages, as it came and as it ended. */
export interface ModelCall {
  at: number;
  request: MessagesRequest;
  call: Call;
  reply: Reply | null;
  usage: ModelUsage | null;
  /** 0 while it runs, and where the asker went away. */
  status: number;
  aborted: boolean;
  endedAt: number | null;
}

/**
 * A server on loopback that speaks the Anthropic Messages API (streaming and whole answers, token counts, the list of models) and checks requests as
 * the real one does. Its answers come from a director: by default one that reviews any change by fixed rules, in tests any function.
 */
export class ScriptedModel {
  readonly apiKey: string;
  /** May be replaced at any time. */
  director: Director;
  latencyMs: number | ((call: Call) => number);
  readonly requests: ModelCall[] = [];
  /** Texts of the 400s that were answered: each is a mistake of the asker. */
  readonly rejected: string[] = [];
  /** Requests under way now, and the most that ever were. */
  live = 0;
  peak = 0;
  readonly #options: ScriptedModelOptions;
  readonly #faults: Fault[] = [];
  readonly #cache = new PromptCache();
  readonly #server: Server;

  /** Listens on 127.0.0.1; rejects where the port is taken. */
  static async start(options: ScriptedModelOptions = {}): Promise<ScriptedModel> {
    const model = new ScriptedModel(options);
    await new Promise<void>((done, failed) => {
      model.#server.once('error', failed);
      model.#server.listen(options.port ?? 0, '127.0.0.1', done);
    });
    return model;
  }

  private constructor(options: ScriptedModelOptions) {
    this.#options = options;
    this.apiKey = options.apiKey ?? `scripted-${randomBytes(18).toString('hex')}`;
    this.director = options.director ?? directReview;
    this.latencyMs = options.latencyMs ?? 0;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => sendError(response, error));
    });
  }

  /** The base URL for a client (`ANTHROPIC_BASE_URL`). */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Plans a fault; the answer counts its hits. */
  fault(plan: FaultPlan): Fault {
    const fault = { ...plan, seen: 0, hits: 0 };
    this.#faults.push(fault);
    return fault;
  }

  /** Closes the port and all connections. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((done) => this.#server.close(done));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const key = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer /, '');
    if (key !== this.apiKey) throw new ApiError(401, 'authentication_error', { message: 'invalid x-api-key' });
    if (!request.headers['anthropic-version']) throw refuseRequest('anthropic-version: header is required');
    const path = new URL(request.url ?? '/', this.url).pathname;
    const route = `${request.method} ${path}`;
    if (route === 'GET /v1/models')
      return sendJson(response, 200, { data: [MODEL], has_more: false, first_id: MODEL.id, last_id: MODEL.id });
    if (request.method === 'GET' && path.startsWith('/v1/models/')) return sendJson(response, 200, MODEL);
    if (route === 'POST /v1/messages/count_tokens')
      return sendJson(response, 200, { input_tokens: countTokens(parseBody(body) as MessagesRequest) });
    if (route === 'POST /v1/messages') return this.#message(parseBody(body), response);
    throw new ApiError(404, 'not_found_error', { message: `Not found: ${path}` });
  }

  async #message(body: unknown, response: ServerResponse): Promise<void> {
    const request = this.#validated(body);
    const record = this.#record(request);
    const gone = new AbortController();
    response.once('close', () => {
      record.aborted = !response.writableFinished;
      gone.abort();
    });
    this.peak = Math.max(this.peak, ++this.live);
    try {
      const fault = takeFault(this.#faults, record.call);
      const reply = await this.director(record.call);
      Object.assign(record, { reply, usage: this.#cache.charge(request, reply) });
      await this.#wait(record.call, reply, gone.signal);
      record.status = fault?.kind === 'hang' ? 0 : 200;
      await answer(response, record, fault);
    } catch (error) {
      if (gone.signal.aborted) return;
      record.status = error instanceof ApiError ? error.status : 500;
      throw error;
    } finally {
      this.live--;
      record.endedAt = Date.now();
    }
  }

  #validated(body: unknown): MessagesRequest {
    try {
      return validateRequest(body, { contextTokens: this.#options.contextTokens ?? 1_000_000 });
    } catch (error) {
      if (error instanceof ApiError) this.rejected.push(error.message);
      throw error;
    }
  }

  #record(request: MessagesRequest): ModelCall {
    const call = readCall(request);
    const record: ModelCall = { at: Date.now(), request, call, reply: null, usage: null, status: 0, aborted: false, endedAt: null };
    this.requests.push(record);
    if (this.requests.length > (this.#options.keep ?? 5_000)) this.requests.shift();
    return record;
  }

  async #wait(call: Call, reply: Reply, signal: AbortSignal): Promise<void> {
    const latency = typeof this.latencyMs === 'function' ? this.latencyMs(call) : this.latencyMs;
    const delay = reply.delayMs ?? latency;
    if (delay > 0) await sleep(delay, undefined, { signal });
  }
}

const MODEL = {
  type: 'model',
  id: SCRIPTED_MODEL,
  display_name: 'Scripted answers, no language model',
  created_at: '2026-01-01T00:00:00Z',
};

async function answer(response: ServerResponse, record: ModelCall, fault: Fault | null): Promise<void> {
  const kind = fault?.kind ?? null;
  if (kind === 'hang') return new Promise((done) => response.once('close', done));
  if (kind === 429) {
    const headers: Record<string, string> = fault?.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
    throw new ApiError(429, 'rate_limit_error', { message: 'This request would exceed the rate limit.', headers });
  }
  if (kind === 529) throw new ApiError(529, 'overloaded_error', { message: 'Overloaded' });
  if (kind === 500) throw new ApiError(500, 'api_error', { message: 'Internal server error' });
  const message = messageOf(record, kind);
  if (record.request.stream) return streamAnswer(response, message, kind);
  const text = JSON.stringify(message);
  if (kind === 'cut') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(text.length + 1) }).write(text.slice(0, 40));
    return cut(response);
  }
  if (kind === 'bad-json') response.writeHead(200, { 'content-type': 'application/json' }).end(text.slice(0, -12));
  else sendJson(response, 200, message);
}

function messageOf({ reply, usage }: ModelCall, fault: FaultPlan['kind'] | null): MessageAnswer {
  const text = reply?.text ? [{ type: 'text', text: reply.text }] : [];
  const uses = (reply?.tools ?? []).map((tool) => ({ type: 'tool_use', id: newId('toolu'), name: tool.name, input: tool.input }));
  const overridden = fault === 'refusal' ? 'refusal' : fault === 'max-tokens' ? 'max_tokens' : reply?.stop;
  return {
    id: newId('msg'),
    type: 'message',
    role: 'assistant',
    model: SCRIPTED_MODEL,
    content: fault === 'refusal' ? [] : [...text, ...uses],
    stop_reason: overridden ?? (uses.length ? 'tool_use' : 'end_turn'),
    stop_sequence: null,
    usage: usage ?? { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 },
  };
}

function newId(kind: string): string {
  return `${kind}_${randomBytes(12).toString('hex')}`;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += (part as Buffer).length;
    if (size > MAX_BODY)
      throw new ApiError(413, 'request_too_large', { message: 'Request exceeds the maximum size', headers: { connection: 'close' } });
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw refuseRequest('The request body is not valid JSON');
  }
}

function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, type, headers } = error instanceof ApiError ? error : { status: 500, type: 'api_error', headers: {} };
  const message = error instanceof Error ? error.message : String(error);
  sendJson(response, status, { type: 'error', error: { type, message }, request_id: newId('req') }, headers);
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json',
    'request-id': newId('req'),
    ...headers,
    'content-length': String(text.length),
  });
  response.end(text);
}
