import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Fatal } from '../../src/journal/errors.ts';
import { Checkouts } from '../../src/workspace/checkout.ts';
import { runGit } from '../../src/workspace/git.ts';
import { Mirrors } from '../../src/workspace/mirror.ts';
import { memoryBlobs, openWorkspace, Remote, scratch } from './remote.ts';

const roots: { remove(): void }[] = [];
const fresh = () => {
  const one = scratch();
  roots.push(one);
  return one.root;
};
afterAll(() => {
  for (const one of roots) one.remove();
});

const pullOf = (remote: Remote, { head, base, ref = 'topic' }: { head: string; base: string; ref?: string }) => ({
  number: 7,
  head: { ref, sha: head, fullName: remote.repository.fullName, fork: false },
  base: { ref: 'main', sha: base },
});

describe('clone', () => {
  it("takes the event's head where the branch names it, also after a later push, else the tip of the branch", async () => {
    const root = fresh();
    const remote = new Remote(root);
    const base = remote.commit('refs/heads/main', { 'a.txt': '1\n' });
    const head = remote.commit('refs/heads/topic', { 'a.txt': '2\n' }, { from: base });
    const workspace = openWorkspace(root);
    const pull = pullOf(remote, { head, base });
    const later = remote.commit('refs/heads/topic', { 'a.txt': '3\n' });
    const clone = (branch: string) => workspace.clone({ repository: remote.repository, branch, pull });
    expect(await clone('topic')).toEqual({
      repository: { id: 1, fullName: 'acme/app', cloneUrl: remote.dir },
      sha: head,
      branch: 'topic',
      sparse: [],
      depth: 0,
    });
    expect((await clone('')).sha).toBe(base);
    expect((await clone('main')).sha).toBe(base);
    expect((await workspace.clone({ repository: remote.repository, branch: 'topic' })).sha).toBe(later);
    expect((await clone(later)).sha).toBe(later);
    const moved = remote.commit('refs/heads/main', { 'a.txt': '4\n' });
    expect((await clone('main')).sha).toBe(moved);
    await workspace.close();
  });

  it("finds a fork's head by refs/pull where commits are not handed out by id, and tags", async () => {
    const root = fresh();
    const remote = new Remote(root);
    remote.git('config', 'uploadpack.allowAnySHA1InWant', 'false');
    const base = remote.commit('refs/heads/main', { 'a.txt': '1\n' });
    const head = remote.commit('refs/pull/7/head', { 'a.txt': '2\n' }, { from: base });
    remote.git('tag', 'v1', base);
    const workspace = openWorkspace(root);
    const pull = {
      ...pullOf(remote, { head, base, ref: 'patch-1' }),
      head: { ref: 'patch-1', sha: head, fullName: 'you/app', fork: true },
    };
    expect((await workspace.clone({ repository: remote.repository, branch: 'patch-1', pull })).sha).toBe(head);
    expect((await workspace.clone({ repository: remote.repository, branch: 'v1' })).sha).toBe(base);
    expect((await workspace.diff(remote.repository, { base, head, pull: 7 })).files.map((file) => file.path)).toEqual(['a.txt']);
  });

  it.each([
    ['nowhere', /acme\/app has no branch nowhere/],
    ['-x', /cannot be the name of a branch/],
    ['a b', /cannot be the name/],
    ['a..b', /cannot be the name/],
    ['f'.repeat(40), /has no commit f+ any more/],
  ])('says what to do about branch %s', async (branch, words) => {
    const root = fresh();
    const remote = new Remote(root);
    remote.commit('refs/heads/main', { a: '1' });
    const error = await openWorkspace(root)
      .clone({ repository: remote.repository, branch })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Fatal);
    expect((error as Error).message).toMatch(words);
  });

  it('refuses other hosts and missing repositories', async () => {
    const root = fresh();
    const repository = { id: 3, fullName: 'acme/x', cloneUrl: 'https://evil.example/acme/x.git' };
    await expect(openWorkspace(root).clone({ repository })).rejects.toThrow(/host "evil.example" is refused/);
    await expect(openWorkspace(root).clone({ repository: { ...repository, cloneUrl: join(root, 'none') } })).rejects.toThrow(
      /does not exist, or the app is not installed/,
    );
  });

  it('writes links as text, runs no filter, keeps every byte, leaves out submodules', async () => {
    const root = fresh();
    const remote = new Remote(root);
    const crlf = 'a\r\nb\n$Id$\n';
    const sha = remote.commit('refs/heads/main', {
      '.gitattributes': '* text=auto eol=crlf ident\n*.bin filter=lfs diff=lfs\n*.txt working-tree-encoding=UTF-16\n',
      'a.c': crlf,
      'a.txt': crlf,
      'x.bin': 'version https://git-lfs.github.com/spec/v1\n',
      link: { mode: '120000', content: '/etc/passwd' },
      sub: { mode: '160000', content: '1'.repeat(40) },
      '.gitmodules': '[submodule "sub"]\n\tpath = sub\n\turl = https://example.com/x\n',
      'run.sh': { mode: '100755', content: 'x' },
      'ü ä': 'x',
    });
    const workspace = openWorkspace(root);
    const checkout = await workspace.clone({ repository: remote.repository });
    const dir = await workspace.materialise(checkout);
    expect(checkout.sha).toBe(sha);
    expect(lstatSync(join(dir, 'link')).isFile()).toBe(true);
    expect(readFileSync(join(dir, 'link'), 'utf8')).toBe('/etc/passwd');
    for (const name of ['a.c', 'a.txt']) expect(readFileSync(join(dir, name), 'utf8')).toBe(crlf);
    expect(lstatSync(join(dir, 'run.sh')).mode & 0o111).not.toBe(0);
    expect(readdirSync(dir).sort()).toEqual(['.gitattributes', '.gitmodules', 'a.c', 'a.txt', 'link', 'run.sh', 'x.bin', 'ü ä']);
    const files = workspace.files({ checkouts: [checkout], changes: {} }, memoryBlobs());
    expect((await files.read('a.c')).toString()).toBe(crlf);
  });

  it("works without network once the commit is there, and in another process's workspace", async () => {
    const root = fresh();
    const remote = new Remote(root);
    const base = remote.commit('refs/heads/main', { a: '1\n' });
    const head = remote.commit('refs/heads/topic', { a: '2\n' }, { from: base });
    const pull = pullOf(remote, { head, base });
    const checkout = await openWorkspace(root).clone({ repository: remote.repository, branch: 'topic', pull });
    const offline = openWorkspace(root, {
      credentials: async () => {
        throw new Error('no network');
      },
    });
    expect(await offline.clone({ repository: remote.repository, branch: 'topic', pull })).toEqual(checkout);
    expect((await offline.diff(remote.repository, { base, head })).files).toHaveLength(1);
    const elsewhere = openWorkspace(fresh());
    expect(readFileSync(join(await elsewhere.materialise(checkout), 'a'), 'utf8')).toBe('2\n');
  });

  it('checks out the folders that changed where there are too many files', async () => {
    const root = fresh();
    const remote = new Remote(root);
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`d${at % 6}/x/f${at}`, 'x']));
    const base = remote.commit('refs/heads/main', { ...many, top: 't', 'd1/mid': 'm' });
    const head = remote.commit('refs/heads/topic', { 'd1/x/new': 'n', 'd2/x/f2': 'y' }, { from: base });
    const workspace = openWorkspace(root, { limits: { files: 30, bytes: 1e6 } });
    const checkout = await workspace.clone({ repository: remote.repository, branch: 'topic', pull: pullOf(remote, { head, base }) });
    expect(checkout.sparse).toEqual(['d1/x', 'd2/x']);
    const files = workspace.files({ checkouts: [checkout], changes: {} }, memoryBlobs());
    expect((await files.list('.')).map((entry) => entry.name)).toEqual(['acme']);
    expect((await files.list('acme/app')).map((entry) => entry.name)).toEqual(['d1', 'd2', 'top']);
    expect(await files.exists('d1/mid')).toBe(true);
    await expect(files.read('acme/app/d3/x/f3')).rejects.toThrow(/only these folders are checked out: d1\/x, d2\/x/);
    const small = openWorkspace(root, { limits: { files: 5, bytes: 1e6 } });
    const error = await small
      .clone({ repository: remote.repository, branch: 'topic', pull: pullOf(remote, { head, base }) })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Fatal);
    expect((error as Error).message).toMatch(/at most 5 files.*sparseCheckout\.paths/);
    const options = { sparseCheckout: { enabled: true, paths: ['d3'] } };
    const named = await workspace.clone({ repository: remote.repository, options });
    expect(readdirSync(await workspace.materialise(named)).sort()).toEqual(['d3', 'top']);
  });

  it('ends when it is told to', async () => {
    const root = fresh();
    const remote = new Remote(root);
    remote.commit('refs/heads/main', { a: '1' });
    const workspace = openWorkspace(root);
    await expect(workspace.clone({ repository: remote.repository, signal: AbortSignal.abort(new Error('cancelled')) })).rejects.toThrow(
      'cancelled',
    );
    await workspace.close();
    await expect(workspace.clone({ repository: remote.repository })).rejects.toThrow('closed');
  });
});

