import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Configurations } from '../../src/github/configuration.ts';
import { openStage, type Stage } from './stage.ts';

const WORKFLOW = '{ "name": "review" }\n';
let stage: Stage;
let configurations: Configurations;

beforeAll(async () => {
  stage = await openStage({
    'README.md': 'not ours',
    'AGENTS.md': 'Tables are in UTC.\n',
    'CLAUDE.md': 'Say tide, not wave.\n',
    '.overcut/workflow.json': WORKFLOW,
    '.overcut/workflows/nightly/check.md': 'Look twice — 潮.\n',
    'docs/.overcut/other.json': '{}',
  });
  configurations = new Configurations();
});
beforeEach(() => {
  stage.asked.length = 0;
});
afterAll(() => stage.close());

const read = async (known = configurations, repository = stage.repository) => known.read(await stage.api(), repository);
const answered = () => stage.asked.filter((line) => !line.includes('access_tokens'));

describe('configuration', () => {
  it('is .overcut, AGENTS.md and CLAUDE.md at the head of the default branch', async () => {
    const { sha, ...rest } = await read();
    expect(sha).toMatch(/^[0-9a-f]{40}$/);
    expect(rest).toEqual({
      files: { '.overcut/workflow.json': WORKFLOW, '.overcut/workflows/nightly/check.md': 'Look twice — 潮.\n' },
      guidance: 'AGENTS.md:\nTables are in UTC.\n\nCLAUDE.md:\nSay tide, not wave.',
      skipped: [],
    });
  });

  it('costs one conditional request while nothing changes', async () => {
    const before = await read();
    expect(answered()).toEqual(['GET /commits/main 304']);
    expect(await read()).toBe(before);
  });

  it('is read again where it is more than is kept', async () => {
    const small = new Configurations({ characters: 10 });
    const [first, second] = [await read(small), await read(small)];
    expect(second).toEqual(first);
    expect(second).not.toBe(first);
  });

  it('reads again only what a push changed', async () => {
    await stage.push({ '.overcut/workflow.json': '{}' });
    const { files } = await read();
    expect(files['.overcut/workflow.json']).toBe('{}');
    expect(files['.overcut/workflows/nightly/check.md']).toBe('Look twice — 潮.\n');
    expect(answered().filter((line) => line.includes('/git/blobs/'))).toHaveLength(1);
  });

  it('does not see other branches', async () => {
    await stage.push({ '.overcut/workflow.json': '{ "name": "evil" }' }, 'feature');
    expect((await read()).files['.overcut/workflow.json']).toBe('{}');
  });

  it('follows a default branch that was renamed', async () => {
    const renamed = { ...stage.repository, defaultBranch: 'master' };
    expect((await read(new Configurations(), renamed)).files['.overcut/workflow.json']).toBe('{}');
  });

  it('is asked for again after a failure', async () => {
    const fresh = new Configurations();
    stage.fault({ on: /^GET .*\/git\/trees\//, status: 500 });
    await expect(read(fresh)).rejects.toMatchObject({ kind: 'unavailable' });
    expect((await read(fresh)).files['.overcut/workflow.json']).toBe('{}');
  });

  it('leaves out what is too large or not text, and says so', async () => {
    await stage.push({ '.overcut/large.md': 'x'.repeat(257 * 1024), '.overcut/image.md': 'a\0b' });
    const { files, skipped } = await read();
    expect(Object.keys(files)).toEqual(['.overcut/workflow.json', '.overcut/workflows/nightly/check.md']);
    expect(skipped).toEqual([
      { path: '.overcut/large.md', reason: 'it is over 256 KiB' },
      { path: '.overcut/image.md', reason: 'it is not a text file' },
    ]);
  });

  it('does not follow a link', async () => {
    await stage.push({ '.overcut': { symlink: '/etc' } });
    const { files, skipped } = await read();
    expect(files).toEqual({});
    expect(skipped).toMatchObject([{ path: '.overcut', reason: expect.stringContaining('not a link') }]);
  });
});
