import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo } from '../../src/cli/demo.ts';
import type { TrialDeps } from '../../src/cli/trial.ts';
import { type TryOptions, tryChange } from '../../src/cli/try.ts';
import { readConfig } from '../../src/config.ts';
import { validPlaces } from './hunks.ts';
import { fillAwkward, LocalRepository } from './repository.ts';

const PLAYBOOK = resolve(import.meta.dirname, '../../../shared/playbooks/code-review/workflow.json');

let repository: LocalRepository;
let shas: { base: string; head: string };

beforeAll(() => {
  repository = new LocalRepository();
  shas = fillAwkward(repository);
});

afterAll(() => {
  repository.remove();
});

function deps(more: Partial<TrialDeps> = {}): TrialDeps & { printed: string[]; told: string[]; environments: Record<string, string>[] } {
  const printed: string[] = [];
  const told: string[] = [];
  const environments: Record<string, string>[] = [];
  const begin = more.start ?? (async (environment) => (await import('../../src/main.ts')).start(readConfig(environment)));
  return {
    out: (text) => printed.push(text),
    err: (text) => told.push(text),
    env: { PATH: process.env.PATH },
    ...more,
    start: (environment) => {
      environments.push(environment);
      return begin(environment);
    },
    printed,
    told,
    environments,
  };
}

const options = (more: Partial<TryOptions> = {}): TryOptions => ({
  repo: repository.dir,
  base: 'main',
  head: 'awkward',
  format: 'json',
  ...more,
});

/** A server that takes webhooks and never does anything. */
function idleServer(): { start: TrialDeps['start']; stopped: () => number } {
  let stopped = 0;
  return { start: async () => ({ url: 'http://127.0.0.1:9', stop: async () => void stopped++ }), stopped: () => stopped };
}

describe('what cannot be tried', () => {
  it.each([
    [{ base: 'nowhere' }, /--base nowhere/],
    [{ repo: '/' }, /not a git repository/],
    [{ head: 'main' }, /nothing is changed/],
    [{ workflow: '/nothing/there.json' }, /--workflow/],
  ])('%j is refused with exit code 2, and nothing is started', async (wrong, message) => {
    const d = deps();
    expect(await tryChange(options(wrong), d)).toBe(2);
    expect(d.told.join('')).toMatch(message);
    expect(d.environments).toEqual([]);
  });
});

describe('around the server', () => {
  it('hands over an environment of its own and takes the data folder away when the server cannot start', async () => {
    const d = deps({
      env: { PATH: process.env.PATH, PRIVATE_KEY_FILE: '/some/key.pem', PITWALL_REDIS_URL: 'redis://production' },
      start: () => Promise.reject(new Error('no luck')),
    });
    await expect(tryChange(options(), d)).rejects.toThrow('no luck');
    const [environment] = d.environments;
    expect(environment).toMatchObject({
      PORT: '0',
      PRIVATE_KEY: expect.stringContaining('PRIVATE KEY'),
      APP_ID: expect.stringMatching(/^\d+$/),
    });
    expect(environment?.WEBHOOK_SECRET?.length).toBeGreaterThanOrEqual(16);
    expect(Object.keys(environment ?? {})).not.toContain('PRIVATE_KEY_FILE');
    expect(Object.values(environment ?? {})).not.toContain('redis://production');
    expect(existsSync(resolve(environment?.PITWALL_DATA_DIR ?? '', '..'))).toBe(false);
    await expect(fetch(environment?.GITHUB_API_URL ?? '')).rejects.toThrow();
    await expect(fetch(environment?.ANTHROPIC_BASE_URL ?? '')).rejects.toThrow();
  });

  it('leaves a real provider its key', async () => {
    const d = deps({ env: { ANTHROPIC_API_KEY: 'sk-real', PATH: process.env.PATH }, start: () => Promise.reject(new Error('enough')) });
    await expect(tryChange(options(), d)).rejects.toThrow('enough');
    expect(d.environments[0]).toMatchObject({ ANTHROPIC_API_KEY: 'sk-real' });
    expect(d.environments[0]).not.toHaveProperty('ANTHROPIC_BASE_URL');
  });

  it('ends with exit code 1 when nothing begins, and says why that may be', async () => {
    const idle = idleServer();
    const d = deps({ start: idle.start });
    expect(await tryChange(options({ patienceSeconds: 0.2 }), d)).toBe(1);
    expect(d.told.join('')).toMatch(/No workflow began/);
    expect(idle.stopped()).toBe(1);
  });

  it('stops at Ctrl-C and cleans up', async () => {
    const leaving = new AbortController();
    const idle = idleServer();
    const d = deps({ start: idle.start, signal: leaving.signal, err: (text) => /^Model/.test(text) && leaving.abort() });
    expect(await tryChange(options(), d)).toBe(1);
    expect(idle.stopped()).toBe(1);
    expect(existsSync(resolve(d.environments[0]?.PITWALL_DATA_DIR ?? '', '..'))).toBe(false);
  });
});

