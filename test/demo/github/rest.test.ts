import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitHub } from '../../../src/demo/github/github.ts';
import type { Person } from '../../../src/demo/github/person.ts';
import { allRoutes } from '../../../src/demo/github/routes/all.ts';
import type { Repository } from '../../../src/demo/github/state.ts';
import { appToken, asInstallation, caller, lines, type Send } from './caller.ts';

let gh: GitHub;
let repo: Repository;
let alice: Person;
let send: Send;

beforeAll(async () => {
  gh = await GitHub.start();
  repo = await gh.createRepository('acme/app', { 'README.md': '# App\n' });
  alice = gh.person('alice', { 'acme/app': 'write' });
  send = asInstallation(gh, gh.install(repo), repo);
});

afterAll(async () => {
  expect(gh.defects).toEqual([]);
  await gh.stop();
});

describe('files and commits', () => {
  it('are read by path, as JSON and raw, through links', async () => {
    await alice.push(repo, 'main', {
      'docs/a b.md': 'ä\n',
      'docs/sub/c.md': 'c\n',
      link: { symlink: 'docs/a b.md' },
      outside: { symlink: '../../etc/passwd' },
      'big.txt': 'x'.repeat(1_000_001),
    });
    const at = (path: string, headers = {}) => send(`GET /repos/acme/app/contents/${path}`, undefined, headers);
    const decoded = ({ body }: Awaited<ReturnType<Send>>) => Buffer.from(body.content, 'base64').toString();
    expect(decoded(await at('docs/a%20b.md'))).toBe('ä\n');
    expect(decoded(await at('link?ref=main'))).toBe('ä\n');
    expect((await at('outside')).body).toMatchObject({ type: 'symlink', target: '../../etc/passwd' });
    expect((await at('docs/a%20b.md', { accept: 'application/vnd.github.raw+json' })).body).toBe('ä\n');
    expect((await at('docs')).body.map((row: { path: string; type: string }) => [row.path, row.type])).toEqual([
      ['docs/a b.md', 'file'],
      ['docs/sub', 'dir'],
    ]);
    expect((await at('big.txt')).body).toMatchObject({ encoding: 'none', content: '', size: 1_000_001 });
    expect((await at('none')).status).toBe(404);
    expect((await at('docs?ref=none')).body.message).toBe('No commit found for the ref none');
    const { body: tree } = await send('GET /repos/acme/app/git/trees/main?recursive=1');
    expect(tree.tree.filter((row: { type: string }) => row.type === 'blob')).toHaveLength(6);
    const blob = tree.tree.find((row: { path: string }) => row.path === 'docs/sub/c.md');
    expect(decoded(await send(`GET /repos/acme/app/git/blobs/${blob.sha}`))).toBe('c\n');
  });

  it('are written by path and by objects', async () => {
    const put = await send('PUT /repos/acme/app/contents/new.md', {
      message: 'New',
      content: Buffer.from('n').toString('base64'),
      branch: 'main',
    });
    expect(put).toMatchObject({
      status: 201,
      body: { content: { path: 'new.md' }, commit: { message: 'New', author: { name: 'pitwall[bot]' } } },
    });
    expect((await send('PUT /repos/acme/app/contents/new.md', { message: 'x', content: '' })).body.message).toMatch(
      /"sha" wasn't supplied/,
    );
    expect((await send('PUT /repos/acme/app/contents/new.md', { message: 'x', content: '', sha: '0'.repeat(40) })).status).toBe(409);
    const head = put.body.commit.sha;
    const tree = await send('POST /repos/acme/app/git/trees', {
      base_tree: head,
      tree: [
        { path: 'x/y', mode: '100644', type: 'blob', content: 'y' },
        { path: 'new.md', mode: '100644', sha: null },
      ],
    });
    const commit = await send('POST /repos/acme/app/git/commits', { message: 'Objects', tree: tree.body.sha, parents: [head] });
    expect((await send('POST /repos/acme/app/git/refs', { ref: 'refs/heads/objects', sha: commit.body.sha })).status).toBe(201);
    expect((await send('POST /repos/acme/app/git/refs', { ref: 'refs/heads/objects', sha: commit.body.sha })).body.message).toBe(
      'Reference already exists',
    );
    expect((await send('PATCH /repos/acme/app/git/refs/heads/main', { sha: commit.body.sha })).status).toBe(200);
    expect((await send('PATCH /repos/acme/app/git/refs/heads/main', { sha: head })).body.message).toBe('Update is not a fast forward');
    const { body: compared } = await send(`GET /repos/acme/app/compare/${head}...main`);
    expect(compared).toMatchObject({
      status: 'ahead',
      ahead_by: 1,
      commits: [{ sha: commit.body.sha }],
      files: [{ filename: 'new.md', status: 'removed' }, { filename: 'x/y' }],
    });
    expect((await send('DELETE /repos/acme/app/git/refs/heads/objects')).status).toBe(204);
    expect((await send('GET /repos/acme/app/branches/objects')).body.message).toBe('Branch not found');
  });

  it('are named by their id, with an ETag', async () => {
    const sha = (await repo.bare.commitOf('refs/heads/main')) ?? '';
    const accept = { accept: 'application/vnd.github.sha' };
    const first = await send('GET /repos/acme/app/commits/main', undefined, accept);
    expect(first.body).toBe(sha);
    expect(
      (await send('GET /repos/acme/app/commits/main', undefined, { ...accept, 'if-none-match': first.headers.get('etag') ?? '' })).status,
    ).toBe(304);
    expect((await send('GET /repos/acme/app/commits/none')).body.message).toBe('No commit found for SHA: none');
    expect((await send('GET /repos/acme/app/commits?per_page=1')).body).toMatchObject([{ sha, commit: { message: 'Objects' } }]);
  });
});

