import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
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
}

/** What the thread is started with: when the workers were last seen at work (ms since 1970) stands in `seen`. */
interface ThreadData {
  door: Config;
  seen: Float64Array;
}

type Said = { say: 'open'; port: number } | { say: 'failed'; message: string } | { say: 'error'; message: string };

const BEAT_MS = 500;
/** Workers that were not seen for so long do not run, or are behind with everything. */
const MISSED_MS = 30_000;
const CLOSE_MS = 3_000;

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

function openThread(config: Config, { working, onError }: DoorParts): Promise<App> {
  const seen = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
  const data: ThreadData = { door: config, seen };
  const thread = new Worker(new URL(import.meta.url), { workerData: data });
  const gone = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  const beat = setInterval(() => working() && (seen[0] = Date.now()), BEAT_MS);
  seen[0] = Date.now();
  beat.unref();
  const close = async () => {
    clearInterval(beat);
    thread.postMessage('close');
    const late = setTimeout(() => void thread.terminate(), CLOSE_MS);
    await gone;
    clearTimeout(late);
  };
  return new Promise((resolve, reject) => {
    thread.on('message', (said: Said) => {
      if (said.say === 'open') resolve({ port: said.port, close });
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
  return typeof data === 'object' && data !== null && 'door' in data && 'seen' in data;
}

/** The thread's own life: a connection to Redis of its own, the door, and their end. */
async function serveInThread({ door: config, seen }: ThreadData): Promise<void> {
  const say = (said: Said) => parentPort?.postMessage(said);
  const onError = (message: string) => say({ say: 'error', message });
  try {
    const store = await RedisStore.open(placeOf(config), { warn() {}, error: ({ message }) => onError(message) });
    await store.watch.start(() => {});
    const app = await openHere(config, { store, working: () => Date.now() - (seen[0] ?? 0) < MISSED_MS, onError });
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
