import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server needs from the rest; handed over by `main.ts`. */
export interface AppParts {
  /** Whether GitHub signed this body. */
  verify(body: Buffer, signature: string): Promise<boolean>;
  /** Where a payload is not what GitHub sends under this event name: the difference in one line; null where it is, or nobody here reads it. */
  misfit(event: string, payload: object): string | null;
  /** Puts a delivery into the queue; resolves once Redis has it. */
  accept(delivery: { id: string; event: string; body: string }): Promise<void>;
  /** What keeps the process from being ready; empty when it is. */
  notReady(): Promise<string[]>;
  /** Is told how many webhooks were answered with each status. */
  metrics(webhooks: ReadonlyMap<number, number>): Promise<string>;
  /** Hears of errors that have no caller; must not throw. */
  onError(error: unknown): void;
}

/** The door at work. `close` takes nothing new and resolves when what was under way has its answer. */
export interface App {
  port: number;
  close(): Promise<void>;
}

/** What the door bears; GitHub sends at most 25 MiB and waits 10 s for an answer. `heldBytes`: of all bodies that are being read or handed on. */
export interface AppLimits {
  bodyBytes: number;
  heldBytes: number;
  bodyMs: number;
  acceptMs: number;
}

/** Where the door listens; port 0 takes any that is free. */
export interface AppOptions {
  port: number;
  host?: string;
  /** False where only health is told: webhooks are answered with 404. */
  webhooks?: boolean;
  limits?: Partial<AppLimits>;
}

const MIB = 1024 * 1024;
const LIMITS: AppLimits = { bodyBytes: 25 * MIB, heldBytes: 256 * MIB, bodyMs: 15_000, acceptMs: 4_500 };
const WEBHOOK_PATHS: ReadonlySet<string> = new Set(['/api/github/webhooks', '/']);
const TAKEN = 202;
const LINGER_MS = 1_000;
/** What is under way when the door closes has this long to end by itself (ms). */
const LEAVE_MS = 1_000;
/** Longer than proxies keep connections, so that none sends a delivery on one that is just being closed. */
const KEEP_ALIVE_MS = 75_000;

interface Answer {
  status: number;
  text: string;
  type?: string;
}

interface Door extends AppParts {
  limits: AppLimits;
  webhookPaths: ReadonlySet<string>;
  /** How many webhooks were answered with each status. */
  answered: Map<number, number>;
  /** Bytes of all bodies that are being read or handed on. */
  held: number;
  isClosing(): boolean;
  /** Aborted when what is under way is to be answered at once. */
  leaving: AbortSignal;
}

/** The door that GitHub comes in by: verify, one `add`, 202. Nothing else happens before the answer. */
export async function startApp(parts: AppParts, options: AppOptions): Promise<App> {
  const limits = { ...LIMITS, ...options.limits };
  const leaving = new AbortController();
  setMaxListeners(0, leaving.signal);
  const { webhooks = true } = options;
  const door: Door = {
    ...parts,
    limits,
    webhookPaths: webhooks ? WEBHOOK_PATHS : new Set(),
    answered: new Map(webhooks ? [[TAKEN, 0]] : []),
    held: 0,
    isClosing: () => !server.listening,
    leaving: leaving.signal,
  };
  const requestTimeout = limits.bodyMs + LINGER_MS;
  const server = createServer(
    {
      requestTimeout,
      headersTimeout: Math.min(10_000, requestTimeout),
      connectionsCheckingInterval: 5_000,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: 32_768,
    },
    (request, response) => {
      void answer(door, request, response);
    },
  );
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close() {
      return new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => leaving.abort(), LEAVE_MS).unref();
        setTimeout(() => server.closeAllConnections(), LEAVE_MS + LINGER_MS).unref();
      });
    },
  };
}