describe('pull requests', () => {
  it('show their files as GitHub does, up to its limits', async () => {
    await alice.push(repo, 'base-files', { 'r.ts': lines(30), 'm.sh': 'x\n', 'nl.txt': 'a', 'crlf.txt': 'a\r\nb\r\n' });
    await alice.push(
      repo,
      'files',
      {
        'moved here.ts': { from: 'r.ts' },
        'm.sh': { content: 'x\n', mode: '100755' },
        'nl.txt': 'b',
        'crlf.txt': { symlink: 'm.sh' },
        bin: Buffer.from([0, 255]),
        'ünï "q".ts': 'u\n',
        'empty.txt': '',
      },
      { from: 'base-files' },
    );
    const pull = await alice.openPull(repo, { head: 'files', base: 'base-files', title: 'Files' });
    const { body: files } = await send(`GET /repos/acme/app/pulls/${pull.number}/files`);
    const row = (name: string) => files.find((file: { filename: string }) => file.filename === name);
    expect(row('moved here.ts')).toMatchObject({ status: 'renamed', previous_filename: 'r.ts', changes: 0 });
    expect(row('moved here.ts').patch).toBeUndefined();
    expect(row('m.sh')).toMatchObject({ status: 'modified', changes: 0 });
    expect(row('nl.txt').patch).toBe('@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file');
    expect(row('crlf.txt')).toMatchObject({ status: 'changed', patch: expect.stringContaining('+m.sh') });
    expect(row('bin')).toMatchObject({ status: 'added', additions: 0 });
    expect(row('bin').patch).toBeUndefined();
    expect(row('ünï "q".ts')).toMatchObject({ additions: 1, patch: '@@ -0,0 +1 @@\n+u' });
    expect(row('empty.txt')).toMatchObject({ status: 'added', changes: 0 });
    const as = (media: string) =>
      send(`GET /repos/acme/app/pulls/${pull.number}`, undefined, { accept: `application/vnd.github.${media}` });
    expect((await as('diff')).body).toContain('rename to moved here.ts');
    expect((await as('patch')).body).toMatch(/^From [0-9a-f]{40}[\s\S]*Subject: \[PATCH\] Change/);
    gh.limits.files = 3;
    expect(await as('diff')).toMatchObject({ status: 406, body: { errors: [{ code: 'too_large' }] } });
    Object.assign(gh.limits, { files: 300, patchBytes: 10 });
    expect((await send(`GET /repos/acme/app/pulls/${pull.number}/files`)).body.filter((file: { patch?: string }) => file.patch)).toEqual(
      [],
    );
    gh.limits.patchBytes = 500_000;
  });

  it('say whether they merge', async () => {
    await alice.push(repo, 'left', { 'fight.txt': 'left\n' }, { from: 'main' });
    const pull = await alice.openPull(repo, { head: 'left', title: 'Left' });
    const get = async () => (await send(`GET /repos/acme/app/pulls/${pull.number}`)).body;
    expect(await get()).toMatchObject({
      mergeable: true,
      mergeable_state: 'clean',
      merge_commit_sha: await repo.bare.commitOf(`refs/pull/${pull.number}/merge`),
    });
    await alice.push(repo, 'main', { 'fight.txt': 'right\n' });
    expect(await get()).toMatchObject({ mergeable: false, mergeable_state: 'dirty' });
    expect((await send(`PUT /repos/acme/app/pulls/${pull.number}/merge`)).status).toBe(405);
  });

  it('are made, changed and found', async () => {
    await alice.push(repo, 'mine', { 'mine.txt': 'm\n' });
    const made = await send('POST /repos/acme/app/pulls', { title: 'Mine', head: 'mine', base: 'main', body: 'Text', draft: true });
    expect(made).toMatchObject({ status: 201, body: { draft: true, user: { login: 'pitwall[bot]' } } });
    expect((await send('POST /repos/acme/app/pulls', { title: 'Mine', head: 'mine', base: 'main' })).body.errors).toEqual([
      { resource: 'PullRequest', code: 'custom', message: 'A pull request already exists for acme:mine.' },
    ]);
    const at = `/repos/acme/app/pulls/${made.body.number}`;
    expect((await send(`PATCH ${at}`, { title: 'Ours', base: 'files' })).body).toMatchObject({ title: 'Ours', base: { ref: 'files' } });
    expect((await send('GET /repos/acme/app/pulls?head=acme:mine&state=all')).body).toMatchObject([{ number: made.body.number }]);
    const search = async (q: string) => (await send(`GET /search/issues?q=${encodeURIComponent(q)}`)).body.total_count;
    expect(await search('repo:acme/app is:pr is:draft ours')).toBe(1);
    expect(await search('repo:acme/app is:issue ours')).toBe(0);
    expect(await search('repo:acme/app author:app/pitwall -is:closed')).toBe(1);
    expect((await send(`PATCH ${at}`, { state: 'closed' })).body.state).toBe('closed');
  });
});

