/** What a caller can do about it: try again later, wait until `retryAt`, ask for a permission, or accept the answer. */
export type GitHubErrorKind =
  | 'network'
  | 'unavailable'
  | 'limited'
  | 'unauthorized'
  | 'permission'
  | 'missing'
  | 'unmodified'
  | 'suspended'
  | 'refused';

/** GitHub's answer, where there was one. */
export interface GitHubAnswer {
  status: number;
  headers: Record<string, string | number | undefined>;
  data: unknown;
}

/**
 * A request to GitHub that did not succeed. `status` is 0 where no answer came; `retryAt` (ms since 1970) stands on `limited`; `permission` names what
 * the token lacks, as GitHub spells it (`checks=write`). It never carries the request, so no credential can reach a log through it.
 */
export class GitHubError extends Error {
  override name = 'GitHubError';
  readonly kind: GitHubErrorKind;
  readonly status: number;
  readonly response: GitHubAnswer | undefined;
  readonly retryAt: number | undefined;
  readonly permission: string | undefined;

  constructor(message: string, details: { kind: GitHubErrorKind; response?: GitHubAnswer; retryAt?: number; permission?: string }) {
    super(message);
    this.kind = details.kind;
    this.status = details.response?.status ?? 0;
    this.response = details.response;
    this.retryAt = details.retryAt;
    this.permission = details.permission;
  }
}

/** What was asked: for messages and for judging an answer. `granted` are the permissions of the token that was sent. */
export interface Asked {
  method: string;
  path: string;
  granted: Record<string, string>;
  now: number;
}

/** GitHub asks for a pause of at least this long (ms) when it names none. */
const DEFAULT_PAUSE = 60_000;

/** Turns what Octokit throws into a `GitHubError`; one that is such an error already stays. */
export function toGitHubError(error: unknown, asked: Asked): GitHubError {
  if (error instanceof GitHubError) return error;
  const response = responseOf(error);
  const what = `GitHub ${asked.method} ${asked.path}`;
  if (!response && !isConnection(error)) return new GitHubError(`${what} could not be asked: ${reasonOf(error)}`, { kind: 'refused' });
  if (!response) return new GitHubError(`${what}: no answer (${reasonOf(error)}); it can be tried again`, { kind: 'network' });
  const message = messageOf(response);
  const retryAt = limitOf(response, message, asked.now);
  if (retryAt !== undefined) {
    return new GitHubError(`${what}: rate limit until ${new Date(retryAt).toISOString()}: ${message}`, {
      kind: 'limited',
      response,
      retryAt,
    });
  }
  const permission = missingPermission(response, asked.granted);
  if (permission !== undefined) {
    const advice = `the App needs the permission ${permission}; give it in the App's settings and accept it in the installation's`;
    return new GitHubError(`${what} answered ${response.status}: ${advice}`, { kind: 'permission', response, permission });
  }
  return new GitHubError(`${what} answered ${response.status}: ${message}`, { kind: kindOf(response.status, message), response });
}

/** Before GitHub is asked again whether an installation is still suspended, or a repository archived (ms). */
const LOOK_AGAIN = 5 * 60_000;

/** What only time or a person on GitHub cures: when it is worth asking again (ms since 1970), and whether that may be far off. Null for everything else. */
export function pauseOf(error: unknown, now: number): { reason: string; until: number; long: boolean } | null {
  if (!(error instanceof GitHubError)) return null;
  if (error.kind === 'limited')
    return { reason: error.message, until: Math.max(error.retryAt ?? now + DEFAULT_PAUSE, now + 1_000), long: false };
  return error.kind === 'suspended' ? { reason: error.message, until: now + LOOK_AGAIN, long: true } : null;
}

/** Whether GitHub's words tell of a limit, whatever the status and headers beside them say. */
export function speaksOfLimit(message: string): boolean {
  return /secondary rate limit|rate limit (?:already )?exceeded|abuse detection|submitted too quickly/i.test(message);
}

