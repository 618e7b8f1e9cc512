import { createHmac, randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { request } from 'node:http';

/** GitHub waits this long for an answer. */
const TIMEOUT_MS = 10_000;

/** What came back from a delivery; status 0 with an `error` when nothing did. `ms` is the time it took. */
export interface HookAnswer {
  status: number;
  ms: number;
  body: string;
  error: string | null;
  at: number;
}

/** One delivery of one event. A redelivery is another delivery with the same guid. */
export interface Delivery {
  id: number;
  guid: string;
  event: string;
  action: string | null;
  redelivery: boolean;
  createdAt: number;
  installationId: number | null;
  repositoryId: number | null;
  payload: Record<string, unknown>;
  body: Buffer;
  headers: Record<string, string>;
  url: string;
  answer: HookAnswer | null;
}

/** A signature as GitHub writes it into `x-hub-signature-256`. */
export function signBody(secret: string, body: string | Buffer): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** Sends signed webhooks to `target` and keeps every delivery with its answer. */
export class Hooks {
  /** Where deliveries go; null: they are kept as failed. */
  target: string | null = null;
  readonly deliveries: Delivery[] = [];
  readonly secret: string;
  readonly #appId: number;
  readonly #nextId: () => number;
  readonly #underway = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: { secret: string; appId: number; nextId: () => number }) {
    this.secret = options.secret;
    this.#appId = options.appId;
    this.#nextId = options.nextId;
    setMaxListeners(0, this.#closing.signal);
  }

  /** Sends one event. Never throws: what went wrong stands in the delivery. */
  send(event: string, payload: Record<string, unknown>, about: { installationId: number | null; repositoryId: number | null }): Delivery {
    const body = Buffer.from(JSON.stringify(payload));
    return this.#start({
      ...about,
      id: this.#nextId(),
      guid: randomUUID(),
      event,
      action: typeof payload.action === 'string' ? payload.action : null,
      redelivery: false,
      createdAt: Date.now(),
      payload,
      body,
      headers: {},
      url: '',
      answer: null,
    });
  }

  /** Sends a delivery again under its guid, as a person does on the app's page. Null when there is no such delivery. */
  redeliver(id: number): Delivery | null {
    const first = this.deliveries.find((delivery) => delivery.id === id);
    return first ? this.#start({ ...first, id: this.#nextId(), redelivery: true, createdAt: Date.now(), answer: null }) : null;
  }

  /** The headers of a delivery, also of one that was made up. */
  headersOf(delivery: Pick<Delivery, 'guid' | 'event' | 'body'>, secret = this.secret): Record<string, string> {
    return {
      accept: '*/*',
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/demo',
      'x-github-delivery': delivery.guid,
      'x-github-event': delivery.event,
      'x-github-hook-id': '1',
      'x-github-hook-installation-target-id': String(this.#appId),
      'x-github-hook-installation-target-type': 'integration',
      'x-hub-signature': `sha1=${createHmac('sha1', secret).update(delivery.body).digest('hex')}`,
      'x-hub-signature-256': signBody(secret, delivery.body),
    };
  }

  /** Resolves once every delivery has its answer, those included that are sent meanwhile. */
  async idle(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway);
  }

  /** Gives up what is under way. */
  close(): void {
    this.#closing.abort();
  }

  #start(delivery: Delivery): Delivery {
    this.deliveries.push(delivery);
    delivery.headers = this.headersOf(delivery);
    if (this.target === null) {
      delivery.answer = { status: 0, ms: 0, body: '', error: 'no webhook address', at: Date.now() };
      return delivery;
    }
    delivery.url = this.target;
    const sending = post(delivery, this.#closing.signal)
      .catch((error: Error) => ({ status: 0, ms: 0, body: '', error: error.message, at: Date.now() }))
      .then((answer) => {
        delivery.answer = answer;
      });
    this.#underway.add(sending);
    sending.finally(() => this.#underway.delete(sending));
    return delivery;
  }
}

/** Each delivery has a connection of its own, so that a process that died spoils no later one. */
function post(delivery: Delivery, signal: AbortSignal): Promise<HookAnswer> {
  return new Promise((resolve) => {
    const started = performance.now();
    const end = (answer: Partial<HookAnswer>) => {
      clearTimeout(timer);
      resolve({ status: 0, body: '', error: null, ms: Math.round(performance.now() - started), at: Date.now(), ...answer });
    };
    const headers = { ...delivery.headers, 'content-length': String(delivery.body.length) };
    const sent = request(delivery.url, { method: 'POST', agent: false, headers, signal }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (chunk: Buffer) => parts.push(chunk));
      response.on('end', () => end({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() }));
      response.on('error', (error) => end({ error: error.message }));
    });
    const timer = setTimeout(() => {
      end({ error: 'timed out' });
      sent.destroy();
    }, TIMEOUT_MS);
    sent.on('error', (error) => end({ error: error.message }));
    sent.end(delivery.body);
  });
}
