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
  metrics(): Promise<string>;
  /** Hears of errors that have no caller; must not throw. */
  onError(error: unknown): void;
}

export interface App {
  port: number;
  close(): Promise<void>;
}

/** What the door bears; GitHub sends at most 25 MiB and waits 10 s for an answer. */
export interface AppLimits {
  bodyBytes: number;
  bodyMs: number;
  acceptMs: number;
}

export interface AppOptions {
  port: number;
  host?: string;
  limits?: Partial<AppLimits>;
}

const LIMITS: AppLimits = { bodyBytes: 25 * 1024 * 1024, bodyMs: 15_000, acceptMs: 4_500 };
const WEBHOOK_PATHS = new Set(['/api/github/webhooks', '/']);
const LINGER_MS = 1_000;
/** Longer than proxies keep connections, so that none sends a delivery on one that is just being closed. */
const KEEP_ALIVE_MS = 75_000;

interface Answer {
  status: number;
  text: string;
  type?: string;
}

interface Door extends AppParts {
  limits: AppLimits;
  isClosing(): boolean;
}

/** The door that GitHub comes in by: verify, one `add`, 202. Nothing else happens before the answer. */
export async function startApp(parts: AppParts, options: AppOptions): Promise<App> {
  const limits = { ...LIMITS, ...options.limits };
  const door: Door = { ...parts, limits, isClosing: () => !server.listening };
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
        setTimeout(() => server.closeAllConnections(), 2_000).unref();
      });
    },
  };
}

function listen(server: Server, { port, host }: { port: number; host?: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} is taken: stop what uses it or set PORT to another`) : error);
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

async function route(door: Door, request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  if (request.method === 'POST' && WEBHOOK_PATHS.has(path)) return takeWebhook(door, request);
  if (request.method === 'POST') return { status: 404, text: 'not found' };
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, text: 'method not allowed' };
  if (path === '/healthz') return { status: 200, text: 'ok' };
  if (path === '/readyz') {
    const missing = await door.notReady();
    return missing.length === 0 ? { status: 200, text: 'ready' } : { status: 503, text: missing.join('\n') };
  }
  if (path === '/metrics') return { status: 200, text: await door.metrics(), type: 'text/plain; version=0.0.4; charset=utf-8' };
  if (path === '/') return { status: 200, text: 'Pitwall. Webhooks: POST /api/github/webhooks' };
  return { status: 404, text: 'not found' };
}

async function takeWebhook(door: Door, request: IncomingMessage): Promise<Answer> {
  const id = headerOf(request, 'x-github-delivery');
  const event = headerOf(request, 'x-github-event');
  const signature = headerOf(request, 'x-hub-signature-256');
  if (!/^[\w-]{1,128}$/.test(id) || !/^\w{1,64}$/.test(event))
    return { status: 400, text: 'X-GitHub-Delivery and X-GitHub-Event are required' };
  if (!/^sha256=[0-9a-f]{64}$/.test(signature)) return { status: 401, text: 'X-Hub-Signature-256 is missing or malformed' };
  const body = await readBody(request, door.limits);
  if (body === 'too large') return { status: 413, text: `the body is over ${door.limits.bodyBytes / 1024 / 1024} MiB` };
  if (body === 'too slow') return { status: 408, text: `the body took over ${door.limits.bodyMs / 1000} s` };
  if (!(await door.verify(body, signature))) return { status: 401, text: 'the signature does not match' };
  const text = body.toString('utf8');
  const payload = readObject(text);
  if (!payload) return { status: 400, text: 'the body is not a JSON object' };
  const misfit = door.misfit(event, payload);
  if (misfit !== null) return { status: 400, text: `the body is not what GitHub sends as "${event}": ${misfit}` };
  try {
    await within(door.limits.acceptMs, door.accept({ id, event, body: text }));
  } catch (error) {
    door.onError(error);
    return { status: 503, text: 'the queue cannot be reached: deliver again later' };
  }
  return { status: 202, text: 'accepted' };
}

function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

function readBody(request: IncomingMessage, { bodyBytes, bodyMs }: AppLimits): Promise<Buffer | 'too large' | 'too slow'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => finish('too slow'), bodyMs);
    function finish(value: Buffer | 'too large' | 'too slow'): void {
      clearTimeout(timer);
      request.off('data', take);
      chunks.length = 0;
      resolve(value);
    }
    function take(chunk: Buffer): void {
      size += chunk.length;
      if (size > bodyBytes) finish('too large');
      else chunks.push(chunk);
    }
    request.on('end', () => finish(Buffer.concat(chunks)));
    request.on('close', () => finish('too slow'));
    request.on('error', () => finish('too slow'));
    if (Number(request.headers['content-length'] ?? 0) > bodyBytes) finish('too large');
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

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
