import { createPrivateKey } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { Probot, ProbotOctokit } from 'probot';
import { type Api, createApi, SILENT } from './api.ts';
import { type AppRequests, askAsApp } from './app-request.ts';
import { GitHubError } from './error.ts';
import { issueToken, type Lease, type Purpose, type Scope, Tokens } from './tokens.ts';
import { Traffic } from './traffic.ts';
import { type Delivery, isDispatchable } from './webhook.ts';

/** What an App is told once, at its start. `apiUrl` is any base, such as a GitHub Enterprise `/api/v3`. */
export interface GitHubAppOptions {
  appId: number | string;
  /** PEM, with real line ends. */
  privateKey: string;
  webhookSecret: string;
  apiUrl: string;
  /** Version of Pitwall, for the user agent. */
  version: string;
  log: Logger;
  /** Carries the requests; the platform's own where absent (proxies and certificates are its business). */
  fetch?: typeof fetch;
  /** Time (ms) that one request may take. */
  timeout?: number;
  /** Told when GitHub asks an installation for a pause (until, in ms since 1970); must not throw. */
  onPause?: (installation: number, until: number) => void;
  /** How much is left (ms) of a pause that any process was told. */
  pausedFor?: (installation: number) => Promise<number>;
}

/** Who the App is on GitHub. */
export interface AppIdentity {
  id: number;
  slug: string;
  /** The login under which it writes. */
  login: string;
}

const TIMEOUT = 20_000;
const MAX_CLIENTS = 500;

/**
 * The App's connection to GitHub: signature check and dispatch of deliveries, the App's own client (Probot, used as a library with its retries and
 * throttling off), and clients whose tokens are cut to one repository and one purpose.
 */
export class GitHubApp {
  /** For those who mount more handlers, as in a Probot server of their own. */
  readonly probot: Probot;
  readonly tokens: Tokens;
  readonly #options: GitHubAppOptions;
  readonly #fetch: typeof fetch;
  readonly #traffic: Traffic;
  readonly #apis = new LRUCache<string, Api>({ max: MAX_CLIENTS });
  #identity: Promise<AppIdentity> | undefined;

  constructor(options: GitHubAppOptions) {
    this.#options = options;
    refuseBadKey(options.privateKey);
    this.#fetch = withTimeout(options.fetch ?? fetch, options.timeout ?? TIMEOUT);
    const { onPause, pausedFor } = options;
    this.#traffic = new Traffic({ ...(onPause ? { onPause } : {}), ...(pausedFor ? { pausedFor } : {}) });
    this.probot = new Probot({
      appId: options.appId,
      privateKey: options.privateKey,
      secret: options.webhookSecret,
      baseUrl: this.baseUrl,
      log: options.log,
      request: { fetch: this.#fetch },
      Octokit: createAppOctokit(this.userAgent),
    });
    this.tokens = new Tokens({
      issue: async (scope) => issueToken(await this.requests(), scope),
      revoke: (token) => this.#revoke(token),
    });
  }

  get baseUrl(): string {
    return this.#options.apiUrl.replace(/\/+$/, '');
  }

  get userAgent(): string {
    return `pitwall/${this.#options.version}`;
  }

  /** Hears every delivery given to `receive`. A handler may throw: `receive` then throws the same. */
  onDelivery(handler: (delivery: Delivery) => Promise<void>): void {
    this.probot.onAny(({ id, name, payload }: Delivery) => handler({ id, name, payload }));
  }

  /** Dispatches a verified delivery; one in no shape of GitHub's starts nothing. Asks GitHub for nothing: a handler that needs no token costs none. */
  async receive({ id, name, payload }: Delivery): Promise<void> {
    if (typeof payload !== 'object' || payload === null) throw new TypeError('a delivery is a JSON object: refuse other bodies with 400');
    if (!isDispatchable({ id, name, payload })) {
      this.#options.log.warn({ delivery: id, event: name }, 'this delivery is in no shape of GitHub: nothing is started');
      return;
    }
    try {
      await this.probot.receive({ id, name, payload } as Parameters<Probot['receive']>[0]);
    } catch (error) {
      throw error instanceof AggregateError && error.errors.length === 1 ? error.errors[0] : error;
    }
  }

  /** The client of an installation on one repository (its id), for one purpose. Tokens are fetched when it is first used. */
  async api(installation: number, repository: number, purpose: Exclude<Purpose, 'discovery'>): Promise<Api> {
    return this.#client({ installation, repository, purpose });
  }

  /** The client that sees which repositories an installation has and who may read them, and nothing in them. */
  discovery(installation: number): Api {
    return this.#client({ installation, repository: null, purpose: 'discovery' });
  }

  #client(scope: Scope): Api {
    const key = `${scope.installation}:${scope.repository}:${scope.purpose}`;
    const known = this.#apis.get(key);
    if (known) return known;
    const api = createApi(scope, { ...this.#apiOptions(), tokens: this.tokens, traffic: this.#traffic });
    this.#apis.set(key, api);
    return api;
  }

  /** A token for git. It must be given back. */
  lease(installation: number, repository: number, purpose: Purpose): Promise<Lease> {
    return this.tokens.lease({ installation, repository, purpose });
  }

  /** Who the App is; asked once. */
  identity(): Promise<AppIdentity> {
    this.#identity ??= this.#identify().catch((error) => {
      this.#identity = undefined;
      throw error;
    });
    return this.#identity;
  }

