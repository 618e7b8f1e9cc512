import { generateKeyPairSync } from 'node:crypto';
import { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitHub } from '../../../src/demo/github/github.ts';
import type { Installation, Repository } from '../../../src/demo/github/state.ts';
import { appToken, asInstallation, caller } from './caller.ts';

let gh: GitHub;
let repo: Repository;
let other: Repository;
let open: Repository;
let installation: Installation;

beforeAll(async () => {
  gh = await GitHub.start();
  repo = await gh.createRepository('acme/app');
  other = await gh.createRepository('acme/other');
  open = await gh.createRepository('world/open', { 'README.md': '# Open\n' }, { private: false });
  installation = gh.install(repo);
  gh.install(other);
  await gh.person('alice', { 'acme/app': 'write' }).openIssue(repo, { title: 'One' });
});

afterAll(async () => {
  expect(gh.defects).toEqual([]);
  await gh.stop();
});

describe('the app', () => {
  const now = Math.floor(Date.now() / 1000);
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();

  it.each([
    ['a good one', {}, {}, 200, null],
    ['the client id as issuer', { iss: 'CLIENT' }, {}, 200, null],
    ['somebody else as issuer', { iss: 1 }, {}, 401, /Issuer/],
    ['no end', { exp: undefined }, {}, 401, /Expiration time/],
    ['an end in the past', { exp: now - 5 }, {}, 401, /Expiration time/],
    ['an end too far away', { exp: now + 3600 }, {}, 401, /too far in the future/],
    ['a beginning in the future', { iat: now + 600 }, {}, 401, /Issued at/],
    ['another key', {}, { key: stranger }, 401, /could not be decoded/],
    ['another algorithm', {}, { alg: 'none' }, 401, /could not be decoded/],
  ])('signs in with a JWT that has %s', async (_name, claims: Record<string, unknown>, how, status, message) => {
    const filled = claims.iss === 'CLIENT' ? { iss: gh.app.clientId } : claims;
    const answer = await caller(gh, appToken(gh, filled, how))('GET /app');
    expect(answer.status).toBe(status);
    if (message) expect(answer.body.message).toMatch(message);
    else expect(answer.body).toMatchObject({ id: gh.app.id, slug: 'pitwall' });
  });

  it.each(['', 'a.b.c', 'ghs_unknown'])('refuses the token %j', async (token) => {
    expect((await caller(gh, token)('GET /app')).status).toBe(401);
  });

  it('finds its installations and what belongs to them', async () => {
    const app = caller(gh, appToken(gh));
    expect((await app('GET /app/installations')).body).toHaveLength(1);
    expect((await app('GET /repos/acme/app/installation')).body.id).toBe(installation.id);
    expect((await app(`GET /app/installations/${installation.id}`)).body.account.login).toBe('acme');
    expect((await app('GET /repos/world/open/installation')).status).toBe(404);
    expect((await app('GET /repos/acme/app')).status).toBe(403);
  });
});

