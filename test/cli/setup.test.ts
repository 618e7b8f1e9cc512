import { createPrivateKey } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SetupDeps, type SetupOptions, setup } from '../../src/cli/setup.ts';
import { surveyEnvironment } from '../../src/config.ts';
import { GitHub } from '../../src/demo/github/github.ts';

let gh: GitHub;
let cwd: string;

beforeAll(async () => {
  gh = await GitHub.start();
});
afterAll(async () => {
  expect(gh.defects).toEqual([]);
  await gh.stop();
});
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'pitwall-setup-'));
});
afterEach(async () => {
  gh.clearFaults();
  await rm(cwd, { recursive: true, force: true });
});

interface Attempt {
  /** Exit code. */
  ended: Promise<number>;
  /** The address that was printed. */
  page: Promise<string>;
  said(): string;
  stop(): void;
}

function begin(options: Partial<SetupOptions> = {}, more: Partial<SetupDeps> = {}): Attempt {
  let text = '';
  let found: (url: string) => void = () => {};
  const page = new Promise<string>((resolve) => {
    found = resolve;
  });
  const take = (part: string) => {
    text += part;
    const url = /http:\/\/127\.0\.0\.1:\d+\/start\/\S+/.exec(text)?.[0];
    if (url) found(url);
  };
  const leaving = new AbortController();
  const deps: SetupDeps = { version: '0', cwd, signal: leaving.signal, out: take, err: take, ...more };
  const ended = setup({ githubUrl: gh.url, out: 'pitwall.env', url: 'https://pitwall.acme.example', ...options }, deps);
  return { ended, page, said: () => text, stop: () => leaving.abort() };
}

/** What a browser does with the page: reads its form and sends it; answers the manifest and where GitHub sends the person back to. */
async function send(page: string): Promise<{ action: string; manifest: Record<string, unknown>; back: string }> {
  const html = await (await fetch(page)).text();
  const read = (pattern: RegExp) => (pattern.exec(html)?.[1] ?? '').replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
  const [action, manifest] = [read(/action="([^"]*)"/), read(/name="manifest" value="([^"]*)"/)];
  const answer = await fetch(action, { method: 'POST', body: new URLSearchParams({ manifest }), redirect: 'manual' });
  return { action, manifest: JSON.parse(manifest), back: answer.headers.get('location') ?? '' };
}

async function readFileOf(name: string): Promise<Record<string, string>> {
  const lines = (await readFile(join(cwd, name), 'utf8')).split('\n').filter((line) => line && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).replace(/^"|"$/g, '')]),
  );
}

function askWithHost(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asking.on('error', reject).end();
  });
}

