import { describe, expect, it } from 'vitest';
import { fitMessages, tokensIn } from '../../src/agent/context-window.ts';
import type { Message } from '../../src/journal/answer.ts';

function turn(n: number, size: number, input: object = {}): Message[] {
  return [
    { role: 'assistant', content: [{ type: 'tool_use', id: `c${n}`, name: 'read_file', input }] },
    { role: 'results', results: [{ id: `c${n}`, text: String(n).repeat(size), error: false }], text: [] },
  ];
}

const START: Message = { role: 'user', text: ['Do it.'] };
const texts = (messages: Message[]) =>
  messages.flatMap((message) => (message.role === 'results' ? message.results.map((one) => one.text) : []));
const left = (messages: Message[]) => texts(messages).map((text) => text.startsWith('[left out'));

describe('a conversation near the limit', () => {
  const long = [START, ...turn(1, 4000), ...turn(2, 4000), ...turn(3, 4000), ...turn(4, 4000)];

  it('is unchanged below it', () => {
    expect(fitMessages(long, 10_000)).toEqual(long);
  });

  it('loses the oldest results first, and says which', () => {
    const fitted = fitMessages(long, 3000);
    expect(left(fitted)).toEqual([true, true, false, false]);
    expect(texts(fitted)[0]).toBe('[left out to make room: 4000 characters of read_file, call c1. Call the tool again if you need them.]');
    expect(tokensIn(fitted)).toBeLessThanOrEqual(3000);
  });

  it('keeps the newest result whatever its size, and short ones', () => {
    const fitted = fitMessages([START, ...turn(1, 100), ...turn(2, 4000), ...turn(3, 9000)], 1000);
    expect(left(fitted)).toEqual([false, true, false]);
  });

  it('then shortens long arguments of old calls', () => {
    const writes = [START, ...turn(1, 10, { path: 'a', content: 'x'.repeat(8000) }), ...turn(2, 10), ...turn(3, 10)];
    const fitted = fitMessages(writes, 1000);
    expect(fitted[1]).toMatchObject({ content: [{ input: { path: 'a', content: expect.stringContaining('left out') } }] });
    expect(tokensIn(fitted)).toBeLessThanOrEqual(1000);
  });

  it('changes its beginning seldom while it grows, and the same way each time', () => {
    let grown: Message[] = [START];
    const shapes = new Set<string>();
    for (let n = 1; n <= 40; n++) {
      grown = [...grown, ...turn(n % 10, 1000)];
      const fitted = fitMessages(grown, 5000);
      expect(fitMessages(grown, 5000)).toEqual(fitted);
      expect(tokensIn(fitted)).toBeLessThanOrEqual(5000);
      shapes.add(String(left(fitted).lastIndexOf(true)));
    }
    expect(shapes.size).toBeLessThan(9);
  });

  it('can point to where the text lies', () => {
    expect(texts(fitMessages(long, 3000, ({ call, chars }) => `see ${call} ${chars}`))[0]).toBe('see c1 4000');
  });
});
