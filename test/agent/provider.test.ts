import { afterEach, describe, expect, it } from 'vitest';
import { brokenInput } from '../../src/agent/answer-stream.ts';
import { ModelRefused, type ModelRequest, ModelUnavailable } from '../../src/agent/model.ts';
import { createModel, type ProviderOptions } from '../../src/agent/provider.ts';
import { createTransport } from '../../src/agent/transport.ts';
import { type MessagesApi, type Reply, said, startMessagesApi } from './messages-api.ts';

const open: MessagesApi[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.stop()));
});

const REQUEST: ModelRequest = {
  model: 'claude-test',
  maxTokens: 1000,
  system: 'Be short.',
  tools: [{ name: 'read_file', description: 'Reads.', input_schema: { type: 'object' } }],
  messages: [{ role: 'user', text: ['Hello'] }],
};

async function modelWith(replies: Reply[], options: Partial<ProviderOptions> = {}) {
  const api = await startMessagesApi(...replies);
  open.push(api);
  const waits: number[] = [];
  const model = createModel({
    apiKey: 'key',
    baseURL: api.url,
    fetch: createTransport(),
    now: () => 1_000_000,
    random: () => 0,
    pause: async (ms) => void waits.push(ms),
    ...options,
  });
  return { model, api, waits };
}

const OK: Reply = { events: said('done') };

describe('an answer', () => {
  it('is put together from the stream, with tokens and the model that answered', async () => {
    const { model, api } = await modelWith([{ events: said('Grüße 👋', [{ name: 'read_file', json: '{"path":"a b.ts"}' }]) }]);
    let begun = 0;
    const answer = await model.ask(REQUEST, { onFirstByte: () => begun++ });
    expect(answer).toEqual({
      content: [
        { type: 'text', text: 'Grüße 👋' },
        { type: 'tool_use', id: 'toolu_0', name: 'read_file', input: { path: 'a b.ts' } },
      ],
      stop: 'tool_use',
      usage: { input: 10, output: 7, cacheRead: 5, cacheWrite: 2 },
      model: 'claude-test',
    });
    expect(begun).toBe(1);
    expect(api.requests[0]?.headers.authorization).toBe('Bearer key');
  });

  it('keeps thinking and passes over blocks nobody knows', async () => {
    const events = [
      { type: 'message_start', message: { model: 'm', usage: {} } },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'sig' } },
      { type: 'content_block_start', index: 1, content_block: { type: 'from_the_future', x: 1 } },
      { type: 'content_block_delta', index: 1, delta: { type: 'future_delta' } },
      { type: 'future_event' },
      { type: 'content_block_start', index: 2, content_block: { type: 'text', text: 'a' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
      { type: 'message_stop' },
    ];
    const { model } = await modelWith([{ events }]);
    const answer = await model.ask(REQUEST, {});
    expect(answer.content).toEqual([
      { type: 'thinking', thinking: 'hm', signature: 'sig' },
      { type: 'text', text: 'a' },
    ]);
  });

  it('that max_tokens cut loses the tool call that is not whole', async () => {
    const calls = [
      { name: 'read_file', json: '{"path":"a"}' },
      { name: 'write_file', json: '{"path":"b","content":"half' },
    ];
    const { model, api } = await modelWith([{ events: said('Writing.', calls, 'max_tokens') }]);
    const answer = await model.ask(REQUEST, {});
    expect(answer.stop).toBe('max_tokens');
    expect(answer.content.map((block) => block.type)).toEqual(['text', 'tool_use']);
    expect(api.requests).toHaveLength(1);
  });

  it('that is whole counts although the connection breaks after it', async () => {
    const { model, api } = await modelWith([{ events: said('done'), end: 'cut' }]);
    expect((await model.ask(REQUEST, {})).content).toEqual([{ type: 'text', text: 'done' }]);
    expect(api.requests).toHaveLength(1);
  });

  it('works over the built-in fetch as well', async () => {
    const { model } = await modelWith([OK], { fetch: undefined });
    expect((await model.ask(REQUEST, {})).stop).toBe('end_turn');
  });
});

