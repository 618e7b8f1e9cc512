import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { misfitOf, toEvents } from '../../src/github/event.ts';
import type { Event } from '../../src/journal/event.ts';
import { resourceKey } from '../../src/journal/resource.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/webhooks');
const OPTIONS = { aliases: ['overcut'], slug: 'pitwall' };
const HEAD = '5e1f0c3b9a7d4c2e8f6a1b0d9c8e7f6a5b4c3d2e';

interface Json {
  [key: string]: Json;
}

function load(fixture: string): Json {
  return JSON.parse(readFileSync(join(FIXTURES, `${fixture}.json`), 'utf8'));
}

function convert(fixture: string, change: (payload: Json) => void = () => {}) {
  const payload = load(fixture);
  change(payload);
  return toEvents({ id: 'd-1', name: fixture.split('.')[0]!, payload }, OPTIONS);
}

const one = (fixture: string, change?: (payload: Json) => void): Event => {
  const { events } = convert(fixture, change);
  expect(events).toHaveLength(1);
  return events[0]!;
};

describe('the shape of a payload', () => {
  const fixtures = readdirSync(FIXTURES).map((file) => file.replace(/\.json$/, ''));

  it.each(fixtures)('%s is what GitHub sends under its name, and not under another', (fixture) => {
    const name = fixture.split('.')[0] ?? '';
    expect(misfitOf(name, load(fixture))).toBeNull();
    if (name !== 'workflow_run') expect(misfitOf('workflow_run', load(fixture))).toContain(name === 'push' ? 'action' : 'workflow_run');
  });

  const names = ['issues', 'issue_comment', 'pull_request', 'pull_request_review', 'pull_request_review_comment', 'workflow_run'];
  it.each(fixtures.flatMap((fixture) => names.filter((name) => name !== fixture.split('.')[0]).map((name) => [fixture, name] as const)))(
    '%s under the name %s is told, and starts nothing, whatever its action',
    (fixture, name) => {
      const payload = load(fixture);
      expect(misfitOf(name, payload)).toEqual(expect.any(String));
      for (const action of ['opened', 'edited', 'closed', 'created', 'submitted', 'requested', 'completed'])
        expect(toEvents({ id: 'd-1', name, payload: { ...payload, action } }, OPTIONS).events).toEqual([]);
    },
  );

  it('of a review of a deployment is no run of CI', () => {
    const payload = { ...load('workflow_run.requested'), deployment: { id: 1 } };
    expect(misfitOf('workflow_run', payload)).toBe('deployment: belongs to another event');
  });

  it('of an older GitHub Enterprise says nothing of merging by itself', () => {
    const payload = load('pull_request.opened');
    delete payload.pull_request?.auto_merge;
    expect(misfitOf('pull_request', payload)).toBeNull();
  });

  it.each([null, 1, 'text', true, [], {}, { action: 1 }, { installation: { id: 'x' } }, { repository: [] }])(
    '%j is told apart, and never throws',
    (payload) => {
      expect(misfitOf('issues', payload)).toEqual(expect.any(String));
      expect(misfitOf('ping', payload)).toBeNull();
      expect(misfitOf('constructor', payload)).toBeNull();
    },
  );
});

