import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GitHub } from '../../../src/demo/github/github.ts';
import type { Person } from '../../../src/demo/github/person.ts';
import type { Installation, Permissions, Repository } from '../../../src/demo/github/state.ts';
import { asInstallation, git, lines, remote } from './caller.ts';

let gh: GitHub;
let repo: Repository;
let installation: Installation;
let alice: Person;
let scratch: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'double-git-'));
  gh = await GitHub.start();
  repo = await gh.createRepository('acme/app', { 'README.md': '# App\n', 'a.ts': lines(30) });
  installation = gh.install(repo);
  alice = gh.person('alice', { 'acme/app': 'write' });
  await alice.push(repo, 'feature', { 'a.ts': lines(30, { 3: 'three' }) }, { message: 'Change three' });
});

afterAll(async () => {
  expect(gh.defects).toEqual([]);
  await gh.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const token = (permissions: Permissions) => gh.issueToken(installation, { repositories: [repo], permissions });
const clone = (name: string, url: string, ...args: string[]) =>
  git(scratch, 'clone', '-q', ...args, url, name).then(() => join(scratch, name));

it('serves a clone, without blobs and by any id too', async () => {
  const url = remote(gh, 'acme/app', token({ contents: 'read' }));
  const whole = await clone('whole', url);
  expect(readFileSync(join(whole, 'a.ts'), 'utf8')).toBe(lines(30));
  const partial = await clone('partial', url, '--filter=blob:none', '--no-checkout', '--depth=1');
  expect(await git(partial, 'rev-parse', 'HEAD')).toBe(await git(whole, 'rev-parse', 'origin/main'));
  const feature = (await repo.bare.commitOf('refs/heads/feature')) ?? '';
  await git(partial, 'fetch', '-q', '--depth=1', 'origin', feature);
  expect(await git(partial, 'show', `${feature}:a.ts`)).toContain('three');
});

it('asks for a token, and for the right one', async () => {
  await expect(clone('x1', `${gh.url}/acme/app.git`)).rejects.toThrow(/could not read Username/);
  await expect(clone('x2', remote(gh, 'acme/app', 'ghs_wrong'))).rejects.toThrow(/Authentication failed/);
  await expect(clone('x3', remote(gh, 'acme/app', token({ issues: 'write' })))).rejects.toThrow(/403/);
  await expect(clone('x4', remote(gh, 'acme/other', token({ contents: 'write' })))).rejects.toThrow(/not found/);
  const stranger = gh.person('stranger').token();
  await expect(clone('x5', remote(gh, 'acme/app', stranger))).rejects.toThrow(/not found/);
});

it('takes a push of who may write, and does all that a push does', async () => {
  const reader = await clone('reader', remote(gh, 'acme/app', token({ contents: 'read' })));
  await git(reader, 'commit', '-q', '--allow-empty', '-m', 'x');
  await expect(git(reader, 'push', '-q', 'origin', 'HEAD:refs/heads/no')).rejects.toThrow(/403|not granted/);

  const pull = await alice.openPull(repo, { head: 'feature', title: 'Feature' });
  const writer = await clone('writer', remote(gh, 'acme/app', token({ contents: 'write' })), '--branch', 'feature');
  writeFileSync(join(writer, 'b.ts'), 'b\n');
  await git(writer, 'add', '.');
  await git(writer, 'commit', '-q', '-m', 'Add b');
  const before = pull.pull.headSha;
  await git(writer, 'push', '-q', 'origin', 'feature');
  const after = await git(writer, 'rev-parse', 'HEAD');
  expect(pull.pull.headSha).toBe(after);
  expect(await git(writer, 'ls-remote', 'origin', `refs/pull/${pull.number}/head`)).toContain(after);
  const sent = gh.hooks.deliveries.slice(-3);
  expect(sent.map(({ event, action }) => [event, action])).toEqual([
    ['push', null],
    ['pull_request', 'synchronize'],
    ['check_suite', 'requested'],
  ]);
  expect(sent[0]?.payload).toMatchObject({ before, after, forced: false, commits: [{ message: 'Add b', added: ['b.ts'] }] });
  expect(sent[0]?.payload.sender).toMatchObject({ login: 'pitwall[bot]' });
  expect(sent[1]?.payload).toMatchObject({ before, after, pull_request: { head: { sha: after }, commits: 2, changed_files: 2 } });
  await expect(git(writer, 'push', '-q', 'origin', `HEAD:refs/pull/${pull.number}/head`)).rejects.toThrow(/hidden ref/);
  await git(writer, 'push', '-q', 'origin', ':feature');
  expect(pull.state).toBe('closed');
});

it('keeps what a fork offers, and follows it', async () => {
  const bob = gh.person('bob', { 'acme/app': 'read' });
  const fork = await bob.fork(repo);
  await bob.push(fork, 'idea', { 'c.ts': 'c\n' });
  const pull = await bob.openPull(repo, { head: 'idea', fork, title: 'Idea' });
  await bob.push(fork, 'idea', { 'c.ts': 'cc\n' });
  const dir = await clone('forked', remote(gh, 'acme/app', token({ contents: 'read' })));
  await git(dir, 'fetch', '-q', 'origin', `refs/pull/${pull.number}/head`);
  expect(await git(dir, 'show', 'FETCH_HEAD:c.ts')).toBe('cc');
  const { body } = await asInstallation(gh, installation, repo)(`GET /repos/acme/app/pulls/${pull.number}`);
  expect(body).toMatchObject({
    head: { label: 'bob:idea', repo: { full_name: 'bob/app', fork: true } },
    base: { repo: { fork: false } },
    mergeable: true,
  });
  expect(body.author_association).toBe('COLLABORATOR');
});

it('takes the commits of a local repository and leaves it alone', async () => {
  const local = join(scratch, 'local');
  execFileSync('git', ['init', '-q', '-b', 'trunk', local]);
  for (const [file, text] of [
    ['a.txt', 'one\n'],
    ['a.txt', 'two\n'],
    ['b.txt', 'b\n'],
  ] as const) {
    writeFileSync(join(local, file), text);
    await git(local, 'add', '.');
    await git(local, 'commit', '-q', '-m', `${file} ${text}`);
  }
  const shallow = await clone('shallow', `file://${local}`, '--depth=2');
  for (const [name, dir, base] of [
    ['acme/full', local, 'HEAD~2'],
    ['acme/shallow', shallow, 'HEAD~1'],
  ] as const) {
    const tracked = await git(dir, 'for-each-ref');
    const made = await gh.importRepository(name, dir, { base, branches: { change: 'HEAD' } });
    gh.person('alice', { [name]: 'write' });
    const pull = await alice.openPull(made, { head: 'change', title: 'Change' });
    expect(pull.pull.headSha).toBe(await git(dir, 'rev-parse', 'HEAD'));
    expect(await made.bare.text(['show', 'main:a.txt'])).toBe(name === 'acme/full' ? 'one\n' : 'two\n');
    expect(await git(dir, 'for-each-ref')).toBe(tracked);
  }
  await expect(gh.importRepository('acme/none', local, { base: 'nothing' })).rejects.toThrow(/has no commit "nothing".*name a branch/);
  await expect(gh.importRepository('acme/none', scratch, { base: 'main' })).rejects.toThrow(/is no git repository/);
});

it('leaves no file and no port', async () => {
  const dir = mkdtempSync(join(scratch, 'own-'));
  const own = await GitHub.start({ dir });
  await own.createRepository('a/b');
  expect(readdirSync(dir)).toHaveLength(1);
  const { url } = own;
  await own.stop();
  expect(readdirSync(dir)).toEqual([]);
  expect(existsSync(dir)).toBe(true);
  await expect(fetch(url)).rejects.toThrow();
});