describe('tokens', () => {
  const cut = (body: unknown) => caller(gh, appToken(gh))(`POST /app/installations/${installation.id}/access_tokens`, body);

  it('are cut to repositories and permissions, which are enforced', async () => {
    const { status, body } = await cut({ repository_ids: [repo.id], permissions: { issues: 'read', contents: 'read' } });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      permissions: { metadata: 'read', issues: 'read', contents: 'read' },
      repositories: [{ full_name: 'acme/app' }],
    });
    expect(Date.parse(body.expires_at) - Date.now()).toBeGreaterThan(3_500_000);
    const send = caller(gh, body.token);
    expect((await send('GET /repos/acme/app/issues/1')).status).toBe(200);
    expect((await send('GET /installation/repositories')).body).toMatchObject({ total_count: 1 });
    const refused = await send('POST /repos/acme/app/issues/1/comments', { body: 'no' });
    expect(refused).toMatchObject({ status: 403, body: { message: 'Resource not accessible by integration', status: '403' } });
    expect(refused.headers.get('x-accepted-github-permissions')).toBe('issues=write; pull_requests=write');
    expect((await send('GET /repos/acme/app/check-runs/1')).status).toBe(403);
    expect((await send('GET /repos/acme/other')).status).toBe(404);
    expect((await send('GET /repos/world/open')).status).toBe(200);
    expect((await send('PUT /repos/world/open/contents/x', { message: 'm', content: '' })).status).toBe(403);
    expect((await send('GET /app')).status).toBe(401);
  });

  it('die when they are revoked', async () => {
    const { body } = await cut({ repositories: ['app'], permissions: { issues: 'read' } });
    const send = caller(gh, body.token);
    expect((await send('DELETE /installation/token')).status).toBe(204);
    expect(await send('GET /repos/acme/app/issues/1')).toMatchObject({ status: 401, body: { message: 'Bad credentials' } });
  });

  it.each([
    [{ repository_ids: [1] }, 422, /does not exist or is not accessible/],
    [{ repositories: ['open'] }, 422, /does not exist or is not accessible/],
    [{ permissions: { administration: 'write' } }, 422, /not granted/],
    [{ permissions: { members: 'write' } }, 422, /not granted/],
    [{ permissions: { issues: 'all' } }, 422, /not a possible value/],
  ])('are refused for %j', async (body, status, message) => {
    const answer = await cut(body);
    expect(answer.status).toBe(status);
    expect(answer.body.message).toMatch(message);
  });

  it('are counted when they are too wide', async () => {
    const before = { ...gh.audit.tokens };
    await cut({});
    await cut({ repository_ids: [repo.id, other.id], permissions: { issues: 'read' } });
    await cut({ repository_ids: [repo.id], permissions: { issues: 'read' } });
    await cut({ permissions: { metadata: 'read' } });
    expect(gh.audit.tokens).toEqual({ issued: before.issued + 4, wide: before.wide + 3, allPermissions: before.allPermissions + 1 });
    expect(gh.audit.breaches.slice(-3).map(({ rule }) => rule)).toEqual(['token-wide', 'token-all-permissions', 'token-wide']);
  });

  it('are not given to a suspended installation, and its old ones end', async () => {
    const send = asInstallation(gh, installation, repo);
    gh.changeInstallation(installation, 'suspend');
    expect((await cut({})).status).toBe(403);
    expect((await send('GET /repos/acme/app')).status).toBe(401);
    gh.changeInstallation(installation, 'unsuspend');
    expect((await cut({ repository_ids: [repo.id] })).status).toBe(201);
  });
});

describe('people', () => {
  it.each([
    ['alice', 'write', 'write'],
    ['acme', 'admin', 'admin'],
    ['carol', 'write', 'maintain'],
    ['dave', 'read', 'triage'],
    ['eve', 'none', 'none'],
  ] as const)('%s has the permission %s (%s)', async (login, permission, role) => {
    if (login === 'carol' || login === 'dave') gh.person(login, { 'acme/app': role });
    else gh.person(login);
    const send = asInstallation(gh, installation, repo, { metadata: 'read' });
    const { body } = await send(`GET /repos/acme/app/collaborators/${login}/permission`);
    expect(body).toMatchObject({ permission, role_name: role, user: { login } });
  });

  it('belong to an organization when they were taken in', async () => {
    const send = asInstallation(gh, installation, repo, { metadata: 'read', issues: 'read', members: 'read' });
    expect((await send('GET /orgs/acme/members/eve')).status).toBe(404);
    gh.addMember('acme', 'eve');
    expect((await send('GET /orgs/acme/members/eve')).status).toBe(204);
    const { number } = await gh.person('eve').openIssue(repo, { title: 'Mine' });
    expect((await send(`GET /repos/acme/app/issues/${number}`)).body.author_association).toBe('MEMBER');
  });

  it('reach with their own token what they may', async () => {
    const send = caller(gh, gh.person('eve').token());
    expect((await send('GET /user')).body.login).toBe('eve');
    expect((await send('GET /repos/acme/app')).status).toBe(404);
    expect((await send(`GET /repos/${open.fullName}`)).status).toBe(200);
    expect((await caller(gh, null)(`GET /repos/${open.fullName}`)).status).toBe(200);
    expect((await caller(gh, null)('GET /repos/acme/app')).status).toBe(404);
  });
});

it('speaks as Octokit expects it', async () => {
  const auth = gh.issueToken(installation, { repositories: [repo], permissions: installation.permissions });
  const octokit = new Octokit({ baseUrl: gh.apiUrl, auth, log: { debug() {}, info() {}, warn() {}, error() {} } });
  const { data } = await octokit.rest.issues.createComment({ owner: 'acme', repo: 'app', issue_number: 1, body: 'Hello' });
  expect(data.user).toMatchObject({ login: 'pitwall[bot]', type: 'Bot' });
  expect(data.performed_via_github_app).toMatchObject({ slug: 'pitwall' });
  await expect(octokit.rest.issues.get({ owner: 'acme', repo: 'app', issue_number: 99 })).rejects.toMatchObject({ status: 404 });
  const graph = await octokit.graphql<{ repository: { id: string } }>('query($o: String!) { repository(owner: $o, name: "app") { id } }', {
    o: 'acme',
  });
  expect(graph.repository.id).toBe(`R_${repo.id}`);
});
