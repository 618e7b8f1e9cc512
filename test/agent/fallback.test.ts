import { describe, expect, it } from 'vitest';
import { fallBack } from '../../src/agent/fallback.ts';
import { type Model, ModelRefused, ModelUnavailable } from '../../src/agent/model.ts';
import { playModel } from './talk.ts';

const REQUEST = { model: 'big', maxTokens: 1, system: '', tools: [], messages: [] };

/** Models of which some are away until a time. */
function models(away: Record<string, number>) {
  const asked: string[] = [];
  const model: Model = {
    async ask(request, options) {
      asked.push(request.model);
      const until = away[request.model];
      if (until !== undefined) throw new ModelUnavailable(`${request.model} is away`, until);
      return playModel(() => ({ text: 'hello' })).ask(request, options);
    },
  };
  return { model, asked };
}

describe('a fallback', () => {
  it('is asked while the first model is unavailable, which is asked again when it may be back', async () => {
    const away: Record<string, number> = { big: 1_000 };
    const { model, asked } = models(away);
    let now = 0;
    const both = fallBack(
      model,
      (id) => (id === 'big' ? 'small' : null),
      () => now,
    );
    expect((await both.ask(REQUEST, {})).model).toBe('small');
    expect((await both.ask(REQUEST, {})).model).toBe('small');
    expect(asked).toEqual(['big', 'small', 'small']);
    now = 1_000;
    delete away.big;
    expect((await both.ask(REQUEST, {})).model).toBe('big');
  });

  it('that is away too lets the wait be for the first to be back', async () => {
    const { model } = models({ big: 9_000, small: 5_000 });
    const both = fallBack(
      model,
      (id) => (id === 'big' ? 'small' : null),
      () => 0,
    );
    await expect(both.ask(REQUEST, {})).rejects.toMatchObject({ retryAt: 5_000, message: 'big is away; its fallback too: small is away' });
  });

  it('is not asked where there is none, nor for a refusal', async () => {
    const { model, asked } = models({ big: 9_000 });
    await expect(fallBack(model, () => null).ask(REQUEST, {})).rejects.toBeInstanceOf(ModelUnavailable);
    expect(asked).toEqual(['big']);
    const refusing: Model = { ask: () => Promise.reject(new ModelRefused('no')) };
    await expect(fallBack(refusing, () => 'small').ask(REQUEST, {})).rejects.toBeInstanceOf(ModelRefused);
  });
});
