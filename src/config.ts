import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

/** What the environment says. The only file that reads it; everything else is handed what it needs. */
export interface Config {
  app: { id: number; privateKey: string; webhookSecret: string; previousSecret: string | null; apiUrl: string };
  model: { apiKey: string; baseURL: string };
  /** `lockMs`: how long the work of a process that died is left alone before another takes it up. */
  redis: { url: string | null; prefix: string; lockMs: number };
  port: number;
  dataDir: string;
  settingsFile: string | null;
  role: 'all' | 'web' | 'worker';
  searchPath: string;
  proxy: string | null;
  logLevel: string;
}

export type Environment = Record<string, string | undefined>;

/** A mistake in the environment: every message names the variable and what it must be. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

const text = z.string().trim().min(1);
const Variables = z.object({
  APP_ID: z.coerce.number().int().positive(),
  PRIVATE_KEY: text.refine(
    (value) => value.includes('PRIVATE KEY'),
    "must be the PEM text of the App's key (line breaks may be written as \\n)",
  ),
  WEBHOOK_SECRET: text.min(16, 'must have at least 16 characters').refine((value) => value !== 'development', 'must not be "development"'),
  WEBHOOK_SECRET_PREVIOUS: text.min(16, 'must have at least 16 characters').optional(),
  GITHUB_API_URL: z.url().default('https://api.github.com'),
  ANTHROPIC_API_KEY: text,
  ANTHROPIC_BASE_URL: z.url().default('https://api.anthropic.com'),
  PITWALL_REDIS_URL: text.regex(/^(rediss?|unix):\/\//, 'must begin with redis://, rediss:// or unix://').optional(),
  PITWALL_REDIS_PREFIX: text.regex(/^[\w-]+$/, 'may hold letters, digits, - and _').default('pitwall'),
  PITWALL_LOCK_MS: z.coerce.number().int().min(500).max(60_000).default(8_000),
  PITWALL_DATA_DIR: text.optional(),
  PITWALL_SETTINGS: text.optional(),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/** The environment of this process. */
export function processEnvironment(): Environment {
  return process.env;
}

/** Reads the configuration; secrets may stand in files that `<NAME>_FILE` names. Throws `ConfigError` with all mistakes at once. */
export function readConfig(environment: Environment, role: Config['role'] = 'all'): Config {
  const parsed = Variables.safeParse(withFiles(environment));
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map((issue) => sentenceOf(issue, environment)).join('\n'));
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
    redis: { url: found.PITWALL_REDIS_URL ?? null, prefix: found.PITWALL_REDIS_PREFIX, lockMs: found.PITWALL_LOCK_MS },
    port: found.PORT,
    dataDir: found.PITWALL_DATA_DIR ?? join(homedir(), '.pitwall'),
    settingsFile: found.PITWALL_SETTINGS ?? null,
    role,
    searchPath: environment.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    proxy: environment.HTTPS_PROXY ?? environment.https_proxy ?? null,
    logLevel: found.LOG_LEVEL,
  };
}

const FROM_FILES = ['PRIVATE_KEY', 'WEBHOOK_SECRET', 'WEBHOOK_SECRET_PREVIOUS', 'ANTHROPIC_API_KEY', 'PITWALL_REDIS_URL'];

function withFiles(environment: Environment): Environment {
  const all: Environment = { ...environment };
  for (const key of Object.keys(all)) if (all[key] === '') delete all[key];
  for (const name of FROM_FILES) {
    const file = all[`${name}_FILE`];
    if (!file || all[name]) continue;
    try {
      all[name] = readFileSync(file, 'utf8').trim();
    } catch {
      throw new ConfigError(`${name}_FILE: ${file} cannot be read`);
    }
  }
  return all;
}

function sentenceOf(issue: { path: PropertyKey[]; message: string }, environment: Environment): string {
  const name = String(issue.path[0]);
  if (environment[name] === undefined || environment[name] === '')
    return `${name} is not set: it is required (or ${name}_FILE, the name of a file that holds it)`;
  return `${name} ${issue.message.startsWith('must') || issue.message.startsWith('may') ? issue.message : `is not valid: ${issue.message}`}`;
}
