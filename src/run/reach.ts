import type { Listed } from '../github/discovery.ts';
import type { RunStart } from '../journal/entry.ts';
import type { Services } from '../session/services.ts';

/**
 * Whether a run may look into a repository of its installation. Its own: yes. A public one: yes, everybody may. A private one only in a trusted run, and
 * only where the setting `clonesFrom` lists it, or where the run's own repository is private too and everyone whose words steer the run (who caused it,
 * who wrote its pull request or issue) may read it. What is posted is read by the run's own audience, and a name may be a stranger's.
 */
export async function mayReach({ settings, github }: Services, { event, trust }: RunStart, { repository }: Listed): Promise<boolean> {
  if (repository.id === event.repository.id || !repository.private) return true;
  if (trust !== 'trusted') return false;
  if (isListed(settings.clonesFrom, repository.fullName)) return true;
  if (!event.repository.private) return false;
  const people = new Set([event.actor.login, ...(event.author ? [event.author.login] : [])]);
  const discovery = github.discovery(event);
  const answers = await Promise.all([...people].map((login) => discovery.canRead(repository, login)));
  return answers.every(Boolean);
}

/** Whether `clonesFrom` names a repository: by its full name, or by `owner/*`; without case. */
export function isListed(clonesFrom: readonly string[], fullName: string): boolean {
  const name = fullName.toLowerCase();
  return clonesFrom.some((one) => one.toLowerCase() === name || one.toLowerCase() === `${name.split('/')[0]}/*`);
}
