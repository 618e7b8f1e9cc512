import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTransport } from '../../src/agent/transport.ts';
import { queryGraph } from '../../src/github/api.ts';
import { GitHubApp } from '../../src/github/client.ts';
import { listDeliveries } from '../../src/github/deliveries.ts';
import type { GitHubError } from '../../src/github/error.ts';
import { PERMISSIONS } from '../../src/github/tokens.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ 'README.md': '# Tidewater\n' });
});
beforeEach(() => {
  stage.asked.length = 0;
});
afterAll(() => stage.close());

const place = { owner: 'harbour', repo: 'tidewater' };
const readRepository = async () => (await stage.api()).rest.repos.get(place);

describe('deliveries', () => {
  it('are dispatched without a single request', async () => {
    const heard: unknown[] = [];
    const app = new GitHubApp(stage.options);
    app.onDelivery(async (delivery) => {
      heard.push(delivery);
    });
    const payload = { action: 'opened', installation: { id: stage.installation }, repository: { id: 1 } };
    const deliveries = [
      { id: 'a', name: 'issues', payload },
      { id: 'b', name: 'ping', payload: {} },
      { id: 'c', name: 'no such event', payload: { installation: null } },
      { id: 'd', name: 'installation', payload: { action: 'deleted', installation: { id: 5 } } },
    ];
    for (const delivery of deliveries) await app.receive(delivery);
    expect(heard).toEqual(deliveries);
    expect(stage.asked).toEqual([]);
  });

  it('throw what the handler throws', async () => {
    const app = new GitHubApp(stage.options);
    const failure = new Error('Redis is away');
    app.onDelivery(() => Promise.reject(failure));
    await expect(app.receive({ id: 'a', name: 'issues', payload: {} })).rejects.toBe(failure);
  });

  it.each<[string, Record<string, unknown>]>([
    ['__proto__', {}],
    ['__defineGetter__', {}],
    ['hasOwnProperty', {}],
    ['push', { action: { toString: 1 } }],
    ['push', { installation: { id: 'x' } }],
    ['push', { installation: { id: {} } }],
    ['push', { installation: { id: Number.POSITIVE_INFINITY } }],
    ['push', { installation: 7 }],
  ])('that are in no shape of GitHub are left out, and are no error that would be tried again: %s %j', async (name, more) => {
    const app = new GitHubApp(stage.options);
    const heard: unknown[] = [];
    app.onDelivery(async (delivery) => void heard.push(delivery));
    await app.receive({ id: 'a', name, payload: { installation: { id: 5 }, ...more } });
    expect(heard).toEqual([]);
    expect(stage.asked).toEqual([]);
  });

  it.each([null, 'text', 7, undefined])('that are no objects are refused: %s', async (payload) => {
    await expect(new GitHubApp(stage.options).receive({ id: 'a', name: 'issues', payload })).rejects.toThrow('JSON object');
  });
});