describe('what passes is asked again', () => {
  const half = said('a long answer').slice(0, 6);
  const cases: [string, Reply[], number[]][] = [
    ['429 without a time', [{ status: 429 }, OK], [250]],
    ['429 with retry-after', [{ status: 429, headers: { 'retry-after': '3' } }, OK], [3000]],
    ['529', [{ status: 529 }, { status: 529 }, OK], [250, 500]],
    ['500, 502, 503', [{ status: 500 }, { status: 502 }, { status: 503 }, OK], [250, 500, 1000]],
    ['408', [{ status: 408 }, OK], [250]],
    ['a stream cut after its headers', [{ events: [], end: 'cut' }, OK], [250]],
    ['a stream cut in the middle', [{ events: half, end: 'cut' }, OK], [250]],
    ['a stream that ends without its end', [{ events: half }, OK], [250]],
    [
      'an error in the stream',
      [{ events: [...half, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }] }, OK],
      [250],
    ],
    ['an answer that is no stream', [{ events: [], type: 'text/html' }, OK], [250]],
    ['tool input that is no JSON', [{ events: said('', [{ name: 'read_file', json: '{"path":' }]) }, OK], []],
    ['tool input that is no object', [{ events: said('', [{ name: 'read_file', json: '[1]' }]) }, OK], []],
  ];
  it.each(cases)('%s', async (_, replies, expected) => {
    const { model, api, waits } = await modelWith(replies);
    expect((await model.ask(REQUEST, {})).content).toEqual([{ type: 'text', text: 'done' }]);
    expect(api.requests).toHaveLength(replies.length);
    expect(waits).toEqual(expected);
  });

  it('with the tokens of all tries', async () => {
    const { model } = await modelWith([{ events: said('', [{ name: 'read_file', json: '{' }]) }, OK]);
    expect((await model.ask(REQUEST, {})).usage).toEqual({ input: 20, output: 14, cacheRead: 10, cacheWrite: 4 });
  });

  it('and broken tool input is handed on after two more tries, marked', async () => {
    const { model, api } = await modelWith([{ events: said('', [{ name: 'read_file', json: '{"path": nope' }]) }]);
    const answer = await model.ask(REQUEST, {});
    const call = answer.content.find((block) => block.type === 'tool_use');
    expect(api.requests).toHaveLength(3);
    expect(call && brokenInput(call.input)).toBe('{"path": nope');
    expect(brokenInput({ path: 'a' })).toBeNull();
  });

  it('after a silence without any event; pings count as life', async () => {
    const slow: Reply = { events: [{ type: 'ping' }, { type: 'ping' }, ...said('done').slice(0, 2), ...said('done').slice(2)], gapMs: 40 };
    const { model, api } = await modelWith([{ events: half, end: 'stay' }, slow], { idleMs: 200 });
    expect((await model.ask(REQUEST, {})).content).toEqual([{ type: 'text', text: 'done' }]);
    expect(api.requests).toHaveLength(2);
    expect(api.left()).toBe(1);
  });

  it('when nobody listens at the address', async () => {
    const { model, api, waits } = await modelWith([OK]);
    await api.stop();
    const error = await model.ask(REQUEST, {}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelUnavailable);
    expect(String(error)).toMatch(/no connection to 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    expect(waits).toEqual([250, 500, 1000, 2000, 4000]);
  });
});

describe('when a wait would be too long', () => {
  const cases: [string, Reply, number][] = [
    ['retry-after over 10 s', { status: 429, headers: { 'retry-after': '30' } }, 1_030_000],
    ['retry-after as a date', { status: 529, headers: { 'retry-after': new Date(1_000_000 + 60_000).toUTCString() } }, 1_060_000],
    ['backoff over 10 s', { status: 503 }, 1_016_000],
  ];
  it.each(cases)('%s: ModelUnavailable with the time to come back at', async (_, reply, retryAt) => {
    const { model } = await modelWith([reply]);
    const error = await model.ask(REQUEST, {}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelUnavailable);
    expect((error as ModelUnavailable).retryAt).toBe(retryAt);
  });
});

describe('what does not pass is refused with what to do', () => {
  const error = (message: string) => ({ type: 'error', error: { type: 'x', message } });
  const cases: [number, string, RegExp][] = [
    [400, 'prompt is too long: 210000 tokens > 200000 maximum', /too long.*split the task/],
    [400, 'Your credit balance is too low', /billing/],
    [400, 'tools.0.name: wrong', /Asking again changes nothing/],
    [401, 'invalid x-api-key', /ANTHROPIC_API_KEY/],
    [403, 'no access', /may not use the model claude-test/],
    [404, 'model: claude-test', /`models` of the settings/],
    [413, 'Request exceeds the maximum size', /too long/],
    [301, 'moved', /ANTHROPIC_BASE_URL/],
  ];
  it.each(cases)('%i %s', async (status, message, advice) => {
    const { model, api } = await modelWith([{ status, body: error(message) }]);
    const thrown = await model.ask(REQUEST, {}).catch((refused: unknown) => refused);
    expect(thrown).toBeInstanceOf(ModelRefused);
    expect((thrown as Error).message).toMatch(advice);
    expect((thrown as Error).message).toContain(message);
    expect(api.requests).toHaveLength(1);
  });

  it('also inside a stream, and for an address that is none', async () => {
    const { model } = await modelWith([{ events: [{ type: 'error', error: { type: 'invalid_request_error', message: 'bad' } }] }]);
    await expect(model.ask(REQUEST, {})).rejects.toBeInstanceOf(ModelRefused);
    expect(() => createModel({ apiKey: 'k', baseURL: 'nowhere' })).toThrow(/ANTHROPIC_BASE_URL/);
  });
});

describe('an abort', () => {
  const cases: [string, Reply, Partial<ProviderOptions>][] = [
    ['in the middle of a stream', { events: said('abc').slice(0, 4), end: 'stay' }, {}],
    ['during a wait', { status: 529, headers: { 'retry-after': '60' } }, { pause: undefined, maxWaitMs: 90_000 }],
  ];
  it.each(cases)('%s ends the call at once with its reason', async (_, reply, options) => {
    const { model, api } = await modelWith([reply], options);
    const stop = new AbortController();
    const call = model.ask(REQUEST, { signal: stop.signal }).catch((thrown: unknown) => thrown);
    await expect.poll(() => api.requests.length).toBe(1);
    const reason = new Error('superseded');
    const from = performance.now();
    stop.abort(reason);
    expect(await call).toBe(reason);
    expect(performance.now() - from).toBeLessThan(10_000);
    expect(api.requests).toHaveLength(1);
    if ('events' in reply) await expect.poll(() => api.left()).toBe(1);
  });

  it('before the call asks nothing', async () => {
    const { model, api } = await modelWith([OK]);
    await expect(model.ask(REQUEST, { signal: AbortSignal.abort(new Error('late')) })).rejects.toThrow('late');
    expect(api.requests).toHaveLength(0);
  });
});
