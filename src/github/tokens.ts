import { type AppRequests, askAsApp } from './app-request.ts';
import { GitHubError } from './error.ts';

/** What a token is for. Each has the permissions of `PERMISSIONS` on one repository and nothing else; that for discovery sees the whole installation. */
export type Purpose = 'read' | 'review' | 'push' | 'ci' | 'discovery';

/** What a token may do, by its purpose. */
export const PERMISSIONS: Record<Purpose, Record<string, 'read' | 'write'>> = {
  read: { metadata: 'read', contents: 'read', pull_requests: 'read', issues: 'read', checks: 'read', actions: 'read' },
  review: { metadata: 'read', contents: 'read', pull_requests: 'write', issues: 'write', checks: 'write' },
  push: { metadata: 'read', contents: 'write' },
  ci: { metadata: 'read', actions: 'write' },
  discovery: { metadata: 'read' },
};

/** Whose token, for which repository (its id; null for discovery, which is about all of them), and what for. */
export interface Scope {
  installation: number;
  repository: number | null;
  purpose: Purpose;
}

/** A token in use. It must be given back; it is not revoked before. */
export interface Lease {
  token: string;
  permissions: Record<string, string>;
  release(): void;
}

/** A token as GitHub issued it; `expiresAt` in ms since 1970. */
export interface Issued {
  token: string;
  expiresAt: number;
  permissions: Record<string, string>;
}

/** How tokens are made and ended. Both may throw. */
export interface Issuer {
  issue(scope: Scope): Promise<Issued>;
  revoke(token: string): Promise<void>;
}

interface Held extends Issued {
  leases: number;
  timer: NodeJS.Timeout | undefined;
  /** Another one has taken its place, so its last lease ends it. */
  replaced: boolean;
}

/** A token is replaced this long (ms) before it ends, so that no request carries one that ends under way. */
const MARGIN = 5 * 60_000;
/** A token that nobody has used for this long (ms) is revoked. */
const IDLE = 60_000;

/**
 * Installation tokens of this process: in memory only, one per scope, asked for once however many wait for it, and revoked when the last use is
 * over and for `idle` ms no new one came, or at `close`.
 */
export class Tokens {
  readonly #slots = new Map<string, Promise<Held>>();
  readonly #live = new Set<Held>();
  readonly #issuer: Issuer;
  readonly #idle: number;
  readonly #now: () => number;

  constructor(issuer: Issuer, options: { idle?: number; now?: () => number } = {}) {
    this.#issuer = issuer;
    this.#idle = options.idle ?? IDLE;
    this.#now = options.now ?? Date.now;
  }

  /** A token for this scope that holds for 5 more minutes at least. Throws what the issuer throws. */
  async lease(scope: Scope): Promise<Lease> {
    const held = await this.#held(scope);
    held.leases++;
    clearTimeout(held.timer);
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      this.#release(scope, held);
    };
    return { token: held.token, permissions: held.permissions, release };
  }

  /** GitHub did not take this token: the next lease gets a new one. */
  async refuse(scope: Scope, token: string): Promise<void> {
    const held = await this.#slots.get(slotOf(scope))?.catch(() => undefined);
    if (held?.token !== token) return;
    this.#slots.delete(slotOf(scope));
    this.#live.delete(held);
    clearTimeout(held.timer);
  }

  /** Revokes every token; leases that are still out stop working. */
  async close(): Promise<void> {
    const live = [...this.#live];
    this.#slots.clear();
    await Promise.allSettled(live.map((held) => this.#revoke(held)));
  }

  async #held(scope: Scope): Promise<Held> {
    const slot = slotOf(scope);
    const known = this.#slots.get(slot);
    const held = known && (await known);
    if (held && held.expiresAt - MARGIN > this.#now()) return held;
    if (this.#slots.get(slot) !== known) return this.#held(scope);
    const asked = this.#issue(scope);
    this.#slots.set(slot, asked);
    asked.catch(() => this.#slots.get(slot) === asked && this.#slots.delete(slot));
    if (held) this.#replace(held);
    return asked;
  }

  async #issue(scope: Scope): Promise<Held> {
    const held: Held = { ...(await this.#issuer.issue(scope)), leases: 0, timer: undefined, replaced: false };
    this.#live.add(held);
    return held;
  }

  #replace(held: Held): void {
    held.replaced = true;
    if (held.leases === 0) void this.#revoke(held);
  }

  #release(scope: Scope, held: Held): void {
    held.leases--;
    if (held.leases > 0 || !this.#live.has(held)) return;
    if (held.replaced) return void this.#revoke(held);
    held.timer = setTimeout(() => {
      this.#slots.delete(slotOf(scope));
      void this.#revoke(held);
    }, this.#idle);
    held.timer.unref();
  }

  /** A revocation that fails leaves a token that ends by itself within the hour. */
  async #revoke(held: Held): Promise<void> {
    clearTimeout(held.timer);
    if (!this.#live.delete(held)) return;
    await this.#issuer.revoke(held.token).catch(() => undefined);
  }
}

/**
 * Asks GitHub for a token of this scope. Where the installation has not granted all of it, what it granted is taken: the request that needs the rest
 * fails with the permission's name, and the others work.
 */
export async function issueToken(app: AppRequests, scope: Scope): Promise<Issued> {
  try {
    return await requestToken(app, scope, PERMISSIONS[scope.purpose]);
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    if (error.kind === 'refused' && /permissions requested/i.test(error.message)) {
      return requestToken(app, scope, await grantedOf(app, scope));
    }
    throw explainUninstalled(error);
  }
}

/** GitHub says "422" for a repository that the App was taken off, and "404" for an installation that is gone. */
function explainUninstalled(error: GitHubError): GitHubError {
  const gone = error.kind === 'missing' || (error.kind === 'refused' && /repository that does not exist/i.test(error.message));
  if (!gone) return error;
  const message = `${error.message}; the App is not installed there any more: install it on the repository to go on`;
  return new GitHubError(message, { kind: 'missing', ...(error.response ? { response: error.response } : {}) });
}

async function requestToken(app: AppRequests, scope: Scope, permissions: Record<string, string>): Promise<Issued> {
  const route = 'POST /app/installations/{installation_id}/access_tokens';
  const cut = scope.repository === null ? {} : { repository_ids: [scope.repository] };
  const parameters = { installation_id: scope.installation, ...cut, permissions };
  const { data } = await askAsApp(app, route, parameters);
  const { token, expires_at } = data as { token: string; expires_at: string };
  return { token, expiresAt: Date.parse(expires_at), permissions };
}

/** The part of a purpose's permissions that the installation has granted. */
async function grantedOf(app: AppRequests, scope: Scope): Promise<Record<string, string>> {
  const { data } = await askAsApp(app, 'GET /app/installations/{installation_id}', { installation_id: scope.installation });
  const { permissions } = data as { permissions: Record<string, string> };
  const wanted = Object.entries(PERMISSIONS[scope.purpose]);
  const kept = wanted.map(([name, level]) => [name, level === 'write' && permissions[name] === 'read' ? 'read' : level] as const);
  return Object.fromEntries(kept.filter(([name]) => permissions[name] !== undefined));
}

function slotOf({ installation, repository, purpose }: Scope): string {
  return `${installation}:${repository}:${purpose}`;
}
