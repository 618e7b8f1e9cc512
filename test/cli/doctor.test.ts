import { createHmac, generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Finding } from '../../src/cli/doctor/check.ts';
import { runChecks } from '../../src/cli/doctor/check.ts';
import { doctor } from '../../src/cli/doctor/doctor.ts';
import { judgeSecret } from '../../src/cli/doctor/environment.ts';
import { checkNode, judgeDisk } from '../../src/cli/doctor/machine.ts';
import { judgeRedis } from '../../src/cli/doctor/redis.ts';
import { surveyEnvironment } from '../../src/config.ts';
import { GitHub } from '../../src/demo/github/github.ts';
import type { Installation } from '../../src/demo/github/state.ts';
import { ScriptedModel } from '../../src/demo/model/scripted-model.ts';
import { type ChildRedis, startChildRedis } from '../../src/store/child-redis.ts';
import { connectCommands, type Redis, waitReady } from '../../src/store/redis.ts';

const SECRET = '5d1f0c9e7ab34826f1e0d9c8b7a65432';
let gh: GitHub;
let model: ScriptedModel;
let receiver: Server;
let origin: string;
let dir: string;
let dataDir: string;
let installation: Installation;
let standard: { permissions: Record<string, 'read' | 'write' | 'admin'>; events: string[] };
/** The secret that the receiver was started with. */
let expected = SECRET;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pitwall-doctor-'));
  dataDir = join(dir, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  [gh, model] = await Promise.all([GitHub.start({ webhookSecret: SECRET }), ScriptedModel.start()]);
  receiver = createServer(async (request, response) => {
    if (request.url !== '/api/github/webhooks') return void response.writeHead(request.url === '/healthz' ? 200 : 404).end();
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const wanted = `sha256=${createHmac('sha256', expected).update(Buffer.concat(parts)).digest('hex')}`;
    response.writeHead(request.headers['x-hub-signature-256'] === wanted ? 202 : 401).end();
  }).listen(0, '127.0.0.1');
  await new Promise((done) => receiver.once('listening', done));
  origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  gh.hooks.target = `${origin}/api/github/webhooks`;
  installation = gh.install(await gh.createRepository('acme/app'));
  await gh.hooks.idle();
  standard = { permissions: { ...gh.app.permissions }, events: [...gh.app.events] };
});