function listen(server: Server, { port, host, webhooks = true }: AppOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const variable = webhooks ? 'PORT' : 'PITWALL_HEALTH_PORT';
      reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} is taken: stop what uses it or set ${variable} to another`) : error);
    });
    server.listen(port, host, resolve);
  });
}

async function answer(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let given: Answer;
  try {
    given = await route(door, request);
  } catch (error) {
    door.onError(error);
    given = { status: 500, text: 'internal error' };
  }
  if (isWebhook(door, request)) door.answered.set(given.status, (door.answered.get(given.status) ?? 0) + 1);
  if (response.destroyed) return;
  const text = `${given.text}\n`;
  const unread = !request.complete;
  response.writeHead(given.status, {
    'content-type': given.type ?? 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...(unread || door.isClosing() ? { connection: 'close' } : {}),
  });
  response.write(text);
  if (unread) await letFinish(request);
  response.end();
}

/** Reads on for a moment and throws away: a connection that is closed while its client still sends takes the answer with it. */
function letFinish(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LINGER_MS);
    request.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    request.once('end', () => {
      clearTimeout(timer);
      resolve();
    });
    request.resume();
  });
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?')[0] ?? '/';
}

function isWebhook({ webhookPaths }: Door, request: IncomingMessage): boolean {
  return request.method === 'POST' && webhookPaths.has(pathOf(request));
}

async function route(door: Door, request: IncomingMessage): Promise<Answer> {
  const path = pathOf(request);
  if (isWebhook(door, request)) return takeWebhook(door, request);
  if (request.method === 'POST') return { status: 404, text: 'not found' };
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, text: 'method not allowed' };
  if (path === '/healthz') return { status: 200, text: 'ok' };
  if (path === '/readyz') {
    const missing = await door.notReady();
    return missing.length === 0 ? { status: 200, text: 'ready' } : { status: 503, text: missing.join('\n') };
  }
  if (path === '/metrics')
    return { status: 200, text: await door.metrics(door.answered), type: 'text/plain; version=0.0.4; charset=utf-8' };
  if (path === '/' && door.webhookPaths.has(path)) return { status: 200, text: 'Pitwall. Webhooks: POST /api/github/webhooks' };
  return { status: 404, text: 'not found' };
}

async function takeWebhook(door: Door, request: IncomingMessage): Promise<Answer> {
  const id = headerOf(request, 'x-github-delivery');
  const event = headerOf(request, 'x-github-event');
  const signature = headerOf(request, 'x-hub-signature-256');
  if (!/^[\w-]{1,128}$/.test(id) || !/^\w{1,64}$/.test(event))
    return { status: 400, text: 'X-GitHub-Delivery and X-GitHub-Event are required' };
  if (!/^sha256=[0-9a-f]{64}$/.test(signature)) return { status: 401, text: 'X-Hub-Signature-256 is missing or malformed' };
  const held = { bytes: 0 };
  try {
    const body = await readBody(door, request, held);
    if (!Buffer.isBuffer(body)) return explainUnread(body, door.limits);
    if (!(await door.verify(body, signature))) return { status: 401, text: 'the signature does not match' };
    const text = isForm(request) ? payloadOf(body.toString('utf8')) : body.toString('utf8');
    return await handOn(door, { id, event, body: text });
  } finally {
    door.held -= held.bytes;
  }
}

async function handOn(door: Door, delivery: { id: string; event: string; body: string }): Promise<Answer> {
  const payload = readObject(delivery.body);
  if (!payload) return { status: 400, text: 'the body is not a JSON object' };
  const misfit = door.misfit(delivery.event, payload);
  if (misfit !== null) return { status: 400, text: `the body is not what GitHub sends as "${delivery.event}": ${misfit}` };
  try {
    await within(door, door.accept(delivery));
  } catch (error) {
    door.onError(error);
    return { status: 503, text: 'the queue cannot be reached: deliver again later' };
  }
  return { status: TAKEN, text: 'accepted' };
}

function isForm(request: IncomingMessage): boolean {
  return /^application\/x-www-form-urlencoded\b/i.test(headerOf(request, 'content-type'));
}

/** The JSON in a form as GitHub makes it, of one field only: the signature does not cover the content type, so what a form holds beside it may be a body of another kind. */
function payloadOf(form: string): string {
  const [field, ...others] = new URLSearchParams(form);
  return field?.[0] === 'payload' && others.length === 0 ? field[1] : '';
}

function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

type Unread = 'too large' | 'too slow' | 'too much' | 'leaving';

function explainUnread(why: Unread, { bodyBytes, bodyMs }: AppLimits): Answer {
  switch (why) {
    case 'too large':
      return { status: 413, text: `the body is over ${bodyBytes / MIB} MiB` };
    case 'too slow':
      return { status: 408, text: `the body took over ${bodyMs / 1000} s` };
    case 'too much':
      return { status: 503, text: 'too much is being sent at once: deliver again later' };
    case 'leaving':
      return { status: 503, text: 'this process stops: deliver again later' };
  }
}

/** Counts what it keeps into `held` and the door's sum of it; the caller gives it back. */
function readBody(door: Door, request: IncomingMessage, held: { bytes: number }): Promise<Buffer | Unread> {
  const { limits, leaving } = door;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => finish('too slow'), limits.bodyMs);
    const leave = () => finish('leaving');
    function finish(value: Buffer | Unread): void {
      clearTimeout(timer);
      leaving.removeEventListener('abort', leave);
      request.off('data', take);
      chunks.length = 0;
      resolve(value);
    }
    function take(chunk: Buffer): void {
      held.bytes += chunk.length;
      door.held += chunk.length;
      if (held.bytes > limits.bodyBytes) finish('too large');
      else if (door.held > limits.heldBytes) finish('too much');
      else chunks.push(chunk);
    }
    leaving.addEventListener('abort', leave);
    request.on('end', () => finish(Buffer.concat(chunks)));
    request.on('close', () => finish('too slow'));
    request.on('error', () => finish('too slow'));
    if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes) finish('too large');
    else request.on('data', take);
  });
}

function readObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function within<T>({ limits, leaving }: Door, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(new Error('the door closes before the queue has answered'));
    const timer = setTimeout(() => reject(new Error(`no answer within ${limits.acceptMs} ms`)), limits.acceptMs);
    leaving.addEventListener('abort', leave);
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      leaving.removeEventListener('abort', leave);
    });
  });
}
