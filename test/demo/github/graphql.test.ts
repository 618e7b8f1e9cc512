import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitHub } from '../../../src/demo/github/github.ts';
import { parseDocument } from '../../../src/demo/github/graphql/document.ts';
import type { Person } from '../../../src/demo/github/person.ts';
import type { Installation, PullItem, Repository, ReviewComment } from '../../../src/demo/github/state.ts';
import { type Answer, asInstallation, caller, lines, type Send } from './caller.ts';

let gh: GitHub;
let repo: Repository;
let installation: Installation;
let alice: Person;
let pull: PullItem;
let first: ReviewComment;
let ask: (query: string, variables?: Record<string, unknown>, send?: Send) => Promise<Answer['body']>;

beforeAll(async () => {
  gh = await GitHub.start();
  repo = await gh.createRepository('acme/app', { 'a.ts': lines(20) });
  installation = gh.install(repo);
  alice = gh.person('alice', { 'acme/app': 'write' });
  await alice.push(repo, 'feature', { 'a.ts': lines(20, { 10: 'ten' }) });
  pull = await alice.openPull(repo, { head: 'feature', title: 'Feature' });
  first = await alice.reviewComment(repo, pull.number, { path: 'a.ts', line: 10, body: 'One' });
  alice.replyInThread(repo, first.id, 'Two');
  await alice.reviewComment(repo, pull.number, { path: 'a.ts', line: 9, body: 'Other' });
  const bot = asInstallation(gh, installation, repo, { pull_requests: 'write', issues: 'write' });
  ask = async (query, variables = {}, send = bot) => (await send(`POST ${gh.url}/api/graphql`, { query, variables })).body;
});

afterAll(async () => {
  expect(gh.defects).toEqual([]);
  await gh.stop();
});

describe('documents', () => {
  it.each([
    ['{ a }', 1],
    [
      'query Q($a: [ID!]! = ["x"], $b: Int = 3) @d { a: b(x: $a, y: {k: [1, 2.5, true, null, WORD], s: "q\\"\\u00e4"}) { ...F ... on T @skip(if: false) { c } ... { d } } }',
      1,
    ],
    ['# note\nquery A { a, } mutation B { b(text: """\n  one\n    two\n""") }', 2],
  ])('are parsed: %j', (text, operations) => {
    expect(parseDocument(text).operations).toHaveLength(operations);
  });

  it('keep their texts', () => {
    const [operation] = parseDocument('{ a(b: """\n  one\n    "two"\n  """, c: "x\\n\\"y\\"") }').operations;
    expect(operation?.selections[0]).toMatchObject({ arguments: { b: { value: 'one\n  "two"' }, c: { value: 'x\n"y"' } } });
  });

  it.each(['', '{', '{ a(', '{ a(b: ) }', 'subscription { a }', '{ "a" }', 'query { }', '{ a(b: "open) }', '{ a % b }'])(
    'are refused: %j',
    async (query) => {
      const { data, errors } = await ask(query);
      expect(data).toBeUndefined();
      expect(errors[0].message).toMatch(/Expected|Parse error|No operation/);
    },
  );
});

