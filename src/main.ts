import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { fallBack } from './agent/fallback.ts';
import { createModel } from './agent/provider.ts';
import { createTransport } from './agent/transport.ts';
import { warmPrefixes } from './agent/warmth.ts';
import { type App, startApp } from './app.ts';
import { type Config, ConfigError } from './config.ts';
import { GitHubApp } from './github/client.ts';
import { Configurations } from './github/configuration.ts';
import { makeDiscovery } from './github/discovery.ts';
import { Governor } from './github/governor.ts';
import { findOpenChecks } from './github/open-checks.ts';
import { Permissions } from './github/permission.ts';
import { createPublisher } from './github/publisher.ts';
import type { Event } from './journal/event.ts';
import { Intake } from './run/intake.ts';
import { Poller } from './run/poller.ts';
import { type Recovered, recover } from './run/recover.ts';
import { startRecovery } from './run/recovery.ts';
import { diffOf } from './session/mind.ts';
import { fallbackOf, type Services } from './session/services.ts';
import { childRedisPlace, startChildRedis } from './store/child-redis.ts';
import type { Handlers, Queues } from './store/queues.ts';
import { RedisStore, type Store, type StorePlace } from './store/store.ts';
import { type Condition, explainCondition, type Watch } from './store/watch.ts';
import { makeReading } from './tools/github-reading.ts';
import { makeHandlers } from './worker.ts';
import type { Settings } from './workflow/settings.ts';
import { readSettings } from './workflow/settings-source.ts';
import { Workspace } from './workspace/workspace.ts';

/** A server at work. */
export interface Running {
  url: string;
  port: number;
  /** Stops taking work, finishes or hands over what is under way, and closes everything. */
  stop(): Promise<void>;
}

const STOP_MS = 7_000;
/** Longer than any fetch may take. */
const FETCH_MS = 150_000;

/** Starts everything that `config.role` asks for, in the order in which it is needed; what was started is closed again where a later part fails. */
export async function start(config: Config): Promise<Running> {
  const log = pino({
    level: config.logLevel,
    base: { host: hostname() },
    redact: ['headers.authorization', 'err.request', 'err.response', 'err.config'],
  });
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse())
      await close().catch((error: unknown) => log.warn({ err: error }, 'something could not be closed'));
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
  const settings = loadSettings(config, log);
  const child = config.redis.url === null ? await startChildRedis({ dataDir: config.dataDir, searchPath: config.searchPath }) : null;
  if (child) closers.push(() => child.stop());
  const store = await RedisStore.open(placeOf(config, child?.url), {
    warn: (text) => log.warn(text),
    error: (error) => log.warn({ err: error.message }, 'Redis'),
  });
  closers.push(() => store.close());
  await store.watch.start((condition) => hearCondition(condition, { queues: store.queues, log }));
  const onPause = (installation: number, until: number) =>
    void store.writes
      .block(installation, until)
      .catch((error: unknown) => log.warn({ err: error }, 'a pause could not be told to the other processes'));
  const github = new GitHubApp({ ...githubOptions(config), log, onPause });
  closers.push(() => github.close());
  const services = makeServices(config, { store, github, settings, log });
  closers.push(() => services.workspace.close());
  const intake = new Intake({ services, app: github, configurations: new Configurations(), permissions: new Permissions() });
  github.onDelivery((delivery) => intake.handle(delivery));
  if (config.role !== 'web') startWork({ services, intake, watch: store.watch, closers, log });
  const app = config.role === 'worker' ? null : await serve(config, { store, github, log });
  if (app) closers.push(() => app.close());
  if (config.poll) startPolling(config.poll, { store, github, closers, log });
  if (config.role !== 'web') closers.push(startRecovery({ services, app: github }));
  const port = app?.port ?? 0;
  log.info({ port, role: config.role }, 'Pitwall is ready');
  return { url: `http://127.0.0.1:${port}`, port, stop };
}

/** After Redis lost its data: ends what was left open on GitHub, and lets the servers go on. Throws where GitHub or Redis cannot be worked with. */
export async function recoverLoss(config: Config): Promise<Recovered> {
  const log = pino({ level: 'silent' });
  const settings = loadSettings(config, log);
  const child = config.redis.url === null ? await startChildRedis(config).catch(() => null) : null;
  const store = await RedisStore.open(placeOf(config, child?.url ?? childRedisPlace(config.dataDir).url), { warn() {}, error() {} });
  const github = new GitHubApp({ ...githubOptions(config), log });
  try {
    const services = makeServices(config, { store, github, settings, log });
    return await recover({ store, github: services.github, open: () => findOpenChecks(github) });
  } finally {
    await github.close();
    await store.close();
    await child?.stop();
  }
}

