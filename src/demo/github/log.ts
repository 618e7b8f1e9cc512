import type { Caller } from './access.ts';

/**
 * One request as it was seen. `route` is the template it fitted, `status` 0 for a cut connection; `permissions` and `repositories` (null: all) tell how far its token
 * reached. Git requests have the method GIT.
 */
export interface LogEntry {
  at: number;
  method: string;
  path: string;
  route: string;
  status: number;
  write: boolean;
  caller: string;
  repositories: string[] | null;
  permissions: Record<string, string> | null;
  body: unknown;
  fault: string | null;
  refusal: string | null;
  ms: number;
}

/** Adds the line of a request that begins. */
export function startEntry(log: LogEntry[], request: { method: string; path: string }): LogEntry {
  const entry: LogEntry = {
    ...request,
    at: Date.now(),
    route: '',
    status: 0,
    write: false,
    caller: 'anonymous',
    repositories: null,
    permissions: null,
    body: null,
    fault: null,
    refusal: null,
    ms: 0,
  };
  log.push(entry);
  return entry;
}

/** Fills in who asked, and how far the token reaches. */
export function noteCaller(entry: LogEntry, caller: Caller): void {
  entry.caller = caller.key;
  if (caller.kind !== 'installation') return;
  entry.permissions = { ...caller.token.permissions };
  entry.repositories = caller.token.repositories && [...caller.token.repositories].map((repo) => repo.fullName);
}
