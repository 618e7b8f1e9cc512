import type { Event } from '../journal/event.ts';
import type { Services } from '../session/services.ts';
import type { Limits } from '../workflow/settings.ts';
import { budgetRefusal } from './budget.ts';
import { runIdOf } from './start.ts';
import { numberIn } from './status-comment.ts';

/** Why a workflow that an event starts may not begin, because a budget of the day is used up: said where it was asked for. Null where it may. */
export async function refuseShort(
  services: Services,
  event: Event,
  { path, workflow, limits }: { path: string; workflow: string; limits: Limits | undefined },
): Promise<string | null> {
  const reason = await budgetRefusal(services, { event, ...(limits ? { limits } : {}) });
  if (reason !== null) await tellNotStarted(services, event, { path, workflow, reason });
  return reason;
}

/** Says on the pull request, by a check that is neutral, or on the issue, why a workflow that was asked for does not run. Once a delivery. */
async function tellNotStarted(services: Services, event: Event, why: { path: string; workflow: string; reason: string }): Promise<void> {
  const { resource } = event;
  const run = runIdOf(event, why.path);
  const write = (key: string, effect: Parameters<Services['github']['perform']>[0]['effect']) =>
    services.github.perform({ run, key, event, effect });
  if (resource.kind === 'issue' || (resource.kind === 'pr' && event.comment))
    await write('not-started', { type: 'comment.create', body: `⛔ **${why.workflow}** was not started.\n\nReason: ${why.reason}` });
  if (resource.kind !== 'pr') return;
  const output = { title: 'Not started', summary: `**${why.workflow}** was not started.\n\nReason: ${why.reason}` };
  const made = await write('check', { type: 'check.create', sha: resource.head.sha, name: why.workflow, external: run, output });
  const check = numberIn(made, 'checkId');
  if (check !== null) await write('check/not-started', { type: 'check.update', check, status: 'completed', conclusion: 'neutral', output });
}
