import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Survey } from './cli/survey.ts';

/** What the environment says. The only file that reads it; everything else is handed what it needs. */
export interface Config {
  app: { id: number; privateKey: string; webhookSecret: string; previousSecret: string | null; apiUrl: string };
  model: { apiKey: string; baseURL: string };
  /** `lockMs`: how long the work of a process that died is left alone before another takes it up; `dedupeDays`: how long a delivery is known. */
  redis: { url: string | null; prefix: string; lockMs: number; dedupeDays: number };
  /** Where webhooks come in and health is told; of a worker, health alone. Null where it is not told. */
  port: number | null;
  /** How long a server that was told to stop takes webhooks still, while it is not ready any more (ms). */
  drainMs: number;
  dataDir: string;
  settingsFile: string | null;
  /** The `PITWALL_*` variables that may set single settings. */
  overrides: Record<string, string>;
  role: 'all' | 'web' | 'worker';
  /** How often deliveries are read from GitHub's list (ms); null where only webhooks bring them. */
  poll: { everyMs: number } | null;
  searchPath: string;
  proxy: string | null;
  logLevel: string;
}

/** Variables by name, as the process was given them. */
export type Environment = Record<string, string | undefined>;

/** A mistake in the environment: every message names the variable and what it must be. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const text = z.string().trim().min(1);
const webAddress = z.url({ protocol: /^https?$/, error: 'must be a URL that begins with https:// or http://' });
const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .trim()
    .regex(/^\d{1,15}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be a whole number from ${least} to ${most}`);

const seconds = (least: number, most: number) => {
  const error = `must be a number of seconds from ${least} to ${most}`;
  return z
    .string()
    .trim()
    .regex(/^\d{1,6}(\.\d{1,6})?$/, error)
    .transform(Number)
    .refine((value) => value >= least && value <= most, error);
};

/** What stands in examples for a secret: whoever copied it has none. */
const PLACEHOLDER = /^<.*>$|^\$\{.*\}$|^change[\s_-]?(?:me|this)|^your[\s_-].*secret/i;
const webhookSecret = text
  .min(16, 'must have at least 16 characters')
  .refine((value) => !PLACEHOLDER.test(value), 'must be a secret of your own, not the placeholder of an example');