describe('webhook -> events', () => {
  const rows: [fixture: string, events: string[], resource: string, trigger: Record<string, unknown>][] = [
    ['issues.opened', ['issue_opened'], '880042:issue:17', { issueState: 'opened', issueAction: 'opened' }],
    ['issues.labeled', ['issue_labeled'], '880042:issue:17', { label: 'triage', labelAction: 'added' }],
    ['issues.assigned', ['issue_assigned'], '880042:issue:17', { assignee: 'theo-okafor', assigneeAction: 'assigned' }],
    ['issues.closed', ['issue_closed'], '880042:issue:17', { issueState: 'closed', issueAction: 'closed' }],
    ['issues.milestoned', ['issue_edited'], '880042:issue:17', { milestone: 'Spring tide', milestoneAction: 'added' }],
    ['issue_comment.created', ['issue_commented'], '880042:issue:17', { commentId: 770001, commentLocation: 'issue' }],
    [
      'issue_comment.created-on-pull',
      ['pull_request_commented', 'manual', 'mention'],
      '880042:pr:42',
      { commentAuthor: 'mara-lindqvist', commentLocation: 'pull_request', commentCreatedAt: '2026-11-20T10:15:00Z' },
    ],
    ['pull_request.opened', ['pull_request_opened'], '880042:pr:42', { prState: 'opened', prAction: 'opened', branch: 'zones' }],
    ['pull_request.opened-from-fork', ['pull_request_opened'], '880042:pr:42', { prAction: 'opened' }],
    ['pull_request.synchronize', ['pull_request_edited'], '880042:pr:42', { commitAdded: true }],
    ['pull_request.closed', ['pull_request_closed'], '880042:pr:42', { prState: 'closed', prAction: 'closed' }],
    ['pull_request.closed-merged', ['pull_request_merged'], '880042:pr:42', { prState: 'merged', prAction: 'merged' }],
    ['pull_request.labeled', ['pull_request_labeled'], '880042:pr:42', { label: 'backend', labelAction: 'added' }],
    [
      'pull_request_review.submitted',
      ['pull_request_reviewed'],
      '880042:pr:42',
      { reviewer: 'mara-lindqvist', reviewState: 'changes_requested', reviewAction: 'submitted' },
    ],
    [
      'pull_request_review_comment.created',
      ['pull_request_review_commented', 'manual'],
      '880042:pr:42',
      { commentId: 820002, commentBody: '/fix use the zone of the port' },
    ],
    ['workflow_run.requested', ['ci_workflow_queued'], '880042:branch:trunk', { branch: 'trunk', triggerObjectName: 'CI' }],
    ['workflow_run.completed', ['ci_workflow_failed'], '880042:pr:42', { triggerObjectNumber: 42 }],
    ['workflow_run.completed-from-fork', ['ci_workflow_failed'], '880042:branch:vera-outsider/tidewater:zones', { branch: 'zones' }],
  ];
  it.each(rows)('%s gives %j on %s', (fixture, names, resource, trigger) => {
    const { events, ignored } = convert(fixture);
    expect(ignored).toBeUndefined();
    expect(events.map(({ name }) => name)).toEqual(names);
    for (const event of events) {
      expect(resourceKey(event.resource)).toBe(resource);
      expect(event.context.trigger).toMatchObject(trigger);
      expect(event.context.trigger.eventType).toBe(event.name);
      expect(event).toMatchObject({ delivery: 'd-1', installation: 33445566, repository: { id: 880042, defaultBranch: 'trunk' } });
    }
  });

  const actions: [fixture: string, action: string, name: string, trigger: Record<string, unknown>][] = [
    ['issues.opened', 'reopened', 'issue_opened', { issueAction: 'reopened' }],
    ['issues.opened', 'edited', 'issue_edited', {}],
    ['issues.labeled', 'unlabeled', 'issue_unlabeled', { label: 'triage', labelAction: 'removed' }],
    ['issues.assigned', 'unassigned', 'issue_unassigned', { assigneeAction: 'unassigned' }],
    ['issues.milestoned', 'demilestoned', 'issue_edited', { milestoneAction: 'removed' }],
    ['pull_request.opened', 'reopened', 'pull_request_opened', { prAction: 'reopened' }],
    ['pull_request.opened', 'ready_for_review', 'pull_request_opened', { prAction: 'ready_for_review' }],
    ['pull_request.opened', 'converted_to_draft', 'pull_request_edited', { prAction: 'converted_to_draft', commitAdded: false }],
    ['pull_request.opened', 'edited', 'pull_request_edited', { commitAdded: false }],
    ['pull_request.labeled', 'unlabeled', 'pull_request_unlabeled', { label: 'backend', labelAction: 'removed' }],
    ['pull_request.opened', 'assigned', 'pull_request_assigned', { assigneeAction: 'assigned' }],
    ['pull_request.opened', 'unassigned', 'pull_request_unassigned', { assigneeAction: 'unassigned' }],
    ['workflow_run.requested', 'in_progress', 'ci_workflow_started', {}],
  ];
  it.each(actions)('%s as %s gives %s', (fixture, action, name, trigger) => {
    const event = one(fixture, (payload) => Object.assign(payload, { action }));
    expect(event.name).toBe(name);
    expect(event.context.trigger).toMatchObject(trigger);
  });

  it.each([
    ['success', 'ci_workflow_completed', 'Succeeded'],
    ['failure', 'ci_workflow_failed', 'Failed'],
    ['startup_failure', 'ci_workflow_failed', 'Failed'],
    ['cancelled', 'ci_workflow_cancelled', 'Cancelled'],
    ['timed_out', 'ci_workflow_timed_out', 'TimedOut'],
  ])('a workflow run that ends with %s gives %s', (conclusion, name, status) => {
    const event = one('workflow_run.completed', (p) => Object.assign(p.workflow_run!, { conclusion }));
    expect(event.name).toBe(name);
    expect(event.context.ciWorkflow).toMatchObject({ status, conclusion });
  });

  const ignored: [fixture: string, change: (payload: Json) => void, reason: string][] = [
    ['push', () => {}, 'the event push starts nothing'],
    ['pull_request.review_requested', () => {}, 'pull_request.review_requested starts nothing'],
    ['issue_comment.created', (p) => Object.assign(p, { action: 'edited' }), 'issue_comment.edited starts nothing'],
    ['pull_request_review.submitted', (p) => Object.assign(p, { action: 'dismissed' }), 'pull_request_review.dismissed starts nothing'],
    ['issues.opened', (p) => Object.assign(p, { action: 'constructor' }), 'issues.constructor starts nothing'],
    [
      'workflow_run.completed',
      (p) => Object.assign(p.workflow_run!, { conclusion: 'neutral' }),
      'workflow_run.completed with the conclusion "neutral" starts nothing',
    ],
  ];
  it.each(ignored)('%s is ignored with the reason (%#)', (fixture, change, reason) => {
    expect(convert(fixture, change)).toEqual({ events: [], ignored: reason });
  });

  it('has a row for every fixture', () => {
    const used = new Set([...rows, ...ignored].map(([fixture]) => fixture));
    const there = readdirSync(FIXTURES).map((file) => file.replace(/\.json$/, ''));
    expect(there.filter((fixture) => !used.has(fixture))).toEqual([]);
  });
});

