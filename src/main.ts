import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { makeAlone } from './alone.ts';
import type { Config } from './config.ts';
import { openDoor } from './door.ts';
import { GitHubApp } from './github/client.ts';
import { Configurations } from './github/configuration.ts';
import { findOpenChecks } from './github/open-checks.ts';
import { Permissions } from './github/permission.ts';
import { Intake } from './run/intake.ts';
import { Poller } from './run/poller.ts';
import { type Recovered, recover } from './run/recover.ts';
import { type Recovery, startRecovery } from './run/recovery.ts';
import type { Services } from './session/services.ts';
import { endAtStandstill } from './standstill.ts';
import { childRedisPlace, startChildRedis } from './store/child-redis.ts';
import type { Handlers, Queues } from './store/queues.ts';
import { RedisStore, type Store } from './store/store.ts';
import { type Condition, explainCondition, type Watch } from './store/watch.ts';
import { githubOptions, loadSettings, makeServices, openServices, placeOf } from './wiring.ts';
import { doWorkAlone, makeHandlers, type Work } from './worker.ts';

/** A server at work. */
export interface Running {
  url: string;
  port: number;
  /** Stops taking work, finishes or hands over what is under way, and closes everything. */
  stop(): Promise<void>;
}

/** How long work that is under way may take to end before it is handed over (ms). */
const STOP_MS = 4_000;
/** A stop takes no longer, whatever does not answer: who asked for it kills the process after 10 s. */
const STOP_ALL_MS = 7_200;

/**
 * Starts everything that `config.role` asks for, in the order in which it is needed; what was started is closed again where a later part fails. The process ends
 * where its main thread stands still for `standstillMs`; a minute where absent.
 */
export async function start(config: Config, watched: { standstillMs?: number } = {}): Promise<Running> {
  const frame = openFrame(config);
  try {
    frame.closers.push(endAtStandstill({ ...watched, onError: (message) => frame.log.warn(message) }));
    return await wire(config, frame);
  } catch (error) {
    await frame.stop();
    throw error;
  }
}

/** Does one piece of work in the process that was started for it; `begun` is called when its start is counted. Throws where it has to be tried again. */
export async function workAlone(config: Config, work: Work, handle: { signal: AbortSignal; begun(): void }): Promise<void> {
  const frame = openFrame(config);
  try {
    const { services, github } = await openServices(config, loadSettings(config, frame.log), frame);
    await doWorkAlone({ services, intake: openIntake(services, github) }, work, handle);
  } finally {
    await frame.stop();
  }
}

interface Frame {
  log: Logger;
  /** What has to be closed, in the order it was opened. */
  closers: (() => Promise<void>)[];
  stop(): Promise<void>;
}

function openFrame(config: Config): Frame {
  const log = pino({
    level: config.logLevel,
    base: { host: hostname() },
    redact: ['headers.authorization', 'err.request', 'err.response', 'err.config'],
  });
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse())
      await close().catch((error: unknown) => log.warn({ err: error }, 'something could not be closed'));
  };
  const stop = () => Promise.race([closeAll(), sleep(STOP_ALL_MS, undefined, { ref: false })]);
  return { log, closers, stop };
}

async function wire(given: Config, frame: Frame): Promise<Running> {
  const { log, closers, stop } = frame;
  const settings = loadSettings(given, log);
  const config = await withRedis(given, frame);
  const { store, services, github } = await openServices(config, settings, frame);
  let recovery: Recovery | null = null;
  await store.watch.start((condition) => hearCondition(condition, { queues: store.queues, log, onReady: () => recovery?.catchUp() }));
  const intake = openIntake(services, github);
  const working = () => config.role === 'web' || store.queues.working;
  const onError = (message: string) => log.warn({ reason: message }, 'at the door');
  const { port } = config;
  const door = port === null ? null : await openDoor({ ...config, port }, { store, working, onError });
  if (door) closers.push(() => door.close());
  if (config.role !== 'web') startWork(config, { services, intake, watch: store.watch, closers });
  if (config.poll) startPolling(config.poll, { store, github, closers, log });
  if (config.role !== 'web') {
    const started = startRecovery({ services, app: github, refuseLoss: () => store.watch.refuseLoss() });
    recovery = started;
    closers.push(() => started.stop());
  }
  if (door) closers.push(async () => door.leave());
  const opened = door?.port ?? 0;
  log.info({ port: opened, role: config.role }, 'Pitwall is ready');
  return { url: `http://127.0.0.1:${opened}`, port: opened, stop };
}

function openIntake(services: Services, app: GitHubApp): Intake {
  const intake = new Intake({ services, app, configurations: new Configurations(), permissions: new Permissions() });
  app.onDelivery((delivery) => intake.handle(delivery));
  return intake;
}

/** Where no Redis is named one is started, and named to the processes that this one starts. */
async function withRedis(config: Config, { closers }: Frame): Promise<Config> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  if (config.redis.url !== null) return config;
  const child = await startChildRedis({ dataDir: config.dataDir, searchPath: config.searchPath });
  closers.push(() => child.stop());
  return { ...config, redis: { ...config.redis, url: child.url } };
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

/** While Redis takes no writes, or has lost what it held, no work is taken; while it does not answer, nobody can. */
function hearCondition(condition: Condition, { queues, log, onReady }: { queues: Queues; log: Logger; onReady(): void }): void {
  const sentence = explainCondition(condition);
  if (sentence === null) {
    queues.resume();
    onReady();
    log.info('Redis takes work');
    return;
  }
  if (condition.state !== 'away') queues.pause();
  log.error({ state: condition.state }, sentence);
}

interface Labour {
  services: Services;
  intake: Intake;
  watch: Watch;
  closers: Frame['closers'];
}

/** Nothing is started by a delivery that was put into a Redis which has just lost what it held. */
function startWork(config: Config, { services, intake, watch, closers }: Labour): void {
  const { queues } = services.store;
  const handlers = makeHandlers(services, intake, makeAlone(config));
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
