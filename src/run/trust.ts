import type { Trust } from '../journal/entry.ts';
import type { Event } from '../journal/event.ts';
import type { Settings } from '../workflow/settings.ts';

/** Whether an event may start a run, and how far that run is trusted. `fork`: the setting `forks` decided it, so that a person's word may decide otherwise. */
export type TrustVerdict = { may: true; trust: Trust; fork?: true } | { may: false; reason: string; fork?: true };

/** What a verdict rests on. `outsiders` is the trigger's own setting `allowOutsiders`; the app's has to allow it too. */
export interface Grounds {
  settings: Settings;
  outsiders: boolean;
  canWrite(login: string): Promise<boolean>;
  /** How far a person has allowed runs for the head commit of this pull request; null where nobody has. */
  allowed(): Promise<Trust | null>;
}

/**
 * Judges by GitHub's permission API, never by names: commands, mentions and comments need write; a pull request from a fork follows the setting `forks`;
 * a run started by someone without write is untrusted. Bots never command, but start workflows by other events like anyone.
 */
export async function judgeTrust(event: Event, grounds: Grounds): Promise<TrustVerdict> {
  if (event.comment) return judgeComment(event, grounds);
  switch (event.resource.kind) {
    case 'pr':
      return judgePull(event, grounds);
    case 'issue':
      return { may: true, trust: event.actor.bot ? 'untrusted' : await trustIn(event, grounds) };
    case 'branch':
      return isForeign(event.resource.branch) ? judgeFork(null, grounds) : { may: true, trust: 'trusted' };
    case 'schedule':
      return { may: true, trust: 'trusted' };
  }
}

async function judgeComment(event: Event, grounds: Grounds): Promise<TrustVerdict> {
  const { actor, repository, resource } = event;
  if (actor.bot) return { may: false, reason: `@${actor.login} is a bot: bots never command` };
  if (await grounds.canWrite(actor.login)) return resource.kind === 'pr' ? judgePull(event, grounds) : { may: true, trust: 'trusted' };
  const reason = `@${actor.login} has no write permission on ${repository.fullName}`;
  if (event.name === 'manual' || event.name === 'mention') return { may: false, reason };
  if (grounds.settings.allowOutsiders && grounds.outsiders) {
    const verdict = resource.kind === 'pr' && resource.head.fork ? await judgeFork(event, grounds) : { may: true as const };
    return verdict.may ? { may: true, trust: 'untrusted' } : { may: false, reason: verdict.reason };
  }
  const where = grounds.outsiders ? "the app's settings" : "the trigger's settings";
  return { may: false, reason: `${reason}: comments of others count where allowOutsiders is set, and ${where} do not` };
}

/** Events that come from the head branch itself: who pushed it had write. */
const BY_HEAD = /^(pull_request_opened|ci_workflow_\w+)$/;

async function judgePull(event: Event, grounds: Grounds): Promise<TrustVerdict> {
  if (event.resource.kind !== 'pr') return { may: true, trust: 'trusted' };
  const verdict = event.resource.head.fork ? await judgeFork(event, grounds) : { may: true as const, trust: 'trusted' as const };
  const byHead = BY_HEAD.test(event.name) || event.context.trigger.commitAdded === true;
  if (!verdict.may || verdict.trust === 'untrusted' || byHead) return verdict;
  return { ...verdict, trust: await trustIn(event, grounds) };
}

async function judgeFork(event: Event | null, { settings, canWrite, allowed }: Grounds): Promise<TrustVerdict> {
  const author = event?.author ?? null;
  if (author && !author.bot && (await canWrite(author.login))) return { may: true, trust: 'trusted' };
  const word = event && settings.forks !== 'off' ? await allowed() : null;
  if (word) return { may: true, trust: word, fork: true };
  if (settings.forks === 'untrusted') return { may: true, trust: 'untrusted', fork: true };
  const what =
    settings.forks === 'off'
      ? 'the setting forks is "off"'
      : 'the setting forks is "ask", so that a person with write permission has to comment /ok-to-run';
  return {
    may: false,
    ...(event && settings.forks === 'ask' ? { fork: true as const } : {}),
    reason: `${author ? `a pull request from a fork by @${author.login}, who has no write permission` : 'a fork'}: ${what}`,
  };
}

/** A branch of another repository, which CI events name `owner/name:branch`; git allows no colon in a branch. */
function isForeign(branch: string): boolean {
  return branch.includes(':');
}

async function trustIn({ actor }: Event, { canWrite }: Grounds): Promise<Trust> {
  return actor.bot || (await canWrite(actor.login)) ? 'trusted' : 'untrusted';
}
