import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Model, ModelRequest } from '../../src/agent/model.ts';
import { warmPrefixes } from '../../src/agent/warmth.ts';

const LARGE = 'You are one of many. '.repeat(1_000);

function request(system: string, task = 'x'): ModelRequest {
  return { model: 'm', maxTokens: 10, system, tools: [], messages: [{ role: 'user', text: [task] }] };
}

/** A model under the hand of the test: each call waits to be answered. */
function handModel() {
  const calls: { task: string; begin(): void; end(): void; fail(): void }[] = [];
  const model: Model = {
    ask: (asked, { onFirstByte }) =>
      new Promise((resolve, reject) => {
        const [first] = asked.messages;
        calls.push({
          task: first?.role === 'user' ? first.text.join() : '',
          begin: () => onFirstByte?.(),
          end: () =>
            resolve({ content: [], stop: 'end_turn', usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }, model: asked.model }),
          fail: () => reject(new Error('cut')),
        });
      }),
  };
  return { model, calls };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('warm prefixes', () => {
  it('let one of twenty equal large prefixes go first and the others at its first byte', async () => {
    const { model, calls } = handModel();
    const warm = warmPrefixes(model);
    const answers = Array.from({ length: 20 }, (_, k) => warm.ask(request(LARGE, `task ${k}`), {}));
    await settle();
    expect(calls.map((call) => call.task)).toEqual(['task 0']);
    calls[0]?.begin();
    await settle();
    expect(calls).toHaveLength(20);
    for (const call of calls) call.end();
    await Promise.all(answers);
    void warm.ask(request(LARGE, 'later'), {});
    await settle();
    expect(calls).toHaveLength(21);
  });

  it('hold the others for a second at most', async () => {
    const { model, calls } = handModel();
    const warm = warmPrefixes(model);
    for (let k = 0; k < 3; k++) void warm.ask(request(LARGE), {});
    await vi.advanceTimersByTimeAsync(999);
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls).toHaveLength(3);
  });

  it('do not hold small or different prefixes', async () => {
    const { model, calls } = handModel();
    const warm = warmPrefixes(model);
    for (let k = 0; k < 5; k++) void warm.ask(request('short'), {});
    void warm.ask(request(`${LARGE} a`), {});
    void warm.ask(request(`${LARGE} b`), {});
    await settle();
    expect(calls).toHaveLength(7);
  });

  it('free the others where the first fails, and let another lead', async () => {
    const { model, calls } = handModel();
    const warm = warmPrefixes(model);
    const first = warm.ask(request(LARGE, 'first'), {});
    void warm.ask(request(LARGE, 'second'), {});
    await settle();
    calls[0]?.fail();
    await expect(first).rejects.toThrow('cut');
    await settle();
    expect(calls.map((call) => call.task)).toEqual(['first', 'second']);
    void warm.ask(request(LARGE, 'third'), {});
    void warm.ask(request(LARGE, 'fourth'), {});
    await settle();
    expect(calls.map((call) => call.task)).toEqual(['first', 'second', 'third']);
  });

  it('count the five minutes that a prefix stays warm from its last use', async () => {
    const { model, calls } = handModel();
    let now = 0;
    const warm = warmPrefixes(model, () => now);
    const ask = async () => {
      void warm.ask(request(LARGE), {});
      await settle();
    };
    await ask();
    calls[0]?.begin();
    now = 200_000;
    await ask();
    now = 450_000;
    await ask();
    await ask();
    expect(calls).toHaveLength(4);
    now = 800_000;
    await ask();
    await ask();
    expect(calls).toHaveLength(5);
  });

  it('pass the first byte on to whoever asked', async () => {
    const { model, calls } = handModel();
    const heard: string[] = [];
    const warm = warmPrefixes(model);
    void warm.ask(request(LARGE), { onFirstByte: () => heard.push('leader') });
    void warm.ask(request('short'), { onFirstByte: () => heard.push('small') });
    await settle();
    for (const call of calls) call.begin();
    expect(heard).toEqual(['leader', 'small']);
  });
});
