import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitHub } from '../../../src/demo/github/github.ts';
import { attachPage } from '../../../src/demo/page/page.ts';
import { SAMPLE } from '../../../src/demo/sample/sample.ts';

const EVIL = `"><img src=x onerror=alert(1)><script>alert('1')</script>`;
const NAME = 'demo/parcels';
const PARTS = [
  { login: 'maintainer', name: 'owner' },
  { login: 'colleague', name: 'writer' },
  { login: 'passerby', name: 'stranger' },
];

let github: GitHub;
let base: string;

beforeAll(async () => {
  github = await GitHub.start();
  await github.createRepository(NAME, SAMPLE.base, { private: false });
  github.install(NAME);
  const owner = github.person('maintainer', { [NAME]: 'admin' });
  github.person('colleague', { [NAME]: 'write' });
  const { branch, files, message, title, body } = SAMPLE.first;
  await owner.push(NAME, branch, files, { message });
  await owner.openPull(NAME, { head: branch, title, body });
  attachPage(github, { repository: NAME, parts: PARTS, prepared: { branch, next: SAMPLE.next, second: SAMPLE.second }, scripted: true });
  base = `${github.url}/${NAME}/pull`;
});

afterAll(async () => {
  expect(github.defects).toEqual([]);
  await github.stop();
});

const text = async (address: string, init?: RequestInit) => (await fetch(address, init)).text();
const tokenOf = (html: string) => /name="token" value="([\w-]+)"/.exec(html)?.[1] ?? '';

