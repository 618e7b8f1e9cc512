import { describe, expect, it } from 'vitest';
import type { Comment, Event } from '../../src/journal/event.ts';
import type { Resource } from '../../src/journal/resource.ts';
import { judgeTrust } from '../../src/run/trust.ts';
import { defaultSettings, type Settings } from '../../src/workflow/settings.ts';
import { eventOn, pullOf, REPOSITORY } from '../session/house.ts';

const PULL = pullOf(1);
const FORK = pullOf(2, { head: { ...PULL.head, fullName: 'eve/app', fork: true } });
const ISSUE: Resource = { kind: 'issue', repository: REPOSITORY, number: 3, url: '' };
const BRANCH: Resource = { kind: 'branch', repository: REPOSITORY, branch: 'main' };
const FOREIGN: Resource = { kind: 'branch', repository: REPOSITORY, branch: 'eve/app:main' };
const SCHEDULE: Resource = { kind: 'schedule', repository: REPOSITORY, workflow: 'w' };

/** `wanda` has write, `eve` has not. */
const canWrite = async (login: string) => login === 'wanda';
const person = (login: string) => ({ id: 1, login, bot: login.endsWith('[bot]') });
const COMMENT = { id: 1, place: 'conversation', body: '' } as Comment;

interface Case {
  on: Resource;
  name?: Event['name'];
  by: string;
  author?: string;
  comment?: boolean;
  pushed?: boolean;
  settings?: Partial<Settings>;
  outsiders?: boolean;
}

function judge({ on, name = 'pull_request_opened', by, author = by, comment, pushed, settings = {}, outsiders = false }: Case) {
  const event = eventOn(on, { name, actor: person(by), author: person(author), ...(comment ? { comment: COMMENT } : {}) });
  if (pushed !== undefined) event.context.trigger.commitAdded = pushed;
  return judgeTrust(event, { settings: { ...defaultSettings(), ...settings }, outsiders, canWrite, allowed: async () => null });
}

describe('who may start a run, and how far it is trusted', () => {
  it.each<[string, Case, string]>([
    ['a pull request of the repository', { on: PULL, by: 'wanda' }, 'trusted'],
    ['one that a bot opened', { on: PULL, by: 'renovate[bot]' }, 'trusted'],
    ['a push to it', { on: PULL, name: 'pull_request_edited', by: 'eve', pushed: true }, 'trusted'],
    ['its title edited by a stranger', { on: PULL, name: 'pull_request_edited', by: 'eve', pushed: false }, 'untrusted'],
    ['a stranger’s review of it', { on: PULL, name: 'pull_request_reviewed', by: 'eve', author: 'wanda' }, 'untrusted'],
    ['a writer’s review of it', { on: PULL, name: 'pull_request_reviewed', by: 'wanda', author: 'eve' }, 'trusted'],
    ['a bot’s label on it', { on: PULL, name: 'pull_request_labeled', by: 'renovate[bot]' }, 'trusted'],
    ['its failed CI', { on: PULL, name: 'ci_workflow_failed', by: 'eve' }, 'trusted'],
    ['a writer’s pull request from a fork', { on: FORK, by: 'wanda' }, 'trusted'],
    ['a stranger’s, where forks run untrusted', { on: FORK, by: 'eve', settings: { forks: 'untrusted' } }, 'untrusted'],
    [
      'a label by a writer on it',
      { on: FORK, name: 'pull_request_labeled', by: 'wanda', author: 'eve', settings: { forks: 'untrusted' } },
      'untrusted',
    ],
    ['an issue by a writer', { on: ISSUE, name: 'issue_opened', by: 'wanda' }, 'trusted'],
    ['an issue by a stranger', { on: ISSUE, name: 'issue_opened', by: 'eve' }, 'untrusted'],
    ['an issue by a bot', { on: ISSUE, name: 'issue_opened', by: 'sentry[bot]' }, 'untrusted'],
    ['CI of a branch', { on: BRANCH, name: 'ci_workflow_failed', by: 'eve' }, 'trusted'],
    [
      'CI of a fork’s branch, where forks run untrusted',
      { on: FOREIGN, name: 'ci_workflow_failed', by: 'eve', settings: { forks: 'untrusted' } },
      'untrusted',
    ],
    ['a schedule', { on: SCHEDULE, name: 'scheduled', by: 'eve' }, 'trusted'],
    ['a writer’s command', { on: ISSUE, name: 'manual', by: 'wanda', comment: true }, 'trusted'],
    [
      'a writer’s command on a stranger’s pull request of the repository',
      { on: PULL, name: 'manual', by: 'wanda', author: 'eve', comment: true },
      'trusted',
    ],
    [
      'a stranger’s comment, where app and trigger hear outsiders',
      { on: ISSUE, name: 'issue_commented', by: 'eve', comment: true, settings: { allowOutsiders: true }, outsiders: true },
      'untrusted',
    ],
  ])('%s is heard', async (_, given, trust) => {
    expect(await judge(given)).toMatchObject({ may: true, trust });
  });

  it.each<[string, Case, RegExp]>([
    [
      'a stranger’s pull request from a fork',
      { on: FORK, by: 'eve' },
      /a fork by @eve, who has no write permission: the setting forks is "ask"/,
    ],
    ['one where forks are off', { on: FORK, by: 'eve', settings: { forks: 'off' } }, /the setting forks is "off"/],
    ['a bot’s from a fork', { on: FORK, by: 'eve[bot]' }, /the setting forks is "ask"/],
    ['CI of a fork’s branch', { on: FOREIGN, name: 'ci_workflow_failed', by: 'eve' }, /^a fork: the setting forks is "ask"/],
    ['a writer’s command on a stranger’s fork', { on: FORK, name: 'manual', by: 'wanda', author: 'eve', comment: true }, /forks is "ask"/],
    ['a stranger’s command', { on: PULL, name: 'manual', by: 'eve', comment: true }, /^@eve has no write permission on acme\/app$/],
    [
      'a stranger’s mention, also where outsiders are heard',
      { on: PULL, name: 'mention', by: 'eve', comment: true, settings: { allowOutsiders: true }, outsiders: true },
      /^@eve has no write permission/,
    ],
    ['a bot’s command', { on: PULL, name: 'manual', by: 'helper[bot]', comment: true }, /bots never command/],
    ['a bot’s comment', { on: PULL, name: 'pull_request_commented', by: 'helper[bot]', comment: true }, /bots never command/],
    [
      'a stranger’s comment',
      { on: ISSUE, name: 'issue_commented', by: 'eve', comment: true },
      /allowOutsiders is set, and the trigger's settings do not/,
    ],
    [
      'a stranger’s comment that only the trigger would hear',
      { on: ISSUE, name: 'issue_commented', by: 'eve', comment: true, outsiders: true },
      /allowOutsiders is set, and the app's settings do not/,
    ],
    [
      'a stranger’s comment that only the app would hear',
      { on: ISSUE, name: 'issue_commented', by: 'eve', comment: true, settings: { allowOutsiders: true } },
      /the trigger's settings do not/,
    ],
    [
      'an outsider’s comment on a fork that may not run',
      { on: FORK, name: 'pull_request_commented', by: 'eve', comment: true, settings: { allowOutsiders: true }, outsiders: true },
      /forks is "ask"/,
    ],
  ])('%s is refused with the reason', async (_, given, reason) => {
    const verdict = await judge(given);
    expect(verdict).toMatchObject({ may: false });
    expect('reason' in verdict ? verdict.reason : '').toMatch(reason);
  });
});
