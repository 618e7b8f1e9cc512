import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../../src/github/api.ts';
import { Tokens } from '../../src/github/tokens.ts';
import { Traffic } from '../../src/github/traffic.ts';
import { makeReading } from '../../src/tools/github-reading.ts';
import { fault, REPOSITORY } from './call-context.ts';

const user = (login: string) => ({ login, type: 'User' });
const row = (number: number, more: object = {}) => ({
  ...{
    number,
    title: `t${number}`,
    body: null,
    user: user('ana'),
    state: 'open',
    labels: [{ name: 'bug' }],
    assignees: [],
    milestone: null,
  },
  ...{ html_url: `h${number}`, created_at: 'c', repository_url: 'https://x/repos/acme/shop' },
  ...more,
});
const pull = row(5, {
  ...{ merged: false, draft: true, base: { ref: 'main', sha: 'a' }, head: { ref: 'f', sha: 'b', repo: null }, requested_reviewers: [] },
  ...{ additions: 1, deletions: 2, changed_files: 3 },
});
const said = (id: number, login: string) => ({ id, user: user(login), body: `by ${login}`, html_url: 'h', created_at: 'c' });
const node = {
  ...{ id: 'PRRT_1', path: 'a.ts', line: 2, startLine: null, diffSide: 'RIGHT', isResolved: false, isOutdated: false },
  comments: {
    totalCount: 1,
    nodes: [{ databaseId: 3, body: 'x', url: 'u', createdAt: 'c', author: { __typename: 'User', login: 'bob' } }],
  },
};
const ROUTES: Record<string, unknown> = {
  '/repos/acme/shop/pulls/5': pull,
  '/repos/acme/shop/pulls/5/commits': [{ sha: 's', commit: { message: 'm', author: { name: 'Ana', date: 'd' } }, author: null }],
  '/repos/acme/shop/pulls/5/reviews': [{ id: 1, user: user('bob'), state: 'APPROVED', body: '', commit_id: 'b', submitted_at: 's' }],
  '/repos/acme/shop/issues/5/comments': [said(1, 'ana'), said(2, 'stranger')],
  '/repos/acme/shop/issues/9': row(9),
  '/repos/acme/shop/issues/9/comments': [said(4, 'ana')],
  '/repos/acme/shop/issues': [row(9), row(5, { pull_request: {} })],
  '/repos/acme/shop/pulls': [pull],
  '/search/issues': { total_count: 1, incomplete_results: false, items: [row(9)] },
  '/graphql': {
    data: { repository: { pullRequest: { reviewThreads: { pageInfo: { hasNextPage: false, endCursor: null }, nodes: [node] } } } },
  },
};

const asked: string[] = [];
let server: Server;
let reading: ReturnType<typeof makeReading>;
beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    asked.push(decodeURIComponent(`${url.pathname}${url.search}`.replaceAll('+', ' ')));
    const refused = url.searchParams.get('q')?.includes('bad:');
    const found = ROUTES[url.pathname];
    response.writeHead(refused ? 422 : found ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found && !refused ? found : { message: refused ? 'Validation Failed' : 'Not Found' }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const issuer = { issue: async () => ({ token: 't', expiresAt: Date.now() + 3_600_000, permissions: {} }), revoke: async () => {} };
  const api = createApi(
    { installation: 1, repository: 7, purpose: 'read' },
    {
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      userAgent: 'test',
      fetch,
      tokens: new Tokens(issuer as never),
      traffic: new Traffic(),
      log: pino({ level: 'silent' }),
    },
  );
  const audience = { author: 'ana', self: 'pitwall[bot]', mayBeRead: async (login: string) => login === 'bob' };
  const uploads = { webUrl: 'https://github.com', fetch };
  reading = makeReading({ repository: REPOSITORY, api: async () => api, audience: async () => audience, uploads });
});
afterAll(() => new Promise((done) => server.close(done)));

describe('reading GitHub', () => {
  it('reads a whole pull request without what strangers wrote', async () => {
    const read = await reading.readPullRequest(5);
    expect(read).toMatchObject({ pull: { number: 5, draft: true }, commits: [{ sha: 's' }], reviews: [{ author: 'bob' }], hidden: 1 });
    expect(read.comments.map(({ author }) => author)).toEqual(['ana']);
    expect(read.threads).toMatchObject([{ threadId: 'PRRT_1', comments: [{ id: 3 }] }]);
    expect(await reading.readIssue(9)).toMatchObject({ issue: { number: 9 }, comments: [{ id: 4 }], hidden: 0 });
  });

  it.each([
    [{ kind: 'issue', limit: 10 }, '/repos/acme/shop/issues?state=open'],
    [{ kind: 'pr', head: 'f', limit: 10 }, '/repos/acme/shop/pulls?state=open&per_page=10&head=acme:f'],
    [{ kind: 'pr', state: 'merged', limit: 3 }, '/search/issues?q=repo:acme/shop is:pr is:merged'],
    [
      { kind: 'issue', query: 'login repo:evil/x', labels: ['needs work'], limit: 3 },
      '/search/issues?q=repo:acme/shop is:issue login is:open label:"needs work"',
    ],
  ] as const)('lists %j', async (query, url) => {
    const rows = await reading.list({ ...query, ...('labels' in query ? { labels: [...query.labels] } : {}) } as never);
    expect(rows.length).toBe(1);
    expect(asked.at(-1)).toContain(url);
  });

  it('tells what GitHub has not, or cannot read', async () => {
    expect(await fault(reading.readPullRequest(6))).toContain('GitHub has no pull request acme/shop#6');
    expect(await fault(reading.list({ kind: 'issue', query: 'bad:query', limit: 3 }))).toContain('did not accept this list');
  });
});