afterAll(async () => {
  expect(gh.defects).toEqual([]);
  receiver.closeAllConnections();
  receiver.close();
  await Promise.all([gh.stop(), model.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

beforeEach(async () => {
  expected = SECRET;
  gh.hooks.target = `${origin}/api/github/webhooks`;
  gh.app.permissions = { ...standard.permissions };
  gh.app.events = [...standard.events];
  gh.clockAheadMs = 0;
  installation.suspendedAt = null;
  installation.permissions = { ...standard.permissions };
  gh.clearFaults();
});

/** Sends one more delivery, so that it is the newest. */
async function deliver(): Promise<void> {
  gh.person('alice', { 'acme/app': 'write' }).openIssue('acme/app', { title: 'x' });
  await gh.hooks.idle();
}

async function examine(environment: Record<string, string> = {}, more: { patienceMs?: number } = {}) {
  let text = '';
  const survey = surveyEnvironment({
    PATH: process.env.PATH,
    APP_ID: String(gh.app.id),
    PRIVATE_KEY: gh.app.privateKey,
    WEBHOOK_SECRET: SECRET,
    GITHUB_API_URL: gh.apiUrl,
    ANTHROPIC_API_KEY: model.apiKey,
    ANTHROPIC_BASE_URL: model.url,
    PITWALL_REDIS_URL: inject('redisUrl'),
    PITWALL_DATA_DIR: dataDir,
    ...environment,
  });
  const out = (part: string) => {
    text += part;
  };
  const code = await doctor({ format: 'json' }, { survey, nodeVersion: '20.19.0', version: '0', out, ...more });
  const { findings, broken } = JSON.parse(text) as { findings: Finding[]; broken: number };
  const bad = findings.filter(({ check, status }) => status !== 'ok' && check !== 'disk');
  return { code, text, broken, findings, bad: bad.map(({ check, status, found, fix }) => `${status} ${check}: ${found} → ${fix}`) };
}

describe('a healthy installation', () => {
  it('has nothing broken, in a fixed order, and is shown without a secret', async () => {
    await deliver();
    const { code, broken, findings, text, bad } = await examine();
    expect({ code, broken, bad: bad.filter((line) => !line.startsWith('warning sandbox')) }).toEqual({ code: 0, broken: 0, bad: [] });
    expect(findings.map(({ check }) => check)).toEqual([
      ...['Node.js', 'git', 'ripgrep', 'environment', 'settings', 'webhook secret', 'GitHub', 'clock', 'permissions', 'events'],
      ...['installations', 'webhook', 'deliveries', 'Redis', 'model', 'sandbox', 'disk', 'data folder'],
    ]);
    for (const secret of [SECRET, model.apiKey, 'PRIVATE KEY']) expect(text.includes(secret)).toBe(false);
  });

  it('is printed for people', async () => {
    let text = '';
    const survey = surveyEnvironment({ PATH: process.env.PATH, PITWALL_REDIS_URL: inject('redisUrl'), PITWALL_DATA_DIR: dataDir });
    const out = (part: string) => {
      text += part;
    };
    expect(await doctor({ format: 'text' }, { survey, nodeVersion: '24.0.0', version: '0', out })).toBe(1);
    expect(text).toMatch(/^ok +Node\.js +version 24\.0\.0$/m);
    expect(text).toMatch(/^BROKEN +environment +APP_ID is not set.*\n +→ Set APP_ID .*pitwall setup/m);
    expect(text).toMatch(/^4 broken, \d warnings?, \d+ looked at$/m);
  });
});

describe('an installation that is broken is named with its fix', () => {
  const table: [string, () => Record<string, string> | Promise<Record<string, string>>, RegExp][] = [
    [
      'a missing permission',
      () => {
        delete gh.app.permissions.checks;
        gh.app.permissions.contents = 'read';
        return {};
      },
      /^broken permissions: the App lacks contents: write, checks: write → Give it .* at http\S+\/settings\/apps\/pitwall\/permissions/,
    ],
    [
      'a missing event',
      () => {
        gh.app.events = gh.app.events.filter((event) => event !== 'issue_comment');
        return {};
      },
      /^broken events: the App does not hear of issue_comment → Subscribe to issue_comment at http/,
    ],
    [
      'permissions that nobody accepted',
      () => {
        installation.permissions.issues = 'read';
        return {};
      },
      /^warning installations: acme has not accepted issues: write → An owner accepts it at http\S+\/installations\/\d+/,
    ],
    [
      'a suspended installation',
      () => {
        installation.suspendedAt = Date.now();
        return {};
      },
      /^broken installations: the installation of acme is suspended → Unsuspend it at http/,
    ],
    [
      'a wrong secret',
      async () => {
        expected = 'another-secret-of-the-server';
        await deliver();
        return { WEBHOOK_SECRET: expected };
      },
      /^broken deliveries: .*ended with 401.*wrong secret → Set WEBHOOK_SECRET to the secret at http/,
    ],
    [
      'a secret that was wrong and fits now',
      async () => {
        expected = 'another-secret-of-the-server';
        await deliver();
        return {};
      },
      /^warning deliveries: .*401.* → The secret fits now: redeliver what failed at http\S+\/advanced/,
    ],
    [
      'a secret that is easy to guess',
      () => ({ WEBHOOK_SECRET: 'secretsecretsecret' }),
      /^warning webhook secret: .* → Make one with: openssl rand/,
    ],
    [
      'another key',
      () => {
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
        return { PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
      },
      /^broken GitHub: GitHub answered 401: .* → Make a new private key/,
    ],
    [
      'a key that is none',
      () => ({ PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----x' }),
      /^broken GitHub: PRIVATE_KEY is not a PEM key → Download/,
    ],
    ['another app id', () => ({ APP_ID: '777' }), /^broken GitHub: .* → Set APP_ID to the number/],
    ['an app id that is none', () => ({ APP_ID: 'pitwall' }), /^broken environment: APP_ID must be the number.* → Set APP_ID/],
    [
      'a clock that is off',
      () => {
        gh.clockAheadMs = -90_000;
        return {};
      },
      /^broken clock: this machine is (89|90|91) s ahead of GitHub → Set the clock by NTP/,
    ],
    [
      'a clock that drifts',
      () => {
        gh.clockAheadMs = 45_000;
        return {};
      },
      /^warning clock: this machine is (44|45|46) s behind GitHub → Set the clock/,
    ],
    [
      'a GitHub that is away',
      () => ({ GITHUB_API_URL: 'http://127.0.0.1:9/api/v3' }),
      /^broken GitHub: .* cannot be reached .* → Check GITHUB_API_URL/,
    ],
    [
      'a webhook that nobody reaches',
      () => {
        gh.hooks.target = 'http://127.0.0.1:9/api/github/webhooks';
        return {};
      },
      /^broken webhook: http:\/\/127\.0\.0\.1:9\/healthz cannot be reached.* → Start Pitwall, lead 127\.0\.0\.1:9 to its port/,
    ],
    [
      'a webhook with another path',
      () => {
        gh.hooks.target = `${origin}/hooks`;
        return {};
      },
      /^broken webhook: .*\/hooks has another path.* → Let it end in \/api\/github\/webhooks at http/,
    ],
    [
      'an App without a webhook',
      () => {
        gh.hooks.target = null;
        return {};
      },
      /^broken webhook: the App has no webhook URL → Set it at http/,
    ],
    [
      'an App without a public address',
      () => {
        gh.hooks.target = 'https://pitwall.invalid/api/github/webhooks';
        return {};
      },
      /^warning webhook: .* → Start with pitwall start --poll/,
    ],
    ['Redis that is away', () => ({ PITWALL_REDIS_URL: 'redis://:hunter2-hunter2@127.0.0.1:9' }), /^broken Redis: .* → Start redis-server/],
    ['no bubblewrap', () => ({ PATH: onlyPath(['git']) }), /^warning sandbox: bubblewrap is not installed → Install the package/],
    ['no git', () => ({ PATH: onlyPath([]) }), /^broken git: it is not installed.* → Install git/],
    [
      'a key that the model does not take',
      () => ({ ANTHROPIC_API_KEY: 'sk-ant-api03-expired' }),
      /^broken model: .*401.* → Set ANTHROPIC_API_KEY/,
    ],
    [
      'a model that is away',
      () => ({ ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' }),
      /^broken model: 127\.0\.0\.1:9 cannot be reached.* → Check ANTHROPIC/,
    ],
    [
      'an endpoint that is none',
      () => ({ ANTHROPIC_BASE_URL: origin }),
      /^broken model: .*404 to a call of one token → .*or ANTHROPIC_BASE_URL/,
    ],
    [
      'a data folder that cannot be written',
      () => {
        writeFileSync(join(dir, 'file'), '');
        return { PITWALL_DATA_DIR: join(dir, 'file', 'data') };
      },
      /^broken data folder: .* cannot be written \(ENOTDIR\) → Give it to the user/,
    ],
    [
      'settings with a mistake',
      () => ({ PITWALL_QUIET: 'perhaps' }),
      /^broken settings: PITWALL_QUIET: expected true or false.* → Correct it there/,
    ],
    [
      'settings that are not there',
      () => ({ PITWALL_SETTINGS: join(dir, 'none.json') }),
      /^broken settings: .*none\.json cannot be read.* → Correct/,
    ],
  ];

  it.each(table)('%s', async (_, spoil, message) => {
    const { bad, code, text } = await examine(await spoil());
    expect(bad).toContainEqual(expect.stringMatching(message));
    expect(code).toBe(bad.some((line) => line.startsWith('broken')) ? 1 : 0);
    for (const secret of [SECRET, model.apiKey, 'sk-ant-api03-expired', 'hunter2-hunter2', 'PRIVATE KEY-----'])
      expect(text.includes(secret)).toBe(false);
  });

  it('does not wait for a service that hangs', async () => {
    gh.fault({ on: 'GET /app', kind: 'hang' });
    const { bad } = await examine({}, { patienceMs: 1_500 });
    expect(bad).toContainEqual(expect.stringMatching(/^broken GitHub: .*(no answer in time|no answer within).* → /));
  });

  it('a data folder that others can read', async () => {
    chmodSync(dataDir, 0o755);
    const { bad } = await examine();
    chmodSync(dataDir, 0o700);
    expect(bad).toContainEqual(expect.stringMatching(/^warning data folder: .* → Run: chmod 700/));
  });
});

describe('Redis', () => {
  let child: ChildRedis;
  let redis: Redis;

  beforeAll(async () => {
    child = await startChildRedis({ dataDir: join(dir, 'own'), searchPath: process.env.PATH ?? '' });
    redis = connectCommands(child.url, () => {});
    await waitReady(redis, 5_000);
  });
  afterAll(async () => {
    redis.disconnect();
    await child.stop();
  });

  it.each([
    ['maxmemory-policy', 'allkeys-lru', 'noeviction', /^broken Redis: Redis may throw data away.* → Set it in redis\.conf/],
    ['appendfsync', 'everysec', 'always', /^warning Redis: Redis has appendfsync everysec.* → Set it/],
    ['appendonly', 'no', 'yes', /^warning Redis: Redis has appendonly no.* → Set it/],
  ])('with %s %s', async (name, wrong, right, message) => {
    await redis.config('SET', name, wrong);
    const { bad } = await examine({ PITWALL_REDIS_URL: child.url });
    await redis.config('SET', name, right);
    expect(bad).toContainEqual(expect.stringMatching(message));
  });

  it('that is nearly full, and one that Pitwall starts', async () => {
    const full = judgeRedis({ version: '7', refuse: [], warn: [], memory: { used: 90, most: 100 } });
    expect(full).toMatchObject([{ status: 'warning', fix: expect.stringContaining('Raise maxmemory') }]);
    const { findings } = await examine({ PITWALL_REDIS_URL: '' });
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'Redis', status: 'ok', found: expect.stringContaining('starts its own') }),
    );
  });
});

describe('judgements', () => {
  it.each([
    [100 * 1024 ** 3, 'ok'],
    [3 * 1024 ** 3, 'warning'],
    [100 * 1024 ** 2, 'broken'],
  ])('of %d free bytes: %s', (free, status) => {
    expect(judgeDisk(free, '/data').status).toBe(status);
  });

  it.each([
    ['20.18.3', 'broken'],
    ['20.19.0', 'ok'],
    ['24.1.0', 'ok'],
    ['18.20.0', 'broken'],
  ])('of Node.js %s: %s', async (nodeVersion, status) => {
    const found = await checkNode({ nodeVersion, searchPath: '', dataDir: '' }).run(AbortSignal.timeout(1_000));
    expect(found[0]?.status).toBe(status);
  });

  it.each([
    [SECRET, 'ok'],
    ['aaaaaaaaaaaaaaaa', 'warning'],
    ['changeme-changeme', 'warning'],
  ])('of a secret', (secret, status) => {
    expect(judgeSecret(secret).status).toBe(status);
  });

  it('of a check that throws or hangs: broken, in the order of the checks', async () => {
    const found = await runChecks(
      [
        { name: 'hangs', run: () => new Promise(() => {}) },
        { name: 'throws', run: () => Promise.reject(new Error('no luck')) },
      ],
      30,
    );
    expect(found.map(({ check, status, found: said }) => `${check} ${status} ${said}`)).toEqual([
      'hangs broken no answer within 0.03 s',
      'throws broken could not be checked: no luck',
    ]);
  });
});

/** A search path with nothing but these programs. */
function onlyPath(programs: string[]): string {
  const folder = mkdtempSync(join(dir, 'bin-'));
  for (const program of programs) {
    const from = (process.env.PATH ?? '').split(':').map((place) => join(place, program));
    symlinkSync(from.find((path) => path.startsWith('/usr/')) ?? `/usr/bin/${program}`, join(folder, program));
  }
  return folder;
}
