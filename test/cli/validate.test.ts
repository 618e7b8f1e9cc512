import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/cli/schema.ts';
import { validate } from '../../src/cli/validate.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PLAYBOOKS = resolve(ROOT, '../shared/playbooks');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pitwall-validate-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function place(name: string, files: Record<string, string>): string {
  const root = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  mkdirSync(root, { recursive: true });
  return root;
}

async function run(cwd: string, paths: string[] = [], format: 'text' | 'json' = 'text') {
  const said = { out: '', err: '' };
  const code = await validate(paths, { format }, { cwd, out: (text) => (said.out += text), err: (text) => (said.err += text) });
  return { code, ...said };
}

const GOOD = JSON.stringify({
  name: 'Good',
  triggers: [{ event: 'mention' }],
  steps: [{ id: 'work', action: 'agent.run', params: { agentId: 'helper' } }],
  flow: [{ from: '', to: 'work' }],
});
const HELPER = '---\nname: Helper\ntype: SeniorDeveloper\n---\nHelp.\n';

describe('pitwall validate', () => {
  it('takes the .overcut of its folder, with prompts, agents and settings, and answers 0', async () => {
    const root = place('good', {
      '.overcut/workflow.json': GOOD,
      '.overcut/work.md': 'Do it for {{trigger.actor.login}}.',
      '.overcut/workflows/more.json': GOOD,
      '.overcut/workflows/work.md': 'Do it.',
      '.overcut/workflows/nested/workflow.json': GOOD,
      '.overcut/workflows/nested/work.md': 'Do it too.',
      '.overcut/agents/helper.md': HELPER,
      '.overcut/settings.json': '{ "quiet": true }',
      'elsewhere/workflow.json': 'not looked at',
    });
    expect(await run(root)).toEqual({ code: 0, out: '5 files checked: 0 errors, 0 warnings\n', err: '' });
  });

  it('prints every mistake of every file with its place and answers 1', async () => {
    const broken = GOOD.replace('"mention"', '"mentoin"')
      .replace('"to":"work"', '"to":"wrok"')
      .replace('"name":"Good"', '"name":"Good","tiggers":[]');
    const root = place('broken', {
      '.overcut/workflow.json': broken,
      '.overcut/work.md': 'line\n{{#if x}}',
      '.overcut/workflows/empty.json': '{\n  "name": "x",,\n}',
      '.overcut/agents/helper.md': '---\nnmae: Helper\n---\n',
      '.overcut/settings.json': '{ "fork": "off" }',
    });
    const { code, out } = await run(root);
    expect(code).toBe(1);
    const lines = out.trimEnd().split('\n');
    for (const wanted of [
      /^\.overcut\/workflow\.json:1:\d+ \$\.triggers\[0\]\.event: expected one of .*found "mentoin" \(did you mean "mention"\?\)$/,
      /^\.overcut\/workflow\.json:1:\d+ \$\.flow\[0\]\.to: expected the id of a step \(work\), found "wrok" \(did you mean "work"\?\)$/,
      /^\.overcut\/workflow\.json:1:\d+ \$\.tiggers: warning: .*did you mean "triggers"\?\)$/,
      /^\.overcut\/work\.md:2:\d+ \$: expected a template that compiles/,
      /^\.overcut\/workflows\/empty\.json:2:15 \$: expected a key in double quotes, found ","$/,
      /^\.overcut\/agents\/helper\.md:2:1 \$\.nmae: warning: .*did you mean "name"\?\)$/,
      /^\.overcut\/agents\/helper\.md:2:1 \$\.name: expected a text, found nothing$/,
      /^\.overcut\/settings\.json:1:3 \$\.fork: .*did you mean "forks"\?\)$/,
    ]) {
      expect(lines.filter((line) => wanted.test(line))).toHaveLength(1);
    }
    expect(lines.at(-1)).toMatch(/^4 files checked: \d+ errors, 2 warnings$/);
  });

  it('prints JSON', async () => {
    const root = place('json', { 'w/workflow.json': GOOD.replace('helper', 'nobody') });
    const { code, out } = await run(root, ['w/workflow.json'], 'json');
    const told = JSON.parse(out);
    expect([code, told.files, told.errors]).toEqual([1, ['w/workflow.json'], 2]);
    expect(told.problems[0]).toMatchObject({
      severity: 'error',
      file: 'w/workflow.json',
      line: 1,
      path: expect.stringContaining('$.steps[0]'),
    });
  });

  it('a file inside .overcut knows the agents beside it, wherever the command stands', async () => {
    const root = place('inside', {
      'repo/.overcut/workflow.json': GOOD,
      'repo/.overcut/work.md': 'Go.',
      'repo/.overcut/agents/helper.md': HELPER,
    });
    for (const paths of [['repo/.overcut/workflow.json'], ['repo'], ['repo/.overcut'], ['.'], [join(root, 'repo')]]) {
      expect((await run(root, paths)).code).toBe(0);
    }
  });

  it.each([
    ['nothing there', [], /no workflow in this folder/],
    ['a path that is none', ['nowhere'], /nowhere: there is no such file or folder/],
    ['a folder without workflows', ['empty'], /empty: no workflow here/],
    ['a prompt', ['empty/note.md'], /give the workflow\.json beside it/],
    ['something else', ['empty/run.sh'], /expected a \.json file/],
  ])('answers 2 for %s', async (_, paths, wanted) => {
    const root = place('nothing', { 'empty/note.md': 'x', 'empty/run.sh': 'x' });
    const { code, out, err } = await run(root, paths);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(wanted);
  });

  it('the examples of this project are good, without a warning', async () => {
    const { code, out } = await run(ROOT, ['examples']);
    expect([code, out]).toEqual([0, '7 files checked: 0 errors, 0 warnings\n']);
  });

  it.skipIf(!existsSync(PLAYBOOKS))('published playbooks are good as they are (skipped where ../shared/playbooks is absent)', async () => {
    const names = readdirSync(PLAYBOOKS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(names.length).toBeGreaterThanOrEqual(10);
    for (const { name } of names) expect([name, (await run(PLAYBOOKS, [name])).code]).toEqual([name, 0]);
  });
});

describe('pitwall schema', () => {
  const said = (which?: string) => {
    let [out, err] = ['', ''];
    const code = schema(which, { out: (text) => (out += text), err: (text) => (err += text) });
    return { code, out, err };
  };

  it.each(['workflow', 'settings', 'repository-settings'])('docs/%s.schema.json is what it prints', (which) => {
    expect(said(which)).toEqual({ code: 0, out: readFileSync(join(ROOT, 'docs', `${which}.schema.json`), 'utf8'), err: '' });
  });

  it('prints that of workflows where nothing is named, and refuses other names', () => {
    expect(said().out).toBe(said('workflow').out);
    expect(JSON.parse(said('repository-settings').out).properties.forks).toBeDefined();
    expect(said('constructor')).toMatchObject({ code: 2, err: expect.stringContaining('workflow, settings') });
  });
});