  /** The installation (its id) that has a repository now. Throws a `missing` error where the App is not installed on it. */
  async installationOf(fullName: string): Promise<number> {
    const [owner, repo] = fullName.split('/');
    const { data } = await askAsApp(await this.requests(), 'GET /repos/{owner}/{repo}/installation', { owner, repo });
    return (data as { id: number }).id;
  }

  /** The id of a repository by its name of now; the token that tells it is given back at once. Throws a `missing` error where the App is not installed on it. */
  async repositoryId(fullName: string): Promise<number> {
    const route = 'POST /app/installations/{installation_id}/access_tokens';
    const installation = await this.installationOf(fullName);
    const scope = { repositories: [fullName.split('/')[1]], permissions: { metadata: 'read' } };
    const { data } = await askAsApp(await this.requests(), route, { installation_id: installation, ...scope });
    const { token, repositories } = data as { token: string; repositories?: { id: number }[] };
    await this.#revoke(token).catch(() => undefined);
    const [only] = repositories ?? [];
    if (!only) throw new GitHubError(`GitHub does not say which repository ${fullName} is`, { kind: 'missing' });
    return only.id;
  }

  /** The App's own requests (`/app/...`), signed with its key. */
  async requests(): Promise<AppRequests> {
    return (await this.probot.auth()) as unknown as AppRequests;
  }

  /** GitHub for people: where its pages and what they upload are. */
  get webUrl(): string {
    const { protocol, host } = new URL(this.baseUrl);
    return host === 'api.github.com' ? 'https://github.com' : `${protocol}//${host}`;
  }

  /** Fetches an address without credentials, within the time of a request. */
  get fetch(): typeof fetch {
    return this.#fetch;
  }

  /** Revokes all tokens. */
  async close(): Promise<void> {
    await this.tokens.close();
  }

  #apiOptions() {
    return { baseUrl: this.baseUrl, userAgent: this.userAgent, fetch: this.#fetch, log: this.#options.log };
  }

  async #identify(): Promise<AppIdentity> {
    try {
      const { data } = await askAsApp(await this.requests(), 'GET /app');
      const { id, slug } = data as { id: number; slug: string };
      return { id, slug, login: `${slug}[bot]` };
    } catch (error) {
      if (!(error instanceof GitHubError)) throw error;
      if (error.kind !== 'unauthorized') throw error;
      const advice = `${error.message}: compare APP_ID and PRIVATE_KEY with the App's settings page, and the machine's clock with the time`;
      throw new GitHubError(advice, { kind: 'unauthorized', ...(error.response ? { response: error.response } : {}) });
    }
  }

  async #revoke(token: string): Promise<void> {
    const headers = { authorization: `Bearer ${token}`, 'user-agent': this.userAgent, accept: 'application/vnd.github+json' };
    const answer = await this.#fetch(`${this.baseUrl}/installation/token`, { method: 'DELETE', headers });
    await answer.body?.cancel();
  }
}

function refuseBadKey(pem: string): void {
  try {
    createPrivateKey(pem);
  } catch {
    throw new Error(
      "the App's private key is not a PEM key: download one from the App's settings page and set PRIVATE_KEY to the whole file",
    );
  }
}

/** Probot's Octokit with retries and throttling off (the function form, because Probot sets its own over plain defaults). */
function createAppOctokit(userAgent: string): typeof ProbotOctokit {
  return ProbotOctokit.defaults((options: Record<string, unknown>) => ({
    ...options,
    userAgent,
    log: SILENT,
    throttle: { enabled: false },
    retry: { enabled: false },
  })) as typeof ProbotOctokit;
}

/** The timer holds on to its signal: of `AbortSignal.timeout` inside `AbortSignal.any` nothing is left after a garbage collection (measured on Node 20). */
function withTimeout(send: typeof fetch, ms: number): typeof fetch {
  return (input, init) => {
    const limit = new AbortController();
    setTimeout(() => limit.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')), ms).unref();
    return send(input, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, limit.signal]) : limit.signal });
  };
}
