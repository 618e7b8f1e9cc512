import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { fallBack } from './agent/fallback.ts';
import { createModel } from './agent/provider.ts';
import { TOOLS_BY_NAME } from './agent/role.ts';
import { createTransport } from './agent/transport.ts';
import { warmPrefixes } from './agent/warmth.ts';
import { type Config, ConfigError } from './config.ts';
import { GitHubApp } from './github/client.ts';
import { makeDiscovery } from './github/discovery.ts';
import { Governor } from './github/governor.ts';
import { Permissions } from './github/permission.ts';
import { createPublisher } from './github/publisher.ts';
import type { Event } from './journal/event.ts';
import { diffOf } from './session/mind.ts';
import { fallbackOf, type Services } from './session/services.ts';
import { RedisStore, type Store, type StorePlace } from './store/store.ts';
import { makeReading } from './tools/github-reading.ts';
import type { RunRules, Settings } from './workflow/settings.ts';
import { readSettings } from './workflow/settings-source.ts';
import { Workspace } from './workspace/workspace.ts';

/** Longer than any fetch may take. */
const FETCH_MS = 150_000;

/** What every process works with, a server's and one that was started for a single advance. */
export interface Wired {
  store: RedisStore;
  services: Services;
  github: GitHubApp;
}

/** Opens what a process works with; `closers` get what has to be closed, in the order it was opened. */
export async function openServices(
  config: Config,
  settings: Settings,
  { log, closers }: { log: Logger; closers: (() => Promise<void>)[] },
): Promise<Wired> {
  const store = await RedisStore.open(
    { ...placeOf(config), decisionDays: settings.retention.decisionDays },
    {
      warn: (text) => log.warn(text),
      error: (error) => log.warn({ err: error.message }, 'Redis'),
    },
  );
  closers.push(() => store.close());
  const onPause = (installation: number, until: number) =>
    void store.writes
      .block(installation, until)
      .catch((error: unknown) => log.warn({ err: error }, 'a pause could not be told to the other processes'));
  const pausedFor = (installation: number) => store.writes.blockedFor(installation);
  const github = new GitHubApp({ ...githubOptions(config), log, onPause, pausedFor, fetch: carryToGitHub() });
  closers.push(() => github.close());
  const services = makeServices(config, { store, github, settings, log });
  closers.push(() => services.workspace.close());
  return { store, services, github };
}

/** Where the store is; `child` is the Redis that was started here, where the configuration names none. */
export function placeOf({ redis, dataDir }: Config, child = ''): StorePlace {
  return { ...redis, url: redis.url ?? child, epochFile: join(dataDir, `epoch-${redis.prefix}`) };
}

/** The settings by file and environment; throws `ConfigError` with every mistake and its place. */
export function loadSettings(config: Config, log: Logger): Settings {
  const file = config.settingsFile ?? join(config.dataDir, 'settings.json');
  const text = config.settingsFile === null && !existsSync(file) ? null : readFileSync(file, 'utf8');
  const { settings, problems } = readSettings({ text, file, environment: config.overrides, tools: TOOLS_BY_NAME });
  for (const one of problems.filter(({ severity }) => severity === 'warning')) log.warn({ where: one.file }, one.message);
  if (settings) return settings;
  const errors = problems.filter(({ severity }) => severity === 'error');
  throw new ConfigError(errors.map((one) => `${one.file}:${one.line}:${one.column} ${one.message}`).join('\n'));
}

/** How the App is reached. */
export function githubOptions({ app }: Config) {
  return {
    appId: app.id,
    privateKey: app.privateKey,
    webhookSecret: app.webhookSecret,
    apiUrl: app.apiUrl,
    version: version(),
  };
}

/** The version of this package. */
export function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** A thin transport for what GitHub answers itself; Node's own follows it where GitHub sends it elsewhere, by which nothing was done yet. */
function carryToGitHub(): typeof fetch {
  const send = createTransport({ repeatsReadsOnly: true });
  return async (input, init) => {
    const answer = await send(input, init).catch((error: unknown) => {
      throw init?.signal?.aborted ? init.signal.reason : error;
    });
    if (answer.status < 300 || answer.status > 399 || answer.status === 304) return answer;
    await answer.body?.cancel();
    return fetch(input, init);
  };
}

/** What a run works with, over a store and an App that are open. */
export function makeServices(config: Config, parts: { store: Store; github: GitHubApp; settings: Settings; log: Logger }): Services {
  const { store, github, settings, log } = parts;
  const model = createModel({
    apiKey: config.model.apiKey,
    baseURL: config.model.baseURL,
    fetch: createTransport(config.proxy ? { proxy: config.proxy } : {}),
    log,
  });
  const workspace = new Workspace({
    dataDir: config.dataDir,
    apiUrl: config.app.apiUrl,
    credentials: makeCredentials(github),
    allowedHosts: settings.allowedHosts,
    searchPath: config.searchPath,
    log: (message, fields) => log.debug(fields, message),
  });
  const permissions = new Permissions();
  const services: Services = {
    store,
    model: fallBack(warmPrefixes(model), (id) => fallbackOf(settings, id)),
    workspace,
    settings,
    log,
    github: {
      perform: (call) => publisher.perform(call),
      lookAgain: (effect) => publisher.lookAgain(effect),
      reader: (event, rules) => readFor(event, { github, permissions, rules: rules ?? settings }),
      discovery: ({ installation }) =>
        makeDiscovery({
          installation,
          api: github.discovery(installation),
          installationOf: (name) => github.installationOf(name),
          permissions,
        }),
    },
  };
  const publisher = createPublisher({
    api: (installation, repository, purpose) => github.api(installation, repository, purpose),
    identity: () => github.identity(),
    records: store.effects,
    doubts: store.doubts,
    governor: new Governor({ turns: store.writes }),
    places: store.duties,
    drafts: store.drafts,
    diff: (event: Event) => diffOf(services, event),
    settings,
    worker: `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`,
  });
  return services;
}

/** Reading for the tools of a run: what strangers wrote stays out, unless settings say otherwise. */
function readFor({ installation, repository, author }: Event, parts: { github: GitHubApp; permissions: Permissions; rules: RunRules }) {
  const { github, permissions, rules } = parts;
  const api = () => github.api(installation, repository.id, 'read');
  return makeReading({
    repository,
    api,
    uploads: github,
    audience: async () => ({
      author: author?.login ?? '',
      self: (await github.identity()).login,
      mayBeRead: async (login) => rules.readStrangers || permissions.canWrite(await api(), repository, login),
    }),
  });
}

/** Tokens for git: cut to the repository, read only, given back when a fetch must be over. */
function makeCredentials(github: GitHubApp) {
  const installations = new Map<number, Promise<number>>();
  return async (repository: { id: number; fullName: string; cloneUrl: string }) => {
    const installation = installations.get(repository.id) ?? github.installationOf(repository.fullName);
    installations.set(repository.id, installation);
    installation.catch(() => installations.delete(repository.id));
    const lease = await github.lease(await installation, repository.id, 'read');
    setTimeout(() => lease.release(), FETCH_MS).unref();
    return { url: repository.cloneUrl, token: lease.token };
  };
}
