import { describe, expect, it } from 'vitest';
import type { Comment, Event } from '../../src/journal/event.ts';
import type { Resource } from '../../src/journal/resource.ts';
import { judgeTrust } from '../../src/run/trust.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { eventOn, pullOf, REPOSITORY } from '../session/house.ts';

const WRITERS = new Set(['owner', 'writer']);
const PULL = pullOf(1);
const ON: Record<string, Resource> = {
  pull: PULL,
  fork: pullOf(2, { head: { ...PULL.head, fullName: 'reader/app', fork: true } }),
  issue: { kind: 'issue', repository: REPOSITORY, number: 3, url: '' },
};
const NAMES: Record<string, Event['name']> = {
  opened: 'pull_request_opened',
  edited: 'pull_request_edited',
  labeled: 'pull_request_labeled',
  reviewed: 'pull_request_reviewed',
  command: 'manual',
  mention: 'mention',
  comment: 'pull_request_commented',
  'issue opened': 'issue_opened',
  'issue labeled': 'issue_labeled',
  'issue comment': 'issue_commented',
};
const SPOKEN = new Set(['command', 'mention', 'comment', 'issue comment']);

/**
 * T: may, trusted; U: may, untrusted; -: refused. One column each for the setting `forks`: ask, untrusted, off; and the last for `forks: ask` with
 * `allowOutsiders` in the app's and the trigger's settings.
 */
const TABLE = `
event         | on    | by          | author      | ask | untrusted | off | outsiders
opened        | pull  | owner       | owner       | T   | T         | T   | T
opened        | pull  | writer      | writer      | T   | T         | T   | T
opened        | pull  | helper[bot] | helper[bot] | T   | T         | T   | T
opened        | fork  | writer      | writer      | T   | T         | T   | T
opened        | fork  | reader      | reader      | -   | U         | -   | -
opened        | fork  | helper[bot] | helper[bot] | -   | U         | -   | -
edited        | pull  | writer      | reader      | T   | T         | T   | T
edited        | pull  | reader      | reader      | U   | U         | U   | U
edited        | fork  | reader      | reader      | -   | U         | -   | -
edited        | fork  | writer      | reader      | -   | U         | -   | -
labeled       | pull  | triager     | writer      | U   | U         | U   | U
labeled       | pull  | helper[bot] | writer      | T   | T         | T   | T
labeled       | fork  | writer      | reader      | -   | U         | -   | -
reviewed      | pull  | reader      | writer      | U   | U         | U   | U
reviewed      | pull  | writer      | reader      | T   | T         | T   | T
reviewed      | fork  | reader      | writer      | U   | U         | U   | U
command       | pull  | owner       | reader      | T   | T         | T   | T
command       | pull  | writer      | reader      | T   | T         | T   | T
command       | pull  | triager     | writer      | -   | -         | -   | -
command       | pull  | reader      | reader      | -   | -         | -   | -
command       | pull  | helper[bot] | writer      | -   | -         | -   | -
command       | fork  | writer      | writer      | T   | T         | T   | T
command       | fork  | writer      | reader      | -   | U         | -   | -
command       | fork  | reader      | reader      | -   | -         | -   | -
command       | issue | writer      | reader      | T   | T         | T   | T
command       | issue | reader      | reader      | -   | -         | -   | -
mention       | pull  | writer      | writer      | T   | T         | T   | T
mention       | pull  | reader      | reader      | -   | -         | -   | -
mention       | issue | helper[bot] | writer      | -   | -         | -   | -
comment       | pull  | writer      | reader      | T   | T         | T   | T
comment       | pull  | reader      | reader      | -   | -         | -   | U
comment       | pull  | helper[bot] | writer      | -   | -         | -   | -
comment       | fork  | reader      | reader      | -   | -         | -   | -
comment       | fork  | reader      | writer      | -   | -         | -   | U
issue opened  | issue | writer      | writer      | T   | T         | T   | T
issue opened  | issue | reader      | reader      | U   | U         | U   | U
issue opened  | issue | helper[bot] | helper[bot] | U   | U         | U   | U
issue labeled | issue | triager     | reader      | U   | U         | U   | U
issue labeled | issue | owner       | reader      | T   | T         | T   | T
issue comment | issue | writer      | reader      | T   | T         | T   | T
issue comment | issue | reader      | reader      | -   | -         | -   | U
issue comment | issue | helper[bot] | reader      | -   | -         | -   | -
`;

interface Row {
  event: string;
  on: string;
  by: string;
  author: string;
  setting: string;
  decision: string;
}

function readRows(): Row[] {
  const cells = (line: string) => line.split('|').map((cell) => cell.trim());
  const [head = '', ...lines] = TABLE.trim().split('\n');
  const settings = cells(head).slice(4);
  return lines.flatMap((line) => {
    const [event = '', on = '', by = '', author = '', ...decisions] = cells(line);
    return settings.map((setting, k) => ({ event, on, by, author, setting, decision: decisions[k] ?? '' }));
  });
}

async function decide({ event, on, by, author, setting }: Row): Promise<string> {
  const person = (login: string) => ({ id: 1, login, bot: login.endsWith('[bot]') });
  const comment = { id: 1, place: 'conversation', body: '' } as Comment;
  const resource = ON[on];
  const name = NAMES[event];
  if (!resource || !name) throw new Error(`the table names "${event}" on "${on}"`);
  const given = eventOn(resource, { name, actor: person(by), author: person(author), ...(SPOKEN.has(event) ? { comment } : {}) });
  const outsiders = setting === 'outsiders';
  const forks = setting === 'untrusted' || setting === 'off' ? setting : 'ask';
  const settings = { ...defaultSettings(), forks, allowOutsiders: outsiders } as const;
  const verdict = await judgeTrust(given, {
    settings,
    outsiders,
    canWrite: async (login) => WRITERS.has(login),
    allowed: async () => null,
  });
  if (!verdict.may) expect(verdict.reason.length).toBeGreaterThan(10);
  return verdict.may ? (verdict.trust === 'trusted' ? 'T' : 'U') : '-';
}

describe('the permission matrix', () => {
  const rows = readRows();
  it('has at least eighty rows', () => expect(rows.length).toBeGreaterThanOrEqual(80));
  it.each(rows)('$event on $on by $by, author $author, $setting: $decision', async (row) => {
    expect(await decide(row)).toBe(row.decision);
  });
});
