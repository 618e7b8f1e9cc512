import { type CommandEnd, runCommand } from './process.ts';

/** Which protocols git may use, and what of the surroundings it is told. */
export interface GitSettings {
  /** `https`, and `http` where the configured API is http. Tests add `file`. */
  protocols: string[];
  /** Where programs are looked for; a usual list by default. */
  searchPath?: string;
  /** Handed to git as it is: proxies (`HTTPS_PROXY`) and certificates (`GIT_SSL_CAINFO`) of the machine. */
  environment?: Record<string, string>;
}

/** How git is run. */
export interface GitOptions {
  /** Directory that git is started in. */
  cwd?: string;
  input?: Buffer | string;
  signal?: AbortSignal;
  /** 120 s by default. */
  timeoutMs?: number;
  /** Exit codes that are answers; 0 only by default. */
  accept?: number[];
  /** Bytes of output; 512 MiB by default. */
  maxOutput?: number;
  /** Sent as basic authorization to this origin, by environment only: neither on disk nor among the arguments. */
  login?: { origin: string; token: string };
  /** Added to the environment, for example `GIT_INDEX_FILE`. */
  environment?: Record<string, string>;
}

/** Git ended with an error. The message names the subcommand and git's last words, without secrets. */
export class GitFailed extends Error {
  override name = 'GitFailed';
  readonly code: number | null;
  readonly stderr: string;

  constructor(message: string, code: number | null, stderr: string) {
    super(message);
    this.code = code;
    this.stderr = stderr;
  }
}

/** Where programs are looked for where no PATH is given. */
export const DEFAULT_SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin';
const TIMEOUT_MS = 120_000;
const MAX_OUTPUT = 512 * 1024 * 1024;

/** Old mistakes of writers that do no harm; everything else that `git fsck` calls an error is refused when objects come in. */
const HARMLESS = [
  'badDate',
  'badDateOverflow',
  'badEmail',
  'badName',
  'badTimezone',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'missingTaggerEntry',
  'multipleAuthors',
  'zeroPaddedDate',
  'zeroPaddedFilemode',
];

const CONFIG: [string, string][] = [
  ['protocol.allow', 'never'],
  ['safe.bareRepository', 'explicit'],
  ['core.hooksPath', '/dev/null'],
  ['core.attributesFile', '/dev/null'],
  ['core.excludesFile', '/dev/null'],
  ['core.symlinks', 'false'],
  ['core.fsmonitor', 'false'],
  ['core.autocrlf', 'false'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['core.quotePath', 'true'],
  ['credential.helper', ''],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['fetch.unpackLimit', '1'],
  ['fetch.fsckObjects', 'true'],
  ...HARMLESS.map((id): [string, string] => [`fetch.fsck.${id}`, 'ignore']),
  ['http.lowSpeedLimit', '1000'],
  ['http.lowSpeedTime', '30'],
  ['http.followRedirects', 'initial'],
];

/**
 * Runs git with a clean environment: no settings of the system or the user, no prompts, no hooks, no filters, no links, only the allowed
 * protocols. Answers standard output. Throws `GitFailed`, or the signal's reason.
 */
export async function runGit(settings: GitSettings, args: string[], options: GitOptions = {}): Promise<Buffer> {
  const end = await runCommand('git', args, {
    cwd: options.cwd ?? '/',
    env: environmentOf(settings, options),
    input: options.input,
    signal: options.signal,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    maxOutput: options.maxOutput ?? MAX_OUTPUT,
    graceMs: 2_000,
  }).catch((error: unknown) => {
    if (isMissing(error)) throw new Error('git is not installed here: install git 2.36 or newer and start again', { cause: error });
    throw error;
  });
  const accepted = end.code !== null && (options.accept ?? [0]).includes(end.code) && !end.timedOut && !end.truncated;
  if (accepted) return end.stdout;
  throw failure(args, end, options);
}

function failure(args: string[], end: CommandEnd, options: GitOptions): GitFailed {
  const stderr = scrubSecrets(end.stderr, options.login?.token);
  const command = `git ${args.find((arg) => !arg.startsWith('-')) ?? ''}`.trim();
  if (end.timedOut) return new GitFailed(`${command} did not end within ${(options.timeoutMs ?? TIMEOUT_MS) / 1000} s`, end.code, stderr);
  if (end.truncated) return new GitFailed(`${command} answered more than ${options.maxOutput ?? MAX_OUTPUT} bytes`, end.code, stderr);
  const words = stderr.trim().split('\n').slice(-3).join(' | ') || 'no message';
  return new GitFailed(`${command} failed (${end.code ?? 'killed'}): ${words}`, end.code, stderr);
}

/** Takes a token, its basic form, and anything that looks like a login out of a text. */
export function scrubSecrets(text: string, token?: string): string {
  const known = token ? [token, basicOf(token)] : [];
  return known
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
    .replace(/(\w+:\/\/)[^/\s@]+@/g, '$1***@')
    .replace(/(authorization:\s*\w+\s+)\S+/gi, '$1***');
}

function environmentOf(settings: GitSettings, options: GitOptions): Record<string, string> {
  const config = [...CONFIG, ...settings.protocols.map((name): [string, string] => [`protocol.${name}.allow`, 'always'])];
  const { login } = options;
  if (login) config.push([`http.${login.origin}/.extraheader`, `Authorization: Basic ${basicOf(login.token)}`]);
  return {
    ...settings.environment,
    PATH: settings.searchPath ?? DEFAULT_SEARCH_PATH,
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    ...options.environment,
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], at) => [
        [`GIT_CONFIG_KEY_${at}`, key],
        [`GIT_CONFIG_VALUE_${at}`, value],
      ]),
    ),
  };
}

function basicOf(token: string): string {
  return Buffer.from(`x-access-token:${token}`).toString('base64');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
