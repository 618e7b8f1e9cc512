import type { Repository } from '../journal/resource.ts';
import type { Api } from './api.ts';
import { GitHubError } from './error.ts';

const PERMISSIONS = ['none', 'read', 'triage', 'write', 'maintain', 'admin'] as const;

/** What a person may do on a repository, weakest first in the source. */
export type Permission = (typeof PERMISSIONS)[number];

/** A person's permission is asked again after this long (ms). */
const KEPT = 60_000;
const MAX_KEPT = 5000;

/** Whether a permission is enough for commands, mentions and session input (write, maintain or admin). */
export function canWrite(permission: Permission): boolean {
  return PERMISSIONS.indexOf(permission) >= PERMISSIONS.indexOf('write');
}

/**
 * Who may do what, by GitHub's permission API: `author_association` and names are never proof. Answers are kept 60 s; failures are not kept and are
 * thrown.
 */
export class Permissions {
  readonly #known = new Map<string, { until: number; permission: Promise<Permission> }>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** A person's permission; `none` for accounts that GitHub does not know as people, such as apps. */
  async of(api: Api, repository: Repository, login: string): Promise<Permission> {
    const key = `${repository.id}:${login.toLowerCase()}`;
    const kept = this.#known.get(key);
    if (kept && kept.until > this.#now()) return kept.permission;
    const permission = askPermission(api, repository, login);
    this.#forgetOld();
    this.#known.set(key, { until: this.#now() + KEPT, permission });
    permission.catch(() => this.#known.delete(key));
    return permission;
  }

  /** Whether a person has write, maintain or admin. */
  async canWrite(api: Api, repository: Repository, login: string): Promise<boolean> {
    return canWrite(await this.of(api, repository, login));
  }

  #forgetOld(): void {
    if (this.#known.size < MAX_KEPT) return;
    for (const [key, { until }] of this.#known) if (until <= this.#now()) this.#known.delete(key);
    if (this.#known.size >= MAX_KEPT) this.#known.clear();
  }
}

/** A custom role has a name of its own; then the field `permission` tells what it is built on. */
async function askPermission(api: Api, repository: Repository, login: string): Promise<Permission> {
  try {
    const place = { owner: repository.owner, repo: repository.name, username: login };
    const { data } = await api.rest.repos.getCollaboratorPermissionLevel(place);
    return [data.role_name, data.permission].find(isPermission) ?? 'none';
  } catch (error) {
    if (error instanceof GitHubError && error.kind === 'missing') return 'none';
    throw error;
  }
}

function isPermission(value: string | undefined): value is Permission {
  return PERMISSIONS.some((permission) => permission === value);
}
