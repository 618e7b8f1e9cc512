import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type App, startApp } from './app.ts';
import type { Config } from './config.ts';
import { misfitOf } from './github/event.ts';
import { isSigned } from './github/signature.ts';
import { writeMetrics } from './metrics.ts';
import { RedisStore } from './store/store.ts';
import { type Condition, explainCondition } from './store/watch.ts';
import { placeOf } from './wiring.ts';

/** What a door is told of the process that it belongs to. */
export interface DoorParts {
  store: RedisStore;
  /** Whether this process' workers run; always true where it has none. */
  working(): boolean;
  /** Hears what goes wrong; must not throw. */
  onError(message: string): void;
}

/** What comes in from outside: webhooks, except to a worker, and those who ask how it goes. */
export interface Door extends App {
  /** From now on `/readyz` says that this process stops. Webhooks are taken until it is closed, which waits until they were for `drainMs`. */
  leave(): void;
}

/** A configuration with a door. */
export type DoorConfig = Config & { port: number };

/** What the thread is started with. In `shared` stand when the workers were last seen at work (ms since 1970), and whether the process stops (1). */
interface ThreadData {
  door: DoorConfig;
  shared: Float64Array;
}

type Said = { say: 'open'; port: number } | { say: 'failed'; message: string } | { say: 'error'; message: string };

const BEAT_MS = 500;
/** Workers that were not seen for so long do not run, or are behind with everything. */
const MISSED_MS = 30_000;
const CLOSE_MS = 3_000;
const OPEN_AGAIN_MS = 500;
const [AT_WORK, LEAVING] = [0, 1];

if (!isMainThread && isThreadData(workerData)) await serveInThread(workerData);

/**
 * Opens the door. Beside workers it stands in a thread of its own, so that GitHub is answered in time however busy they are; elsewhere, and where the sources
 * themselves are run, in this one. Rejects where the port is taken.
 */
export async function openDoor(config: DoorConfig, parts: DoorParts): Promise<Door> {
  const inThread = config.role !== 'web' && import.meta.url.endsWith('.js');
  const shared = new Float64Array(new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT));
  const app = await (inThread ? openThread(config, shared, parts) : openHere(config, shared, parts));
  let drained: Promise<void> | null = null;
  return {
    port: app.port,
    leave() {
      shared[LEAVING] = 1;
      drained ??= sleep(config.drainMs);
    },
    async close() {
      await drained;
      await app.close();
    },
  };
}

function openHere({ app, port, role }: DoorConfig, shared: Float64Array, { store, working, onError }: DoorParts): Promise<App> {
  const { queues, watch } = store;
  const missing = (condition: Condition) =>
    [shared[LEAVING] === 1 ? 'this process stops' : null, explainCondition(condition), working() ? null : 'the workers do not run'].filter(
      (sentence) => sentence !== null,
    );
  const secrets = app.previousSecret === null ? [app.webhookSecret] : [app.webhookSecret, app.previousSecret];
  return startApp(
    {
      verify: async (body, signature) => isSigned(secrets, body, signature),
      misfit: misfitOf,
      accept: (delivery) => Promise.all([watch.refuseLoss(), queues.addDelivery(delivery)]).then(() => undefined),
      notReady: async () => missing(await watch.look()),
      async metrics(webhooks) {
        const [condition, jobs] = await Promise.all([watch.look(), queues.counts().catch(() => null)]);
        return writeMetrics({ ready: missing(condition).length === 0, redisUp: condition.state !== 'away', webhooks, jobs });
      },
      onError: (error) => onError(error instanceof Error ? error.message : String(error)),
    },
    { port, webhooks: role !== 'worker' },
  );
}

/** A thread that has the door open. */
interface Thread {
  port: number;
  /** Resolves when it has ended, whatever ended it. */
  gone: Promise<void>;
  close(): Promise<void>;
}

/** The door stands open until it is closed: where its thread ends by itself it gets another one, at the same port. */
async function openThread(config: DoorConfig, shared: Float64Array, { working, onError }: DoorParts): Promise<App> {
  shared[AT_WORK] = Date.now();
  const beat = setInterval(() => {
    if (working()) shared[AT_WORK] = Date.now();
  }, BEAT_MS);
  beat.unref();
  let thread = await startThread({ door: config, shared }, onError);
  const { port } = thread;
  let closing = false;
  const opened = keepOpen();
  async function keepOpen(): Promise<void> {
    for (;;) {
      await thread.gone;
      if (closing) return;
      onError('the door for webhooks has ended: it is opened again');
      await sleep(OPEN_AGAIN_MS);
      if (closing) return;
      thread = await startThread({ door: { ...config, port }, shared }, onError).catch((error: Error) => {
        onError(`the door for webhooks cannot be opened again: ${error.message}`);
        return { ...thread, gone: Promise.resolve() };
      });
      if (closing) await thread.close();
    }
  }
  return {
    port,
    async close() {
      clearInterval(beat);
      closing = true;
      await thread.close();
      await opened;
    },
  };
}

function startThread(data: ThreadData, onError: (message: string) => void): Promise<Thread> {
  const thread = new Worker(new URL(import.meta.url), { workerData: data });
  const gone = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  const close = async () => {
    thread.postMessage('close');
    const late = setTimeout(() => void thread.terminate(), CLOSE_MS);
    await gone;
    clearTimeout(late);
  };
  return new Promise((resolve, reject) => {
    thread.on('message', (said: Said) => {
      if (said.say === 'open') resolve({ port: said.port, gone, close });
      else if (said.say === 'failed') reject(new Error(said.message));
      else onError(said.message);
    });
    thread.once('error', (error) => {
      onError(`the door for webhooks failed: ${error instanceof Error ? error.message : String(error)}`);
      reject(error);
    });
    void gone.then(() => reject(new Error('the door for webhooks ended')));
  });
}

function isThreadData(data: unknown): data is ThreadData {
  return typeof data === 'object' && data !== null && 'door' in data && 'shared' in data;
}

/** The thread's own life: a connection to Redis of its own, the door, and their end. */
async function serveInThread({ door: config, shared }: ThreadData): Promise<void> {
  const say = (said: Said) => parentPort?.postMessage(said);
  const onError = (message: string) => say({ say: 'error', message });
  try {
    const store = await RedisStore.open(placeOf(config), { warn() {}, error: ({ message }) => onError(message) });
    await store.watch.start(() => {});
    const working = () => Date.now() - (shared[AT_WORK] ?? 0) < MISSED_MS;
    const app = await openHere(config, shared, { store, working, onError });
    parentPort?.once('message', async () => {
      await app.close();
      await store.close();
      parentPort?.close();
    });
    say({ say: 'open', port: app.port });
  } catch (error) {
    say({ say: 'failed', message: error instanceof Error ? error.message : String(error) });
    parentPort?.close();
  }
}
