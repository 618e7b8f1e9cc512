import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GitHub } from '../../../src/demo/github/github.ts';
import type { Person } from '../../../src/demo/github/person.ts';
import type { Installation, Repository } from '../../../src/demo/github/state.ts';
import { asInstallation, git, remote, type Send } from './caller.ts';

let gh: GitHub;
let repo: Repository;
let installation: Installation;
let alice: Person;
let send: Send;

beforeAll(async () => {
  gh = await GitHub.start();
  repo = await gh.createRepository('acme/app', { 'README.md': '# App\n' });
  installation = gh.install(repo);
  alice = gh.person('alice', { 'acme/app': 'write' });
  await alice.openIssue(repo, { title: 'Talk' });
  for (let n = 1; n <= 7; n++) alice.comment(repo, 1, `comment ${n}`);
  send = asInstallation(gh, installation, repo);
});

afterEach(() => gh.clearFaults());

afterAll(async () => {
  expect(gh.defects).toEqual([]);
  await gh.stop();
});

const COMMENTS = '/repos/acme/app/issues/1/comments';

describe('lists', () => {
  it.each([
    ['', 7, {}],
    ['?per_page=3', 3, { next: 2, last: 3 }],
    ['?per_page=3&page=2', 3, { prev: 1, next: 3, last: 3, first: 1 }],
    ['?per_page=3&page=3', 1, { prev: 2, first: 1 }],
    ['?per_page=3&page=9', 0, { prev: 3, first: 1 }],
    ['?per_page=1000&page=0', 7, {}],
    ['?per_page=x', 7, {}],
  ])('are cut into pages: %j', async (query, rows, links) => {
    const { body, headers } = await send(`GET ${COMMENTS}${query}`);
    expect(body).toHaveLength(rows);
    const found = [...(headers.get('link') ?? '').matchAll(/<([^>]+)>; rel="(\w+)"/g)];
    expect(Object.fromEntries(found.map(([, url = '', rel]) => [rel, Number(new URL(url).searchParams.get('page'))]))).toEqual(links);
    const next = found.find(([, , rel]) => rel === 'next')?.[1];
    if (next) expect((await send(`GET ${next}`)).status).toBe(200);
  });

  it('are sorted and cut by time', async () => {
    const all = (await send(`GET ${COMMENTS}`)).body;
    expect((await send('GET /repos/acme/app/issues/comments?sort=created&direction=desc&per_page=1')).body[0].id).toBe(all.at(-1).id);
    expect((await send(`GET ${COMMENTS}?since=${all.at(-1).updated_at}`)).body.length).toBeGreaterThan(0);
    expect((await send(`GET ${COMMENTS}?since=${new Date(Date.now() + 60_000).toISOString()}`)).body).toEqual([]);
  });
});

describe('answers', () => {
  it('carry an ETag that makes the next one a 304 and costs nothing', async () => {
    const first = await send(`GET ${COMMENTS}`);
    const used = Number(first.headers.get('x-ratelimit-used'));
    const again = await send(`GET ${COMMENTS}`, undefined, { 'if-none-match': first.headers.get('etag') ?? '' });
    expect(again).toMatchObject({ status: 304, body: '' });
    expect(Number(again.headers.get('x-ratelimit-used'))).toBe(used);
    alice.comment(repo, 1, 'new');
    expect((await send(`GET ${COMMENTS}`, undefined, { 'if-none-match': first.headers.get('etag') ?? '' })).status).toBe(200);
  });

  it('tell the hourly limit', async () => {
    const { headers } = await send('GET /rate_limit');
    expect(headers.get('x-ratelimit-limit')).toBe('5000');
    const { body } = await send('GET /rate_limit');
    expect(body.resources.core).toMatchObject({ limit: 5000, remaining: 5000 - body.resources.core.used });
  });

  it.each([
    ['GET /repos/acme/app/nothing', undefined, 404, 'Not Found'],
    ['GET /repos/acme/missing', undefined, 404, 'Not Found'],
    ['GET /repos/acme/app/issues/77', undefined, 404, 'Not Found'],
    ['POST /repos/acme/app/issues', {}, 422, 'Validation Failed'],
    [`POST ${COMMENTS}`, { body: ' ' }, 422, 'Validation Failed'],
    [`POST ${COMMENTS}`, { body: 'x'.repeat(65_537) }, 422, 'Validation Failed'],
    ['POST /repos/acme/app/issues', { title: 5 }, 422, "Invalid request.\n\nFor 'properties/title', 5 is not a string."],
    ['POST /repos/acme/app/issues/1/reactions', { content: 'clap' }, 422, 'Validation Failed'],
    ['POST /repos/acme/app/pulls', { title: 'x', head: 'none', base: 'main' }, 422, 'Validation Failed'],
    ['POST /repos/acme/app/pulls', { title: 'x', head: 'main', base: 'main' }, 422, 'Validation Failed'],
    ['DELETE /repos/acme/app/issues/1/labels/none', undefined, 404, 'Label does not exist'],
  ])('refuse in GitHub’s form: %s', async (address, body, status, message) => {
    const answer = await send(address, body);
    expect(answer).toMatchObject({ status, body: { message, status: String(status), documentation_url: expect.any(String) } });
  });

  it('refuse broken JSON and a client without a name', async () => {
    const token = gh.issueToken(installation, { repositories: [repo], permissions: { issues: 'write' } });
    const headers = { authorization: `Bearer ${token}`, 'user-agent': 'test' };
    const broken = await fetch(`${gh.apiUrl}${COMMENTS}`, { method: 'POST', headers, body: '{"body":' });
    expect([broken.status, await broken.text()]).toEqual([400, expect.stringContaining('Problems parsing JSON')]);
    const nameless = await fetch(`${gh.apiUrl}${COMMENTS}`, { headers: { ...headers, 'user-agent': '' } });
    expect(nameless.status).toBe(403);
  });
});

