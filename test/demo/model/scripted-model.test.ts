import { afterEach, describe, expect, it } from 'vitest';
import { SCRIPTED_MODEL, ScriptedModel, type ScriptedModelOptions } from '../../../src/demo/model/scripted-model.ts';
import { type Answer, ask, assemble, eventsIn, post, tool } from './client.ts';

const open: ScriptedModel[] = [];

async function start(options: ScriptedModelOptions = {}): Promise<ScriptedModel> {
  const model = await ScriptedModel.start({ director: () => ({ text: 'hello' }), ...options });
  open.push(model);
  return model;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.stop()));
});

/** The body of an answer; the shape is the caller's claim, which its assertions check. */
async function json<T>(response: Response): Promise<T> {
  return (await response.json()) as T;
}

interface Refusal {
  error: { type: string; message: string };
}

const user = (content: string) => ({ role: 'user' as const, content });
const use = (id: string) => ({ type: 'tool_use', id, name: 'look', input: {} });
const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'seen' });

describe('answers', () => {
  it('whole and streamed answers are the same, and name the scripted model', async () => {
    const model = await start({
      director: () => ({ text: 'x'.repeat(450), tools: [{ name: 'look', input: { at: 'y'.repeat(450), deep: [1, { two: 2 }] } }] }),
    });
    const whole = await json<Answer>(await post(model, ask([user('hi')])));
    const text = await (await post(model, ask([user('hi')], { stream: true }))).text();
    const streamed = assemble(text);
    const bare = ({ content }: Answer) => content.map(({ id: _, ...rest }) => rest);
    expect(bare(streamed)).toEqual(bare(whole));
    expect(whole).toMatchObject({ model: SCRIPTED_MODEL, stop_reason: 'tool_use', role: 'assistant' });
    expect(streamed).toMatchObject({ model: SCRIPTED_MODEL, stop_reason: 'tool_use' });
    expect(eventsIn(text).at(-1)?.type).toBe('message_stop');
  });

  it('shows a director the conversation', async () => {
    const model = await start();
    await post(
      model,
      ask(
        [
          user('first'),
          { role: 'assistant', content: [use('a'), use('b')] },
          { role: 'user', content: [result('a'), { ...result('b'), is_error: true }, { type: 'text', text: 'news' }] },
        ],
        { system: [{ type: 'text', text: 'be good' }], tools: [tool('look')] },
      ),
    );
    const call = model.requests[0]?.call;
    expect(call).toMatchObject({
      system: 'be good',
      userTexts: ['first', 'news'],
      first: false,
      heard: [{ turn: 0 }, { text: 'news', turn: 2 }],
    });
    expect(call?.done('look').map(({ result, error }) => [result, error])).toEqual([
      ['seen', false],
      ['seen', true],
    ]);
    expect([call?.offers('look'), call?.offers('listen')]).toEqual([true, false]);
  });

  it('lists its one model and counts tokens', async () => {
    const model = await start();
    const headers = { 'x-api-key': model.apiKey, 'anthropic-version': '2023-06-01' };
    const list = await json<{ data: { id: string }[] }>(await fetch(`${model.url}/v1/models`, { headers }));
    expect(list.data.map(({ id }) => id)).toEqual([SCRIPTED_MODEL]);
    const counted = await fetch(`${model.url}/v1/messages/count_tokens`, {
      method: 'POST',
      headers,
      body: JSON.stringify(ask([user('x'.repeat(4_000))])),
    });
    expect((await json<{ input_tokens: number }>(counted)).input_tokens).toBeGreaterThan(1_000);
    expect((await fetch(`${model.url}/v1/nothing`, { headers })).status).toBe(404);
  });

  it('waits for its latency, and a reply may say otherwise', async () => {
    const model = await start({ latencyMs: 60_000, director: () => ({ text: 'now', delayMs: 0 }) });
    expect((await post(model, ask([user('hi')]))).status).toBe(200);
  });

  it('a director that throws is a 500 with its message', async () => {
    const model = await start({
      director: () => {
        throw new Error('out of script');
      },
    });
    const response = await post(model, ask([user('hi')]));
    expect([response.status, (await json<Refusal>(response)).error.message]).toEqual([500, 'out of script']);
  });
});

