import { execFile } from 'node:child_process';
import { createSign } from 'node:crypto';
import { promisify } from 'node:util';
import type { GitHub } from '../../../src/demo/github/github.ts';
import type { Installation, Repository } from '../../../src/demo/github/state.ts';

const run = promisify(execFile);

// biome-ignore lint/suspicious/noExplicitAny: answers of a foreign API are looked into as they come.
export type Answer = { status: number; body: any; headers: Headers };

export type Send = (address: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

/** Sends requests written as `GET /path` with one token. */
export function caller(gh: GitHub, token: string | null): Send {
  return async (address, body, headers = {}) => {
    const [method = 'GET', path = '/'] = address.split(/ (.*)/s);
    const url = path.startsWith('http') ? path : `${gh.apiUrl}${path}`;
    const response = await fetch(url, {
      method,
      headers: { 'user-agent': 'test', ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, body: json ? JSON.parse(text) : text, headers: response.headers };
  };
}

/** A JWT of the app; `claims` and `alg` spoil it. */
export function appToken(gh: GitHub, claims: Record<string, unknown> = {}, { alg = 'RS256', key = gh.app.privateKey } = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg, typ: 'JWT' })}.${part({ iat: now - 30, exp: now + 540, iss: gh.app.id, ...claims })}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`;
}

/** A caller with a token of an installation, cut to one repository. */
export function asInstallation(gh: GitHub, installation: Installation, repo: Repository, permissions = installation.permissions): Send {
  return caller(gh, gh.issueToken(installation, { repositories: [repo], permissions }));
}

/** Runs git as a plain client. Resolves with what it printed; rejects with what it complained about. */
export async function git(dir: string, ...args: string[]): Promise<string> {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: dir, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' };
  const who = ['-c', 'user.name=alice', '-c', 'user.email=alice@example.invalid', '-c', 'protocol.version=2'];
  const { stdout } = await run('git', ['-C', dir, ...who, ...args], { env });
  return stdout.trim();
}

/** The address of a repository with a token in it. */
export function remote(gh: GitHub, fullName: string, token: string): string {
  return `${gh.url.replace('://', `://x-access-token:${token}@`)}/${fullName}.git`;
}

/** `line 1` to `line n`, some of them replaced or left out (null). */
export function lines(count: number, changes: Record<number, string | null> = {}): string {
  const all = Array.from({ length: count }, (_, index) => (changes[index + 1] === undefined ? `line ${index + 1}` : changes[index + 1]));
  return `${all.filter((line) => line !== null).join('\n')}\n`;
}
