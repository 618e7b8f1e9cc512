import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { tryChange } from '../../src/cli/try.ts';
import { readConfig } from '../../src/config.ts';
import { validPlaces } from './hunks.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const BACK = 5;
const SMALL = 30;
const LIMIT_MS = 180_000;
const dir = mkdtempSync(join(tmpdir(), 'pitwall-own-'));

afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Thread {
  path: string;
  side: string;
  line: number | null;
  subject: string;
}

const git = (at: string, ...args: string[]) =>
  execFileSync('git', ['-C', at, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

/** Why the last commits of this checkout cannot be tried here, for the report; null where they can. */
function hindrance(): string | null {
  try {
    if (git(ROOT, 'rev-parse', '--is-shallow-repository') === 'true') return 'the checkout is shallow (actions/checkout: fetch-depth 0)';
    if (Number(git(ROOT, 'rev-list', '--count', '--first-parent', 'HEAD')) <= BACK) return `there are no ${BACK + 1} commits yet`;
    const changed = git(ROOT, 'diff', '--numstat', `HEAD~${BACK}`, 'HEAD').split('\n');
    const added = changed.reduce((sum, row) => sum + (Number(row.split('\t')[0]) || 0), 0);
    return added < SMALL ? `the last ${BACK} commits add ${added} lines only` : null;
  } catch (error) {
    return `this is no git checkout: ${String(error)}`;
  }
}

it(
  `try on a full clone of this project: at least 5 threads on the last ${BACK} commits, each on a valid line`,
  async (context) => {
    const why = hindrance();
    if (why) return context.skip(why);
    const clone = join(dir, 'pitwall');
    git(dir, 'clone', '--quiet', '--no-local', '--', ROOT, clone);
    const [base, head] = [git(ROOT, 'rev-parse', `HEAD~${BACK}`), git(ROOT, 'rev-parse', 'HEAD')];
    const printed: string[] = [];
    const told: string[] = [];
    const code = await tryChange(
      { repo: clone, base, head, format: 'json' },
      {
        out: (text) => printed.push(text),
        err: (text) => told.push(text),
        env: { PATH: process.env.PATH },
        start: async (environment) => (await import('../../src/main.ts')).start(readConfig(environment)),
      },
    );
    expect(code, told.join('')).toBe(0);
    const { threads, reviews } = JSON.parse(printed.join('')) as { threads: Thread[]; reviews: { state: string }[] };
    const places = validPlaces(clone, base, head);
    const at = threads.map(({ path, side, line, subject }) => (subject === 'file' ? `${path} FILE` : `${path} ${side} ${line}`));
    expect([...new Set(reviews.map(({ state }) => state))]).toEqual(['COMMENTED']);
    expect(at.length).toBeGreaterThanOrEqual(5);
    expect(at.filter((place) => !places.has(place))).toEqual([]);
    expect(git(clone, 'status', '--porcelain')).toBe('');
  },
  LIMIT_MS,
);