describe('faults', () => {
  const POST = 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments';
  const texts = () => gh.comments(repo, 1).map(({ body }) => body);

  it('answer instead of the route, so often and no more', async () => {
    const fault = gh.fault({ on: POST, status: 502, times: 2, skip: 1 });
    const answers: number[] = [];
    for (let n = 0; n < 4; n++) answers.push((await send(`POST ${COMMENTS}`, { body: `fault ${n}` })).status);
    expect(answers).toEqual([201, 502, 502, 201]);
    expect(fault.hits).toBe(2);
    expect(texts()).not.toContain('fault 1');
    expect(gh.log.at(-2)).toMatchObject({ route: POST, status: 502, fault: 'status' });
  });

  it('may come after the effect', async () => {
    gh.fault({ on: /^POST .*comments$/, kind: 'reset', when: 'after' });
    await expect(send(`POST ${COMMENTS}`, { body: 'done, but who knows' })).rejects.toThrow();
    expect(texts()).toContain('done, but who knows');
    gh.fault({ on: POST, kind: 'reset' });
    await expect(send(`POST ${COMMENTS}`, { body: 'never' })).rejects.toThrow();
    expect(texts()).not.toContain('never');
  });

  it('hang until the client gives up, or for a while', async () => {
    gh.fault({ on: 'GET /app', kind: 'hang', times: 2 });
    gh.fault({ on: 'GET /repos/{owner}/{repo}', kind: 'latency', ms: 30 });
    await expect(fetch(`${gh.apiUrl}/app`, { signal: AbortSignal.timeout(50), headers: { 'user-agent': 't' } })).rejects.toThrow(/aborted/);
    const begin = performance.now();
    expect((await send('GET /repos/acme/app')).status).toBe(200);
    expect(performance.now() - begin).toBeGreaterThan(25);
  });

  it('limit as GitHub does, and notice who does not wait', async () => {
    gh.fault({ on: POST, kind: 'secondary', seconds: 7 });
    const secondary = await send(`POST ${COMMENTS}`, { body: 'x' });
    expect(secondary).toMatchObject({ status: 403, body: { message: expect.stringContaining('secondary rate limit') } });
    expect(secondary.headers.get('retry-after')).toBe('7');
    gh.fault({ on: POST, kind: 'primary', seconds: 2 });
    const primary = await send(`POST ${COMMENTS}`, { body: 'x' });
    expect(primary.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(Number(primary.headers.get('x-ratelimit-reset'))).toBeGreaterThanOrEqual(Math.floor(Date.now() / 1000));
    const hasty = async () => {
      await send('GET /repos/acme/app');
      return gh.audit.summary()['early-after-limit'] ?? 0;
    };
    await expect.poll(hasty, { interval: 50 }).toBeGreaterThan(0);
  });

  it('hit git too', async () => {
    gh.fault({ on: /git-upload-pack$/, status: 503 });
    const url = remote(gh, 'acme/app', gh.issueToken(installation, { repositories: [repo], permissions: { contents: 'read' } }));
    await expect(git('/', 'clone', '-q', url, `${repo.bare.dir}-clone`)).rejects.toThrow(/503/);
  });
});

describe('the audit', () => {
  it('counts content a minute, and writes at a time', async () => {
    const own = await GitHub.start();
    const there = await own.createRepository('acme/app');
    const post = asInstallation(own, own.install(there), there);
    own.person('alice');
    await own.person('alice').openIssue(there, { title: 'x' });
    own.audit.limits.contentPerMinute = 3;
    for (let n = 0; n < 4; n++) await post(`POST ${COMMENTS}`, { body: `${n}` });
    expect(own.audit.summary()).toEqual({ 'content-per-minute': 1 });
    own.fault({ on: /comments$/, kind: 'latency', ms: 60, times: 2 });
    await Promise.all([1, 2].map((n) => post(`POST ${COMMENTS}`, { body: `${n}` })));
    expect(own.audit.peaks).toMatchObject({ concurrentWrites: 2, contentPerMinute: 6 });
    expect(own.audit.summary(['content-per-minute'])).toEqual({ 'concurrent-writes': 1 });
    expect(own.audit).toMatchObject({ writes: 6, contents: 6, tokens: { issued: 1, wide: 0 } });
    for (let n = 0; n < 3; n++) await post(`POST ${COMMENTS}`, { body: '' });
    expect(own.audit.summary(['content-per-minute', 'concurrent-writes'])).toEqual({ 'repeated-refusal': 1 });
    await own.stop();
  });
});
