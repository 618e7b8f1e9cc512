import { describe, expect, it } from 'vitest';
import { GitHubError, type GitHubErrorKind, isGranted, toGitHubError } from '../../src/github/error.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const asked = { method: 'GET', path: '/repos/o/r', granted: { contents: 'read', issues: 'write' }, now: NOW };
const at = (seconds: number) => new Date(NOW + seconds * 1000).toUTCString();
const spent = (seconds: number) => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW / 1000 + seconds) });
const answer = (status: number, message = 'text', headers: Record<string, string> = {}) => ({
  response: { status, headers, data: { message } },
});

describe('what Octokit throws', () => {
  it.each<[what: string, thrown: unknown, kind: GitHubErrorKind]>([
    ['no answer', Object.assign(new Error('ECONNRESET'), { name: 'HttpError' }), 'network'],
    ['a timeout', Object.assign(new Error('x'), { name: 'HttpError', cause: new DOMException('late', 'TimeoutError') }), 'network'],
    ['a mistake of ours', new TypeError('x is not a function'), 'refused'],
    ['500', answer(500), 'unavailable'],
    ['502', answer(502), 'unavailable'],
    ['304', answer(304), 'unmodified'],
    ['401', answer(401), 'unauthorized'],
    ['404', answer(404), 'missing'],
    ['410', answer(410), 'missing'],
    ['403', answer(403), 'permission'],
    ['a suspended installation', answer(403, 'This installation has been suspended'), 'suspended'],
    ['422', answer(422), 'refused'],
    ['retry-after', answer(403, 'x', { 'retry-after': '7' }), 'limited'],
    ['retry-after as a date', answer(403, 'x', { 'retry-after': 'Sat, 21 Nov 2026 12:00:07 GMT' }), 'limited'],
    ['no requests left, without a reset', answer(403, 'x', { 'x-ratelimit-remaining': '0' }), 'limited'],
    ['a comment too many', answer(422, 'Validation Failed: was submitted too quickly'), 'limited'],
    ['a limit that GraphQL words otherwise', answer(403, 'API rate limit already exceeded for user ID 1'), 'limited'],
    ['429', answer(429), 'limited'],
    ['a secondary limit without headers', answer(403, 'You have exceeded a secondary rate limit'), 'limited'],
    ['no requests left', answer(403, 'x', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW / 1000 + 90) }), 'limited'],
  ])('%s', (_, thrown, kind) => {
    const error = toGitHubError(thrown, asked);
    expect(error).toBeInstanceOf(GitHubError);
    expect(error.kind).toBe(kind);
    expect(error.message).toContain('GET /repos/o/r');
    expect(error.retryAt === undefined).toBe(kind !== 'limited');
  });

  it.each([
    ['retry-after', { 'retry-after': '7' }, 7000],
    ['the reset', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW / 1000 + 90) }, 90_000],
    ['a reset that has passed', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW / 1000 - 90) }, 1000],
    ['a reset, by a clock of ours that is slow', { ...spent(90), date: at(80) }, 10_000],
    ['a reset, by a clock of ours that is fast', { ...spent(90), date: at(-20) }, 110_000],
    ['a date', { 'retry-after': at(7) }, 7_000],
    ['a date, by a clock of ours that is fast', { 'retry-after': at(-13), date: at(-20) }, 7_000],
    ['a date that has passed', { 'retry-after': at(-7) }, 0],
    ['no requests left and no reset', { 'x-ratelimit-remaining': '0' }, 60_000],
    ['an empty reset', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '' }, 60_000],
    ['words that are no time', { 'retry-after': 'soon' }, 60_000],
    ['nothing', {}, 60_000],
  ])('a limit with %s says when to come back', (_, headers, wait) => {
    expect(toGitHubError(answer(429, 'x', headers), asked).retryAt).toBe(NOW + wait);
  });

  it.each([
    ['checks=write', 'checks=write'],
    ['issues=read', undefined],
    ['issues=write; pull_requests=write', undefined],
    ['checks=read; pull_requests=write', 'checks=read or pull_requests=write'],
    ['contents=read,issues=write', undefined],
    ['contents=write,issues=write', 'contents=write,issues=write'],
  ])('x-accepted-github-permissions "%s" names what is missing: %s', (header, permission) => {
    const error = toGitHubError(answer(403, 'Resource not accessible', { 'x-accepted-github-permissions': header }), asked);
    expect(error.permission).toBe(permission);
    if (permission) expect(error.message).toContain(permission);
  });

  it('holds the details of a 422 and nothing of the request', () => {
    const data = {
      message: 'Validation Failed',
      errors: [{ resource: 'Review', field: 'line', code: 'invalid' }, 'Path could not be resolved'],
    };
    const request = { headers: { authorization: 'Bearer secret-token' } };
    const error = toGitHubError({ response: { status: 422, headers: {}, data }, request }, asked);
    expect(error.message).toContain('Review line invalid; Path could not be resolved');
    expect(error.response?.data).toBe(data);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('secret-token');
  });

  it('leaves our own errors as they are', () => {
    const own = new GitHubError('x', { kind: 'network' });
    expect(toGitHubError(own, asked)).toBe(own);
  });
});

describe('isGranted', () => {
  it.each([
    ['issues=write', true],
    ['issues:read', true],
    ['contents=write', false],
    ['checks=read', false],
  ])('%s: %s', (permission, granted) => {
    expect(isGranted(permission, asked.granted)).toBe(granted);
  });
});
