import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GitHub } from '../../../src/demo/github/github.ts';
import type { Person } from '../../../src/demo/github/person.ts';
import type { PullItem, Repository } from '../../../src/demo/github/state.ts';
import { asInstallation, caller, lines, type Send } from './caller.ts';

let gh: GitHub;
let repo: Repository;
let alice: Person;
let bot: Send;
let graphql: (query: string, variables?: Record<string, unknown>) => ReturnType<Send>;
let pull: PullItem;
let at: string;
let count = 0;

beforeAll(async () => {
  gh = await GitHub.start();
  repo = await gh.createRepository('acme/app', { 'a.ts': lines(60), 'old name.ts': lines(20), 'gone.ts': lines(5) });
  const installation = gh.install(repo);
  alice = gh.person('alice', { 'acme/app': 'write' });
  bot = asInstallation(gh, installation, repo, { pull_requests: 'write', contents: 'read', issues: 'write' });
  graphql = (query, variables = {}) => bot(`POST ${gh.url}/api/graphql`, { query, variables });
});

afterAll(async () => {
  expect(gh.defects).toEqual([]);
  await gh.stop();
});

/** Two hunks in a.ts (7-13 and 47-52 on the new side), a renamed, a removed, a new and a binary file. */
beforeEach(async () => {
  const branch = `feature-${++count}`;
  await alice.push(repo, branch, {
    'a.ts': lines(60, { 10: `ten ${count}`, 49: null }),
    'new name.ts': { from: 'old name.ts' },
    'gone.ts': null,
    'new.ts': 'one\ntwo',
    'picture.bin': Buffer.from([0, 1, 2, count]),
  });
  await alice.push(repo, branch, { 'new name.ts': lines(20, { 5: 'five' }) });
  pull = await alice.openPull(repo, { head: branch, title: 'Feature' });
  at = `/repos/acme/app/pulls/${pull.number}`;
});

const thread = (more: Record<string, unknown>) => ({ path: 'a.ts', body: 'Look.', side: 'RIGHT', ...more });

