import { Octokit } from '@octokit/rest';
import type { Logger } from 'pino';
import { GitHubError, speaksOfLimit, toGitHubError } from './error.ts';
import { withRetries } from './retry.ts';
import type { Scope, Tokens } from './tokens.ts';
import type { Traffic } from './traffic.ts';

/** A client of GitHub's REST and GraphQL API that acts as one installation, on one repository, for one purpose. */
export type Api = Octokit;

/** What all clients of a process share. `fetch` already has its time limit. */
export interface ApiOptions {
  baseUrl: string;
  userAgent: string;
  fetch: typeof fetch;
  tokens: Tokens;
  traffic: Traffic;
  log: Logger;
}

/** Logs nothing: Octokit's own request log would write the headers, and with them the token. */
export const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Outgoing {
  method: string;
  url: string;
  headers: Record<string, string | number | undefined>;
  [name: string]: unknown;
}

/**
 * Makes a client. It throws `GitHubError`s only; takes its token for each request, and a new one once where GitHub calls it bad; repeats what only
 * reads while the network or GitHub fails; never repeats a write.
 */
export function createApi(scope: Scope, options: ApiOptions): Api {
  const octokit = new Octokit({
    baseUrl: options.baseUrl,
    userAgent: options.userAgent,
    log: SILENT,
    request: { fetch: options.fetch },
  });
  octokit.hook.wrap('request', (request, outgoing) => {
    const asked = outgoing as unknown as Outgoing;
    const send = async (authorization: string) => {
      outgoing.headers.authorization = authorization;
      return request(outgoing);
    };
    return isRead(asked) ? withRetries(() => perform(scope, options, asked, send)) : perform(scope, options, asked, send);
  });
  return octokit;
}

/** Asks GraphQL. Throws a `GitHubError` where GitHub answers with errors; `kind` is `missing` for what does not exist. */
export async function queryGraph<T>(api: Api, query: string, variables: Record<string, unknown>): Promise<T> {
  try {
    const data: unknown = await api.graphql(query, variables);
    if (typeof data === 'object' && data !== null) return data as T;
    throw new GitHubError('GitHub GraphQL: the answer was no JSON', { kind: 'network' });
  } catch (error) {
    if (error instanceof GitHubError) throw error;
    const { errors = [] } = error as { errors?: { type?: string; message: string }[] };
    const message = errors.map((one) => one.message).join('; ') || String(error);
    const kind = errors[0]?.type === 'NOT_FOUND' ? 'missing' : errors[0]?.type === 'FORBIDDEN' ? 'permission' : 'refused';
    throw new GitHubError(`GitHub GraphQL answered: ${message}`, { kind, response: { status: 200, headers: {}, data: { errors } } });
  }
}

interface Answer {
  status: number;
  headers: object;
  data: unknown;
}

/** Sends the request with this `Authorization`. Octokit's hooks see changes of the options only, not new options. */
type Send<T> = (authorization: string) => Promise<T>;

async function perform<T extends Answer>(scope: Scope, options: ApiOptions, outgoing: Outgoing, send: Send<T>): Promise<T> {
  const leave = await options.traffic.enter(scope.installation);
  try {
    return await authorized(scope, options, outgoing, send).catch((error: GitHubError) => {
      if (error.kind !== 'unauthorized') throw error;
      return authorized(scope, options, outgoing, send);
    });
  } finally {
    leave();
  }
}

async function authorized<T extends Answer>(scope: Scope, shared: ApiOptions, outgoing: Outgoing, send: Send<T>): Promise<T> {
  const { tokens, traffic, log } = shared;
  const lease = await tokens.lease(scope);
  const start = performance.now();
  const asked = { method: outgoing.method, path: pathOf(outgoing), granted: lease.permissions };
  const tell = (status: number) => log.debug({ ...scope, method: asked.method, path: asked.path, status, ms: msSince(start) }, 'GitHub');
  try {
    const answer = await send(`Bearer ${lease.token}`);
    tell(answer.status);
    if (isCutOff(answer)) throw new GitHubError(`GitHub ${asked.method} ${asked.path}: the answer was cut off`, { kind: 'network' });
    if (!isLimitedGraph(answer)) return answer;
    throw toGitHubError({ response: { ...answer, status: 429 } }, { ...asked, now: Date.now() });
  } catch (thrown) {
    const error = toGitHubError(thrown, { ...asked, now: Date.now() });
    tell(error.status);
    if (error.kind === 'unauthorized') await tokens.refuse(scope, lease.token);
    if (error.retryAt !== undefined) traffic.pause(scope.installation, error.retryAt);
    throw error;
  } finally {
    lease.release();
  }
}

/** Octokit hands on what it got of an answer that broke off: then JSON is still text. */
function isCutOff({ headers, data }: Answer): boolean {
  const type = 'content-type' in headers ? String(headers['content-type']) : '';
  return typeof data === 'string' && /\bjson\b/.test(type);
}

/** GraphQL tells its limits in an answer with status 200, and not always by the headers. */
function isLimitedGraph({ data }: Answer): boolean {
  const errors = typeof data === 'object' && data !== null && 'errors' in data && Array.isArray(data.errors) ? data.errors : [];
  return errors.some(
    (error: { type?: string; message?: string } | null) =>
      /^RATE_LIMIT(ED)?$/.test(error?.type ?? '') || speaksOfLimit(error?.message ?? ''),
  );
}

function isRead({ method, url, query }: Outgoing): boolean {
  if (method === 'GET' || method === 'HEAD') return true;
  return url.endsWith('/graphql') && typeof query === 'string' && !/^\s*mutation\b/.test(query);
}

function pathOf(outgoing: Outgoing): string {
  return outgoing.url.replace(/\{(\w+)\}/g, (_, name: string) => String(outgoing[name] ?? ''));
}

function msSince(start: number): number {
  return Math.round(performance.now() - start);
}
