import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { GitHub } from '../demo/github/github.ts';
import { ScriptedModel } from '../demo/model/scripted-model.ts';

/** Starts a server with this environment; resolves when it takes webhooks. */
export type StartServer = (environment: Record<string, string>) => Promise<{ url: string; stop(): Promise<void> }>;

/** What the trial commands are handed. `out` takes results, `err` progress and mistakes; `signal` is aborted by Ctrl-C. */
export interface TrialDeps {
  start: StartServer;
  out(text: string): void;
  err(text: string): void;
  env: Record<string, string | undefined>;
  signal?: AbortSignal;
}

/** A GitHub double, a model and a server that know each other. */
export interface Stage {
  github: GitHub;
  /** Null where a real provider answers. */
  model: ScriptedModel | null;
  serverUrl: string;
  /** What stands before another command, as a shell takes it, so that it looks at the runs of this server. */
  reach: string;
}

const SECRET_BYTES = 24;
const WEBHOOKS = '/api/github/webhooks';

/**
 * Sets up a double, a model (scripted, unless the environment has a key of a real one) and a server, lets `work` happen with them, and takes everything
 * down again, also where something fails or the signal comes. `prepare` fills the double before the server starts.
 */
export async function withStage<T>(
  deps: TrialDeps,
  play: { port?: number; prepare(github: GitHub): Promise<void>; work(stage: Stage): Promise<T> },
): Promise<T> {
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const dir = await mkdtemp(join(tmpdir(), 'pitwall-'));
    closers.push(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
    const github = await GitHub.start({
      webhookSecret: randomBytes(SECRET_BYTES).toString('hex'),
      ...(play.port ? { port: play.port } : {}),
    });
    closers.push(() => github.stop());
    const model = hasProvider(deps.env) ? null : await ScriptedModel.start();
    if (model) closers.push(() => model.stop());
    await play.prepare(github);
    deps.signal?.throwIfAborted();
    const environment = environmentOf(deps.env, { github, model, dataDir: join(dir, 'data') });
    const server = await deps.start(environment);
    closers.push(() => server.stop());
    github.hooks.target = `${server.url}${WEBHOOKS}`;
    return await play.work({ github, model, serverUrl: server.url, reach: reachOf(environment) });
  } finally {
    for (const close of closers.reverse()) await close().catch((error: unknown) => deps.err(`could not clean up: ${String(error)}\n`));
  }
}

/** Says who thinks, for people. */
export function modelLine(stage: Stage): string {
  return stage.model
    ? 'Model: scripted. Fixed rules look at the changed lines; set ANTHROPIC_API_KEY for a real review.'
    : 'Model: the provider that ANTHROPIC_API_KEY is for.';
}

function hasProvider(env: TrialDeps['env']): boolean {
  return Boolean(env.ANTHROPIC_API_KEY || env.ANTHROPIC_API_KEY_FILE);
}

const DROPPED = [
  'PRIVATE_KEY_FILE',
  'WEBHOOK_SECRET_FILE',
  'WEBHOOK_SECRET_PREVIOUS',
  'WEBHOOK_SECRET_PREVIOUS_FILE',
  'PITWALL_REDIS_URL_FILE',
];

function environmentOf(
  env: TrialDeps['env'],
  { github, model, dataDir }: { github: GitHub; model: ScriptedModel | null; dataDir: string },
): Record<string, string> {
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && !DROPPED.includes(entry[0]));
  const { PITWALL_REDIS_URL: redisUrl, ...kept } = Object.fromEntries(given);
  return {
    LOG_LEVEL: 'silent',
    ...kept,
    ...redisOf(redisUrl, env.PATH),
    ...(model ? { ANTHROPIC_API_KEY: model.apiKey, ANTHROPIC_BASE_URL: model.url } : {}),
    APP_ID: String(github.app.id),
    PRIVATE_KEY: github.app.privateKey,
    WEBHOOK_SECRET: github.app.webhookSecret,
    GITHUB_API_URL: github.apiUrl,
    PORT: '0',
    PITWALL_DATA_DIR: dataDir,
  };
}

/** A Redis of its own is found by the data folder; one that was given, by what the environment says anyway and the prefix. */
function reachOf(environment: Record<string, string>): string {
  const names = environment.PITWALL_REDIS_URL === undefined ? ['PITWALL_DATA_DIR'] : ['PITWALL_DATA_DIR', 'PITWALL_REDIS_PREFIX'];
  return names.map((name) => `${name}=${environment[name]}`).join(' ');
}

/** A Redis of its own, that goes with the trial, where there is a redis-server; else the one that is given, under a prefix of its own. */
function redisOf(url: string | undefined, path = ''): Record<string, string> {
  const own = path.split(delimiter).some((folder) => folder && existsSync(join(folder, 'redis-server')));
  return own || !url ? {} : { PITWALL_REDIS_URL: url, PITWALL_REDIS_PREFIX: `trial-${randomBytes(6).toString('hex')}` };
}