describe('createReview', () => {
  it.each([
    ['a changed line', { line: 10 }],
    ['the first line of context', { line: 7 }],
    ['the last line of context', { line: 13 }],
    ['a deleted line', { line: 10, side: 'LEFT' }],
    ['a deleted line of the second hunk', { line: 49, side: 'LEFT' }],
    ['the end of the second hunk', { line: 51 }],
    ['several lines', { start_line: 8, line: 11 }],
    ['from the old to the new side', { start_line: 10, start_side: 'LEFT', line: 10 }],
    ['a new file', { path: 'new.ts', line: 2 }],
    ['a removed file', { path: 'gone.ts', line: 3, side: 'LEFT' }],
    ['a renamed file by its new name', { path: 'new name.ts', line: 5 }],
    ['a position of the old kind', { line: undefined, side: undefined, position: 4 }],
  ])('takes %s', async (_name, more: { path?: string; line?: number | undefined; side?: string | undefined; position?: number }) => {
    const { status, body } = await bot(`POST ${at}/reviews`, { event: 'COMMENT', body: 'All.', comments: [thread(more)] });
    expect(body).toMatchObject({ state: 'COMMENTED', body: 'All.', commit_id: pull.pull.headSha });
    expect(status).toBe(200);
    const [comment] = (await bot(`GET ${at}/reviews/${body.id}/comments`)).body;
    expect(comment).toMatchObject({
      path: more.path ?? 'a.ts',
      line: more.line ?? 10,
      side: more.side ?? (more.position ? 'LEFT' : 'RIGHT'),
    });
  });

  const LINE = 'Pull request review thread line must be part of the diff';
  it.each([
    ['a line outside the hunks', { comments: [thread({ line: 20 })] }, LINE],
    ['the line after the context', { comments: [thread({ line: 14 })] }, LINE],
    ['an old line on the new side', { comments: [thread({ path: 'gone.ts', line: 3 })] }, LINE],
    ['no line at all', { comments: [thread({})] }, LINE],
    ['a line of a binary file', { comments: [thread({ path: 'picture.bin', line: 1 })] }, LINE],
    [
      'a start line outside',
      { comments: [thread({ start_line: 2, line: 10 })] },
      'Pull request review thread start line must be part of the diff',
    ],
    [
      'lines of two hunks',
      { comments: [thread({ start_line: 10, line: 49 })] },
      'Pull request review thread start line must be part of the same hunk as the line.',
    ],
    [
      'a start after the end',
      { comments: [thread({ start_line: 11, line: 8 })] },
      'Pull request review thread start line must precede the end line.',
    ],
    [
      'an unknown side',
      { comments: [thread({ line: 10, side: 'MIDDLE' })] },
      'Pull request review thread side is not included in the list',
    ],
    ['an unknown path', { comments: [thread({ path: 'b.ts', line: 1 })] }, 'Path could not be resolved'],
    ['the old name of a file', { comments: [thread({ path: 'old name.ts', line: 5, side: 'LEFT' })] }, 'Path could not be resolved'],
    ['an unknown position', { comments: [{ path: 'a.ts', body: 'x', position: 400 }] }, 'Position could not be resolved'],
    ['an empty comment', { comments: [thread({ line: 10, body: ' ' })] }, "Pull request review comment body can't be blank"],
    [
      'a long comment',
      { comments: [thread({ line: 10, body: 'x'.repeat(65_537) })] },
      'Pull request review comment body is too long (maximum is 65536 characters)',
    ],
    ['a long body', { body: 'x'.repeat(65_537) }, 'Body is too long (maximum is 65536 characters)'],
    ['nothing', { body: '' }, "Body can't be blank"],
    ['an unknown event', { event: 'LIKE' }, 'Event is not included in the list'],
    ['a commit of something else', { commit_id: '0'.repeat(40) }, 'The commit_id is not part of the pull request'],
    [
      'two mistakes',
      { comments: [thread({ line: 10 }), thread({ line: 20 }), thread({ path: 'b.ts', line: 1 })] },
      `${LINE} and Path could not be resolved`,
    ],
  ])('refuses %s, and makes nothing', async (_name, more: Record<string, unknown>, sentence) => {
    const answer = await bot(`POST ${at}/reviews`, { event: 'COMMENT', body: 'All.', ...more });
    expect(answer).toMatchObject({ status: 422, body: { message: 'Unprocessable Entity', errors: [sentence], status: '422' } });
    expect(gh.reviews(repo, pull.number)).toEqual([]);
    expect(gh.reviewComments(repo, pull.number)).toEqual([]);
  });

  it.each([
    ['an unknown key', thread({ line: 10, subject_type: 'file' }), `For 'items', "subject_type" is not a permitted key.`],
    ['no path', { body: 'x', line: 1 }, `For 'items', "path" wasn't supplied.`],
    ['no body', { path: 'a.ts', line: 10 }, `For 'items', "body" wasn't supplied.`],
    ['a line that is no number', thread({ line: '10' }), `For 'properties/line', "10" is not an integer.`],
  ])('refuses a comment with %s by its schema', async (_name, comment, message) => {
    const answer = await bot(`POST ${at}/reviews`, { event: 'COMMENT', body: 'All.', comments: [comment] });
    expect(answer).toMatchObject({ status: 422, body: { message: `Invalid request.\n\n${message}` } });
  });

  it('lets nobody approve or refuse what is their own', async () => {
    const own = caller(gh, alice.token());
    expect((await own(`POST ${at}/reviews`, { event: 'APPROVE' })).body.errors).toEqual(['Can not approve your own pull request']);
    expect((await own(`POST ${at}/reviews`, { event: 'REQUEST_CHANGES', body: 'x' })).body.errors).toEqual([
      'Can not request changes on your own pull request',
    ]);
    expect((await bot(`POST ${at}/reviews`, { event: 'APPROVE' })).body.state).toBe('APPROVED');
  });

  it('takes an older commit of the pull request, with its own diff', async () => {
    const old = pull.pull.headSha;
    await alice.push(repo, pull.pull.headRef, { 'a.ts': lines(60, { 40: 'forty' }) });
    const body = { event: 'COMMENT', body: 'x', commit_id: old, comments: [thread({ line: 10 })] };
    expect((await bot(`POST ${at}/reviews`, body)).status).toBe(200);
    expect((await bot(`POST ${at}/reviews`, { ...body, commit_id: undefined })).status).toBe(422);
  });
});