const Variables = z.object({
  APP_ID: text.regex(/^[1-9]\d{0,14}$/, "must be the number that the App's settings page shows as App ID").transform(Number),
  PRIVATE_KEY: text.refine(
    (value) => value.includes('PRIVATE KEY'),
    "must be the PEM text of the App's key (line breaks may be written as \\n)",
  ),
  WEBHOOK_SECRET: webhookSecret.refine((value) => value !== 'development', 'must not be "development"'),
  WEBHOOK_SECRET_PREVIOUS: webhookSecret.optional(),
  GITHUB_API_URL: webAddress.default('https://api.github.com'),
  ANTHROPIC_API_KEY: text,
  ANTHROPIC_BASE_URL: webAddress.default('https://api.anthropic.com'),
  PITWALL_REDIS_URL: text.regex(/^(rediss?|unix):\/\//, 'must begin with redis://, rediss:// or unix://').optional(),
  PITWALL_REDIS_PREFIX: text.regex(/^[\w-]+$/, 'may hold letters, digits, - and _').default('pitwall'),
  PITWALL_LOCK_MS: wholeNumber(500, 60_000).default(8_000),
  PITWALL_DATA_DIR: text.optional(),
  PITWALL_SETTINGS: text.optional(),
  PITWALL_POLL_SECONDS: seconds(0.2, 3_600).default(10),
  PITWALL_DRAIN_SECONDS: seconds(0, 5).default(0),
  PITWALL_HEALTH_PORT: wholeNumber(0, 65_535).optional(),
  PORT: wholeNumber(0, 65_535).default(3000),
  LOG_LEVEL: z.enum(LEVELS, { error: `must be one of ${LEVELS.join(', ')}` }).default('info'),
});

/** The environment of this process. */
export function processEnvironment(): Environment {
  return process.env;
}

/** Reads the configuration; secrets may stand in files that `<NAME>_FILE` names. Throws `ConfigError` with all mistakes at once. */
export function readConfig(environment: Environment, role: Config['role'] = 'all', poll = false): Config {
  const { parsed, mistakes } = parseEnvironment(environment);
  if (!parsed.success || mistakes.length > 0) throw new ConfigError(mistakes.join('\n'));
  const found = parsed.data;
  return {
    app: {
      id: found.APP_ID,
      privateKey: found.PRIVATE_KEY.replaceAll('\\n', '\n'),
      webhookSecret: found.WEBHOOK_SECRET,
      previousSecret: found.WEBHOOK_SECRET_PREVIOUS ?? null,
      apiUrl: found.GITHUB_API_URL.replace(/\/+$/, ''),
    },
    model: { apiKey: found.ANTHROPIC_API_KEY, baseURL: found.ANTHROPIC_BASE_URL },
    redis: {
      url: found.PITWALL_REDIS_URL ?? null,
      prefix: found.PITWALL_REDIS_PREFIX,
      lockMs: found.PITWALL_LOCK_MS,
      dedupeDays: dedupeDaysOf(found.GITHUB_API_URL),
    },
    port: role === 'worker' ? (found.PITWALL_HEALTH_PORT ?? null) : found.PORT,
    drainMs: role === 'worker' ? 0 : found.PITWALL_DRAIN_SECONDS * 1_000,
    dataDir: resolve(found.PITWALL_DATA_DIR ?? join(homedir(), '.pitwall')),
    settingsFile: found.PITWALL_SETTINGS ?? null,
    overrides: overridesOf(environment),
    role,
    poll: poll ? { everyMs: found.PITWALL_POLL_SECONDS * 1_000 } : null,
    searchPath: searchPathOf(environment),
    proxy: proxyOf(environment),
    logLevel: found.LOG_LEVEL,
  };
}

/** Longer than a delivery can be sent again: github.com keeps it for three days, a GitHub Enterprise as long as it likes. */
function dedupeDaysOf(apiUrl: string): number {
  return new URL(apiUrl).host === 'api.github.com' ? 4 : 31;
}

/** What the environment says, with all mistakes beside what is right: for the commands that look at an installation instead of starting it. Never throws. */
export function surveyEnvironment(environment: Environment): Survey {
  const { all, wrong, mistakes } = parseEnvironment(environment);
  const found = Variables.partial().parse(Object.fromEntries(Object.entries(all).filter(([name]) => !wrong.has(name))));
  const valid = <T>(name: string, value: T | undefined): T | null => (wrong.has(name) ? null : (value ?? null));
  return {
    mistakes,
    app: {
      id: found.APP_ID ?? null,
      privateKey: found.PRIVATE_KEY?.replaceAll('\\n', '\n') ?? null,
      webhookSecret: found.WEBHOOK_SECRET ?? null,
      apiUrl: valid('GITHUB_API_URL', found.GITHUB_API_URL)?.replace(/\/+$/, '') ?? null,
    },
    model: { apiKey: found.ANTHROPIC_API_KEY ?? null, baseURL: valid('ANTHROPIC_BASE_URL', found.ANTHROPIC_BASE_URL) },
    redis: {
      own: found.PITWALL_REDIS_URL === undefined && !wrong.has('PITWALL_REDIS_URL'),
      url: found.PITWALL_REDIS_URL ?? null,
      prefix: valid('PITWALL_REDIS_PREFIX', found.PITWALL_REDIS_PREFIX),
    },
    dataDir: resolve(found.PITWALL_DATA_DIR ?? join(homedir(), '.pitwall')),
    settingsFile: found.PITWALL_SETTINGS ?? null,
    overrides: overridesOf(environment),
    searchPath: searchPathOf(environment),
    proxy: proxyOf(environment),
  };
}

function parseEnvironment(environment: Environment) {
  const { all, unreadable } = withFiles(environment);
  const parsed = Variables.safeParse(all);
  const unread = new Set(unreadable.map(({ name }) => name));
  const issues = (parsed.error?.issues ?? []).filter((issue) => !unread.has(String(issue.path[0])));
  const mistakes = [...new Set([...unreadable.map(({ mistake }) => mistake), ...issues.map((issue) => sentenceOf(issue, all))])];
  const wrong = new Set([...unread, ...issues.map(({ path }) => String(path[0]))]);
  return { all, parsed, mistakes, wrong };
}

/** Variables that are Pitwall's own and no setting; `PITWALL_URL` is for the dashboard. */
const NOT_SETTINGS = new Set([...Object.keys(Variables.shape), 'PITWALL_URL']);

function overridesOf(environment: Environment): Record<string, string> {
  const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(given.filter(([name]) => name.startsWith('PITWALL_') && !NOT_SETTINGS.has(name.replace(/_FILE$/, ''))));
}

function searchPathOf(environment: Environment): string {
  return environment.PATH ?? '/usr/local/bin:/usr/bin:/bin';
}

function proxyOf(environment: Environment): string | null {
  return environment.HTTPS_PROXY ?? environment.https_proxy ?? null;
}

const FROM_FILES = ['PRIVATE_KEY', 'WEBHOOK_SECRET', 'WEBHOOK_SECRET_PREVIOUS', 'ANTHROPIC_API_KEY', 'PITWALL_REDIS_URL'];

interface Unreadable {
  name: string;
  mistake: string;
}

/** The environment with the texts of the files that it names, without what is blank. What is said of a file never holds its name: it may be the secret. */
function withFiles(environment: Environment): { all: Environment; unreadable: Unreadable[] } {
  const all: Environment = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const unreadable: Unreadable[] = [];
  for (const name of FROM_FILES) {
    const file = all[`${name}_FILE`]?.trim();
    if (!file || all[name]) continue;
    try {
      const held = readFileSync(file, 'utf8').trim();
      if (held) all[name] = held;
      else unreadable.push({ name, mistake: `${name}_FILE names an empty file: write the value of ${name} into it` });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'no code';
      unreadable.push({
        name,
        mistake: `${name}_FILE names what cannot be read (${code}): name a file that is there and that this user may read`,
      });
    }
  }
  return { all, unreadable };
}

/** One sentence a mistake, without the value. */
function sentenceOf(issue: { path: PropertyKey[]; message: string }, all: Environment): string {
  const name = String(issue.path[0]);
  if (all[name] !== undefined) return `${name} ${issue.message}`;
  const orFile = FROM_FILES.includes(name) ? ` (or ${name}_FILE, the name of a file that holds it)` : '';
  return `${name} is not set: it is required${orFile}`;
}
