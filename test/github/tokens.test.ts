import { describe, expect, it } from 'vitest';
import { type Issuer, PERMISSIONS, type Scope, Tokens } from '../../src/github/tokens.ts';

const scope: Scope = { installation: 1, repository: 7, purpose: 'read' };
const HOUR = 3600_000;

/** An issuer that remembers; `now` can be moved. */
function setup({ idle = 60_000 } = {}) {
  const state = { now: 0, issued: [] as Scope[], revoked: [] as string[], fails: 0 };
  const issuer: Issuer = {
    async issue(asked) {
      if (state.fails-- > 0) throw new Error('GitHub is away');
      state.issued.push(asked);
      return { token: `t${state.issued.length}`, expiresAt: state.now + HOUR, permissions: PERMISSIONS[asked.purpose] };
    },
    async revoke(token) {
      state.revoked.push(token);
    },
  };
  return { state, tokens: new Tokens(issuer, { idle, now: () => state.now }) };
}

describe('tokens', () => {
  it('are asked for once, however many wait', async () => {
    const { state, tokens } = setup();
    const leases = await Promise.all(Array.from({ length: 20 }, () => tokens.lease(scope)));
    expect(new Set(leases.map(({ token }) => token))).toEqual(new Set(['t1']));
    expect(state.issued).toHaveLength(1);
  });

  it('are one for each installation, repository and purpose', async () => {
    const { state, tokens } = setup();
    for (const change of [{}, { purpose: 'review' as const }, { repository: 8 }, { installation: 2 }, {}])
      await tokens.lease({ ...scope, ...change });
    expect(state.issued).toHaveLength(4);
  });

  it('are replaced five minutes before their end, and the old one is revoked with its last lease', async () => {
    const { state, tokens } = setup();
    const old = await tokens.lease(scope);
    state.now = HOUR - 6 * 60_000;
    expect((await tokens.lease(scope)).token).toBe('t1');
    state.now = HOUR - 5 * 60_000;
    const [next, same] = await Promise.all([tokens.lease(scope), tokens.lease(scope)]);
    expect([next.token, same.token]).toEqual(['t2', 't2']);
    expect(state.revoked).toEqual([]);
    old.release();
    expect(state.revoked).toEqual([]);
    (await tokens.lease(scope)).release();
    expect(state.issued).toHaveLength(2);
  });

  it('are revoked when nobody has used them for a while', async () => {
    const { state, tokens } = setup({ idle: 5 });
    const first = await tokens.lease(scope);
    const second = await tokens.lease(scope);
    first.release();
    first.release();
    second.release();
    await expect.poll(() => state.revoked).toEqual(['t1']);
    expect((await tokens.lease(scope)).token).toBe('t2');
  });

  it('stay while they are leased or used again', async () => {
    const { state, tokens } = setup({ idle: 20 });
    const held = await tokens.lease(scope);
    const other = await tokens.lease({ ...scope, repository: 8 });
    other.release();
    await expect.poll(() => state.revoked).toEqual(['t2']);
    held.release();
    const again = await tokens.lease(scope);
    expect(again.token).toBe('t1');
    expect(state.revoked).toEqual(['t2']);
  });

  it('that GitHub refused are not given out again', async () => {
    const { state, tokens } = setup();
    const { token } = await tokens.lease(scope);
    await tokens.refuse(scope, token);
    await tokens.refuse(scope, 'another');
    expect((await tokens.lease(scope)).token).toBe('t2');
    expect(state.issued).toHaveLength(2);
  });

  it('that could not be made are asked for again', async () => {
    const { state, tokens } = setup();
    state.fails = 1;
    const results = await Promise.allSettled([tokens.lease(scope), tokens.lease(scope)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await tokens.lease(scope)).token).toBe('t1');
  });

  it('are all revoked at the end', async () => {
    const { state, tokens } = setup();
    await tokens.lease(scope);
    await tokens.lease({ ...scope, purpose: 'push' });
    await tokens.close();
    expect(state.revoked.sort()).toEqual(['t1', 't2']);
  });
});