describe('refusals', () => {
  const pair = { role: 'assistant' as const, content: [use('a')] };
  const marked = { type: 'text', text: 'x', cache_control: { type: 'ephemeral' } };
  const cases: [string, unknown, RegExp][] = [
    ['no body', null, /must be an object/],
    ['no model', { max_tokens: 1, messages: [user('x')] }, /^model/],
    ['no max_tokens', { model: 'm', messages: [user('x')] }, /^max_tokens/],
    ['no messages', ask([]), /at least one message/],
    ['messages is text', { ...ask([]), messages: 'hi' }, /at least one message/],
    ['assistant first', ask([{ role: 'assistant', content: 'x' }]), /first message/],
    ['strange role', ask([user('x'), { role: 'system' as 'user', content: 'x' }]), /role/],
    ['content is a number', ask([{ role: 'user', content: 3 as unknown as string }]), /content/],
    ['empty text', ask([{ role: 'user', content: [{ type: 'text', text: '' }] }]), /non-empty/],
    ['empty content', ask([user('x'), { role: 'assistant', content: [] }, user('x')]), /non-empty/],
    ['use without result', ask([user('x'), pair, user('and?')]), /without `tool_result`/],
    ['use at the end', ask([user('x'), pair]), /without `tool_result`/],
    ['result without use', ask([{ role: 'user', content: [result('a')] }]), /unexpected `tool_use_id`/],
    [
      'same use twice',
      ask([user('x'), { role: 'assistant', content: [use('a'), use('a')] }, { role: 'user', content: [result('a')] }]),
      /unique/,
    ],
    ['same tool twice', ask([user('x')], { tools: [tool('a'), tool('a')] }), /unique/],
    ['bad tool name', ask([user('x')], { tools: [tool('a b')] }), /pattern/],
    ['tool without schema', ask([user('x')], { tools: [{ name: 'a' }] }), /input_schema/],
    ['five cache marks', ask([{ role: 'user', content: Array.from({ length: 5 }, () => marked) }]), /maximum of 4/],
    ['too long', ask([user('x'.repeat(9_000))]), /prompt is too long/],
  ];

  it.each(cases)('%s', async (_, body, message) => {
    const model = await start({ contextTokens: 2_000 });
    const response = await post(model, body);
    const answer = await json<Refusal>(response);
    expect(response.status).toBe(400);
    expect(answer.error.type).toBe('invalid_request_error');
    expect(answer.error.message).toMatch(message);
    expect(model.rejected).toHaveLength(1);
    expect(model.requests).toEqual([]);
  });

  it('cache_control as a word in a text is no mark', async () => {
    const model = await start();
    const text = '"cache_control":{"type":"ephemeral"} '.repeat(6);
    expect((await post(model, ask([user(text)]))).status).toBe(200);
  });

  it('a wrong key is a 401, a missing version and broken JSON a 400', async () => {
    const model = await start();
    expect((await post(model, ask([user('x')]), { 'x-api-key': 'other' })).status).toBe(401);
    const bearer = { 'x-api-key': '', authorization: `Bearer ${model.apiKey}` };
    expect((await post(model, ask([user('x')]), bearer)).status).toBe(401);
    const headers = { authorization: `Bearer ${model.apiKey}` };
    expect((await fetch(`${model.url}/v1/models`, { headers })).status).toBe(400);
    const broken = { method: 'POST', headers: { ...headers, 'anthropic-version': '2023-06-01' }, body: '{"a":' };
    expect((await fetch(`${model.url}/v1/messages`, broken)).status).toBe(400);
  });
});