describe('a pending review', () => {
  const ADD = `mutation Add($input: AddPullRequestReviewThreadInput!) {
    addPullRequestReviewThread(input: $input) { thread { id path line subjectType isResolved comments(first: 1) { nodes { databaseId body state } } } }
  }`;

  it('is seen by its author only, takes a thread on a file, and is submitted', async () => {
    const { body: review } = await bot(`POST ${at}/reviews`, { body: 'Marker', comments: [thread({ line: 10 })] });
    expect(review).toMatchObject({ state: 'PENDING' });
    expect(review.submitted_at).toBeUndefined();
    expect((await caller(gh, alice.token())(`GET ${at}/reviews`)).body).toEqual([]);
    expect((await bot(`GET ${at}/comments`)).body).toEqual([]);
    expect((await bot(`POST ${at}/reviews`, { body: 'Again' })).body.errors).toEqual([
      'User can only have one pending review per pull request',
    ]);

    const input = { pullRequestReviewId: review.node_id, path: 'picture.bin', body: 'On the file.', subjectType: 'FILE' };
    const { body: added } = await graphql(ADD, { input });
    expect(added.errors).toBeUndefined();
    expect(added.data.addPullRequestReviewThread.thread).toMatchObject({
      path: 'picture.bin',
      line: null,
      subjectType: 'FILE',
      isResolved: false,
      comments: { nodes: [{ body: 'On the file.', state: 'PENDING' }] },
    });
    expect((await bot(`GET ${at}/reviews/${review.id}/comments`)).body).toHaveLength(2);

    const { body: submitted } = await bot(`POST ${at}/reviews/${review.id}/events`, { event: 'COMMENT', body: 'Done' });
    expect(submitted).toMatchObject({ id: review.id, state: 'COMMENTED', body: 'Done' });
    expect((await bot(`POST ${at}/reviews/${review.id}/events`, { event: 'COMMENT' })).status).toBe(422);
    expect((await bot(`DELETE ${at}/reviews/${review.id}`)).body.errors).toEqual(['Can not delete a non-pending pull request review']);
    expect((await bot(`GET ${at}/comments`)).body.map((c: { subject_type: string }) => c.subject_type)).toEqual(['line', 'file']);
  });

  it('loses what GraphQL took without a line', async () => {
    const { body: review } = await bot(`POST ${at}/reviews`, { body: 'Marker' });
    const base = { pullRequestReviewId: review.node_id, body: 'x' };
    expect(
      (await graphql(ADD, { input: { ...base, path: 'nowhere.ts', line: 1 } })).body.data.addPullRequestReviewThread.thread,
    ).toBeNull();
    expect((await graphql(ADD, { input: { ...base, path: 'a.ts', line: 30 } })).body.data.addPullRequestReviewThread.thread).not.toBeNull();
    expect(gh.reviewComments(repo, pull.number)).toHaveLength(1);
    await bot(`POST ${at}/reviews/${review.id}/events`, { event: 'COMMENT' });
    expect(gh.reviewComments(repo, pull.number)).toEqual([]);
    expect(gh.audit.summary()['dropped-thread']).toBe(2);
  });

  it('can be deleted with all that is in it', async () => {
    const { body: review } = await bot(`POST ${at}/reviews`, { comments: [thread({ line: 10 })] });
    expect((await bot(`DELETE ${at}/reviews/${review.id}`)).status).toBe(200);
    expect([gh.reviews(repo, pull.number), gh.reviewComments(repo, pull.number), gh.threads(repo, pull.number)]).toEqual([[], [], []]);
  });

  it('is made once when two come at a time', async () => {
    const both = await Promise.all([1, 2].map((n) => bot(`POST ${at}/reviews`, { body: `Marker ${n}` })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 422]);
  });
});

