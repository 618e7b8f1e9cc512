import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

/** How the outside is reached. */
export interface TransportOptions {
  /** `http://user:password@host:port`: https goes through it by CONNECT. */
  proxy?: string;
  /** Hosts that are reached directly, as in NO_PROXY: `a.example,.b.example,*`. */
  noProxy?: string;
  maxSockets?: number;
  /** How long (ms) a connection is kept that nothing goes over. */
  idleMs?: number;
  /** A kept connection that turns out to be dead is replaced by a fresh one for what only reads: a write may have been carried out. */
  repeatsReadsOnly?: boolean;
}

const MAX_SOCKETS = 512;
/** Sooner than routers and load balancers forget a connection without a word. */
const IDLE_MS = 30_000;

/**
 * A thin `fetch` over node:http that keeps connections and streams answers: what the model client needs, at a fraction of the cost of the built-in
 * one. Bodies are text or bytes; nothing is followed, unpacked or cached. Further certificates come by NODE_EXTRA_CA_CERTS.
 */
export function createTransport(options: TransportOptions = {}): typeof fetch {
  const { maxSockets = MAX_SOCKETS, idleMs = IDLE_MS } = options;
  const pool = { keepAlive: true, maxSockets, timeout: idleMs, scheduling: 'lifo' as const };
  const direct = { 'http:': new HttpAgent(pool), 'https:': new HttpsAgent(pool) };
  const tunnelled = options.proxy ? tunnelAgent(new URL(options.proxy), pool) : null;
  return async (input, init = {}) => {
    const url = new URL(typeof input === 'string' || input instanceof URL ? input : input.url);
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new TypeError(`cannot fetch ${url.protocol} addresses: use http or https`);
    const proxied = tunnelled && url.protocol === 'https:' && !isExempt(url.hostname, options.noProxy ?? '');
    const agent = proxied ? tunnelled : direct[url.protocol];
    return send(url, { init, agent, again: !options.repeatsReadsOnly || init.method === 'GET' || init.method === 'HEAD' });
  };
}

interface Sending {
  init: RequestInit;
  agent: HttpAgent;
  /** Whether a kept connection that turns out to be dead may be replaced by a fresh one. */
  again: boolean;
}

function send(url: URL, { init, agent, again }: Sending): Promise<Response> {
  return new Promise((resolve, reject) => {
    const signal = init.signal ?? null;
    if (signal?.aborted) return reject(abortError(signal));
    const body = bytesOf(init.body);
    const start = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = start(url, { method: init.method ?? 'GET', headers: headersOf(init.headers, body), agent });
    const onAbort = () => request.destroy(abortError(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    request.once('response', (message) => {
      message.once('close', () => signal?.removeEventListener('abort', onAbort));
      resolve(responseOf(message, url));
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener('abort', onAbort);
      if (again && request.reusedSocket && error.code === 'ECONNRESET' && !signal?.aborted)
        resolve(send(url, { init, agent, again: false }));
      else reject(signal?.aborted ? abortError(signal) : error);
    });
    request.end(body);
  });
}

/** With its address, by which clients find the next page. */
function responseOf(message: IncomingMessage, url: URL): Response {
  const headers = new Headers();
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2)
    headers.append(message.rawHeaders[at] ?? '', message.rawHeaders[at + 1] ?? '');
  const status = message.statusCode ?? 500;
  const empty = status === 204 || status === 205 || status === 304;
  if (empty) message.resume();
  const response = new Response(empty ? null : streamOf(message), { status, statusText: message.statusMessage, headers });
  return Object.defineProperty(response, 'url', { value: url.href });
}

const BUFFERED_CHUNKS = 16;

function streamOf(message: IncomingMessage): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        let open = true;
        const end = (error?: Error) => {
          if (!open) return;
          open = false;
          if (error) controller.error(error);
          else controller.close();
        };
        message.on('data', (chunk: Buffer) => {
          if (!open) return;
          controller.enqueue(chunk);
          if ((controller.desiredSize ?? 0) <= 0) message.pause();
        });
        message.once('end', () => end());
        message.once('error', end);
        message.once('close', () => end(message.complete ? undefined : new Error('the connection closed before the answer was whole')));
      },
      pull() {
        message.resume();
      },
      cancel() {
        message.destroy();
      },
    },
    { highWaterMark: BUFFERED_CHUNKS },
  );
}

function bytesOf(body: RequestInit['body']): Buffer | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  throw new TypeError('this transport sends text or bytes only');
}

function headersOf(given: RequestInit['headers'], body: Buffer | undefined): Record<string, string> {
  const headers = Object.fromEntries(new Headers(given));
  return body ? { ...headers, 'content-length': String(body.byteLength) } : headers;
}

/** As the built-in one: what took too long says so. */
function abortError(signal: AbortSignal | null): DOMException {
  const { reason } = signal ?? {};
  return reason instanceof DOMException && reason.name === 'TimeoutError'
    ? reason
    : new DOMException('This operation was aborted', 'AbortError');
}

function isExempt(host: string, noProxy: string): boolean {
  const names = noProxy.split(/[\s,]+/).filter((name) => name !== '');
  return names.some((name) => name === '*' || host === name || host.endsWith(name.startsWith('.') ? name : `.${name}`));
}

/** Connections by CONNECT through a proxy, kept alive like any other. */
function tunnelAgent(proxy: URL, pool: { keepAlive: boolean; maxSockets: number }): HttpsAgent {
  const createConnection = (options: ConnectionOptions, done: (error: Error | null, socket?: TLSSocket) => void) => {
    const target = `${options.host}:${options.port ?? 443}`;
    const start = proxy.protocol === 'https:' ? requestHttps : requestHttp;
    const asking = start(proxy, { method: 'CONNECT', path: target, headers: { host: target, ...loginOf(proxy) }, agent: false });
    asking.once('connect', (answer, socket) => {
      if (answer.statusCode === 200) return done(null, connectTls({ ...options, socket }));
      socket.destroy();
      done(new Error(`the proxy ${proxy.host} refused a tunnel to ${target} (${answer.statusCode}): check HTTPS_PROXY`));
    });
    asking.once('error', (error) => done(error));
    asking.end();
  };
  return Object.assign(new HttpsAgent(pool), { createConnection });
}

function loginOf({ username, password }: URL): Record<string, string> {
  if (!username) return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
}
