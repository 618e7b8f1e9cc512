import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import { Stream } from '@anthropic-ai/sdk/streaming';
import type { Logger } from 'pino';
import type { Answer, Usage } from '../journal/answer.ts';
import { addUsage, NO_USAGE } from '../journal/cost.ts';
import { type Reading, readAnswer, StreamBroken } from './answer-stream.ts';
import { judgeFailure } from './failure.ts';
import { type Model, type ModelRequest, ModelUnavailable } from './model.ts';
import { requestBody } from './request-body.ts';

/** Where a model is reached and how patient we are. Times in ms. */
export interface ProviderOptions {
  apiKey: string;
  baseURL: string;
  /** Must stream; `createTransport` is the fast one. */
  fetch?: typeof fetch;
  now?: () => number;
  log?: Pick<Logger, 'warn'>;
  /** A longer wait than this is not made here: `ask` throws `ModelUnavailable` with the time to come back at. */
  maxWaitMs?: number;
  /** A stream without any event for this long is cut and asked for again. */
  idleMs?: number;
  /** Waits; rejects when the signal aborts. */
  pause?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  /** For jitter, in [0, 1). */
  random?: () => number;
}

type Settings = Required<Omit<ProviderOptions, 'apiKey' | 'fetch' | 'log'>> & Pick<ProviderOptions, 'log'> & { client: Anthropic };
type AskOptions = Parameters<Model['ask']>[1];

const FIRST_WAIT_MS = 500;
const ASKS_FOR_BROKEN_JSON = 2;
/** A connection that stays open after the answer is whole is not waited for. */
const AFTER_END_MS = 1000;

/**
 * A model behind the Messages API. Streams; asks again by itself after limits, overload, network errors, cut or silent streams and broken tool
 * input, and counts the tokens of all tries. Retries of the SDK are off, so that no wait hides from the run.
 */
export function createModel(options: ProviderOptions): Model {
  if (!URL.canParse(options.baseURL))
    throw new Error(`"${options.baseURL}" is no URL: set ANTHROPIC_BASE_URL to one like https://api.anthropic.com`);
  const client = new Anthropic({
    apiKey: options.apiKey,
    authToken: null,
    baseURL: options.baseURL,
    maxRetries: 0,
    logLevel: 'off',
    ...(options.fetch ? { fetch: options.fetch } : {}),
  });
  const settings: Settings = {
    client,
    baseURL: options.baseURL,
    now: options.now ?? Date.now,
    maxWaitMs: options.maxWaitMs ?? 10_000,
    idleMs: options.idleMs ?? 30_000,
    pause: options.pause ?? ((ms, signal) => sleep(ms, undefined, { signal })),
    random: options.random ?? Math.random,
    log: options.log,
  };
  return { ask: (request, asking) => askPatiently(settings, request, asking) };
}

async function askPatiently(settings: Settings, request: ModelRequest, asking: AskOptions): Promise<Answer> {
  const body = requestBody(request);
  const onFirstByte = once(asking.onFirstByte);
  let spent: Usage = NO_USAGE;
  let failures = 0;
  let brokenAsks = 0;
  while (true) {
    asking.signal?.throwIfAborted();
    const tried = await tryOnce(settings, body, { signal: asking.signal, onFirstByte });
    spent = addUsage(spent, tried.usage);
    if (!tried.ok) {
      await waitAfter(settings, tried.error, { model: request.model, failures: failures++, signal: asking.signal });
    } else if (tried.broken > 0 && brokenAsks < ASKS_FOR_BROKEN_JSON) {
      brokenAsks++;
      settings.log?.warn({ model: request.model, calls: tried.broken }, 'tool input is no JSON: the model is asked again');
    } else {
      return { ...tried.answer, usage: spent };
    }
  }
}

/** Waits before the next try, or throws what ends the tries. */
async function waitAfter(
  settings: Settings,
  error: unknown,
  { model, failures, signal }: { model: string; failures: number; signal?: AbortSignal },
): Promise<void> {
  signal?.throwIfAborted();
  const now = settings.now();
  const failure = judgeFailure(error, { model, host: new URL(settings.baseURL).host, now });
  if (!failure.retry) throw failure.error;
  const step = FIRST_WAIT_MS * 2 ** failures;
  const longest = Math.max(failure.after, step);
  if (longest > settings.maxWaitMs) throw new ModelUnavailable(`the model ${model} is unavailable: ${failure.reason}`, now + longest);
  const wait = Math.max(failure.after * (1 + settings.random() / 10), step * (0.5 + settings.random() / 2));
  settings.log?.warn({ model, reason: failure.reason, waitMs: Math.round(wait) }, 'the call of the model is tried again');
  await settings.pause(wait, signal).catch((stopped: unknown) => {
    signal?.throwIfAborted();
    throw stopped;
  });
}

type Try = { ok: true; answer: Answer; broken: number; usage: Usage } | { ok: false; error: unknown; usage: Usage };

async function tryOnce(settings: Settings, body: Anthropic.MessageCreateParamsStreaming, asking: AskOptions): Promise<Try> {
  const reading = readAnswer(body.model);
  const cut = new AbortController();
  const watch = watchStream(asking.signal, () => (reading.ended ? AFTER_END_MS : settings.idleMs));
  const hooks = { signal: cut.signal, reading, onEvent: watch.restart, onFirstByte: asking.onFirstByte };
  try {
    await Promise.race([watch.broken, readStream(settings.client, body, hooks)]);
    return { ok: true, ...reading.finish(), usage: reading.usage };
  } catch (error) {
    cut.abort();
    if (reading.ended && !asking.signal?.aborted) return { ok: true, ...reading.finish(), usage: reading.usage };
    return { ok: false, error, usage: reading.usage };
  } finally {
    watch.stop();
  }
}

interface StreamHooks {
  signal: AbortSignal;
  reading: Reading;
  onEvent: () => void;
  onFirstByte?: () => void;
}

async function readStream(client: Anthropic, body: Anthropic.MessageCreateParamsStreaming, hooks: StreamHooks): Promise<void> {
  const response = await client.messages.create(body, { signal: hooks.signal }).asResponse();
  const type = response.headers.get('content-type');
  if (type && !type.includes('event-stream'))
    throw new StreamBroken(`the answer is ${type}, not an event stream: check ANTHROPIC_BASE_URL`);
  for await (const event of Stream.rawEvents(response)) {
    if (event.event !== 'ping' && event.data) {
      hooks.onFirstByte?.();
      hooks.reading.take(event.data);
    }
    hooks.onEvent();
  }
}

/** `broken` rejects when the signal aborts, or when `restart` was not called for as long as `limit` says (ms). */
function watchStream(signal: AbortSignal | undefined, limit: () => number): { broken: Promise<never>; restart(): void; stop(): void } {
  let reject: (reason: unknown) => void = () => {};
  const broken = new Promise<never>((_, no) => {
    reject = no;
  });
  broken.catch(() => {});
  const silent = (ms: number) => reject(new StreamBroken(`the model provider was silent for ${ms} ms`));
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  let timer = setTimeout(silent, limit(), limit());
  return {
    broken,
    restart() {
      clearTimeout(timer);
      timer = setTimeout(silent, limit(), limit());
    },
    stop() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

function once(hook: (() => void) | undefined): () => void {
  let done = false;
  return () => {
    if (!done) hook?.();
    done = true;
  };
}