describe('the context', () => {
  it('of a pull request holds every field', () => {
    const { context, resource, actor, author, partial } = one('pull_request.opened');
    expect(context.pullRequest).toEqual({
      number: 42,
      title: 'Use zone-aware times',
      state: 'open',
      baseBranch: 'trunk',
      headBranch: 'zones',
      headSha: HEAD,
      baseSha: '0a1b2c3d4e5f60718293a4b5c6d7e8f901234567',
      labels: ['backend'],
      assignees: [],
      author: 'theo-okafor',
      user: { login: 'theo-okafor' },
      body: 'Times carry their zone from now on.',
      milestone: '',
      draft: false,
      mergeCommitSha: 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00',
      additions: 120,
      deletions: 14,
      changedFiles: 5,
      requestedReviewers: ['mara-lindqvist'],
      createdAt: '2026-11-20T08:00:00Z',
      updatedAt: '2026-11-20T09:00:00Z',
      closedAt: '',
      mergedAt: '',
      autoMerge: false,
      mergeable: null,
      rebaseable: null,
    });
    expect(context.repository).toEqual({
      name: 'tidewater',
      fullName: 'harbour-labs/tidewater',
      owner: 'harbour-labs',
      url: 'https://github.com/harbour-labs/tidewater.git',
      defaultBranch: 'trunk',
      description: 'Tide tables for small boats',
      provider: 'Github',
      workspacePath: '/workspace/harbour-labs/tidewater',
      customInstructions: '',
      groupName: '',
      tools: [],
    });
    expect(context.organization).toEqual({ login: 'harbour-labs', name: 'harbour-labs' });
    expect(context.actor).toEqual({ login: 'theo-okafor', name: 'theo-okafor', email: '', type: 'User' });
    expect(actor).toEqual({ id: 51002, login: 'theo-okafor', bot: false });
    expect(author).toEqual(actor);
    expect(partial).toBeUndefined();
    expect(resource).toMatchObject({ kind: 'pr', head: { ref: 'zones', sha: HEAD, fullName: 'harbour-labs/tidewater', fork: false } });
    expect(context.trigger).toMatchObject({
      triggerObjectName: 'Use zone-aware times',
      triggerObjectNumber: 42,
      triggerObjectUrl: 'https://github.com/harbour-labs/tidewater/pull/42',
    });
  });

  it('of an issue holds every field', () => {
    expect(one('issues.opened').context.issue).toEqual({
      number: 17,
      title: 'Low water is an hour late after the clocks change',
      state: 'open',
      labels: ['bug'],
      assignees: ['theo-okafor'],
      author: 'vera-outsider',
      user: { login: 'vera-outsider' },
      body: 'Since the last weekend of October the table of Dover is off.',
      milestone: 'Spring tide',
      createdAt: '2026-11-18T12:00:00Z',
      updatedAt: '2026-11-19T09:30:00Z',
      closedAt: '',
      workItemType: 'Bug',
      confidential: false,
    });
  });

  it('of a CI run holds every field', () => {
    expect(one('workflow_run.completed').context.ciWorkflow).toEqual({
      runId: 660001,
      workflowName: 'CI',
      status: 'Failed',
      conclusion: 'failure',
      branch: 'zones',
      isPullRequest: true,
      pullRequestId: 42,
      commitSha: HEAD,
      queuedAt: '2026-11-20T09:00:05Z',
      startedAt: '2026-11-20T09:00:05Z',
      completedAt: '2026-11-20T09:03:25Z',
      duration: 200,
      workflowUrl: 'https://github.com/harbour-labs/tidewater/actions/runs/660001',
      jobCount: '',
    });
  });

  it('of a merged pull request says merged', () => {
    const { pullRequest } = one('pull_request.closed-merged').context;
    expect(pullRequest).toMatchObject({ state: 'merged', mergedAt: '2026-11-20T12:00:00Z' });
  });

  it.each([
    ['its repository is another one', (p: Json) => p, true],
    ['its repository was deleted', (p: Json) => Object.assign(p.pull_request!.head!, { repo: null }), true],
    ['it is the same repository', (p: Json) => Object.assign(p.pull_request!.head!, { repo: p.repository }), false],
  ])('knows a fork where %s', (_, change, fork) => {
    expect(one('pull_request.opened-from-fork', change).resource).toMatchObject({ head: { fork } });
  });

  it('marks as partial what has to be fetched', () => {
    const partial = (fixture: string) => convert(fixture).events.map((event) => event.partial ?? false);
    expect(partial('issue_comment.created-on-pull')).toEqual([true, true, true]);
    expect(partial('pull_request_review.submitted')).toEqual([true]);
    expect(partial('workflow_run.completed')).toEqual([true]);
    expect(partial('workflow_run.completed-from-fork')).toEqual([true]);
    expect(partial('workflow_run.requested')).toEqual([false]);
    expect(partial('issue_comment.created')).toEqual([false]);
  });
});

