import { describe, expect, it } from 'vitest';
import { GitHubError, type GitHubErrorKind } from '../../src/github/error.ts';
import { withRetries } from '../../src/github/retry.ts';

const failure = (kind: GitHubErrorKind, status = 0) => new GitHubError('x', { kind, response: { status, headers: {}, data: {} } });

describe('repeating reads', () => {
  it.each([
    ['the network', failure('network'), 4],
    ['502', failure('unavailable', 502), 4],
    ['503', failure('unavailable', 503), 4],
    ['504', failure('unavailable', 504), 4],
    ['500', failure('unavailable', 500), 1],
    ['a rate limit', failure('limited', 429), 1],
    ['404', failure('missing', 404), 1],
    ['anything else', new Error('x'), 1],
  ])('%s is tried %#', async (_, error, tries) => {
    let tried = 0;
    const work = async () => {
      tried++;
      throw error;
    };
    await expect(withRetries(work, [1, 1, 1])).rejects.toBe(error);
    expect(tried).toBe(tries);
  });

  it('answers with the first success', async () => {
    let tried = 0;
    const work = async () => {
      if (++tried < 3) throw failure('network');
      return 'good';
    };
    expect(await withRetries(work, [1, 1, 1])).toBe('good');
  });
});
