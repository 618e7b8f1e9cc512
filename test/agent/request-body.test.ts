import { describe, expect, it } from 'vitest';
import { requestBody } from '../../src/agent/request-body.ts';
import type { Message } from '../../src/journal/answer.ts';
import type { Body } from './messages-api.ts';

const tool = (name: string) => ({ name, description: name, input_schema: { type: 'object' as const } });

function bodyOf(messages: Message[], system = 'S', tools = [tool('a'), tool('b')]): Body {
  return requestBody({ model: 'm', maxTokens: 10, system, tools, messages }) as unknown as Body;
}

/** Where the cache marks stand: `tools.1`, `system.0`, `messages.0.1`. */
function marks(body: Body): string[] {
  const at = (place: string, blocks: { cache_control?: unknown }[]) =>
    blocks.flatMap((block, k) => (block.cache_control ? [`${place}.${k}`] : []));
  return [
    ...at('tools', body.tools ?? []),
    ...at('system', body.system ?? []),
    ...body.messages.flatMap((m, k) => at(`messages.${k}`, m.content)),
  ];
}

const call = (id: string): Message => ({ role: 'assistant', content: [{ type: 'tool_use', id, name: 'a', input: {} }] });
const result = (id: string, text = 'r'): Message => ({ role: 'results', results: [{ id, text, error: false }], text: [] });

describe('cache marks', () => {
  const cases: [string, Message[], string[]][] = [
    ['one text', [{ role: 'user', text: ['x'] }], ['messages.0.0']],
    ['common facts and a task', [{ role: 'user', text: ['facts', 'task'] }], ['messages.0.0', 'messages.0.1']],
    ['a second turn', [{ role: 'user', text: ['facts', 'task'] }, call('1'), result('1')], ['messages.0.1', 'messages.2.0']],
    ['a third turn', [{ role: 'user', text: ['x'] }, call('1'), result('1'), call('2'), result('2')], ['messages.2.0', 'messages.4.0']],
  ];
  it.each(cases)('%s', (_, messages, expected) => {
    expect(marks(bodyOf(messages))).toEqual(['tools.1', 'system.0', ...expected]);
  });

  it('a request extends the one before it byte for byte, marks aside', () => {
    const turns: Message[] = [{ role: 'user', text: ['facts', 'task'] }, call('1'), result('1'), call('2'), result('2')];
    const plain = (messages: Message[]) =>
      JSON.stringify(bodyOf(messages).messages, (key, value) => (key === 'cache_control' ? undefined : value)).slice(0, -1);
    expect(plain(turns).startsWith(plain(turns.slice(0, 3)))).toBe(true);
  });

  it('there is none for what is absent', () => {
    expect(marks(bodyOf([{ role: 'user', text: ['x'] }], '', []))).toEqual(['messages.0.0']);
  });
});

describe('what the API would refuse is mended', () => {
  const last = (messages: Message[]) => bodyOf(messages).messages.at(-1)?.content ?? [];

  it('empty texts and empty answers', () => {
    expect(last([{ role: 'user', text: ['', ' '] }])[0]?.text).toBe('(no text)');
    expect(last([{ role: 'assistant', content: [{ type: 'text', text: ' ' }] }])).toEqual([{ type: 'text', text: '(no answer)' }]);
    expect(last([result('1', '')])[0]?.content).toBe('(no output)');
  });

  it('half a surrogate pair, in texts, results and inputs', () => {
    expect(last([{ role: 'user', text: ['a\ud83d'] }])[0]?.text).toBe('a\ufffd');
    expect(last([result('1', '\udc4bb 👋')])[0]?.content).toBe('\ufffdb 👋');
    expect(last([{ role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'a', input: { x: ['\ud83d'] } }] }])[0]?.input).toEqual({
      x: ['\ufffd'],
    });
  });

  it('names that a model made up', () => {
    expect(last([{ role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'a.b c', input: 'x' }] }])[0]).toMatchObject({
      name: 'a_b_c',
      input: { value: 'x' },
    });
  });

  it('errors are marked, texts come after results', () => {
    const message: Message = { role: 'results', results: [{ id: '1', text: 'no', error: true }], text: ['news'] };
    expect(last([message]).map((block) => block.type)).toEqual(['tool_result', 'text']);
    expect(last([message])[0]).toMatchObject({ is_error: true });
  });
});