function placeOf({ redis, dataDir }: Config, child = ''): StorePlace {
  return { ...redis, url: redis.url ?? child, epochFile: join(dataDir, `epoch-${redis.prefix}`) };
}

/** While Redis takes no writes, or has lost what it held, no work is taken; while it does not answer, nobody can. */
function hearCondition(condition: Condition, { queues, log }: { queues: Queues; log: Logger }): void {
  const sentence = explainCondition(condition);
  if (sentence === null) {
    queues.resume();
    log.info('Redis takes work');
    return;
  }
  if (condition.state !== 'away') queues.pause();
  log.error({ state: condition.state }, sentence);
}

function loadSettings(config: Config, log: Logger): Settings {
  const file = config.settingsFile ?? join(config.dataDir, 'settings.json');
  const text = config.settingsFile === null && !existsSync(file) ? null : readFileSync(file, 'utf8');
  const { settings, problems } = readSettings({ text, file, environment: config.overrides });
  for (const one of problems.filter(({ severity }) => severity === 'warning')) log.warn({ where: one.file }, one.message);
  if (settings) return settings;
  const errors = problems.filter(({ severity }) => severity === 'error');
  throw new ConfigError(errors.map((one) => `${one.file}:${one.line}:${one.column} ${one.message}`).join('\n'));
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
      reader: (event) => readFor(event, { github, permissions, settings }),
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
    governor: new Governor({ turns: store.writes }),
    drafts: store.drafts,
    diff: (event: Event) => diffOf(services, event),
    settings: { approve: settings.approve, requestChanges: false, closeReopen: settings.closeReopen },
    worker: `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`,
  });
  return services;
}

/** Reading for the tools of a run: what strangers wrote stays out, unless settings say otherwise. */
function readFor({ installation, repository, author }: Event, parts: { github: GitHubApp; permissions: Permissions; settings: Settings }) {
  const { github, permissions, settings } = parts;
  const api = () => github.api(installation, repository.id, 'read');
  return makeReading({
    repository,
    api,
    audience: async () => ({
      author: author?.login ?? '',
      self: (await github.identity()).login,
      mayBeRead: async (login) => settings.readStrangers || permissions.canWrite(await api(), repository, login),
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

interface Labour {
  services: Services;
  intake: Intake;
  watch: Watch;
  closers: Frame['closers'];
  log: Logger;
}

/** Nothing is started by a delivery that was put into a Redis which has just lost what it held. */
function startWork({ services, intake, watch, closers, log }: Labour): void {
  const { queues } = services.store;
  const handlers = makeHandlers(services, intake, log);
  const delivery: Handlers['delivery'] = async (one, signal) => {
    await watch.refuseLoss();
    await handlers.delivery(one, signal);
  };
  queues.startWorkers({ ...handlers, delivery }, services.settings.concurrency);
  closers.push(() => queues.stopWorkers(STOP_MS));
}

function startPolling(
  { everyMs }: { everyMs: number },
  { store, github, closers, log }: { store: Store; github: GitHubApp; closers: Frame['closers']; log: Logger },
): void {
  const poller = new Poller({ requests: () => github.requests(), store, log, everyMs });
  poller.start();
  closers.push(() => poller.stop());
}

function serve(config: Config, { store, github, log }: { store: RedisStore; github: GitHubApp; log: Logger }): Promise<App> {
  const { queues, watch } = store;
  return startApp(
    {
      verify: (body, signature) => github.verify(body, signature),
      accept: (delivery) => Promise.all([watch.refuseLoss(), queues.addDelivery(delivery)]).then(() => undefined),
      async notReady() {
        const sentence = explainCondition(await watch.look());
        return [...(sentence === null ? [] : [sentence]), ...(config.role === 'all' && !queues.working ? ['the workers do not run'] : [])];
      },
      metrics: () => metricsOf(store),
      onError: (error) => log.warn({ err: error }, 'a request failed'),
    },
    { port: config.port },
  );
}

async function metricsOf(store: Store): Promise<string> {
  const counts = await store.queues.counts();
  return [
    '# TYPE pitwall_jobs gauge',
    ...Object.entries(counts).map(([queue, count]) => `pitwall_jobs{queue="${queue}"} ${count}`),
    '',
  ].join('\n');
}