describe('commands and mentions', () => {
  it('carry the comment and its place', () => {
    const [comment, manual, mention] = convert('issue_comment.created-on-pull').events;
    expect(comment?.comment).toMatchObject({ id: 770001, place: 'conversation', author: { login: 'mara-lindqvist', bot: false } });
    expect(manual?.context.trigger).toMatchObject({ slashCommand: 'review', slashCommandWithMention: false });
    expect(manual?.command).toEqual({ name: 'review', args: 'src/zones only', withMention: false });
    expect(mention?.context.trigger).toMatchObject({ mentionedBy: 'mara-lindqvist', mentionLocation: 'pull_request' });
    expect(mention?.context.trigger.mentionContent).toContain('can you look again');
  });

  it('of a review thread name its file and line', () => {
    const [event] = convert('pull_request_review_comment.created').events;
    expect(event?.comment).toMatchObject({ place: 'thread', path: 'src/zones/table.ts', line: 11, inReplyTo: 820001 });
  });

  it('hears the app by its slug and by its aliases', () => {
    const say = (body: string) =>
      convert('issue_comment.created', (p) => Object.assign(p.comment!, { body })).events.map(({ name }) => name);
    expect(say('@pitwall hello')).toContain('mention');
    expect(say('@overcut hello')).toContain('mention');
    expect(say('@somebody hello')).toEqual(['issue_commented']);
  });

  it('takes ten commands of one comment at most', () => {
    const body = Array.from({ length: 5000 }, (_, k) => `/c${k}`).join('\n');
    const { events } = convert('issue_comment.created', (p) => Object.assign(p.comment!, { body }));
    expect(events.filter(({ name }) => name === 'manual')).toHaveLength(10);
  });

  it('says that a bot is one', () => {
    const bot = { login: 'dependabot[bot]', id: 49699333, type: 'Bot' };
    const [event] = convert('issue_comment.created', (p) => Object.assign(p, { sender: bot, comment: { ...p.comment, user: bot } })).events;
    expect(event).toMatchObject({ actor: { bot: true }, comment: { author: { bot: true } }, context: { actor: { type: 'Bot' } } });
  });
});

