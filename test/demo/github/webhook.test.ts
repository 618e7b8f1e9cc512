import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GitHub } from '../../../src/demo/github/github.ts';
import type { Person } from '../../../src/demo/github/person.ts';
import type { Installation, Repository } from '../../../src/demo/github/state.ts';
import { appToken, asInstallation, caller, type Send } from './caller.ts';

let gh: GitHub;
let repo: Repository;
let installation: Installation;
let alice: Person;
let bot: Send;
let receiver: Server;
let status = 202;
const received: { headers: IncomingHttpHeaders; body: Buffer }[] = [];

beforeAll(async () => {
  gh = await GitHub.start({ webhookSecret: 'a-secret', slug: 'reviewer' });
  receiver = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    received.push({ headers: request.headers, body: Buffer.concat(parts) });
    response.writeHead(status).end('taken');
  }).listen(0, '127.0.0.1');
  await new Promise((done) => receiver.once('listening', done));
  gh.hooks.target = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks`;
  repo = await gh.createRepository('acme/app', { 'a.ts': 'one\n' });
  installation = gh.install(repo);
  alice = gh.person('alice', { 'acme/app': 'write' });
  bot = asInstallation(gh, installation, repo);
});

afterAll(async () => {
  expect(gh.defects).toEqual([]);
  receiver.close();
  await gh.stop();
});

beforeEach(async () => {
  await gh.hooks.idle();
  received.length = 0;
  status = 202;
});

/** Events that an act sent, with their payloads, in order. */
async function sent(act: () => unknown): Promise<[string, Record<string, unknown>][]> {
  const before = gh.hooks.deliveries.length;
  await act();
  await gh.hooks.idle();
  return gh.hooks.deliveries.slice(before).map(({ event, action, payload }) => [action ? `${event}.${action}` : event, payload]);
}

const names = async (act: () => unknown) => (await sent(act)).map(([name]) => name);

it('signs what it sends and names it in headers', async () => {
  await sent(() => alice.openIssue(repo, { title: 'Ä', body: 'ö' }));
  const [{ headers, body } = { headers: {}, body: Buffer.alloc(0) }] = received;
  expect(headers['x-hub-signature-256']).toBe(`sha256=${createHmac('sha256', 'a-secret').update(body).digest('hex')}`);
  expect(headers).toMatchObject({
    'x-github-event': 'issues',
    'content-type': 'application/json',
    'x-github-hook-installation-target-type': 'integration',
    'x-github-delivery': gh.hooks.deliveries.at(-1)?.guid,
  });
  expect(headers['user-agent']).toMatch(/^GitHub-Hookshot\//);
  expect(JSON.parse(body.toString())).toMatchObject({
    action: 'opened',
    issue: { title: 'Ä', body: 'ö', user: { login: 'alice', type: 'User' }, author_association: 'COLLABORATOR' },
    repository: {
      id: repo.id,
      full_name: 'acme/app',
      default_branch: 'main',
      clone_url: `${gh.url}/acme/app.git`,
      owner: { login: 'acme', type: 'Organization' },
    },
    organization: { login: 'acme' },
    sender: { login: 'alice' },
    installation: { id: installation.id },
  });
});

describe('events', () => {
  it('of issues and their comments', async () => {
    let number = 0;
    expect(
      await names(async () => {
        number = (await alice.openIssue(repo, { title: 'x', labels: ['bug'] })).number;
        await alice.label(repo, number, 'help');
        await alice.unlabel(repo, number, 'bug');
        await alice.assign(repo, number, 'alice');
        await alice.edit(repo, number, { title: 'y' });
        await alice.lock(repo, number);
        await alice.unlock(repo, number);
        await alice.close(repo, number);
        await alice.reopen(repo, number);
      }),
    ).toEqual(
      ['opened', 'labeled', 'unlabeled', 'assigned', 'edited', 'locked', 'unlocked', 'closed', 'reopened'].map(
        (action) => `issues.${action}`,
      ),
    );
    const [created, edited] = await sent(() => {
      const comment = alice.comment(repo, number, 'first');
      alice.editComment(repo, comment.id, 'second');
      alice.deleteComment(repo, comment.id);
    });
    expect(created).toMatchObject(['issue_comment.created', { comment: { body: 'first' }, issue: { number } }]);
    expect(edited).toMatchObject(['issue_comment.edited', { comment: { body: 'second' }, changes: { body: { from: 'first' } } }]);
  });

  it('of pull requests from opening to merging', async () => {
    expect(await names(() => alice.push(repo, 'work', { 'a.ts': 'two\n' }))).toEqual(['push', 'check_suite.requested']);
    const [[name, payload] = ['', {}]] = await sent(() => alice.openPull(repo, { head: 'work', title: 'Work', draft: true }));
    expect(name).toBe('pull_request.opened');
    expect(payload).toMatchObject({
      number: expect.any(Number),
      pull_request: {
        draft: true,
        changed_files: 1,
        additions: 1,
        head: { ref: 'work', repo: { id: repo.id } },
        base: { ref: 'main', repo: { full_name: 'acme/app' } },
      },
    });
    const number = Number(payload.number);
    expect(await names(() => alice.setDraft(repo, number, false))).toEqual(['pull_request.ready_for_review']);
    expect(await names(() => alice.requestReview(repo, number, 'alice'))).toEqual(['pull_request.review_requested']);
    expect(await names(() => alice.forcePush(repo, 'work', { 'a.ts': 'three\n' }))).toEqual([
      'push',
      'pull_request.synchronize',
      'check_suite.requested',
    ]);
    const [review, comment, resolved] = await sent(async () => {
      const made = await alice.review(repo, number, { body: 'Hm.', comments: [{ path: 'a.ts', line: 1, body: 'here' }] });
      alice.resolveThread(repo, gh.reviewComments(repo, number)[0]?.id ?? 0);
      return made;
    });
    expect(review).toMatchObject([
      'pull_request_review.submitted',
      { review: { state: 'commented', body: 'Hm.' }, pull_request: { number } },
    ]);
    expect(comment).toMatchObject(['pull_request_review_comment.created', { comment: { path: 'a.ts', line: 1 } }]);
    expect(resolved).toMatchObject(['pull_request_review_thread.resolved', { thread: { comments: [{ body: 'here' }] } }]);
    const merged = await sent(() => alice.merge(repo, number));
    expect(merged.map(([event]) => event)).toEqual(['pull_request.closed', 'push', 'check_suite.requested']);
    expect(merged[0]?.[1]).toMatchObject({ pull_request: { merged: true, merged_by: { login: 'alice' }, state: 'closed' } });
  });

  it('of a push that brings a pull request in', async () => {
    await alice.push(repo, 'small', { 'b.ts': 'b\n' });
    const { number } = await alice.openPull(repo, { head: 'small', title: 'Small' });
    const events = await sent(async () => {
      await repo.bare.setRef('refs/heads/main', (await repo.bare.commitOf('refs/heads/small')) ?? '');
      await alice.push(repo, 'other', { 'c.ts': 'c\n' });
    });
    expect(events.find(([event]) => event === 'pull_request.closed')?.[1]).toMatchObject({ number, pull_request: { merged: true } });
  });

  it('of checks, also of what the app did itself', async () => {
    const sha = (await repo.bare.commitOf('refs/heads/main')) ?? '';
    const { body } = await bot('POST /repos/acme/app/check-runs', { name: 'Review', head_sha: sha, status: 'in_progress' });
    const ended = await sent(() =>
      bot(`PATCH /repos/acme/app/check-runs/${body.id}`, {
        conclusion: 'success',
        output: { title: 'Fine', summary: 'All.' },
        actions: [{ label: 'Again', description: 'Review again', identifier: 'again' }],
      }),
    );
    expect(ended.map(([event]) => event)).toEqual(['check_run.completed', 'check_suite.completed']);
    expect(ended[0]?.[1]).toMatchObject({
      sender: { login: 'reviewer[bot]' },
      check_run: { conclusion: 'success', check_suite: { head_sha: sha } },
    });
    const run = gh.checks(repo, sha)[0];
    if (!run) throw new Error('no check run');
    const pressed = await sent(() => {
      alice.pressCheck(repo, run);
      alice.pressCheck(repo, run, 'again');
    });
    expect(pressed.map(([event]) => event)).toEqual(['check_run.rerequested', 'check_run.requested_action']);
    expect(pressed[1]?.[1]).toMatchObject({ requested_action: { identifier: 'again' }, check_run: { app: { slug: 'reviewer' } } });
  });

  it("of the repository's own CI", async () => {
    const sha = (await repo.bare.commitOf('refs/heads/main')) ?? '';
    const [event] = await sent(() =>
      alice.runWorkflow(repo, { sha, branch: 'main', conclusion: 'failure', jobs: [{ name: 'test', log: 'boom' }] }),
    );
    expect(event).toMatchObject([
      'workflow_run.completed',
      { workflow_run: { name: 'CI', conclusion: 'failure', head_sha: sha }, workflow: { path: '.github/workflows/ci.yml' } },
    ]);
  });

  it('of a run that ends later', async () => {
    const sha = (await repo.bare.commitOf('refs/heads/main')) ?? '';
    const [begun, ended] = await sent(() => {
      const run = alice.runWorkflow(repo, { sha, branch: 'main', status: 'in_progress', jobs: [{ name: 'test' }] });
      alice.endWorkflow(repo, run, 'success');
    });
    expect(begun).toMatchObject(['workflow_run.in_progress', { workflow_run: { conclusion: null, run_number: 2 } }]);
    expect(ended).toMatchObject(['workflow_run.completed', { workflow_run: { conclusion: 'success' } }]);
  });

  it('of installations, and none for a repository without the app', async () => {
    const other = await gh.createRepository('acme/other');
    expect(await names(() => alice.openIssue(other, { title: 'x' }))).toEqual([]);
    expect(await names(() => gh.install(other))).toEqual(['installation_repositories.added']);
    expect(await names(() => gh.uninstall(installation, other))).toEqual(['installation_repositories.removed']);
    expect(await names(() => gh.changeInstallation(installation, 'suspend'))).toEqual(['installation.suspend']);
    expect(await names(() => alice.openIssue(repo, { title: 'x' }))).toEqual([]);
    expect(await names(() => gh.changeInstallation(installation, 'unsuspend'))).toEqual(['installation.unsuspend']);
    bot = asInstallation(gh, installation, repo);
  });
});

describe('deliveries', () => {
  it('are listed with their answers and sent again under the same guid', async () => {
    status = 500;
    await sent(() => alice.openIssue(repo, { title: 'lost' }));
    const app = caller(gh, appToken(gh));
    const { body: failed, headers } = await app('GET /app/hook/deliveries?status=failure&per_page=1');
    expect(failed).toMatchObject([
      { event: 'issues', action: 'opened', status_code: 500, redelivery: false, installation_id: installation.id },
    ]);
    const [{ id, guid }] = failed;
    expect(headers.get('link')).toBeNull();
    expect((await app('GET /app/hook/deliveries?per_page=2')).headers.get('link')).toMatch(/cursor=v1_\d+>; rel="next"/);
    expect((await app(`GET /app/hook/deliveries/${id}`)).body.request.payload.issue.title).toBe('lost');
    status = 202;
    received.length = 0;
    expect((await app(`POST /app/hook/deliveries/${id}/attempts`)).status).toBe(202);
    await gh.hooks.idle();
    expect(received.map(({ headers: sentHeaders }) => sentHeaders['x-github-delivery'])).toEqual([guid]);
    expect((await app('GET /app/hook/deliveries?per_page=1')).body).toMatchObject([
      { guid, redelivery: true, status: 'OK', status_code: 202 },
    ]);
    expect((await app('GET /app/hook/config')).body.url).toBe(gh.hooks.target);
  });

  it('fail without an address, and with one where nobody listens', async () => {
    const { target } = gh.hooks;
    gh.hooks.target = 'http://127.0.0.1:1/';
    await sent(() => alice.openIssue(repo, { title: 'x' }));
    expect(gh.hooks.deliveries.at(-1)?.answer).toMatchObject({ status: 0, error: expect.stringContaining('ECONNREFUSED') });
    gh.hooks.target = null;
    await sent(() => alice.openIssue(repo, { title: 'x' }));
    expect(gh.hooks.deliveries.at(-1)?.answer?.error).toBe('no webhook address');
    gh.hooks.target = target;
  });
});

it('lets go of a receiver that never answers when it stops', async () => {
  let asked = () => {};
  const waiting = new Promise<void>((done) => (asked = done));
  const deaf = createServer(() => asked()).listen(0, '127.0.0.1');
  await new Promise((done) => deaf.once('listening', done));
  const own = await GitHub.start();
  own.hooks.target = `http://127.0.0.1:${(deaf.address() as AddressInfo).port}/`;
  own.install(await own.createRepository('a/b'));
  await waiting;
  await own.stop();
  expect(own.hooks.deliveries[0]?.answer).toMatchObject({ status: 0, error: expect.stringContaining('abort') });
  deaf.close();
});

it('tells who watches', async () => {
  const seen: unknown[] = [];
  const stop = gh.changes.subscribe((...change) => seen.push(change));
  const { number } = await alice.openIssue(repo, { title: 'x' });
  alice.react(repo, gh.item(repo, number), 'eyes');
  stop();
  alice.comment(repo, number, 'unseen');
  expect(seen).toEqual([
    ['issues.opened', 'acme/app', number],
    ['reaction.created', 'acme/app', number],
  ]);
  expect(gh.reactions(repo, number)).toMatchObject([{ content: 'eyes', author: { login: 'alice' } }]);
});
