import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readGitRequest } from '../git/smart-http.ts';
import { type Caller, identifyCaller, requireAccess } from './access.ts';
import { serveUpload } from './act/upload.ts';
import { sendAnswer } from './answer.ts';
import { type Fault, Faults, playFault } from './fault.ts';
import { Fields } from './fields.ts';
import { handleGit } from './git-server.ts';
import { type LogEntry, noteCaller, startEntry } from './log.ts';
import { forbidden, notFound, Refusal } from './refusal.ts';
import { acceptManifest } from './registration.ts';
import { type Answer, type Call, type Rate, type Route, Router } from './route.ts';
import type { World } from './world.ts';

/** Answers what is neither API nor git, such as a page for people. Resolves false when it has nothing there. */
export type Pages = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

const HOURLY_LIMIT = 5_000;
const BODY_LIMIT = 64 * 1024 * 1024;
const QUIET = /\/access_tokens$|\/installation\/token$|\/deliveries\/|\/hook\/config$/;

/** The HTTP side of the double: who asks, faults, limits, routes, the log. */
export class Server {
  readonly log: LogEntry[] = [];
  readonly faults = new Faults();
  /** Defects of the double itself; tests want this empty. */
  readonly defects: Error[] = [];
  readonly router = new Router();
  pages: Pages | null = null;
  readonly #world: World;
  readonly #rates = new Map<string, Rate>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', this.#world.url);
      const git = readGitRequest(url);
      const api = /^\/api(?:\/v3)?(\/.*)$/.exec(url.pathname)?.[1];
      if (git) await handleGit({ world: this.#world, log: this.log, faults: this.faults, git, url }, request, response);
      else if (api !== undefined || url.pathname.startsWith('/_logs/'))
        await this.#handleApi(url, { request, response, path: api ?? url.pathname });
      else if (serveUpload(this.#world, url, { request, response })) return;
      else if (!(await acceptManifest(this.#world, url, { request, response })) && !(await this.pages?.(request, response)))
        response.writeHead(404, { 'content-type': 'text/plain' }).end('Not Found\n');
    } catch (error) {
      if (error instanceof Error && !request.destroyed) this.defects.push(error);
      response.destroy();
    }
  }

  /** The hourly counters of one caller. */
  rate(key: string): Rate {
    const now = Math.floor(Date.now() / 1000);
    const known = this.#rates.get(key);
    if (known && known.reset > now) return known;
    const fresh = { limit: key === 'anonymous' ? 60 : HOURLY_LIMIT, used: 0, reset: now + 3600 };
    this.#rates.set(key, fresh);
    return fresh;
  }

  async #handleApi(url: URL, at: { request: IncomingMessage; response: ServerResponse; path: string }): Promise<void> {
    const { request, response, path } = at;
    const { clockAheadMs } = this.#world;
    if (clockAheadMs !== 0) response.setHeader('date', new Date(Date.now() + clockAheadMs).toUTCString());
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
    const entry = startEntry(this.log, { method, path: `${path}${url.search}` });
    const started = performance.now();
    let end = () => {};
    let caller: Caller = { kind: 'anonymous', key: 'anonymous', account: null };
    try {
      const raw = await readBody(request);
      requireUserAgent(request);
      caller = identifyCaller(this.#world, request.headers.authorization);
      noteCaller(entry, caller);
      this.rate(caller.key).used++;
      entry.write = isWrite(method, path, raw);
      end = this.#world.audit.begin(caller.key, { write: entry.write, detail: `${method} ${path}` });
      const found = this.router.match(method, path);
      entry.route = `${method} ${found?.route.template ?? path}`;
      const fault = this.faults.take({ route: entry.route, address: `${method} ${path}` });
      if (fault && fault.when !== 'after' && (await this.#play(fault, { entry, caller, response }))) return;
      const answer = await this.#answer({ url, request, method, path, caller, found }, { raw, entry });
      if (fault && fault.when === 'after' && (await this.#play(fault, { entry, caller, response }))) return;
      entry.status = this.#send(answer, { request, response, caller, method });
    } catch (error) {
      const refusal = this.#refuse(error, entry);
      if (entry.write && refusal.status >= 400 && refusal.status < 500) this.#countRefusal(entry);
      entry.status = this.#send(
        { status: refusal.status, body: refusal.body(), headers: refusal.headers },
        { request, response, caller, method },
      );
    } finally {
      entry.ms = Math.round(performance.now() - started);
      end();
    }
  }

  async #answer(
    at: Pick<Call, 'url' | 'request' | 'method' | 'path' | 'caller'> & { found: { route: Route; params: Record<string, string> } | null },
    input: { raw: Buffer; entry: LogEntry },
  ): Promise<Answer> {
    if (!at.found) throw notFound();
    const { route, params } = at.found;
    const json = parseBody(input.raw);
    if (input.entry.write) input.entry.body = json;
    const media = /vnd\.github(?:\.v3)?\.(diff|patch|raw|sha|object|full)/.exec(at.request.headers.accept ?? '')?.[1] ?? 'json';
    const call: Call = {
      ...at,
      world: this.#world,
      params,
      query: at.url.searchParams,
      body: new Fields(json),
      media,
      rate: this.rate(at.caller.key),
    };
    this.#admit(call, route, input.entry.write);
    const answer = await route.run(call);
    if (route.content) this.#world.audit.countContent(at.caller.key, `${at.method} ${at.path}`);
    return answer;
  }

  #admit(call: Call, route: Route, write: boolean): void {
    const { caller, params } = call;
    if (route.audience === 'app') {
      if (caller.kind !== 'app') throw new Refusal(401, 'A JSON web token could not be decoded');
      return;
    }
    if (route.audience === 'anybody') return;
    if (params.owner === undefined || params.repo === undefined) {
      if (caller.kind === 'app') throw forbidden();
      return;
    }
    const repo = this.#world.repository(`${params.owner}/${params.repo}`);
    if (!repo) throw notFound();
    requireAccess(caller, repo, { needs: route.needs, write });
  }

  async #play(fault: Fault, at: { entry: LogEntry; caller: Caller; response: ServerResponse }): Promise<boolean> {
    at.entry.fault = fault.kind ?? 'status';
    const answer = await playFault(fault, at.response);
    if (answer.kind === 'pass') return false;
    if (answer.kind === 'sever') {
      at.response.destroy();
      return true;
    }
    if (answer.kind === 'cut') {
      at.response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': '4096' });
      at.response.write('{"id": 1', () => at.response.destroy());
      return true;
    }
    if (answer.limitedFor !== null) this.#world.audit.limit(at.caller.key, answer.limitedFor);
    at.entry.status = sendAnswer(at.response, answer, { method: 'FAULT', etag: undefined, rate: this.rate(at.caller.key) });
    return true;
  }

  #send(answer: Answer, at: { request: IncomingMessage; response: ServerResponse; caller: Caller; method: string }): number {
    return sendAnswer(at.response, answer, {
      method: at.method,
      etag: at.request.headers['if-none-match'],
      rate: this.rate(at.caller.key),
    });
  }

  #refuse(error: unknown, entry: LogEntry): Refusal {
    const known = error instanceof Refusal;
    if (!known) this.defects.push(error instanceof Error ? error : new Error(String(error)));
    const refusal = known ? error : new Refusal(500, 'Server Error');
    entry.refusal = [refusal.message, ...(refusal.errors ?? []).map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))].join(
      ': ',
    );
    return refusal;
  }

  #countRefusal(entry: LogEntry): void {
    const key = createHash('sha1')
      .update(`${entry.method} ${entry.path} ${JSON.stringify(entry.body)}`)
      .digest('hex');
    this.#world.audit.countRefusal(key, `${entry.method} ${entry.path}`);
  }
}

function requireUserAgent(request: IncomingMessage): void {
  if (!request.headers['user-agent']) {
    throw new Refusal(403, 'Request forbidden by administrative rules. Please make sure your request has a User-Agent header');
  }
}

/** Queries by GraphQL are POSTs too; only its mutations change anything. */
function isWrite(method: string, path: string, raw: Buffer): boolean {
  if (method === 'GET' || QUIET.test(path)) return false;
  return !path.endsWith('/graphql') || /\bmutation\b/.test(raw.toString());
}

function parseBody(raw: Buffer): unknown {
  if (raw.length === 0) return {};
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    throw new Refusal(400, 'Problems parsing JSON');
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    parts.push(chunk);
    size += chunk.length;
    if (size > BODY_LIMIT) throw new Refusal(413, 'Payload too large');
  }
  return Buffer.concat(parts);
}
