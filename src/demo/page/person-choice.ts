import { roleOf } from '../github/access.ts';
import type { Account, Repository } from '../github/state.ts';

/** Somebody whom a person in front of the page can be. */
export interface Part {
  login: string;
  /** What the part stands for: `owner`, `writer`, `stranger`. */
  name: string;
}

/** The cookie that remembers who somebody is; a name of our own, because cookies of 127.0.0.1 are shared by all ports. */
export const PART_COOKIE = 'pitwall-demo-part';

/** The part that a cookie names, or the first one. */
export function choosePart(parts: readonly Part[], chosen: string | undefined): Part {
  const part = parts.find(({ login }) => login === chosen) ?? parts[0];
  if (!part) throw new Error('the demo page needs at least one part that can be played');
  return part;
}

/** Whether somebody may push, press buttons of checks and give commands. */
export function mayWrite(repo: Repository, login: string): boolean {
  return ['write', 'maintain', 'admin'].includes(roleOf(repo, login));
}

/** What an account is in a repository, in a word or two. */
export function standingOf(repo: Repository, account: Account): string {
  if (account.type === 'Bot') return 'App';
  const role = roleOf(repo, account.login);
  if (role === 'admin') return 'Owner';
  return mayWrite(repo, account.login) ? 'Can write' : 'No write permission';
}