describe('clients', () => {
  it('have tokens cut to one repository and one purpose', async () => {
    await Promise.all([readRepository(), readRepository()]);
    await (await stage.api('review')).rest.repos.get(place);
    expect(stage.tokens()).toEqual(
      [PERMISSIONS.read, PERMISSIONS.review].map((permissions) => ({ repository_ids: [stage.repository.id], permissions })),
    );
  });

  it('take a new token once where GitHub calls theirs bad', async () => {
    await readRepository();
    stage.revokeTokens();
    stage.asked.length = 0;
    expect((await readRepository()).status).toBe(200);
    expect(stage.asked).toEqual(['GET  401', expect.stringMatching(/^POST .*access_tokens 201$/), 'GET  200']);
  });

  it('give up after the second 401', async () => {
    stage.fault({ on: /^GET \/repos\/harbour\/tidewater$/, status: 401, body: { message: 'Bad credentials' }, times: 2 });
    await expect(readRepository()).rejects.toMatchObject({ kind: 'unauthorized', status: 401 });
  });

  it.each([502, 503, 504])('repeat reads after %d', async (status) => {
    stage.fault({ on: /^GET \/repos\/harbour\/tidewater$/, status, times: 1 });
    expect((await readRepository()).status).toBe(200);
  });

  it('repeat reads after a broken connection', async () => {
    stage.fault({ on: /^GET \/repos\/harbour\/tidewater$/, kind: 'reset' });
    expect((await readRepository()).status).toBe(200);
  });

  it('never repeat a write', async () => {
    stage.fault({ on: /^POST .*\/labels$/, status: 502, when: 'after' });
    const { rest } = await stage.api('review');
    await expect(rest.issues.createLabel({ ...place, name: 'tide' })).rejects.toMatchObject({ kind: 'unavailable', status: 502 });
    const labels = (await rest.issues.listLabelsForRepo(place)).data.filter(({ name }) => name === 'tide');
    expect(labels).toHaveLength(1);
    expect(stage.asked.filter((line) => /^POST \/labels (?!401)/.test(line))).toEqual(['POST /labels 502']);
  });

  it('say which permission is missing', async () => {
    const { rest } = await stage.api('read');
    const error = await rest.issues.createLabel({ ...place, name: 'ebb' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'permission', permission: expect.stringContaining('issues=write') });
  });

  it('stay away for as long as GitHub wants', async () => {
    const app = new GitHubApp(stage.options);
    const api = await app.api(stage.installation, stage.repository.id, 'read');
    stage.fault({ on: /^GET \/repos\/harbour\/tidewater$/, kind: 'secondary', seconds: 1 });
    const before = Date.now();
    const limited = await api.rest.repos.get(place).then(
      () => null,
      (thrown: GitHubError) => thrown,
    );
    expect(limited?.kind).toBe('limited');
    expect((limited?.retryAt ?? 0) - before).toBeGreaterThanOrEqual(1000);
    const asked = stage.asked.length;
    await expect(api.rest.issues.listForRepo(place)).rejects.toMatchObject({ kind: 'limited', retryAt: limited?.retryAt });
    expect(stage.asked).toHaveLength(asked);
    await app.close();
  });

  it.each([
    ['GraphQL, by its type', { errors: [{ type: 'RATE_LIMIT', message: 'API rate limit already exceeded for user ID 1.' }] }],
    ['GraphQL, by its older type', { errors: [{ type: 'RATE_LIMITED', message: 'Wait' }] }],
    ['GraphQL, by its words', { data: null, errors: [{ message: 'You have exceeded a secondary rate limit.' }] }],
  ])('know a limit of %s', async (_, body) => {
    const app = new GitHubApp(stage.options);
    const api = await app.api(stage.installation, stage.repository.id, 'read');
    stage.fault({ on: /graphql/, status: 200, body, headers: { 'x-ratelimit-remaining': '4000' } });
    const before = Date.now();
    const limited = await queryGraph(api, 'query { viewer { login } }', {}).catch((error: GitHubError) => error);
    expect(limited).toMatchObject({ kind: 'limited' });
    expect((limited as GitHubError).retryAt ?? 0).toBeGreaterThanOrEqual(before + 60_000);
    await app.close();
  });

  it('take no page for an answer of GraphQL', async () => {
    const api = await stage.api();
    stage.fault({ on: /graphql/, status: 200, headers: { 'content-type': 'text/html' }, body: '<html></html>' });
    await expect(queryGraph(api, 'query { viewer { login } }', {})).rejects.toMatchObject({ kind: 'network' });
  });

  it('give up on an answer that does not come', async () => {
    stage.fault({ on: /^POST .*\/labels$/, kind: 'hang' });
    const app = new GitHubApp({ ...stage.options, timeout: 1_000 });
    const { rest } = await app.api(stage.installation, stage.repository.id, 'review');
    await expect(rest.issues.createLabel({ ...place, name: 'flood' })).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringContaining('in time'),
    });
    await app.close();
  });

  it('give up on an answer that does not come to a caller who may stop it either, whatever the garbage collector takes, and ask again', async () => {
    stage.fault({ on: /hook\/deliveries/, kind: 'hang' });
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const app = new GitHubApp({ ...stage.options, timeout: 1_000, fetch: createTransport() });
    const { signal } = new AbortController();
    const asked = listDeliveries(await app.requests(), { from: 0, signal });
    const collecting = setInterval(collectGarbage, 50);
    await expect(asked).resolves.toMatchObject({ rows: expect.any(Array) });
    clearInterval(collecting);
    await app.close();
  });

  it('work with what the installation has granted', async () => {
    stage.grant({ metadata: 'read', contents: 'read', issues: 'read' });
    const app = new GitHubApp(stage.options);
    const { rest } = await app.api(stage.installation, stage.repository.id, 'review');
    expect((await rest.repos.get(place)).status).toBe(200);
    const refused = await rest.issues.createLabel({ ...place, name: 'neap' }).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ kind: 'permission', message: expect.stringContaining('issues=write') });
    stage.grant({ ...stage.github.app.permissions });
    await app.close();
  });

  it('say that the App is not installed on a repository', async () => {
    const api = await stage.app.api(stage.installation, 999, 'read');
    await expect(api.rest.repos.get(place)).rejects.toMatchObject({ kind: 'missing', message: expect.stringContaining('install it') });
  });
});

describe('the App', () => {
  it('knows itself', async () => {
    const { slug } = await stage.app.identity();
    expect(await stage.app.identity()).toMatchObject({ login: `${slug}[bot]` });
    expect(stage.asked).toEqual(['GET /app 200']);
  });

  it('knows which installation has a repository', async () => {
    expect(await stage.app.installationOf('harbour/tidewater')).toBe(stage.installation);
    await expect(stage.app.installationOf('harbour/elsewhere')).rejects.toMatchObject({ kind: 'missing' });
  });

  it('says what to do about a wrong key', async () => {
    expect(() => new GitHubApp({ ...stage.options, privateKey: 'nonsense' })).toThrow(/PRIVATE_KEY/);
    const app = new GitHubApp({ ...stage.options, appId: 1 });
    await expect(app.identity()).rejects.toThrow(/APP_ID and PRIVATE_KEY/);
  });

  it('revokes its tokens at the end, and none was ever in the log', async () => {
    const app = new GitHubApp(stage.options);
    const { token } = await app.lease(stage.installation, stage.repository.id, 'push');
    await app.close();
    expect(stage.tokens().at(-1)).toEqual({ repository_ids: [stage.repository.id], permissions: PERMISSIONS.push });
    expect(stage.asked.at(-1)).toBe('DELETE /installation/token 204');
    expect(stage.lines.length).toBeGreaterThan(10);
    expect(stage.lines.filter((line) => line.includes(token) || /gh[sp]_|eyJ|PRIVATE KEY/.test(line))).toEqual([]);
  });
});
