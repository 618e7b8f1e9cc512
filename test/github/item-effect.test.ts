import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ItemChange, Outcome } from '../../src/journal/effect.ts';
import type { Event } from '../../src/journal/event.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { House } from './house.ts';

let house: House;
let issue: Event;
let n = 0;

const REPO = 'acme/app';

beforeAll(async () => {
  house = await House.open({}, { 'a.txt': 'a\n' });
  house.gh.person('bob', { [REPO]: 'write' });
  house.gh.person('stranger', {});
});
afterAll(async () => {
  expect(house.gh.defects).toEqual([]);
  await house.close();
});
beforeEach(async () => {
  const alice = house.gh.person('alice', { [REPO]: 'write' });
  const { number } = await alice.openIssue(REPO, { title: 'Old', body: 'Old body', labels: ['needs-rca', 'bug'], assignees: ['bob'] });
  issue = { ...house.event, resource: { kind: 'issue', repository: house.event.repository, number, url: '' } };
});
afterEach(() => house.clear());

const change = (fields: ItemChange, { event = issue, key = `key${++n}`, closeReopen = false } = {}): Promise<Outcome> =>
  house
    .publisher({ settings: { ...defaultSettings(), closeReopen } })
    .perform({ run: 'run', key, event, effect: { type: 'item.update', ...fields } });

interface Row {
  title: string;
  body: string;
  state: string;
  labels: { name: string }[];
  assignees: { login: string }[];
  milestone: { title: string } | null;
}

async function stands() {
  const number = issue.resource.kind === 'issue' ? issue.resource.number : 0;
  const row = await house.read<Row>('GET /repos/{owner}/{repo}/issues/{number}', { number });
  const { title, body, state, milestone } = row;
  const labels = row.labels.map(({ name }) => name).sort();
  return { title, body, state, labels, assignees: row.assignees.map(({ login }) => login).sort(), milestone: milestone?.title ?? null };
}

const UNTOUCHED = { title: 'Old', body: 'Old body', state: 'open', labels: ['bug', 'needs-rca'], assignees: ['bob'], milestone: null };

const writes = () => house.gh.log.filter(({ method }) => method !== 'GET').length;

describe('a change of an issue', () => {
  const rows: [string, ItemChange, Partial<typeof UNTOUCHED>][] = [
    ['title and body', { title: 'New\n title', body: 'New body' }, { title: 'New title', body: 'New body' }],
    [
      'labels, one by one',
      { addLabels: ['rca-complete', 'BUG'], removeLabels: ['Needs-RCA', 'gone'] },
      { labels: ['bug', 'rca-complete'] },
    ],
    ['people, one by one', { addAssignees: ['alice', 'Bob'] }, { assignees: ['alice', 'bob'] }],
    ['people that leave', { removeAssignees: ['bob'] }, { assignees: [] }],
    [
      'nothing that acts',
      { title: 'Fixes #12', body: 'Ask @alice, closes #3' },
      { title: 'Fixes `#12`', body: 'Ask `@alice`, closes `#3`' },
    ],
    ['nothing', { title: 'Old', addLabels: ['bug'], removeLabels: ['none'], addAssignees: ['bob'] }, {}],
  ];
  it.each(rows)('changes %s and leaves the rest', async (_, fields, expected) => {
    const outcome = await change(fields);
    expect(outcome).toMatchObject({ status: 'done' });
    expect(await stands()).toEqual({ ...UNTOUCHED, ...expected });
  });

  it('tells what stands then, and whom GitHub did not assign', async () => {
    const outcome = await change({ addAssignees: ['stranger'], addLabels: ['x'] });
    expect(outcome).toMatchObject({
      status: 'done',
      result: { state: 'open', labels: ['needs-rca', 'bug', 'x'], assignees: ['bob'], notAssigned: expect.stringContaining('stranger') },
    });
    const same = await change({ addLabels: ['x'] });
    expect(same).toMatchObject({ result: { changed: 'nothing: it was so already' } });
  });

  it('is refused as a whole where it would close the issue and closeReopen is off', async () => {
    const before = writes();
    const outcome = await change({ state: 'closed', title: 'New' });
    expect(outcome).toMatchObject({ status: 'refused', reason: expect.stringContaining('closeReopen') });
    expect(writes()).toBe(before);
    expect(await stands()).toEqual(UNTOUCHED);
    expect(await change({ state: 'open', title: 'New' })).toMatchObject({ status: 'done' });
    expect(await change({ state: 'closed' }, { closeReopen: true })).toMatchObject({ status: 'done' });
    expect(await stands()).toMatchObject({ state: 'closed', title: 'New' });
  });

  it('finds a milestone by its title, and names those that there are', async () => {
    await house.read('POST /repos/{owner}/{repo}/milestones', { title: 'Spring' });
    expect(await change({ milestone: 'spring' })).toMatchObject({ result: { milestone: 'Spring' } });
    expect(await change({ milestone: 'Autumn', title: 'New' })).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('"Spring"'),
    });
    expect(await stands()).toEqual({ ...UNTOUCHED, milestone: 'Spring' });
    await change({ milestone: null });
    expect(await stands()).toEqual(UNTOUCHED);
  });

  it.each([
    ['502 before', { status: 502 }],
    ['502 after', { status: 502, when: 'after' }],
    ['reset after', { kind: 'reset', when: 'after' }],
  ] as const)('stands once after %s, and asked for again changes nothing', async (_, fault) => {
    house.gh.fault({ on: 'POST /repos/{owner}/{repo}/issues/{issue_number}/labels', ...fault });
    const first = await change({ addLabels: ['x'], removeLabels: ['bug'] }, { key: 'once' });
    expect(first.status).toBe('done');
    const before = writes();
    expect(await change({ addLabels: ['x'], removeLabels: ['bug'] }, { key: 'once' })).toEqual(first);
    expect(writes()).toBe(before);
    expect((await stands()).labels).toEqual(['needs-rca', 'x']);
  });

  it('is refused where the run has none', async () => {
    const branch: Event = { ...issue, resource: { kind: 'branch', repository: issue.repository, branch: 'main' } };
    expect(await change({ title: 'x' }, { event: branch })).toMatchObject({ status: 'refused' });
  });
});

describe('a change of a pull request', () => {
  it('changes its text, and makes it a draft and ready again', async () => {
    const event = house.event;
    const draft = async () => (await house.read<{ draft: boolean; title: string }>('GET /repos/{owner}/{repo}/pulls/{n}')).draft;
    expect(await change({ title: 'Better', draft: true }, { event })).toMatchObject({ status: 'done' });
    expect(await draft()).toBe(true);
    await change({ draft: true }, { event });
    await change({ draft: false }, { event });
    expect(await draft()).toBe(false);
  });
});
