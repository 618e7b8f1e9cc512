import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChange } from '../../src/cli/local-change.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { fillAwkward, LocalRepository } from './repository.ts';

let repository: LocalRepository;
let empty: string;
let shas: { base: string; head: string };

beforeAll(() => {
  repository = new LocalRepository();
  shas = fillAwkward(repository);
  repository.git('checkout', '-q', '--orphan', 'apart');
  repository.commit('Another beginning');
  repository.git('checkout', '-q', 'main');
  empty = mkdtempSync(join(tmpdir(), 'pitwall-empty-'));
});

afterAll(() => {
  repository.remove();
  rmSync(empty, { recursive: true });
});

describe('a change', () => {
  it('is described by its commits', async () => {
    const change = await findChange({ repo: repository.dir, base: 'main', head: 'awkward' });
    expect(change).toMatchObject({ ...shas, title: 'Change everything', files: 9, configuration: [] });
    expect(change.name).toMatch(/^local\/[\w.-]+$/);
  });

  it('may be named by abbreviated ids and relative revisions', async () => {
    const change = await findChange({ repo: repository.dir, base: 'awkward~1', head: shas.head.slice(0, 9) });
    expect(change).toMatchObject(shas);
  });
});

const at = (options: Partial<Record<'repo' | 'base' | 'head', string>>) => ({
  repo: repository.dir,
  base: 'main',
  head: 'awkward',
  ...options,
});
const REFUSED: [string, () => { repo: string; base: string; head: string }, RegExp][] = [
  ['no repository', () => at({ repo: empty }), /is not a git repository: give/],
  ['no folder', () => at({ repo: join(empty, 'nothing') }), /is not a git repository/],
  ['unknown base', () => at({ base: 'mian' }), /--base mian.*its branches are.*main/],
  ['unknown head', () => at({ head: 'nope' }), /--head nope/],
  ['a revision that looks like an option', () => at({ base: '--all' }), /--base --all/],
  ['a file instead of a commit', () => at({ head: 'awkward:run.sh' }), /--head awkward:run.sh/],
  ['no difference', () => at({ head: 'main' }), /nothing is changed between main and main/],
  ['a head behind the base', () => at({ base: 'awkward', head: 'main' }), /nothing is changed/],
  ['no common history', () => at({ head: 'apart' }), /no common commit.*choose/],
];

it.each(REFUSED)('refuses %s', async (_, options, message) => {
  const refusal = await findChange(options()).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(UsageError);
  expect(String(refusal)).toMatch(message);
});
