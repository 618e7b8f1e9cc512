import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/journal/event.ts';
import type { Repository } from '../../src/journal/resource.ts';
import { annotationsOf, conclusionOf, inspectProposed, summaryOf, titleOf } from '../../src/run/proposed.ts';

const WORKFLOW = '.overcut/workflow.json';
const AGENT = '.overcut/agents/reviewer.md';
const SETTINGS = '.overcut/settings.json';

const lines = (...rows: string[]) => rows.join('\n');
const good = (trigger = '{ "event": "pull_request_opened" }') =>
  lines(
    '{',
    '  "name": "Review",',
    `  "triggers": [${trigger}],`,
    '  "steps": [',
    '    { "id": "look", "action": "agent.run", "instruction": "Look.", "params": { "agentId": "reviewer" } }',
    '  ],',
    '  "flow": [{ "from": "", "to": "look" }]',
    '}',
  );
const goodAgent = lines('---', 'name: Reviewer', 'type: CodeReview', '---', 'You look.');
const both = { [WORKFLOW]: good(), [AGENT]: goodAgent };

const inspect = (files: Record<string, string>, skipped: { path: string; reason: string }[] = []) => inspectProposed({ files, skipped });
const shown = async (files: Record<string, string>, skipped: { path: string; reason: string }[] = []) =>
  annotationsOf(await inspect(files, skipped)).map(({ path, line, level }) => `${level} ${path}:${line}`);

describe('annotations', () => {
  it.each([
    ['nothing wrong', both, []],
    ['an unknown event', { ...both, [WORKFLOW]: good('{ "event": "pull_request_openend" }') }, [`failure ${WORKFLOW}:3`]],
    ['an unknown agent', { [WORKFLOW]: good() }, [`failure ${WORKFLOW}:5`]],
    ['JSON that ends too early', { ...both, [WORKFLOW]: good().slice(0, 30) }, [`failure ${WORKFLOW}:3`]],
    ['an unknown key is a warning', { ...both, [WORKFLOW]: good().replace('"name"', '"colour": 1, "name"') }, [`warning ${WORKFLOW}:2`]],
    ['an agent with a wrong type', { ...both, [AGENT]: goodAgent.replace('CodeReview', 'Poet') }, [`failure ${AGENT}:3`]],
    ['an agent without front matter', { ...both, [AGENT]: 'You look.' }, [`failure ${AGENT}:1`]],
    ['settings with an unknown key', { ...both, [SETTINGS]: '{\n  "qiet": true\n}' }, [`failure ${SETTINGS}:2`]],
    ['mistakes in two files, by their names', { [WORKFLOW]: '{', [AGENT]: 'x' }, [`failure ${AGENT}:1`, `failure ${WORKFLOW}:1`]],
    ['files that are none of ours', { ...both, '.overcut/notes.txt': 'x' }, []],
    ['no configuration any more', {}, []],
  ])('%s', async (_, files, expected) => {
    expect([...new Set(await shown(files))]).toEqual(expected);
  });

  it.each([
    ['.overcut', 'it must be a folder of this repository, not a link, a file or a submodule', 'failure'],
    ['.overcut/skills/x/SKILL.md', 'links and submodules are not followed', 'failure'],
    [WORKFLOW, 'it is over 256 KiB', 'failure'],
    ['.overcut/skills/x/picture.png', 'it is not a text file', 'warning'],
  ])('what cannot be read: %s, %s', async (path, reason, level) => {
    const [only, ...more] = annotationsOf(await inspect({}, [{ path, reason }]));
    expect(more).toEqual([]);
    expect(only).toMatchObject({ path, line: 1, level, message: expect.stringContaining(reason) });
  });

  it('of guidance that cannot be read there are none', async () => {
    expect(await shown(both, [{ path: 'AGENTS.md', reason: 'links and submodules are not followed' }])).toEqual([]);
  });

  it('stand at the column and say what was expected and found', async () => {
    const [first] = annotationsOf(await inspect({ ...both, [WORKFLOW]: good('{ "event": "push" }') }));
    expect(first).toMatchObject({ line: 3, column: 27, message: expect.stringMatching(/^\$\.triggers\[0\]\.event: expected .*found/) });
  });

  it('are at most 500, errors first', async () => {
    const skipped = Array.from({ length: 600 }, (_, k) => ({ path: `.overcut/x${k}.png`, reason: 'it is not a text file' }));
    const all = annotationsOf(await inspect({ [WORKFLOW]: '{' }, skipped));
    expect([all.length, all[0]?.level]).toEqual([500, 'failure']);
  });
});