describe('mirrors and checkouts on one data directory', () => {
  it('lets many fetch and check out the same at once', async () => {
    const root = fresh();
    const remote = new Remote(root);
    remote.commit('refs/heads/main', Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`f${at}`, `${at}`])));
    const workspaces = Array.from({ length: 4 }, () => openWorkspace(root));
    const dirs = await Promise.all(workspaces.map(async (one) => one.materialise(await one.clone({ repository: remote.repository }))));
    expect(new Set(dirs).size).toBe(1);
    expect(readdirSync(dirs[0] ?? '')).toHaveLength(50);
    const left = [...readdirSync(join(root, 'data/mirrors')), ...readdirSync(join(root, 'data/checkouts/1'))];
    expect(left.filter((name) => /part|lock/.test(name))).toEqual([]);
  });

  it('takes over the lock of a process that died', async () => {
    const root = fresh();
    const remote = new Remote(root);
    remote.commit('refs/heads/main', { a: '1' });
    mkdirSync(join(root, 'data/mirrors'), { recursive: true });
    const lock = join(root, 'data/mirrors/1.git.lock');
    writeFileSync(lock, 'dead');
    utimesSync(lock, new Date(0), new Date(0));
    await openWorkspace(root).clone({ repository: remote.repository });
    expect(existsSync(lock)).toBe(false);
  });

  it('survives a branch that becomes a folder of branches', async () => {
    const root = fresh();
    const remote = new Remote(root);
    const first = remote.commit('refs/heads/a', { x: '1' });
    const workspace = openWorkspace(root);
    expect((await workspace.clone({ repository: remote.repository, branch: 'a' })).sha).toBe(first);
    remote.git('update-ref', '-d', 'refs/heads/a');
    const second = remote.commit('refs/heads/a/b', { x: '2' }, { from: first });
    expect((await workspace.clone({ repository: remote.repository, branch: 'a/b' })).sha).toBe(second);
  });

  it('removes checkouts that nobody used for longest, and makes them again', async () => {
    const root = fresh();
    const remote = new Remote(root);
    const mirrors = new Mirrors({
      dataDir: join(root, 'data'),
      apiUrl: 'https://api.github.com',
      allowFiles: true,
      credentials: async (one) => ({ url: one.cloneUrl, token: null }),
    });
    const checkouts = new Checkouts({ dataDir: join(root, 'data'), mirrors, keep: { count: 2, bytes: 1e9, idleMs: 60_000 } });
    const all = Array.from({ length: 4 }, (_, at) => ({
      repository: remote.repository,
      sha: remote.commit('refs/heads/main', { a: `${at}` }),
      branch: 'main',
      sparse: [],
      depth: 0,
    }));
    const dirs: string[] = [];
    for (const [at, one] of all.entries()) {
      const dir = await checkouts.materialise(one);
      dirs.push(dir);
      utimesSync(join(dir, '..'), at, at);
    }
    await checkouts.evict();
    expect(dirs.map((dir) => existsSync(dir))).toEqual([false, false, true, true]);
    const again = all[0];
    if (again) expect(readFileSync(join(await checkouts.materialise(again), 'a'), 'utf8')).toBe('0');
  });

  it('makes a diff once and from the merge base', async () => {
    const root = fresh();
    const remote = new Remote(root);
    const fork = remote.commit('refs/heads/main', { a: '1\n', b: '1\n' });
    const head = remote.commit('refs/heads/topic', { a: '2\n' }, { from: fork });
    const base = remote.commit('refs/heads/main', { b: '2\n' });
    const workspace = openWorkspace(root);
    const [one, two] = await Promise.all([
      workspace.diff(remote.repository, { base, head }),
      workspace.diff(remote.repository, { base, head }),
    ]);
    expect(two).toBe(one);
    expect(one).toMatchObject({ base, head, mergeBase: fork });
    expect(one.files.map((file) => file.path)).toEqual(['a']);
    await expect(workspace.diff(remote.repository, { base, head: 'e'.repeat(40) })).rejects.toThrow(/no commit e+/);
    await expect(workspace.diff(remote.repository, { base, head: '--output=x' })).rejects.toThrow(/not a commit id/);
  });

  it('ignores attributes that would hide a diff', async () => {
    const root = fresh();
    const remote = new Remote(root);
    const base = remote.commit('refs/heads/main', { '.gitattributes': '* -diff\n', a: '1\n' });
    const head = remote.commit('refs/heads/topic', { a: '2\n' }, { from: base });
    const { files } = await openWorkspace(root).diff(remote.repository, { base, head });
    expect(files[0]).toMatchObject({ binary: false, additions: 1, deletions: 1 });
  });

  it('searches and merges through one class', async () => {
    const root = fresh();
    const remote = new Remote(root);
    remote.commit('refs/heads/main', { 'log.md': 'start\n', 'src/a.ts': 'needle\n' });
    const workspace = openWorkspace(root);
    const blobs = memoryBlobs();
    const tree = { checkouts: [await workspace.clone({ repository: remote.repository })], changes: {} };
    expect((await workspace.search(tree, blobs, { query: 'needle' })).text).toBe('acme/app/src/a.ts:1: needle');
    const parts = await Promise.all(
      ['one', 'two'].map(async (id) => {
        const files = workspace.files(tree, blobs);
        await files.append('log.md', `${id}\n`);
        return { id, changes: files.changed() };
      }),
    );
    const { changes, conflicts } = await workspace.merge(tree, parts, blobs);
    expect(conflicts).toEqual([]);
    expect((await workspace.files({ ...tree, changes }, blobs).read('log.md')).toString()).toBe('start\none\ntwo\n');
  });
});

