import type { Trust } from '../journal/entry.ts';
import type { Event } from '../journal/event.ts';
import type { Settings } from '../workflow/settings.ts';

/** Whether an event may start a run, and how far that run is trusted. */
export type TrustVerdict = { may: true; trust: Trust } | { may: false; reason: string };

/**
 * Judges by GitHub's permission API, never by names: commands, mentions and comments need write; a pull request from a fork follows the setting `forks`;
 * a run started by someone without write is untrusted.
 */
export async function judgeTrust(
  event: Event,
  { settings, canWrite }: { settings: Settings; canWrite(login: string): Promise<boolean> },
): Promise<TrustVerdict> {
  if (event.comment) return judgeComment(event, { settings, canWrite });
  if (event.resource.kind === 'pr') return judgePull(event, { settings, canWrite });
  if (event.resource.kind === 'issue') return { may: true, trust: (await isWriter(event, canWrite)) ? 'trusted' : 'untrusted' };
  return { may: true, trust: 'trusted' };
}

async function judgeComment(
  event: Event,
  { settings, canWrite }: { settings: Settings; canWrite(login: string): Promise<boolean> },
): Promise<TrustVerdict> {
  if (event.actor.bot) return { may: false, reason: `@${event.actor.login} is a bot: bots never command` };
  if (await canWrite(event.actor.login))
    return event.resource.kind === 'pr' ? judgePull(event, { settings, canWrite }) : { may: true, trust: 'trusted' };
  const command = event.name === 'manual' || event.name === 'mention';
  if (!command && settings.allowOutsiders) return { may: true, trust: 'untrusted' };
  return { may: false, reason: `@${event.actor.login} has no write permission on ${event.repository.fullName}` };
}

async function judgePull(
  event: Event,
  { settings, canWrite }: { settings: Settings; canWrite(login: string): Promise<boolean> },
): Promise<TrustVerdict> {
  if (event.resource.kind !== 'pr' || !event.resource.head.fork) return { may: true, trust: 'trusted' };
  const author = event.author?.login ?? '';
  if (author !== '' && !event.author?.bot && (await canWrite(author))) return { may: true, trust: 'trusted' };
  if (settings.forks === 'untrusted') return { may: true, trust: 'untrusted' };
  const what =
    settings.forks === 'off' ? 'the setting forks is "off"' : 'the setting forks is "ask", so that a person with write has to allow it';
  return { may: false, reason: `a pull request from a fork by @${author}, who has no write permission: ${what}` };
}

async function isWriter(event: Event, canWrite: (login: string) => Promise<boolean>): Promise<boolean> {
  return !event.actor.bot && canWrite(event.actor.login);
}
