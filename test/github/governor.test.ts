import { beforeEach, describe, expect, it } from 'vitest';
import { GitHubError, type GitHubErrorKind } from '../../src/github/error.ts';
import { Governor } from '../../src/github/governor.ts';
import { Pending } from '../../src/journal/errors.ts';
import { gate } from '../gate.ts';
import { FakeClock, MemoryTurns } from './turns.ts';

const CONTENT = { content: true };

let clock: FakeClock;
let turns: MemoryTurns;
let governor: Governor;

beforeEach(() => {
  clock = new FakeClock();
  turns = new MemoryTurns(clock);
  governor = new Governor({ turns, clock });
});

describe('Governor', () => {
  it('lets one write of an installation through at a time, in the order they came', async () => {
    const log: string[] = [];
    let live = 0;
    const write = (installation: number, name: string) =>
      governor.write(installation, CONTENT, async () => {
        if (installation === 1) expect(++live).toBe(1);
        await new Promise((done) => setImmediate(done));
        log.push(name);
        if (installation === 1) live--;
      });
    await Promise.all([...'abcdef'].map((name) => write(1, name)));
    expect(log.join('')).toBe('abcdef');
  });

  it('does not hold one installation up for another', async () => {
    turns.blocked.set(1, clock.now() + 3_600_000);
    await expect(governor.write(1, CONTENT, async () => 'x')).rejects.toThrow(Pending);
    await expect(governor.write(2, CONTENT, async () => 'y')).resolves.toBe('y');
  });

  it('waits for a turn of another process', async () => {
    const place = await turns.take(1, CONTENT);
    clock.sleep = async (ms) => {
      clock.slept.push(ms);
      if (clock.slept.length === 3 && 'release' in place) await place.release();
    };
    await expect(governor.write(1, CONTENT, async () => 'done')).resolves.toBe('done');
    expect(clock.slept).toEqual([15, 15, 15]);
  });

  it('throws Pending with the time when the wait would be over 10 s', async () => {
    turns.blocked.set(1, clock.now() + 10_001);
    const waited = governor.write(1, CONTENT, async () => 'x');
    await expect(waited).rejects.toMatchObject({ name: 'Pending', until: clock.now() + 10_001 });
    expect(clock.slept).toEqual([]);
  });

  it('gives up by its signal while it waits', async () => {
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    await expect(governor.write(1, { content: true, signal: stop.signal }, async () => 'x')).rejects.toThrow('stopped');
  });

  it('keeps to 60 creations a minute', async () => {
    for (let n = 0; n < 60; n++) await governor.write(1, CONTENT, async () => n);
    await expect(governor.write(1, CONTENT, async () => 'x')).rejects.toMatchObject({ until: clock.now() + 60_001 });
    await expect(governor.write(1, { content: false }, async () => 'x')).resolves.toBe('x');
  });

  const LIMITS: [string, number, Record<string, string>, GitHubErrorKind, number][] = [
    ['secondary limit with a time', 403, { 'retry-after': '5' }, 'limited', 5_000],
    ['secondary limit without one', 403, {}, 'limited', 60_000],
    ['429 with a date', 429, { 'retry-after': 'Sat, 21 Nov 2026 12:00:07 GMT' }, 'limited', 7_000],
    ['primary limit', 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset(30) }, 'limited', 30_000],
    [
      'primary limit, our clock 20 s slow',
      403,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset(50), date: 'Sat, 21 Nov 2026 12:00:20 GMT' },
      'limited',
      30_000,
    ],
    ['an error of GitHub that asks for a pause', 503, { 'retry-after': '8' }, 'unavailable', 8_000],
  ];

  it.each(LIMITS)('%s: nothing is sent before its end', async (_, status, headers, kind, pause) => {
    const from = clock.now();
    const sent: number[] = [];
    const act = async () => {
      sent.push(clock.now() - from);
      if (sent.length === 1) throw limited(kind, status, headers, kind === 'limited' ? from + fallback(headers, pause) : undefined);
      return 'done';
    };
    const first = await governor.write(1, CONTENT, act).catch((error: unknown) => error);
    if (pause > 10_000) expect(first).toBeInstanceOf(Pending);
    if (first instanceof Pending) clock.pass((first.until ?? 0) - clock.now());
    if (first !== 'done') await governor.write(1, CONTENT, act);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toBeGreaterThanOrEqual(pause);
    expect(sent[1]).toBeLessThan(pause + 2_000);
  });

  it('does not run against a limit whose pause is over at once', async () => {
    const sent: number[] = [];
    const act = async () => {
      sent.push(clock.now());
      throw limited('limited', 403, { 'retry-after': '0' }, clock.now());
    };
    await expect(governor.write(1, CONTENT, act)).rejects.toBeInstanceOf(Pending);
    expect(sent.length).toBeLessThanOrEqual(10);
    for (const [k, at] of sent.entries()) if (k > 0) expect(at - (sent[k - 1] ?? 0)).toBeGreaterThanOrEqual(1_000);
  });

  it('lets nobody wait in line for longer than a writer may wait, and keeps the order of the others', async () => {
    const log: string[] = [];
    const { opened, open } = gate();
    const write = (name: string, signal?: AbortSignal) =>
      governor.write(1, { content: true, ...(signal ? { signal } : {}) }, async () => {
        if (name === 'slow') await opened;
        log.push(name);
      });
    const stop = new AbortController();
    const slow = write('slow');
    const [late, stopped] = [write('late'), write('stopped', stop.signal)];
    stop.abort(new Error('told to end'));
    await expect(stopped).rejects.toThrow('told to end');
    expect(clock.planned.map(({ ms }) => ms)).toEqual([10_000, 10_000]);
    clock.planned[0]?.work();
    await expect(late).rejects.toMatchObject({ name: 'Pending', until: clock.now() + 1_000 });
    const next = write('next');
    open();
    await Promise.all([slow, next]);
    expect(log).toEqual(['slow', 'next']);
  });

  it('gives the turn back when a write fails', async () => {
    await expect(governor.write(1, CONTENT, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(governor.write(1, CONTENT, async () => 'next')).resolves.toBe('next');
    expect(clock.slept).toEqual([]);
  });

  it('does not lose what was done when the turn cannot be given back', async () => {
    turns.take = async () => ({ release: () => Promise.reject(new Error('store away')) });
    await expect(governor.write(1, CONTENT, async () => 'done')).resolves.toBe('done');
  });
});

/** What the client makes of an answer, where it reads less than the governor. */
function fallback(headers: Record<string, string>, pause: number): number {
  return headers['retry-after'] ? 0 : headers.date ? 1_000 : pause;
}

function limited(kind: GitHubErrorKind, status: number, headers: Record<string, string>, retryAt: number | undefined): GitHubError {
  const response = { status, headers, data: {} };
  return new GitHubError('GitHub said no', { kind, response, ...(retryAt === undefined ? {} : { retryAt }) });
}

function reset(seconds: number): string {
  return String(Date.parse('2026-11-21T12:00:00Z') / 1000 + seconds);
}