describe('usage', () => {
  it('a marked prefix is written once and read by what begins with it', async () => {
    const model = await start();
    const system = [{ type: 'text', text: 's'.repeat(8_000), cache_control: { type: 'ephemeral' } }];
    const usage = async (text: string) => (await json<Answer>(await post(model, ask([user(text)], { system })))).usage;
    const [first, second] = [await usage('one'), await usage('two')];
    expect(first).toMatchObject({ cache_read_input_tokens: 0 });
    expect(first.cache_creation_input_tokens).toBeGreaterThan(1_900);
    expect(second).toMatchObject({ cache_creation_input_tokens: 0, cache_read_input_tokens: first.cache_creation_input_tokens });
    expect(second.input_tokens).toBeLessThan(50);
  });

  it('a short prefix is not cached', async () => {
    const model = await start();
    const body = ask([user('x')], { system: [{ type: 'text', text: 'short', cache_control: { type: 'ephemeral' } }] });
    await post(model, body);
    expect((await json<Answer>(await post(model, body))).usage).toMatchObject({
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
    });
  });
});

describe('faults', () => {
  it.each([
    [429, 429],
    [529, 529],
    [500, 500],
  ] as const)('%s once, then good', async (kind, status) => {
    const model = await start();
    const fault = model.fault({ kind, retryAfter: 3 });
    const first = await post(model, ask([user('x')]));
    expect([first.status, first.headers.get('retry-after')]).toEqual([status, kind === 429 ? '3' : null]);
    expect((await post(model, ask([user('x')]))).status).toBe(200);
    expect(fault.hits).toBe(1);
  });

  it('hits the calls that `when` accepts, after `skip`', async () => {
    const model = await start();
    model.fault({ kind: 529, when: (call) => call.offers('look'), skip: 1 });
    const looking = ask([user('x')], { tools: [tool('look')] });
    const statuses = [];
    for (const body of [looking, ask([user('x')]), looking, looking]) statuses.push((await post(model, body)).status);
    expect(statuses).toEqual([200, 200, 529, 200]);
  });

  it('a cut stream begins and does not end', async () => {
    const model = await start();
    model.fault({ kind: 'cut', times: 2 });
    const streamed = await post(model, ask([user('x')], { stream: true }));
    expect(streamed.status).toBe(200);
    await expect(streamed.text()).rejects.toThrow();
    const whole = await post(model, ask([user('x')]));
    await expect(whole.text()).rejects.toThrow();
  });

  it('broken JSON in a tool input, an error event, a refusal, a limit', async () => {
    const model = await start({ director: () => ({ tools: [{ name: 'look', input: { a: 'long enough' } }] }) });
    const stream = async () => (await post(model, ask([user('x')], { stream: true }))).text();
    model.fault({ kind: 'bad-json' });
    expect(() => assemble('')).toThrow();
    const broken = await stream();
    expect(() => assemble(broken)).toThrow(SyntaxError);
    model.fault({ kind: 'sse-error' });
    expect(eventsIn(await stream()).at(-1)?.type).toBe('error');
    model.fault({ kind: 'refusal' });
    expect(assemble(await stream())).toMatchObject({ stop_reason: 'refusal', content: [] });
    model.fault({ kind: 'max-tokens' });
    expect(assemble(await stream())).toMatchObject({ stop_reason: 'max_tokens' });
  });

  it('hangs until the asker goes away, and stops nevertheless', async () => {
    const model = await start();
    model.fault({ kind: 'hang', times: 2 });
    const gone = new AbortController();
    const asked = fetch(`${model.url}/v1/messages`, {
      method: 'POST',
      signal: gone.signal,
      headers: { 'x-api-key': model.apiKey, 'anthropic-version': '2023-06-01' },
      body: JSON.stringify(ask([user('x')])),
    });
    await expect.poll(() => model.live).toBe(1);
    gone.abort();
    await expect(asked).rejects.toThrow();
    await expect.poll(() => model.requests[0]).toMatchObject({ aborted: true, status: 0 });
    const second = post(model, ask([user('x')]));
    second.catch(() => {});
    await expect.poll(() => model.live).toBe(1);
    await model.stop();
    await expect(second).rejects.toThrow();
  });
});

it('keeps the newest requests only, and counts how many ran at once', async () => {
  const model = await start({ keep: 3, latencyMs: 20 });
  await Promise.all(Array.from({ length: 5 }, () => post(model, ask([user('x')]))));
  expect(model.requests).toHaveLength(3);
  expect(model.peak).toBeGreaterThan(1);
  expect(model.live).toBe(0);
});