it.each([
  ['errors', { [WORKFLOW]: '{' }, 'failure', /^\d+ errors?$/],
  ['warnings only', { ...both, [WORKFLOW]: good().replace('"name"', '"colour": 1, "name"') }, 'neutral', /^1 warning$/],
  ['nothing', both, 'success', /^Valid: 1 workflow, 1 agent$/],
])('with %s the check ends and is called accordingly', async (_, files, conclusion, title) => {
  expect(conclusionOf(await inspect(files))).toBe(conclusion);
  expect(titleOf(await inspect(files))).toMatch(title);
});

describe('the summary', () => {
  const event = (fork = false, trigger: Partial<Event['context']['trigger']> = { prState: 'opened', prAction: 'opened' }): Event => {
    const repository = { id: 1, fullName: 'acme/app', owner: 'acme', name: 'app', defaultBranch: 'trunk' } as Repository;
    const head = { ref: 'feature', sha: 'a'.repeat(40), fullName: 'acme/app', fork };
    return {
      name: 'pull_request_opened',
      delivery: 'd',
      installation: 1,
      repository,
      resource: { kind: 'pr', repository, number: 1, url: '', head, base: { ref: 'trunk', sha: 'b'.repeat(40) } },
      actor: { id: 1, login: 'alice', bot: false },
      author: null,
      context: {
        pullRequest: { draft: false, title: 'Change' },
        trigger: { eventType: 'pull_request_opened', ...trigger },
      } as Event['context'],
    };
  };
  const rowOf = async (trigger: string, about = event()) => {
    const summary = await summaryOf(await inspect({ ...both, [WORKFLOW]: good(trigger) }), about);
    return summary.split('\n').find((row) => row.includes('Review'));
  };
  const onTitle = (value: string) =>
    `{ "event": "pull_request_opened", "conditions": { "operator": "and", "rules": [{ "field": "context.pullRequest.title", "operator": "equals", "value": "${value}" }] } }`;

  it.each([
    [
      'opened',
      '{ "event": "pull_request_opened" }',
      /\| yes \| no: no trigger for pull_request_edited; it waits for pull_request_opened \| {2}\|$/,
    ],
    ['pushed', '{ "event": "pull_request_edited" }', /\| no: .* \| yes \| {2}\|$/],
    ['a condition that holds', onTitle('Change'), /\| yes \| no: /],
    ['a condition that does not', onTitle('Other'), /\| no: pull_request_opened: condition not met: .*Change.* \| no: /],
    ['a command', '{ "event": "manual", "slashCommand": { "command": "look" } }', /\| no: .* \| no: .* \| `\/look` \|$/],
  ])('tells what would start: %s', async (_, trigger, row) => {
    expect(await rowOf(trigger)).toMatch(row);
    expect(await rowOf(trigger, event(false, { commitAdded: true }))).toBe(await rowOf(trigger));
  });

  it('says that the default branch is what runs', async () => {
    expect(await summaryOf(await inspect(both), event())).toContain('until then the version of `trunk` is what runs');
    expect(await summaryOf(await inspect({}), event())).toContain('No workflow is left');
    expect(await summaryOf(await inspect({ [WORKFLOW]: '{' }), event())).toContain('no: it has errors');
    expect(await summaryOf(await inspect(both), event(true))).toContain('fork');
  });

  it('keeps names from breaking its tables', async () => {
    const row = await summaryOf(await inspect({ ...both, [WORKFLOW]: good().replace('"Review"', '"Review | a\\n## b"') }), event());
    expect(row).toContain('| Review \\| a ## b (`.overcut/workflow.json`) |');
  });
});