/** Posts a form as the page's script does. */
async function post(path: string, fields: Record<string, string>, options: { as?: string; headers?: Record<string, string> } = {}) {
  const token = tokenOf(await text(`${base}/1`));
  return fetch(path.startsWith('/') ? `${github.url}${path}` : `${base}/${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: `pitwall-demo-part=${options.as ?? 'maintainer'}`, 'x-live': '1', ...options.headers },
    body: new URLSearchParams({ token, ...fields }),
  });
}

describe('hostile text', () => {
  it('stays text in every field of every view', async () => {
    const owner = github.person('maintainer');
    const path = `src/${EVIL.replaceAll('/', '_')}.ts`;
    await owner.push(NAME, 'evil', { [path]: `one\n${EVIL}\n`, 'src/price.ts': null }, { message: EVIL });
    const { number } = await owner.openPull(NAME, { head: 'evil', title: `T ${EVIL}`, body: `B ${EVIL}` });
    github.person('passerby').comment(NAME, number, `C ${EVIL}`);
    const note = await owner.reviewComment(NAME, number, { path, line: 2, body: `R ${EVIL}` });
    owner.replyInThread(NAME, note.id, `A ${EVIL}`);
    await owner.reviewComment(NAME, number, { path, onFile: true, body: `W ${EVIL}` });
    await owner.review(NAME, number, { body: `V ${EVIL}` });
    const token = github.issueToken(github.install(NAME));
    const { headSha } = github.item(NAME, number).pull ?? { headSha: '' };
    const annotation = { path: EVIL, start_line: 1, end_line: 1, annotation_level: 'notice', message: EVIL };
    const answer = await fetch(`${github.apiUrl}/repos/${NAME}/check-runs`, {
      method: 'POST',
      headers: { authorization: `token ${token}`, 'user-agent': 'test' },
      body: JSON.stringify({
        name: `K ${EVIL}`,
        head_sha: headSha,
        output: { title: EVIL, summary: EVIL, text: EVIL, annotations: [annotation] },
        actions: [{ label: '"><script>', description: '"><script>', identifier: '"><script>' }],
      }),
    });
    expect(answer.status).toBe(201);
    for (const view of ['', '/files', '/checks']) {
      const html = await text(`${base}/${number}${view}`);
      expect(html).not.toMatch(/<img|onerror=alert\(1\)>|<script>/);
      expect(html.match(/<script/g)).toHaveLength(1);
      expect(html).toContain('&lt;img src=x');
    }
    const conversation = await text(`${base}/${number}`);
    for (const letter of 'BCRAWV') expect(conversation).toContain(`${letter} &quot;&gt;&lt;img`);
    expect(await text(`${base}/${number}/files`)).toContain('<code>&quot;&gt;&lt;img src=x onerror=alert(1)&gt;');
  });
});

describe('what stands on the page', () => {
  it('description, commit, what is scripted, things to try', async () => {
    const html = await text(`${base}/1`);
    expect(html).toMatch(/This GitHub is a double[\s\S]*The reviewer is scripted/);
    expect(html).toContain(SAMPLE.first.title);
    expect(html).toMatch(/Things to try[\s\S]*Push the next commit/);
  });

  it('no pending review, and threads on their lines', async () => {
    const owner = github.person('colleague');
    await owner.review(NAME, 1, { event: 'COMMENT', body: 'seen', comments: [{ path: 'src/report.ts', line: 11, body: 'too far' }] });
    const review = await fetch(`${github.apiUrl}/repos/${NAME}/pulls/1/reviews`, {
      method: 'POST',
      headers: { authorization: `token ${github.issueToken(github.install(NAME))}`, 'user-agent': 'test' },
      body: JSON.stringify({ body: 'not yet', comments: [{ path: 'src/report.ts', line: 12, body: 'hidden so far' }] }),
    });
    expect(review.status).toBe(200);
    const files = await text(`${base}/1/files`);
    expect(files).not.toContain('hidden so far');
    expect(files).toMatch(
      /at &lt;= parcels\.length; at\+\+\) \{<\/code><\/td><\/tr><\/tbody><tbody[^>]*><tr[^>]*><td[^>]*class="thread-cell"[\s\S]*?too far/,
    );
    expect(await text(`${base}/1`)).not.toContain('not yet');
  });

  it('404 in words for what is not there', async () => {
    for (const path of [`${base}/99`, `${github.url}/nothing`, `${base}/1/nothing`]) {
      const answer = await fetch(path);
      expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('There is no')]);
    }
  });
});

describe('who may do what', () => {
  it('everybody comments and replies; the line breaks of forms become plain ones', async () => {
    expect((await post('1/comment', { body: 'one\r\ntwo' }, { as: 'passerby' })).status).toBe(200);
    expect(github.comments(NAME, 1).at(-1)).toMatchObject({ body: 'one\ntwo', author: { login: 'passerby' } });
    const root = github.reviewComments(NAME, 1)[0];
    expect((await post('1/reply', { body: 'yes', comment: String(root?.id) }, { as: 'colleague' })).status).toBe(200);
    expect(github.reviewComments(NAME, 1).at(-1)).toMatchObject({ body: 'yes', inReplyTo: root?.id, author: { login: 'colleague' } });
  });

  it.each([
    ['push', {}],
    ['open', {}],
    ['press', { check: '1' }],
  ])('a stranger is refused to %s, in words', async (action, fields) => {
    const answer = await post(`1/${action}`, fields, { as: 'passerby' });
    expect([answer.status, await answer.json()]).toEqual([403, { problem: expect.stringContaining('passerby has no write permission') }]);
  });

  it('the prepared commits go once', async () => {
    expect((await post('1/push', {}, { as: 'colleague' })).status).toBe(200);
    expect((await post('1/push', {})).status).toBe(409);
    const opened = await Promise.all([post('1/open', {}), post('1/open', {})]);
    const [first, second] = await Promise.all(opened.map((answer) => answer.json() as Promise<{ go: string }>));
    expect(first?.go).toMatch(/^\/demo\/parcels\/pull\/\d+$/);
    expect(second).toEqual(first);
    const html = await text(`${base}/1`);
    expect(html).toMatch(/Pushed to <code>notifications<\/code>[\s\S]*Open as #/);
    expect(html).toContain('2 commits');
  });

  it("a check's button reaches the app as its event", async () => {
    const { headSha } = github.item(NAME, 1).pull ?? { headSha: '' };
    const token = github.issueToken(github.install(NAME));
    await fetch(`${github.apiUrl}/repos/${NAME}/check-runs`, {
      method: 'POST',
      headers: { authorization: `token ${token}`, 'user-agent': 'test' },
      body: JSON.stringify({
        name: 'Review',
        head_sha: headSha,
        actions: [{ label: 'Cancel', description: 'End the run', identifier: 'cancel' }],
      }),
    });
    const [run] = github.checks(NAME, headSha);
    expect(await text(`${base}/1`)).toContain('value="cancel"');
    expect((await post('1/press', { check: String(run?.id), button: 'cancel' }, { as: 'colleague' })).status).toBe(200);
    expect(github.hooks.deliveries.at(-1)).toMatchObject({ event: 'check_run', action: 'requested_action' });
    expect((await post('1/press', { check: String(run?.id), button: 'gone' })).status).toBe(404);
    expect((await post('1/press', { check: '7' })).status).toBe(404);
  });

  it('who somebody is goes into a cookie, and only a known part does', async () => {
    const chosen = await post('/part', { part: 'passerby', back: '//elsewhere.example/' });
    expect([chosen.status, chosen.headers.get('location'), chosen.headers.get('set-cookie')]).toEqual([
      303,
      '/',
      'pitwall-demo-part=passerby; Path=/; HttpOnly; SameSite=Strict',
    ]);
    expect((await post('/part', { part: 'root', back: '/demo/parcels/pull/1' })).headers.get('set-cookie')).toContain('=maintainer');
    expect((await fetch(`${github.url}/`, { redirect: 'manual' })).headers.get('location')).toBe('/demo/parcels/pull/1');
  });
});

describe('the door', () => {
  it('sends a strict policy with everything', async () => {
    for (const path of ['/style.css', '/script.js', '/demo/parcels/pull/1', '/nothing', '/icon.svg']) {
      const { headers } = await fetch(`${github.url}${path}`);
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';.*base-uri 'none'$/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect(await text(`${base}/1`)).not.toMatch(/ style="| on\w+="|<style/);
  });

  it.each([
    ['no token', { token: '' }, {}],
    ['another token', { token: 'x'.repeat(24) }, {}],
    ['another origin', {}, { origin: 'http://evil.example' }],
    ['a cross-site fetch', {}, { 'sec-fetch-site': 'cross-site' }],
  ])('takes no form with %s', async (_, fields, headers) => {
    const before = github.comments(NAME, 1).length;
    const answer = await post('1/comment', { body: 'x', ...fields }, { headers });
    expect([answer.status, github.comments(NAME, 1).length]).toEqual([403, before]);
  });

  it('answers by no other name than that of this machine', async () => {
    const { port } = new URL(github.url);
    const status = await new Promise((done) =>
      request({ port, host: '127.0.0.1', path: '/demo/parcels/pull/1', headers: { host: 'evil.example' } }, (answer) => {
        answer.resume();
        done(answer.statusCode);
      }).end(),
    );
    expect(status).toBe(421);
  });

  it.each([
    ['nothing written', { body: '  ' }, 422],
    ['more than GitHub takes', { body: 'x'.repeat(70_000) }, 422],
    ['more than anybody writes', { body: 'x'.repeat(1_100_000) }, 413],
    ['no field', {}, 400],
  ])('refuses %s in words', async (_, fields, status) => {
    const answer = await post('1/comment', fields);
    expect(answer.status).toBe(status);
    expect((await answer.text()).length).toBeGreaterThan(10);
  });

  it('brings a browser without script back to the page, or says what is wrong', async () => {
    const token = tokenOf(await text(`${base}/1`));
    const send = (body: string) =>
      fetch(`${base}/1/comment`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ token, body }) });
    const good = await send('plain');
    expect([good.status, good.headers.get('location')]).toEqual([303, '/demo/parcels/pull/1']);
    const bad = await send(' ');
    expect([bad.status, await bad.text()]).toEqual([422, expect.stringMatching(/GitHub says no[\s\S]*href="\/demo\/parcels\/pull\/1"/)]);
  });

  it('tells open pages what happens on their pull request, and lets go of those that leave', async () => {
    const leaving = new AbortController();
    const answer = await fetch(`${github.url}/events?pull=1`, { signal: leaving.signal });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain('retry');
    github.person('maintainer').comment(NAME, 1, 'news');
    expect((await reader?.read())?.value).toBe('data: "A new comment."\n\n');
    leaving.abort();
    await expect(reader?.read()).rejects.toThrow();
  });
});
