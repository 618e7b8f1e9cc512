import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { destination, pino } from 'pino';
import { type App, startApp } from './app.ts';
import type { Config } from './config.ts';
import { misfitOf } from './github/event.ts';
import { isSigned } from './github/signature.ts';
import { RedisStore } from './store/store.ts';
import { explainCondition } from './store/watch.ts';
import { placeOf } from './wiring.ts';

/** What a door is told of the process that it belongs to. */
export interface DoorParts {
  store: RedisStore;
  /** Whether this process' workers run; always true where it has none. */
  working(): boolean;
  /** Hears what goes wrong; must not throw. */
  onError(message: string): void;
  /** The process ends where its workers' thread has stood still for so long (ms); a minute where absent. */
  standstillMs?: number;
}

/** What the thread is started with. In `beats` stand how often the workers' thread has beaten, and when its workers were last seen at work (ms since 1970). */
interface ThreadData {
  door: Config;
  beats: Float64Array;
  standstillMs: number;
}

type Said = { say: 'open'; port: number } | { say: 'failed'; message: string } | { say: 'error'; message: string };

const BEAT_MS = 500;
/** Workers that were not seen for so long do not run, or are behind with everything. */
const MISSED_MS = 30_000;
const STANDSTILL_MS = 60_000;
const CLOSE_MS = 3_000;
const OPEN_AGAIN_MS = 500;
const [BEATS, AT_WORK] = [0, 1];

if (!isMainThread && isThreadData(workerData)) await serveInThread(workerData);

/**
 * Opens the door for webhooks. Beside workers it stands in a thread of its own, so that GitHub is answered in time however busy they are; elsewhere, and where
 * the sources themselves are run, in this one. Rejects where the port is taken.
 */
export function openDoor(config: Config, parts: DoorParts): Promise<App> {
  return config.role === 'all' && import.meta.url.endsWith('.js') ? openThread(config, parts) : openHere(config, parts);
}

function openHere({ app, port }: Config, { store, working, onError }: DoorParts): Promise<App> {
  const { queues, watch } = store;
  const secrets = app.previousSecret === null ? [app.webhookSecret] : [app.webhookSecret, app.previousSecret];
  return startApp(
    {
      verify: async (body, signature) => isSigned(secrets, body, signature),
      misfit: misfitOf,
      accept: (delivery) => Promise.all([watch.refuseLoss(), queues.addDelivery(delivery)]).then(() => undefined),
      async notReady() {
        const sentence = explainCondition(await watch.look());
        return [...(sentence === null ? [] : [sentence]), ...(working() ? [] : ['the workers do not run'])];
      },
      async metrics() {
        const rows = Object.entries(await queues.counts()).map(([queue, count]) => `pitwall_jobs{queue="${queue}"} ${count}`);
        return ['# TYPE pitwall_jobs gauge', ...rows, ''].join('\n');
      },
      onError: (error) => onError(error instanceof Error ? error.message : String(error)),
    },
    { port },
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
async function openThread(config: Config, { working, onError, standstillMs = STANDSTILL_MS }: DoorParts): Promise<App> {
  const beats = new Float64Array(new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT));
  beats[AT_WORK] = Date.now();
  const beat = setInterval(() => {
    beats[BEATS] = (beats[BEATS] ?? 0) + 1;
    if (working()) beats[AT_WORK] = Date.now();
  }, BEAT_MS);
  beat.unref();
  let thread = await startThread({ door: config, beats, standstillMs }, onError);
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
      thread = await startThread({ door: { ...config, port }, beats, standstillMs }, onError).catch((error: Error) => {
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
  return typeof data === 'object' && data !== null && 'door' in data && 'beats' in data;
}

/** The thread's own life: a connection to Redis of its own, the door, and their end. */
async function serveInThread({ door: config, beats, standstillMs }: ThreadData): Promise<void> {
  const say = (said: Said) => parentPort?.postMessage(said);
  const onError = (message: string) => say({ say: 'error', message });
  try {
    const store = await RedisStore.open(placeOf(config), { warn() {}, error: ({ message }) => onError(message) });
    await store.watch.start(() => {});
    const app = await openHere(config, { store, working: () => Date.now() - (beats[AT_WORK] ?? 0) < MISSED_MS, onError });
    endAtStandstill(beats, standstillMs);
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

/**
 * A thread that stands still holds its jobs' locks no longer, but takes no signal either: only the end of the process lets a service manager start another, and
 * lets the crash be counted. Beats are counted against this thread's own ticks, so that a machine that was suspended, or a clock that was set, ends nothing.
 */
function endAtStandstill(beats: Float64Array, ms: number): void {
  let last = beats[BEATS];
  let missed = 0;
  const look = () => {
    missed = beats[BEATS] === last ? missed + 1 : 0;
    last = beats[BEATS];
    if (missed * BEAT_MS < ms) return;
    pino({ base: { host: hostname() } }, destination({ sync: true })).fatal(
      { ms },
      'the thread of the workers stands still: this process ends, so that another can go on',
    );
    process.kill(process.pid, 'SIGKILL');
  };
  setInterval(look, BEAT_MS).unref();
}