describe('comments on the diff', () => {
  it('are started, answered, changed and deleted', async () => {
    const { body: root, status } = await bot(`POST ${at}/comments`, { ...thread({ line: 10 }), commit_id: pull.pull.headSha });
    expect(status).toBe(201);
    const reply = alice.replyInThread(repo, root.id, 'Why?');
    expect(reply).toMatchObject({ inReplyTo: root.id, threadId: gh.reviewComments(repo, pull.number)[0]?.threadId });
    const second = await bot(`POST ${at}/comments/${root.id}/replies`, { body: 'Because.' });
    expect(second.body).toMatchObject({ in_reply_to_id: root.id, line: 10 });
    expect((await bot(`POST ${at}/comments`, { body: 'More.', in_reply_to: second.body.id })).body.in_reply_to_id).toBe(root.id);
    expect((await bot(`POST ${at}/comments/${second.body.id}/replies`, { body: 'x' })).status).toBe(422);
    expect((await bot(`PATCH /repos/acme/app/pulls/comments/${reply.id}`, { body: 'x' })).status).toBe(403);
    expect((await bot(`PATCH /repos/acme/app/pulls/comments/${root.id}`, { body: 'Changed.' })).body.body).toBe('Changed.');
    expect((await bot(`DELETE /repos/acme/app/pulls/comments/${second.body.id}`)).status).toBe(204);
    expect((await bot(`GET ${at}/comments`)).body.map((c: { body: string }) => c.body)).toEqual(['Changed.', 'Why?', 'More.']);
    expect((await bot(`GET ${at}`)).body).toMatchObject({ review_comments: 3, comments: 0 });
  });

  it.each([
    [
      { path: 'b.ts', line: 1 },
      { code: 'invalid', field: 'path' },
    ],
    [{ line: 20 }, { field: 'pull_request_review_thread.line', message: 'pull_request_review_thread.line must be part of the diff' }],
    [{ start_line: 1, line: 10 }, { field: 'pull_request_review_thread.start_line' }],
  ])('are refused by field: %j', async (more, error) => {
    const answer = await bot(`POST ${at}/comments`, { ...thread(more), commit_id: pull.pull.headSha });
    expect(answer).toMatchObject({ status: 422, body: { message: 'Validation Failed', errors: [error, { code: 'missing_field' }] } });
  });

  it('may be on a whole file', async () => {
    const { body } = await bot(`POST ${at}/comments`, { path: 'gone.ts', body: 'x', subject_type: 'file', commit_id: pull.pull.headSha });
    expect(body).toMatchObject({ subject_type: 'file', line: null });
    const { body: bare } = await bot(`POST ${at}/comments`, { path: 'gone.ts', body: 'x', commit_id: pull.pull.headSha });
    expect(bare.message).toMatch(/No subschema in "oneOf" matched/);
  });
});

describe('threads after a push', () => {
  it('follow their line, or become outdated', async () => {
    const { body } = await bot(`POST ${at}/reviews`, {
      event: 'COMMENT',
      body: 'x',
      comments: [
        thread({ line: 10 }),
        thread({ line: 49, start_line: 47 }),
        thread({ path: 'new.ts', line: 1 }),
        thread({ path: 'new name.ts', line: 5 }),
      ],
    });
    const before = pull.pull.headSha;
    await alice.push(repo, pull.pull.headRef, {
      'a.ts': `zero\n${lines(60, { 10: 'TEN', 49: null })}`,
      'new.ts': 'one\ntwo\nthree',
      'newest name.ts': { from: 'new name.ts' },
    });
    const { body: comments } = await bot(`GET ${at}/reviews/${body.id}/comments`);
    expect(comments).toMatchObject([
      { line: null, position: null, original_line: 10, commit_id: before },
      { line: 50, start_line: 48, original_line: 49, original_commit_id: before, commit_id: pull.pull.headSha },
      { line: 1, path: 'new.ts' },
      { line: 5, path: 'newest name.ts' },
    ]);
    const { body: graph } = await graphql(
      `query($n: Int!) { repository(owner: "acme", name: "app") { pullRequest(number: $n) { reviewThreads(first: 10) { nodes { isOutdated line } } } } }`,
      { n: pull.number },
    );
    expect(graph.data.repository.pullRequest.reviewThreads.nodes).toMatchObject([
      { isOutdated: true, line: null },
      { line: 50 },
      { line: 1 },
      { line: 5 },
    ]);
    expect((await bot(`GET ${at}`)).body.head.sha).toBe(pull.pull.headSha);
  });
});
