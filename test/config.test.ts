import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, type Environment, readConfig } from '../src/config.ts';

const KEY = '-----BEGIN RSA PRIVATE KEY-----\nabc\ndef\n-----END RSA PRIVATE KEY-----';
const SECRET = 'a secret of enough characters';
const GOOD: Environment = { APP_ID: '42', PRIVATE_KEY: KEY, WEBHOOK_SECRET: SECRET, ANTHROPIC_API_KEY: 'sk-model', PATH: '/bin' };

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'pitwall-config-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function fileWith(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

function mistakesOf(environment: Environment): string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('a good environment', () => {
  it('needs four variables; the rest has defaults', () => {
    expect(readConfig(GOOD)).toEqual({
      app: { id: 42, privateKey: KEY, webhookSecret: SECRET, previousSecret: null, apiUrl: 'https://api.github.com' },
      model: { apiKey: 'sk-model', baseURL: 'https://api.anthropic.com' },
      redis: { url: null, prefix: 'pitwall', lockMs: 8_000, dedupeDays: 4 },
      port: 3000,
      drainMs: 0,
      dataDir: join(homedir(), '.pitwall'),
      settingsFile: null,
      overrides: {},
      poll: null,
      role: 'all',
      searchPath: '/bin',
      proxy: null,
      logLevel: 'info',
    });
  });

  it.each<[Environment, object]>([
    [{ APP_ID: ' 7 ' }, { app: { id: 7 } }],
    [{ PRIVATE_KEY: KEY.replaceAll('\n', '\\n') }, { app: { privateKey: KEY } }],
    [{ PRIVATE_KEY: `\n${KEY}\n` }, { app: { privateKey: KEY } }],
    [{ WEBHOOK_SECRET: 'x'.repeat(16) }, { app: { webhookSecret: 'x'.repeat(16) } }],
    [{ WEBHOOK_SECRET_PREVIOUS: 'y'.repeat(16) }, { app: { previousSecret: 'y'.repeat(16) } }],
    [{ WEBHOOK_SECRET_PREVIOUS: '' }, { app: { previousSecret: null } }],
    [{ GITHUB_API_URL: 'https://git.example.com/api/v3/' }, { app: { apiUrl: 'https://git.example.com/api/v3' } }],
    [{ GITHUB_API_URL: 'http://127.0.0.1:5000' }, { app: { apiUrl: 'http://127.0.0.1:5000' } }],
    [{ ANTHROPIC_BASE_URL: 'http://localhost:8080/v1' }, { model: { baseURL: 'http://localhost:8080/v1' } }],
    [{ PITWALL_REDIS_URL: 'redis://10.0.0.1:6379/2' }, { redis: { url: 'redis://10.0.0.1:6379/2' } }],
    [{ PITWALL_REDIS_URL: 'rediss://u:p@r.example.com' }, { redis: { url: 'rediss://u:p@r.example.com' } }],
    [{ PITWALL_REDIS_URL: 'unix:///run/redis.sock' }, { redis: { url: 'unix:///run/redis.sock' } }],
    [{ PITWALL_REDIS_URL: '  ' }, { redis: { url: null } }],
    [{ PITWALL_REDIS_PREFIX: 'team-a_1' }, { redis: { prefix: 'team-a_1' } }],
    [{ PITWALL_LOCK_MS: '500' }, { redis: { lockMs: 500 } }],
    [{ GITHUB_API_URL: 'https://github.example.com/api/v3' }, { redis: { dedupeDays: 31 } }],
    [{ PORT: '0' }, { port: 0 }],
    [{ PORT: '65535' }, { port: 65_535 }],
    [{ PORT: '' }, { port: 3000 }],
    [{ PORT: ' ' }, { port: 3000 }],
    [{ PITWALL_HEALTH_PORT: '9000' }, { port: 3000 }],
    [{ PITWALL_DRAIN_SECONDS: '2.5' }, { drainMs: 2_500 }],
    [{ PITWALL_DATA_DIR: '/srv/pitwall' }, { dataDir: '/srv/pitwall' }],
    [{ PITWALL_DATA_DIR: 'data' }, { dataDir: resolve('data') }],
    [{ PITWALL_SETTINGS: '/etc/pitwall.json' }, { settingsFile: '/etc/pitwall.json' }],
    [{ HTTPS_PROXY: 'http://proxy:3128' }, { proxy: 'http://proxy:3128' }],
    [{ https_proxy: 'http://proxy:3128' }, { proxy: 'http://proxy:3128' }],
    [{ LOG_LEVEL: 'debug' }, { logLevel: 'debug' }],
  ])('may say %j', (more, expected) => {
    expect(readConfig({ ...GOOD, ...more })).toMatchObject(expected);
  });

  it('may set single settings, and is read for polling', () => {
    const environment = { ...GOOD, PITWALL_URL: 'https://x', PITWALL_FORKS: 'off', PITWALL_POLL_SECONDS: '0.5', OTHER: '1' };
    expect(readConfig(environment, 'all', true)).toMatchObject({ overrides: { PITWALL_FORKS: 'off' }, poll: { everyMs: 500 } });
  });

  it.each(['all', 'web', 'worker'] as const)('is read for the role %s', (role) => {
    expect(readConfig(GOOD, role).role).toBe(role);
  });

  it('of a worker names no port but the one for its health, and takes no webhooks for longer', () => {
    expect(readConfig({ ...GOOD, PORT: '3000', PITWALL_DRAIN_SECONDS: '5' }, 'worker')).toMatchObject({ port: null, drainMs: 0 });
    expect(readConfig({ ...GOOD, PORT: '3000', PITWALL_HEALTH_PORT: '9000' }, 'worker').port).toBe(9_000);
  });

  it.each([
    ['PRIVATE_KEY', KEY, 'app.privateKey'],
    ['WEBHOOK_SECRET', SECRET, 'app.webhookSecret'],
    ['WEBHOOK_SECRET_PREVIOUS', SECRET, 'app.previousSecret'],
    ['ANTHROPIC_API_KEY', 'sk-file', 'model.apiKey'],
    ['PITWALL_REDIS_URL', 'redis://from-file', 'redis.url'],
  ])('may keep %s in a file', (name, value, place) => {
    const path = fileWith(name, `${value}\n`);
    expect(readConfig({ ...GOOD, [name]: undefined, [`${name}_FILE`]: path })).toHaveProperty(place, value);
    const direct = GOOD[name];
    if (direct) expect(readConfig({ ...GOOD, [`${name}_FILE`]: path })).toHaveProperty(place, direct);
  });
});