describe('pitwall setup', () => {
  it('makes an App by the manifest of app.yml and keeps what GitHub tells once', async () => {
    const attempt = begin({ org: 'acme' });
    const { action, manifest, back } = await send(await attempt.page);
    expect(action).toContain(`${gh.url}/organizations/acme/settings/apps/new?state=`);
    expect(manifest).toMatchObject({
      name: 'Pitwall acme',
      public: false,
      hook_attributes: { url: 'https://pitwall.acme.example/api/github/webhooks', active: true },
      default_permissions: { contents: 'write', pull_requests: 'write', checks: 'write' },
      default_events: expect.arrayContaining(['issue_comment', 'pull_request', 'check_run']),
    });
    const shown = await (await fetch(back)).text();
    expect(await attempt.ended).toBe(0);
    expect(shown).toContain('The App is made');
    expect((await stat(join(cwd, 'pitwall.env'))).mode & 0o777).toBe(0o600);
    const environment = await readFileOf('pitwall.env');
    const survey = surveyEnvironment({ ...environment, ANTHROPIC_API_KEY: 'x' });
    expect(survey).toMatchObject({ mistakes: [], app: { id: gh.app.id, webhookSecret: gh.app.webhookSecret, apiUrl: gh.apiUrl } });
    expect(createPrivateKey(survey.app.privateKey ?? '').asymmetricKeyType).toBe('rsa');
    expect(attempt.said()).toMatch(/pitwall doctor[\s\S]*pitwall start\n/);
    for (const secret of [gh.app.webhookSecret, gh.app.privateKey, 'PRIVATE KEY'])
      expect([attempt.said().includes(secret), shown.includes(secret)]).toEqual([false, false]);
    await expect(fetch(back)).rejects.toThrow();
  });

  it('asks for the public address where somebody can be asked; without one deliveries are polled', async () => {
    const attempt = begin({ url: undefined }, { ask: async () => null });
    const { manifest, back } = await send(await attempt.page);
    expect(manifest.hook_attributes).toEqual({ url: 'https://pitwall.invalid/api/github/webhooks', active: true });
    await fetch(back);
    expect(await attempt.ended).toBe(0);
    expect(attempt.said()).toContain('pitwall start --poll');
  });

  it('takes no code with another state, and goes on waiting', async () => {
    const attempt = begin();
    const { back } = await send(await attempt.page);
    for (const state of ['', 'x'.repeat(32)]) {
      const forged = new URL(back);
      forged.searchParams.set('state', state);
      expect((await fetch(forged)).status).toBe(403);
    }
    expect((await fetch(back)).status).toBe(200);
    expect(await attempt.ended).toBe(0);
  });

  it('takes a code once', async () => {
    const slow = gh.fault({ on: 'POST /app-manifests/{code}/conversions', kind: 'latency', ms: 150 });
    const attempt = begin();
    const { back } = await send(await attempt.page);
    const answers = await Promise.all([fetch(back), fetch(back)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410]);
    expect([slow.hits, await attempt.ended]).toEqual([1, 0]);
  });

  it('answers only to its own address', async () => {
    const attempt = begin();
    const page = await attempt.page;
    expect(await askWithHost(page, 'evil.example')).toBe(403);
    expect(await askWithHost(page, new URL(page).host)).toBe(200);
    expect((await fetch(`${new URL(page).origin}/start/guessed`)).status).toBe(404);
    expect((await fetch(page, { method: 'POST' })).status).toBe(405);
    const { headers } = await fetch(page);
    expect(headers.get('content-security-policy')).toContain(`form-action ${gh.url}`);
    attempt.stop();
    expect(await attempt.ended).toBe(1);
    expect(await readdir(cwd)).toEqual([]);
  });

  it('leaves a file that exists as it is', async () => {
    await writeFile(join(cwd, 'pitwall.env'), 'precious');
    const attempt = begin();
    expect(await attempt.ended).toBe(2);
    expect(attempt.said()).toMatch(/pitwall\.env exists already.*--out/);
    expect(await readFile(join(cwd, 'pitwall.env'), 'utf8')).toBe('precious');
  });

  it.each<[string, Partial<SetupOptions>, RegExp]>([
    ['an address that is none', { githubUrl: 'github' }, /--github-url github cannot be used/],
    ['an address without encryption', { url: 'http://pitwall.example' }, /--url http:\/\/pitwall\.example cannot be used/],
    ['an organization that is none', { org: '../evil' }, /--org/],
    ['a folder that is not there', { out: 'nowhere/file' }, /nowhere\/file cannot be written \(ENOENT\).*--out/],
  ])('refuses %s', async (_, options, message) => {
    const attempt = begin(options);
    expect(await attempt.ended).toBe(2);
    expect(attempt.said()).toMatch(message);
    expect(await readdir(cwd)).toEqual([]);
  });

  it.each<[string, (attempt: Attempt) => Promise<unknown>, RegExp]>([
    [
      'the code is not known to GitHub',
      async ({ page }) => {
        const back = new URL((await send(await page)).back);
        back.searchParams.set('code', 'f00d');
        return fetch(back);
      },
      /does not know the code.*run pitwall setup again/,
    ],
    [
      'GitHub fails',
      async ({ page }) => {
        gh.fault({ on: 'POST /app-manifests/{code}/conversions', status: 500 });
        return fetch((await send(await page)).back);
      },
      /answered 500.*run pitwall setup again/,
    ],
    [
      'GitHub tells what a shell would run',
      async ({ page }) => {
        const body = { id: 1, slug: 'x', html_url: `${gh.url}/apps/x`, pem: gh.app.privateKey, webhook_secret: '"; touch here; "' };
        gh.fault({ on: 'POST /app-manifests/{code}/conversions', status: 201, body });
        return fetch((await send(await page)).back);
      },
      /did not answer as GitHub does: check --github-url/,
    ],
  ])('leaves no file behind where %s', async (_, act, message) => {
    const attempt = begin();
    await act(attempt);
    expect(await attempt.ended).toBe(1);
    expect(attempt.said()).toMatch(message);
    expect(await readdir(cwd)).toEqual([]);
  });

  it('gives up when nobody comes back in time', async () => {
    const attempt = begin({}, { limitMs: 20 });
    expect(await attempt.ended).toBe(1);
    expect(attempt.said()).toMatch(/in time.*run pitwall setup again/);
    expect(await readdir(cwd)).toEqual([]);
  });
});
