import { describe, expect, it } from 'vitest';
import type { CommentView, IssueView } from '../../src/github/read.ts';
import { ToolError } from '../../src/journal/errors.ts';
import type { GitHubReading, ListQuery } from '../../src/tools/context.ts';
import { BRANCH, call, fault, ISSUE, makeContext } from './call-context.ts';

const issue = (number: number): IssueView => ({
  ...{ number, title: `Issue ${number}`, body: 'b'.repeat(500), author: 'ana', state: 'open', labels: ['bug'], assignees: [] },
  ...{ milestone: '', url: `https://github.example/acme/shop/issues/${number}`, createdAt: '2026-01-01T00:00:00Z', isPull: false },
});
const comment = (id: number, body: string): CommentView => ({ id, author: 'ana', body, url: `u${id}`, createdAt: '2026-01-01T00:00:00Z' });
const comments = Array.from({ length: 300 }, (_, k) => comment(k, `${k} ${'ü'.repeat(400)}`));

const never = () => {
  throw new Error('not asked here');
};

function reading(asked: unknown[] = []): GitHubReading {
  return {
    async readPullRequest(number) {
      asked.push(number);
      if (number !== 5) throw new ToolError('there is none');
      const pull = {
        ...issue(5),
        state: 'open' as const,
        draft: true,
        base: { ref: 'main', sha: 'a' },
        head: { ref: 'f', sha: 'b', fullName: null },
      };
      const facts = { requestedReviewers: [], additions: 1, deletions: 0, changedFiles: 1 };
      const thread = { threadId: 'PRRT_1', path: 'a.ts', line: 3, startLine: null, side: 'RIGHT' as const };
      const threads = [{ ...thread, isResolved: false, isOutdated: false, comments: [{ ...comment(8, 'why?') }], more: 0 }];
      return { pull: { ...pull, ...facts }, commits: [], comments: [comment(1, 'hello')], reviews: [], threads, hidden: 2 };
    },
    async readIssue(number) {
      asked.push(number);
      return { issue: issue(number), comments, hidden: 0 };
    },
    readConversation: never,
    readAttachments: never,
    async list(query: ListQuery) {
      asked.push(query);
      return [issue(1), issue(2)];
    },
    readCiRun: never,
    listCiRuns: never,
    readCiLog: never,
    listDispatched: never,
  };
}

describe('reading pull requests and tickets', () => {
  it('reads the run’s own by default, and another of its repository', async () => {
    const asked: unknown[] = [];
    const read = JSON.parse(await call(makeContext({ github: reading(asked) }), 'read_pull_request', { owner: 'acme', repo: 'shop' }));
    expect(read).toMatchObject({ number: 5, draft: true, hiddenComments: 2, threads: [{ threadId: 'PRRT_1', comments: [{ id: 8 }] }] });
    expect(read).toMatchObject({ comments: [{ id: 1 }], commits: [], reviews: [] });
    await call(makeContext({ github: reading(asked), resource: ISSUE }), 'read_ticket');
    await call(makeContext({ github: reading(asked), resource: ISSUE }), 'read_ticket', { ticketNumber: '#12' });
    expect(asked).toEqual([5, 9, 12]);
    expect(await fault(call(makeContext({ github: reading() }), 'read_pull_request', { number: 6 }))).toBe('there is none');
    expect(await fault(call(makeContext({ github: reading() }), 'read_ticket', { repoFullName: 'evil/shop' }))).toContain(
      'acme/shop#5 only',
    );
    expect(await fault(call(makeContext({ github: reading(), resource: BRANCH }), 'read_ticket'))).toContain('give the number');
  });

  it('shows a long conversation page by page, each comment once', async () => {
    const context = makeContext({ github: reading() });
    const ids: number[] = [];
    for (let page: number | undefined = 1; page !== undefined; ) {
      const text = await call(context, 'read_ticket', { number: 3, page });
      expect(Buffer.byteLength(text)).toBeLessThan(50 * 1024);
      const shown = JSON.parse(text) as { title?: string; comments: CommentView[]; nextPage?: number };
      expect(shown.title).toBe(page === 1 ? 'Issue 3' : undefined);
      ids.push(...shown.comments.map(({ id }) => id));
      page = shown.nextPage;
    }
    expect(ids).toEqual(comments.map(({ id }) => id));
    expect(await fault(call(context, 'read_ticket', { number: 3, page: 50 }))).toMatch(/the last one is \d+/);
  });

  it('lists with the limits of the tool', async () => {
    const asked: unknown[] = [];
    const context = makeContext({ github: reading(asked) });
    const rows = JSON.parse(await call(context, 'list_tickets', { keywords: ' login ', labels: 'bug, ui', limit: '500' })) as IssueView[];
    expect(rows.map(({ number, body }) => [number, body.length])).toEqual([
      [1, 200 + ' [300 more characters]'.length],
      [2, 200 + ' [300 more characters]'.length],
    ]);
    await call(context, 'list_pull_requests', { head: 'feature', state: 'CLOSED' });
    expect(asked).toEqual([
      { kind: 'issue', query: 'login', labels: ['bug', 'ui'], limit: 100 },
      { kind: 'pr', state: 'closed', head: 'feature', limit: 10 },
    ]);
    expect(await fault(call(context, 'list_tickets', { repo: 'other' }))).toContain('repo "other"');
  });
});

describe('comments', () => {
  const done = () => ({ status: 'done' as const, result: { commentId: 4, url: 'u' } });

  it.each([
    ['add_comment_to_pull_request', undefined, { body: 'Hi' }, { type: 'comment.create', body: 'Hi' }],
    ['add_comment_to_ticket', ISSUE, { ticketNumber: 9, comment: 'Hi' }, { type: 'comment.create', body: 'Hi' }],
    ['add_comment_to_ticket', undefined, { message: 'Hi' }, { type: 'comment.create', body: 'Hi' }],
    ['update_comment_on_ticket', ISSUE, { commentId: '4', body: 'Hi' }, { type: 'comment.update', comment: 4, body: 'Hi' }],
    ['update_pull_request_comment', undefined, { id: 4, body: 'Hi' }, { type: 'comment.update', comment: 4, body: 'Hi' }],
  ])('%s', async (name, resource, input, effect) => {
    const context = makeContext({ answer: done, ...(resource ? { resource } : {}) });
    expect(await call(context, name, input)).toBe('{"commentId":4,"url":"u"}');
    expect(context.effects).toEqual([effect]);
  });

  it('stay on what the run is about', async () => {
    const context = makeContext({ answer: done });
    expect(await fault(call(context, 'add_comment_to_ticket', { number: 12, body: 'x' }))).toContain('number "12" is not this run');
    expect(await fault(call(context, 'add_comment_to_pull_request', { repository: 'https://github.example/evil/x', body: 'x' }))).toContain(
      'acme/shop#5 only',
    );
    expect(await fault(call(context, 'add_comment_to_pull_request', { body: '' }))).toContain('body is empty');
    expect(await fault(call(makeContext({ resource: BRANCH }), 'add_comment_to_ticket', { body: 'x' }))).toContain('branch main');
    expect(await fault(call(makeContext({ resource: ISSUE }), 'add_comment_to_pull_request', { body: 'x' }))).toContain(
      'issue acme/shop#9',
    );
    expect(context.effects).toEqual([]);
    const refusing = makeContext({ answer: () => ({ status: 'refused', reason: 'comment 4 was written by somebody else' }) });
    expect(await fault(call(refusing, 'update_comment_on_ticket', { commentId: 4, body: 'x' }))).toBe(
      'Not done: comment 4 was written by somebody else.',
    );
  });
});