describe('payloads of any shape', () => {
  const names = ['issues', 'pull_request', 'issue_comment', 'pull_request_review', 'pull_request_review_comment', 'workflow_run'];
  const shapes: unknown[] = [
    null,
    0,
    '',
    'text',
    true,
    [],
    [[]],
    {},
    { action: 'opened' },
    { action: {} },
    { repository: null, sender: 1 },
  ];

  it.each(names)('%s: JSON that is no payload is ignored as malformed', (name) => {
    for (const payload of shapes)
      expect(toEvents({ id: 'd', name, payload }, OPTIONS)).toEqual({ events: [], ignored: expect.stringMatching(/^malformed: /) });
  });

  it.each(['__proto__', 'constructor', '', 'toString'])('the event name "%s" is ignored', (name) => {
    expect(toEvents({ id: 'd', name, payload: {} }, OPTIONS)).toMatchObject({
      events: [],
      ignored: expect.stringContaining('starts nothing'),
    });
  });

  it('a whole payload with any one value replaced never throws', () => {
    const values: unknown[] = [null, 7, 'x', [], {}, [null], { login: 3 }];
    let tried = 0;
    for (const file of readdirSync(FIXTURES)) {
      const name = file.split('.')[0]!;
      for (const value of values) {
        for (const path of pathsOf(load(file.replace(/\.json$/, '')), 3)) {
          const payload = load(file.replace(/\.json$/, ''));
          const parent = path.slice(0, -1).reduce<Json>((at, key) => at[key]!, payload);
          Object.assign(parent, { [path.at(-1)!]: value });
          const { events, ignored } = toEvents({ id: 'd', name, payload }, OPTIONS);
          expect(events.length > 0).toBe(ignored === undefined);
          tried++;
        }
      }
    }
    expect(tried).toBeGreaterThan(5000);
  });
});

/** Paths to values that the mapping reads, to a depth. */
function pathsOf(value: unknown, depth: number): string[][] {
  if (typeof value !== 'object' || value === null || depth === 0) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...pathsOf(inner, depth - 1).map((rest) => [key, ...rest])]);
}
