import type { Settings } from '../workflow/settings.ts';

/** Why runs end with their pull request, by the event that says so. */
export const CLOSED: Record<string, string> = {
  pull_request_closed: 'the pull request was closed',
  pull_request_merged: 'the pull request was merged',
};

const CLOSED_GRACE_MS = 5_000;

/** How long a last turn may take that was told to end for this reason (ms): little where the pull request is closed, for nobody waits for it any more. */
export function graceFor({ gracePeriodSeconds }: Pick<Settings, 'gracePeriodSeconds'>, reason: string | null): number {
  const ms = gracePeriodSeconds * 1000;
  return reason !== null && Object.values(CLOSED).includes(reason) ? Math.min(ms, CLOSED_GRACE_MS) : ms;
}