/** Until when GitHub wants no further request (ms since 1970), or undefined where the answer is no rate limit. */
export function limitOf(response: GitHubAnswer, message: string, now: number): number | undefined {
  const { status, headers } = response;
  const told = retryAfterOf(response, now);
  const worded = speaksOfLimit(message);
  if (status !== 403 && status !== 429) return status === 422 && worded ? (told ?? now + DEFAULT_PAUSE) : undefined;
  if (told !== null) return told;
  const spent = String(headers['x-ratelimit-remaining'] ?? '') === '0';
  const reset = Number(headers['x-ratelimit-reset'] || Number.NaN) * 1000;
  if (spent && Number.isFinite(reset)) return now + Math.max(1000, reset - serverTime(response, now));
  return spent || worded || status === 429 ? now + DEFAULT_PAUSE : undefined;
}

/** The end of the pause (ms since 1970) that an answer asks for by `Retry-After`, in seconds or as a date of GitHub's clock; null where it asks for none. */
export function retryAfterOf(response: GitHubAnswer, now: number): number | null {
  const header = response.headers['retry-after'];
  if (header === undefined || header === '') return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return now + Math.max(0, seconds) * 1000;
  const date = Date.parse(String(header));
  return Number.isNaN(date) ? null : now + Math.max(0, date - serverTime(response, now));
}

/** What GitHub's clock said when it answered (ms since 1970); ours where the answer does not tell. */
function serverTime({ headers }: GitHubAnswer, now: number): number {
  const date = Date.parse(String(headers.date ?? ''));
  return Number.isNaN(date) ? now : date;
}

/** What GitHub said, with the details of its `errors`. */
function messageOf({ data }: GitHubAnswer): string {
  if (typeof data === 'string') return data.slice(0, 300) || 'no text';
  if (!isRecord(data)) return 'no text';
  const errors = Array.isArray(data.errors) ? data.errors.map(detailOf).filter(Boolean).join('; ') : '';
  return [typeof data.message === 'string' ? data.message : 'no text', errors].filter(Boolean).join(': ').slice(0, 1000);
}

function detailOf(detail: unknown): string {
  if (typeof detail === 'string') return detail;
  if (!isRecord(detail)) return '';
  if (typeof detail.message === 'string') return detail.message;
  return [detail.resource, detail.field, detail.code].filter((part) => typeof part === 'string').join(' ');
}

/** `x-accepted-github-permissions` lists alternatives by `;`, each with all it needs by `,`. */
function missingPermission({ status, headers }: GitHubAnswer, granted: Record<string, string>): string | undefined {
  if (status !== 403 && status !== 404) return undefined;
  const header = headers['x-accepted-github-permissions'];
  if (typeof header !== 'string' || header === '') return undefined;
  const alternatives = header.split(';').map((part) => part.trim());
  const open = alternatives.some((part) => part.split(',').every((permission) => isGranted(permission.trim(), granted)));
  return open ? undefined : alternatives.join(' or ');
}

const LEVELS = ['none', 'read', 'write', 'admin'];

/** Whether permissions cover one of GitHub's `scope=level` (or `scope:level`). */
export function isGranted(permission: string, granted: Record<string, string>): boolean {
  const [scope = '', level = 'read'] = permission.split(/[=:]/);
  return LEVELS.indexOf(granted[scope] ?? 'none') >= LEVELS.indexOf(level);
}

function kindOf(status: number, message: string): GitHubErrorKind {
  if (status >= 500) return 'unavailable';
  if (status === 304) return 'unmodified';
  if (status === 401) return 'unauthorized';
  if (status === 404 || status === 410) return 'missing';
  if (status === 403) return /suspended|was archived/i.test(message) ? 'suspended' : 'permission';
  return 'refused';
}

function responseOf(error: unknown): GitHubAnswer | null {
  if (!isRecord(error) || !isRecord(error.response)) return null;
  const { status, headers, data } = error.response;
  if (typeof status !== 'number') return null;
  return { status, headers: isRecord(headers) ? (headers as GitHubAnswer['headers']) : {}, data };
}

/** Octokit throws an `HttpError` without an answer for everything that `fetch` throws. */
function isConnection(error: unknown): boolean {
  return error instanceof Error && ['HttpError', 'AbortError', 'TimeoutError'].includes(error.name);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.name === 'TimeoutError' ? 'no answer in time' : error.message;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