describe('checks', () => {
  const note = { path: 'a', start_line: 1, end_line: 1, annotation_level: 'notice', message: 'm' };
  const output = (more: object) => ({ output: { title: 't', summary: 's', ...more } });
  it.each([
    [{ conclusion: 'great' }, /Validation Failed/],
    [{ status: 'completed' }, /Validation Failed/],
    [{ output: { title: 't' } }, /"summary" wasn't supplied/],
    [output({ summary: 'x'.repeat(65_536) }), /Validation Failed/],
    [output({ annotations: Array.from({ length: 51 }, () => note) }), /No more than 50 items are allowed; 51 were supplied/],
    [output({ annotations: [{ path: 'a' }] }), /"start_line" wasn't supplied/],
    [{ actions: Array.from({ length: 4 }, () => ({ label: 'l', description: 'd', identifier: 'i' })) }, /No more than 3 items/],
    [{ actions: [{ label: 'l'.repeat(21), description: 'd', identifier: 'i' }] }, /1 to 20 characters/],
  ])('are refused: %o', async (more, message) => {
    const answer = await send('POST /repos/acme/app/check-runs', { name: 'Review', head_sha: 'main', ...more });
    expect(answer.status).toBe(422);
    expect(answer.body.message).toMatch(message);
  });

  it('gather annotations, and only the last of a name is listed', async () => {
    const make = (more: object) => send('POST /repos/acme/app/check-runs', { name: 'Review', head_sha: 'main', ...more });
    await make({ status: 'in_progress' });
    const { body: run } = await make({ external_id: 'run-1', ...output({ annotations: [note] }) });
    await send(`PATCH /repos/acme/app/check-runs/${run.id}`, output({ annotations: [note, note] }));
    expect((await send(`GET /repos/acme/app/check-runs/${run.id}/annotations`)).body).toHaveLength(3);
    const listed = await send('GET /repos/acme/app/commits/main/check-runs?check_name=Review');
    expect(listed.body).toMatchObject({
      total_count: 1,
      check_runs: [{ id: run.id, external_id: 'run-1', output: { annotations_count: 3 } }],
    });
    expect((await send('GET /repos/acme/app/commits/main/check-runs?filter=all')).body.total_count).toBe(2);
    expect((await send('GET /repos/acme/app/commits/main/check-suites')).body.total_count).toBe(1);
    await send('POST /repos/acme/app/statuses/main', { state: 'success', context: 'ci' });
    expect((await send('GET /repos/acme/app/commits/main/status')).body).toMatchObject({ state: 'success', total_count: 1 });
  });
});

it('serves logs and reruns of the repository’s own CI', async () => {
  const sha = (await repo.bare.commitOf('refs/heads/main')) ?? '';
  const run = alice.runWorkflow(repo, { sha, branch: 'main', conclusion: 'failure', jobs: [{ name: 'test', log: 'boom' }] });
  const at = '/repos/acme/app/actions';
  const { body: jobs } = await send(`GET ${at}/runs/${run.id}/jobs`);
  expect(jobs).toMatchObject({ total_count: 1, jobs: [{ name: 'test', conclusion: 'failure', run_id: run.id }] });
  const moved = await send(`GET ${at}/jobs/${jobs.jobs[0].id}/logs`);
  expect(moved.status).toBe(302);
  expect((await caller(gh, null)(`GET ${moved.headers.get('location')}`)).body).toBe('boom');
  const zip = await send(`GET ${at}/runs/${run.id}/logs`);
  expect((await caller(gh, null)(`GET ${zip.headers.get('location')}`)).body).toMatch(/^PK[\s\S]*0_test\.txt/);
  expect((await send(`GET ${at}/runs?status=failure&head_sha=${sha}`)).body.total_count).toBe(1);
  expect((await send(`POST ${at}/runs/${run.id}/rerun-failed-jobs`)).status).toBe(201);
  expect((await send(`POST ${at}/workflows/ci.yml/dispatches`, { ref: 'main', inputs: { a: 1 } })).status).toBe(204);
  expect(run.workflow.dispatches).toEqual([{ ref: 'main', inputs: { a: 1 } }]);
  expect(run.reruns).toEqual(['rerun-failed-jobs']);
});

describe('every route', () => {
  it.each(allRoutes().map((route) => [`${route.method} ${route.template}`, route] as const))(
    '%s has an answer of its own',
    async (_name, route) => {
      const values: Record<string, string> = {
        owner: 'acme',
        repo: 'app',
        basehead: 'main...main',
        ref: 'main',
        branch: 'main',
        username: 'alice',
        path: 'README.md',
      };
      const path = route.template.replace(/\{(\w+)\}/g, (_text, name: string) => values[name] ?? '1');
      const who = route.audience === 'app' ? caller(gh, appToken(gh)) : send;
      const { status } = await who(`${route.method} ${path}`, route.method === 'GET' ? undefined : {});
      expect(status).toBeGreaterThanOrEqual(200);
      expect(status).toBeLessThan(500);
      expect(gh.defects).toEqual([]);
    },
  );
});