describe('a bad environment', () => {
  it.each<[Environment, RegExp]>([
    [{ APP_ID: undefined }, /^APP_ID is not set: it is required$/],
    [{ APP_ID: '' }, /^APP_ID is not set/],
    [{ APP_ID: 'my-app' }, /^APP_ID must be the number/],
    [{ APP_ID: '0' }, /^APP_ID must be the number/],
    [{ APP_ID: '-4' }, /^APP_ID must be the number/],
    [{ APP_ID: '1e3' }, /^APP_ID must be the number/],
    [{ PRIVATE_KEY: undefined }, /^PRIVATE_KEY is not set: .*PRIVATE_KEY_FILE/],
    [{ PRIVATE_KEY: '/path/to/key.pem' }, /^PRIVATE_KEY must be the PEM text/],
    [{ WEBHOOK_SECRET: undefined }, /^WEBHOOK_SECRET is not set: .*WEBHOOK_SECRET_FILE/],
    [{ WEBHOOK_SECRET: '   ' }, /^WEBHOOK_SECRET is not set/],
    [{ WEBHOOK_SECRET: 'fifteen letters' }, /^WEBHOOK_SECRET must have at least 16 characters$/],
    [{ WEBHOOK_SECRET_PREVIOUS: 'short' }, /^WEBHOOK_SECRET_PREVIOUS must have at least 16/],
    [{ ANTHROPIC_API_KEY: undefined }, /^ANTHROPIC_API_KEY is not set: .*ANTHROPIC_API_KEY_FILE/],
    [{ GITHUB_API_URL: 'api.github.com' }, /^GITHUB_API_URL must be a URL/],
    [{ GITHUB_API_URL: 'ftp://github.com' }, /^GITHUB_API_URL must be a URL that begins with https/],
    [{ ANTHROPIC_BASE_URL: 'file:///etc/passwd' }, /^ANTHROPIC_BASE_URL must be a URL/],
    [{ PITWALL_REDIS_URL: 'localhost:6379' }, /^PITWALL_REDIS_URL must begin with redis:/],
    [{ PITWALL_REDIS_PREFIX: 'a:b' }, /^PITWALL_REDIS_PREFIX may hold letters/],
    [{ PITWALL_LOCK_MS: '10' }, /^PITWALL_LOCK_MS must be a whole number from 500 to 60000$/],
    [{ PORT: '65536' }, /^PORT must be a whole number from 0 to 65535$/],
    [{ PORT: '-1' }, /^PORT must be a whole number/],
    [{ PORT: '80.5' }, /^PORT must be a whole number/],
    [{ PORT: 'http' }, /^PORT must be a whole number/],
    [{ PITWALL_HEALTH_PORT: 'yes' }, /^PITWALL_HEALTH_PORT must be a whole number from 0 to 65535$/],
    [{ PITWALL_DRAIN_SECONDS: '6' }, /^PITWALL_DRAIN_SECONDS must be a number of seconds from 0 to 5$/],
    [{ PITWALL_POLL_SECONDS: '0' }, /^PITWALL_POLL_SECONDS must be a number of seconds/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of trace, debug/],
  ])('that says %j is refused', (more, expected) => {
    const mistakes = mistakesOf({ ...GOOD, ...more });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(expected);
  });

  it('may not have the secret of the examples', () => {
    expect(mistakesOf({ ...GOOD, WEBHOOK_SECRET: 'development' })).toContain('WEBHOOK_SECRET must not be "development"');
    const placeholders = [
      '<your webhook secret>',
      '$' + '{WEBHOOK_SECRET}',
      'changeme-changeme',
      'CHANGE_THIS_SECRET',
      'your-webhook-secret',
      'your_secret_goes_here',
    ];
    const wanted = 'must be a secret of your own, not the placeholder of an example';
    for (const value of placeholders)
      expect(mistakesOf({ ...GOOD, WEBHOOK_SECRET: value, WEBHOOK_SECRET_PREVIOUS: value })).toEqual([
        `WEBHOOK_SECRET ${wanted}`,
        `WEBHOOK_SECRET_PREVIOUS ${wanted}`,
      ]);
  });

  it('is told all its mistakes at once', () => {
    const mistakes = mistakesOf({ PRIVATE_KEY_FILE: join(dir, 'nowhere.pem'), WEBHOOK_SECRET: 'short', PORT: 'x' });
    expect(mistakes.map((mistake) => mistake.split(' ')[0]).sort()).toEqual([
      'ANTHROPIC_API_KEY',
      'APP_ID',
      'PORT',
      'PRIVATE_KEY_FILE',
      'WEBHOOK_SECRET',
    ]);
    expect(mistakesOf({})).toHaveLength(4);
  });

  it('whose files cannot be read, are empty or hold the wrong thing is told which', () => {
    const without = { ...GOOD, PRIVATE_KEY: undefined };
    expect(mistakesOf({ ...without, PRIVATE_KEY_FILE: join(dir, 'nowhere.pem') })).toEqual([
      expect.stringMatching(/^PRIVATE_KEY_FILE names what cannot be read \(ENOENT\): name a file/),
    ]);
    expect(mistakesOf({ ...without, PRIVATE_KEY_FILE: dir })).toEqual([expect.stringMatching(/^PRIVATE_KEY_FILE .*\(EISDIR\)/)]);
    expect(mistakesOf({ ...without, PRIVATE_KEY_FILE: fileWith('empty', ' \n') })).toEqual([
      expect.stringMatching(/^PRIVATE_KEY_FILE names an empty file/),
    ]);
    expect(mistakesOf({ ...without, PRIVATE_KEY_FILE: fileWith('wrong', 'no key at all') })).toEqual([
      expect.stringMatching(/^PRIVATE_KEY must be the PEM text/),
    ]);
  });

  it('is never told a value, for it may be a secret', () => {
    const word = 'hunter2';
    const names = Object.keys(GOOD).filter((name) => name !== 'PATH');
    const more = [
      'WEBHOOK_SECRET_PREVIOUS',
      'PITWALL_REDIS_URL',
      'PITWALL_REDIS_PREFIX',
      'GITHUB_API_URL',
      'ANTHROPIC_BASE_URL',
      'PORT',
      'LOG_LEVEL',
      'PITWALL_LOCK_MS',
    ];
    const values = Object.fromEntries([...names, ...more].map((name) => [name, name === 'PITWALL_REDIS_PREFIX' ? `${word}:` : word]));
    const mistakes = mistakesOf(values);
    expect(mistakes.length).toBeGreaterThanOrEqual(11);
    expect(mistakes.join('\n')).not.toContain(word);
    const inFiles = mistakesOf({ PRIVATE_KEY_FILE: word, WEBHOOK_SECRET_FILE: `${word}\n${word}`, ANTHROPIC_API_KEY_FILE: `sk-${word}` });
    expect(inFiles.filter((mistake) => mistake.includes('_FILE'))).toHaveLength(3);
    expect(inFiles.join('\n')).not.toContain(word);
  });
});