describe('over http', () => {
  const closers: (() => void)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  /** Git's own http server as CGI behind a check of the login. */
  async function serve(root: string, token: string): Promise<{ url: string; seen: string[]; stall: { on: boolean } }> {
    const seen: string[] = [];
    const stall = { on: false };
    const server = createServer((request, response) => {
      seen.push(request.url ?? '');
      if (stall.on) return;
      const wanted = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
      if (request.headers.authorization === wanted) backend(join(root, 'server'), request, response);
      else response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    closers.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, stall };
  }

  function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://x');
    const env = {
      PATH: '/usr/bin:/bin',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    };
    const cgi = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
    request.pipe(cgi.stdin);
    const chunks: Buffer[] = [];
    cgi.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    cgi.on('close', () => {
      const all = Buffer.concat(chunks);
      const end = all.indexOf('\r\n\r\n');
      const headers = all
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map((line) => line.split(': '));
      const status = Number(headers.find(([name]) => name === 'Status')?.[1]?.slice(0, 3) ?? 200);
      response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
      response.end(all.subarray(end + 4));
    });
  }

  it('logs in by the environment only, fetches once, and tells no secret', async () => {
    const root = fresh();
    const remote = new Remote(root);
    const sha = remote.commit('refs/heads/main', { a: '1' });
    const { url, seen } = await serve(root, 'ghs_secret');
    const repository = { ...remote.repository, cloneUrl: `${url}/acme/app.git` };
    const open = (token: string) =>
      openWorkspace(root, { apiUrl: url, allowFiles: false, credentials: async (one) => ({ url: one.cloneUrl, token }) });
    const wrong = await open('ghs_wrong')
      .clone({ repository })
      .catch((thrown: unknown) => thrown);
    expect(wrong).toBeInstanceOf(Fatal);
    expect((wrong as Error).message).toMatch(/refused the app's token.*Contents: read/);
    expect(JSON.stringify([wrong, String(wrong)])).not.toMatch(/ghs_|Basic/);
    expect((await open('ghs_secret').clone({ repository })).sha).toBe(sha);
    const config = readFileSync(join(root, 'data/mirrors/1.git/config'), 'utf8');
    expect(config).not.toMatch(/http|token|secret/i);
    const before = seen.length;
    await open('ghs_secret').clone({ repository, branch: sha });
    expect(seen.length).toBe(before);
    const none = { ...repository, id: 9, fullName: 'acme/none', cloneUrl: `${url}/acme/none.git` };
    await expect(open('ghs_secret').clone({ repository: none })).rejects.toThrow(/not installed on it/);
  });

  it('does not wait for a server that says nothing', async () => {
    const root = fresh();
    const remote = new Remote(root);
    remote.commit('refs/heads/main', { a: '1' });
    const { url, stall } = await serve(root, 't');
    stall.on = true;
    const repository = { ...remote.repository, cloneUrl: `${url}/acme/app.git` };
    const open = openWorkspace(root, { apiUrl: url, timeoutMs: 300 });
    const error = await open.clone({ repository }).catch((thrown: unknown) => thrown);
    expect(error).not.toBeInstanceOf(Fatal);
    expect((error as Error).message).toMatch(/did not end within 0.3 s/);
    const abort = new AbortController();
    const waiting = openWorkspace(root, { apiUrl: url }).clone({ repository, signal: abort.signal });
    abort.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
  });
});

describe('git', () => {
  it('runs no code that a repository brings, and refuses other protocols', async () => {
    const root = fresh();
    const remote = new Remote(root);
    remote.commit('refs/heads/main', { a: '1' });
    const settings = { protocols: ['https'] };
    await expect(runGit(settings, ['ls-remote', remote.dir])).rejects.toThrow(/transport 'file' not allowed/);
    await expect(runGit(settings, ['ls-remote', 'ext::sh -c id'])).rejects.toThrow(/transport 'ext' not allowed/);
    await expect(runGit(settings, ['status'], { cwd: remote.dir })).rejects.toThrow(/bare/);
    expect((await runGit(settings, ['config', '--get', 'core.hooksPath'])).toString()).toBe('/dev/null\n');
  });
});
