import { mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { createModel } from './agent/provider.ts';
import { createTransport } from './agent/transport.ts';
import { warmPrefixes } from './agent/warmth.ts';
import { type App, startApp } from './app.ts';
import type { Config } from './config.ts';
import { GitHubApp } from './github/client.ts';
import { Configurations } from './github/configuration.ts';
import { Governor } from './github/governor.ts';
import { Permissions } from './github/permission.ts';
import { createPublisher } from './github/publisher.ts';
import { createReader } from './github/reader.ts';
import type { Event } from './journal/event.ts';
import { Intake } from './run/intake.ts';
import { diffOf } from './session/mind.ts';
import type { Services } from './session/services.ts';
import { startChildRedis } from './store/child-redis.ts';
import { Store } from './store/store.ts';
import { makeHandlers } from './worker.ts';
import { loadSettings, type Settings } from './workflow/settings.ts';
import { Workspace } from './workspace/workspace.ts';

/** A server at work. */
export interface Running {
  url: string;
  port: number;
  /** Stops taking work, finishes or hands over what is under way, and closes everything. */
  stop(): Promise<void>;
}

const STOP_MS = 7_000;

/** Starts everything that `config.role` asks for, in the order in which it is needed; what was started is closed again where a later part fails. */
export async function start(config: Config): Promise<Running> {
  const log = pino({ level: config.logLevel, base: { host: hostname() }, redact: ['headers.authorization', 'err.request', 'err.response', 'err.config'] });
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => log.warn({ err: error }, 'something could not be closed'));
  };
  try {
    return await wire(config, { log, closers, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Frame {
  log: Logger;
  /** What has to be closed, in the order it was opened. */
  closers: (() => Promise<void>)[];
  stop(): Promise<void>;
}

async function wire(config: Config, { log, closers, stop }: Frame): Promise<Running> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const settings = readSettings(config);
  const child = config.redis.url === null ? await startChildRedis({ dataDir: config.dataDir, searchPath: config.searchPath }) : null;
  if (child) closers.push(() => child.stop());
  const store = await Store.open(
    { url: config.redis.url ?? child?.url ?? '', prefix: config.redis.prefix },
    { warn: (text) => log.warn(text), error: (error) => log.warn({ err: error.message }, 'Redis') },
  );
  closers.push(() => store.close());
  const github = new GitHubApp({ ...githubOptions(config), log });
  closers.push(() => github.close());
  const services = makeServices(config, { store, github, settings, log });
  closers.push(() => services.workspace.close());
  if (config.role !== 'web') startWork({ services, github, closers, log });
  const app = config.role === 'worker' ? null : await serve(config, { services, github, log });
  if (app) closers.push(() => app.close());
  const port = app?.port ?? 0;
  log.info({ port, role: config.role }, 'Pitwall is ready');
  return { url: `http://127.0.0.1:${port}`, port, stop };
}

function readSettings(config: Config): Settings {
  return loadSettings(config.settingsFile ?? join(config.dataDir, 'settings.json'), { required: config.settingsFile !== null });
}

function githubOptions({ app }: Config) {
  return {
    appId: app.id,
    privateKey: app.privateKey,
    webhookSecret: app.webhookSecret,
    ...(app.previousSecret ? { previousSecret: app.previousSecret } : {}),
    apiUrl: app.apiUrl,
    version: version(),
  };
}

/** The version of this package. */
export function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function makeServices(config: Config, parts: { store: Store; github: GitHubApp; settings: Settings; log: Logger }): Services {
  const { store, github, settings, log } = parts;
  const transport = createTransport({ proxy: config.proxy });
  const model = warmPrefixes(createModel({ apiKey: config.model.apiKey, ...(config.model.baseURL ? { baseURL: config.model.baseURL } : {}), fetch: transport, log }));
  const workspace = new Workspace({ dataDir: config.dataDir, apiUrl: config.app.apiUrl, credentials: (repository) => credentialsOf(github, repository) });
  const services: Services = { store, model, workspace, settings, log, github: { perform: (call) => publisher.perform(call), reader: (event) => reader(event) } };
  const publisher = createPublisher({
    api: (installation, repository, purpose) => github.api(installation, repository, purpose),
    records: store.effects,
    governor: new Governor({ turns: store.writes }),
    drafts: store.drafts,
    diff: (event: Event) => diffOf(services, event),
    settings: { approve: settings.approve },
    worker: `${hostname()}-${process.pid}`,
  });
  const reader = createReader(github, { readStrangers: settings.readStrangers });
  return services;
}