interface Printed {
  scripted: boolean;
  reviews: { state: string; body: string }[];
  threads: { path: string; side: string; line: number | null; subject: string; body: string }[];
}

describe('a review from end to end', () => {
  it('of an awkward repository: at least 5 threads, each on a valid line', async () => {
    const d = deps();
    expect({ code: await tryChange(options(), d), told: d.told }).toMatchObject({ code: 0 });
    const printed = JSON.parse(d.printed.join('')) as Printed;
    const places = validPlaces(repository.dir, shas.base, shas.head);
    const at = printed.threads.map(({ path, side, line, subject }) => (subject === 'file' ? `${path} FILE` : `${path} ${side} ${line}`));
    expect(at.length).toBeGreaterThanOrEqual(5);
    expect(at.filter((place) => !places.has(place))).toEqual([]);
    expect(at).toEqual(
      expect.arrayContaining(['src/new place/moved file.ts RIGHT 21', 'src/windows.ts LEFT 2', 'src/größe "q".ts RIGHT 2']),
    );
    expect(d.printed.join('')).toContain('new.bin');
    expect(printed).toMatchObject({ scripted: true, reviews: [{ state: 'COMMENTED', body: expect.stringContaining('scripted') }] });
    expect(d.told.join('')).toMatch(/our own sample workflow[\s\S]*Model: scripted[\s\S]*check "/);
    expect(repository.git('status', '--porcelain')).toBe('');
  });

  it.skipIf(!existsSync(PLAYBOOK))('by the published playbook, read as text', async () => {
    const d = deps();
    expect({ code: await tryChange(options({ workflow: PLAYBOOK, format: 'text' }), d), told: d.told }).toMatchObject({ code: 0 });
    const text = d.printed.join('');
    expect(text).toMatch(/^src\/windows\.ts:2$/m);
    expect(text).toMatch(/^ {2}\| \+ {2}return eval\(a\);/m);
    expect(text).toMatch(/^Review: COMMENTED$/m);
  });

  it('of the demo: at least 8 of the 10 planted faults', async () => {
    const d = deps();
    expect({ code: await demo({ once: true, format: 'text' }, d), told: d.told }).toMatchObject({ code: 0 });
    expect(d.printed.join('')).toMatch(/Planted faults: (?:8|9|10) of 10 found/);
    expect(d.told.join('')).toContain('scripted');
  });

  it('of the demo that stays up: prints addresses that answer, and leaves at Ctrl-C', async () => {
    const leaving = new AbortController();
    const answers: Promise<Response>[] = [];
    const told: string[] = [];
    const err = (text: string) => {
      told.push(text);
      const address = /GitHub double {2}(\S+)/.exec(text)?.[1];
      if (!address) return;
      answers.push(fetch(address));
      void answers[0]?.finally(() => leaving.abort());
    };
    const d = deps({ err, signal: leaving.signal });
    expect(await demo({ once: false, format: 'json' }, d)).toBe(0);
    expect(await answers[0]).toBeInstanceOf(Response);
    expect(JSON.parse(d.printed.join(''))).toMatchObject({ ending: 'completed', reviews: [{ state: 'COMMENTED' }] });
    expect(existsSync(resolve(d.environments[0]?.PITWALL_DATA_DIR ?? '', '..'))).toBe(false);
    await expect(fetch(d.environments[0]?.GITHUB_API_URL ?? '')).rejects.toThrow();
  });
});