describe('queries', () => {
  const THREADS = `query Threads($number: Int!, $after: String, $wide: Boolean = false) {
    repo: repository(owner: "acme", name: "APP") {
      __typename
      pullRequest(number: $number) {
        id title
        reviewThreads(first: 1, after: $after) {
          totalCount
          pageInfo { hasNextPage endCursor }
          nodes { ...Thread body: path @include(if: $wide) }
        }
      }
    }
  }
  fragment Thread on PullRequestReviewThread {
    id isResolved isOutdated path line
    comments(first: 10) { nodes { databaseId body author { __typename login ... on User { databaseId } } replyTo { databaseId } } }
  }`;

  it('walk through pages with variables, aliases, fragments and directives', async () => {
    const one = await ask(THREADS, { number: pull.number });
    expect(one.errors).toBeUndefined();
    const { reviewThreads } = one.data.repo.pullRequest;
    expect(one.data.repo.__typename).toBe('Repository');
    expect(reviewThreads).toMatchObject({ totalCount: 2, pageInfo: { hasNextPage: true } });
    expect(reviewThreads.nodes).toMatchObject([
      {
        isResolved: false,
        isOutdated: false,
        line: 10,
        comments: {
          nodes: [
            { body: 'One', author: { __typename: 'User', login: 'alice', databaseId: expect.any(Number) }, replyTo: null },
            { body: 'Two', replyTo: { databaseId: first.id } },
          ],
        },
      },
    ]);
    expect(reviewThreads.nodes[0]).not.toHaveProperty('body');
    const two = await ask(THREADS, { number: pull.number, after: reviewThreads.pageInfo.endCursor, wide: true });
    expect(two.data.repo.pullRequest.reviewThreads).toMatchObject({ pageInfo: { hasNextPage: false }, nodes: [{ line: 9, body: 'a.ts' }] });
  });

  it('find anything by its id', async () => {
    const ids = [
      `R_${repo.id}`,
      `PR_${pull.id}`,
      `PRRC_${first.id}`,
      `PRRT_${first.threadId}`,
      `PRR_${first.reviewId}`,
      `U_${alice.account.id}`,
    ];
    const { data } = await ask(
      'query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on PullRequest { number changedFiles } ... on Comment { body } } }',
      { ids },
    );
    expect(data.nodes.map((node: { id: string }) => node.id)).toEqual(ids);
    expect(data.nodes[1]).toMatchObject({ __typename: 'PullRequest', number: pull.number, changedFiles: 1 });
    expect(data.nodes[2]).toMatchObject({ body: 'One' });
  });

  it.each([
    ['{ repository(owner: "acme", name: "app") { nothing } }', "Field 'nothing' doesn't exist on type 'Repository'", 'undefinedField'],
    ['{ node(id: "x") { ... on Thing { id } } }', "No such type Thing, so it can't be a fragment condition", 'undefinedType'],
    ['{ node { id } }', "Field 'node' is missing required arguments: id", 'missingRequiredArguments'],
    ['{ node(id: "x", y: 1) { id } }', "Field 'node' doesn't accept argument 'y'", 'argumentNotAccepted'],
    ['{ node(id: $id) { id } }', 'Variable $id is used by anonymous query but not declared', 'variableNotDefined'],
    ['{ viewer { ...F } }', 'Fragment F was used, but not defined', 'useAndDefineFragment'],
    ['{ viewer { ...F } } fragment F on User { ...F }', 'Fragment F contains an infinite loop', 'infiniteLoop'],
    ['{ viewer }', /^Field must have selections \(field 'viewer' returns User/, 'selectionMismatch'],
    ['{ viewer { login { x } } }', /^Selections can't be made on scalars/, 'selectionMismatch'],
  ])('are refused before anything is done: %s', async (query, message, code) => {
    const { data, errors } = await ask(query);
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([
      { message: typeof message === 'string' ? message : expect.stringMatching(message), extensions: { code }, locations: [{ line: 1 }] },
    ]);
  });

  it.each([
    ['{ node(id: "PRR_1") { id } }', 'NOT_FOUND', "Could not resolve to a node with the global id of 'PRR_1'.", 'node'],
    [
      '{ node: repository(owner: "acme", name: "no") { id } }',
      'NOT_FOUND',
      "Could not resolve to a Repository with the name 'acme/no'.",
      'node',
    ],
    [
      '{ repository(owner: "acme", name: "app") { pullRequest(number: 99) { id } } }',
      'NOT_FOUND',
      'Could not resolve to a PullRequest with the number of 99.',
      'repository',
    ],
    [
      '{ repository(owner: "acme", name: "app") { pullRequests { totalCount } } }',
      'MISSING_PAGINATION_BOUNDARIES',
      'You must provide a `first` or `last` value to properly paginate the `pullRequests` connection.',
      'repository',
    ],
    [
      '{ repository(owner: "acme", name: "app") { pullRequests(first: 101) { totalCount } } }',
      'EXCESSIVE_PAGINATION',
      'Requesting 101 records on the `pullRequests` connection exceeds the `first` limit of 100 records.',
      'repository',
    ],
  ])('leave null and an error: %s', async (query, type, message, start) => {
    const { data, errors } = await ask(query);
    expect(errors).toMatchObject([{ type, message, path: [start, ...errors[0].path.slice(1)] }]);
    expect(data).toHaveProperty(errors[0].path.join('.'), null);
  });

  it('do not reach beyond the token', async () => {
    const other = await gh.createRepository('acme/secret');
    gh.install(other);
    const { data, errors } = await ask(`{ node(id: "R_${other.id}") { id } }`);
    expect([data.node, errors[0].type]).toEqual([null, 'NOT_FOUND']);
    const { body: nobody } = await caller(gh, null)('POST /graphql', {});
    expect(nobody.message).toMatch(/requires you to be authenticated/);
  });
});

describe('mutations', () => {
  const inline = (name: string, input: string, fields: string) =>
    ask(`mutation { ${name}(input: {${input}}) { clientMutationId ${fields} } }`);

  it('resolve a thread and open it again', async () => {
    const id = `PRRT_${first.threadId}`;
    const done = await inline(
      'resolveReviewThread',
      `threadId: "${id}", clientMutationId: "m1"`,
      'thread { isResolved resolvedBy { login } }',
    );
    expect(done.data.resolveReviewThread).toEqual({
      clientMutationId: 'm1',
      thread: { isResolved: true, resolvedBy: { login: 'pitwall' } },
    });
    await inline('unresolveReviewThread', `threadId: "${id}"`, 'thread { id }');
    expect(gh.threads(repo, pull.number)[0]?.resolvedBy).toBeNull();
  });

  it('answer in a thread, minimize a comment and react', async () => {
    const reply = await inline(
      'addPullRequestReviewThreadReply',
      `pullRequestReviewThreadId: "PRRT_${first.threadId}", body: "Three"`,
      'comment { id body replyTo { databaseId } }',
    );
    expect(reply.data.addPullRequestReviewThreadReply.comment).toMatchObject({ body: 'Three', replyTo: { databaseId: first.id } });
    const comment = alice.comment(repo, pull.number, 'Noise');
    const hidden = await inline(
      'minimizeComment',
      `subjectId: "IC_${comment.id}", classifier: OUTDATED`,
      'minimizedComment { isMinimized minimizedReason }',
    );
    expect(hidden.data.minimizeComment.minimizedComment).toEqual({ isMinimized: true, minimizedReason: 'outdated' });
    expect(comment.minimized).toBe('OUTDATED');
    await inline('addReaction', `subjectId: "PR_${pull.id}", content: EYES`, 'subject { id }');
    expect(gh.reactions(repo, pull.number)).toMatchObject([{ content: 'eyes', author: { login: 'pitwall[bot]' } }]);
    const said = await inline('addComment', `subjectId: "PR_${pull.id}", body: "Said"`, 'commentEdge { node { databaseId body } }');
    expect(said.data.addComment.commentEdge.node).toMatchObject({ body: 'Said' });
  });

  it('make and submit a review', async () => {
    const threads = '[{path: "a.ts", line: 10, body: "x"}]';
    const made = await inline(
      'addPullRequestReview',
      `pullRequestId: "PR_${pull.id}", body: "Marker", threads: ${threads}`,
      'pullRequestReview { id state comments(first: 5) { totalCount } }',
    );
    const review = made.data.addPullRequestReview.pullRequestReview;
    expect(review).toMatchObject({ state: 'PENDING', comments: { totalCount: 1 } });
    const twice = await inline('addPullRequestReview', `pullRequestId: "PR_${pull.id}"`, 'pullRequestReview { id }');
    expect(twice).toMatchObject({
      data: { addPullRequestReview: null },
      errors: [{ type: 'UNPROCESSABLE', message: 'User can only have one pending review per pull request' }],
    });
    const sent = await inline(
      'submitPullRequestReview',
      `pullRequestReviewId: "${review.id}", event: COMMENT`,
      'pullRequestReview { state submittedAt }',
    );
    expect(sent.data.submitPullRequestReview.pullRequestReview).toMatchObject({ state: 'COMMENTED', submittedAt: expect.any(String) });
  });

  it.each([
    [
      'mutation { resolveReviewThread(input: {threadId: "x", foo: 1}) { clientMutationId } }',
      {},
      "InputObject 'ResolveReviewThreadInput' doesn't accept argument 'foo'",
    ],
    [
      'mutation($input: ResolveReviewThreadInput!) { resolveReviewThread(input: $input) { clientMutationId } }',
      { input: { threadId: 'x', foo: 1 } },
      'Variable $input of type ResolveReviewThreadInput! was provided invalid value for foo (Field is not defined on ResolveReviewThreadInput)',
    ],
    [
      'mutation($input: ResolveReviewThreadInput!) { resolveReviewThread(input: $input) { clientMutationId } }',
      { input: {} },
      'Variable $input of type ResolveReviewThreadInput! was provided invalid value for threadId (Expected value to not be null)',
    ],
    [
      'mutation($w: ReportedContentClassifiers!) { minimizeComment(input: {subjectId: "x", classifier: $w}) { clientMutationId } }',
      { w: 'DULL' },
      expect.stringContaining('Expected "DULL" to be one of: SPAM'),
    ],
  ])('are refused for their input: %s', async (query, variables, message) => {
    expect(await ask(query, variables)).toEqual({ errors: [{ message }] });
  });

  it('want the permission', async () => {
    const reader = asInstallation(gh, installation, repo, { pull_requests: 'read' });
    const { data, errors } = await ask(
      `mutation { resolveReviewThread(input: {threadId: "PRRT_${first.threadId}"}) { clientMutationId } }`,
      {},
      reader,
    );
    const blind = asInstallation(gh, installation, repo, { contents: 'read' });
    const unread = await ask(`{ repository(owner: "acme", name: "app") { pullRequest(number: ${pull.number}) { id } } }`, {}, blind);
    expect(unread.errors[0]).toMatchObject({ type: 'FORBIDDEN', path: ['repository', 'pullRequest'] });
    expect([data.resolveReviewThread, errors[0].type, errors[0].message]).toEqual([
      null,
      'FORBIDDEN',
      'Resource not accessible by integration',
    ]);
  });
});
