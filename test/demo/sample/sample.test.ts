import { describe, expect, it } from 'vitest';
import { reviewFiles } from '../../../src/demo/model/finding.ts';
import { parsePatch } from '../../../src/demo/model/patch.ts';
import { questionFiles } from '../../../src/demo/sample/questions.ts';
import { locatePlanted, SAMPLE } from '../../../src/demo/sample/sample.ts';
import { workflowFiles } from '../../../src/demo/sample/workflow.ts';
import { loadWorkflow } from '../../../src/workflow/load.ts';
import { gitDiff } from '../model/git.ts';

const { base, first, next, second } = SAMPLE;
const CASES = [
  { name: 'first pull request', before: base, from: base, commit: first, atLeast: 9 },
  { name: 'its next commit', before: base, from: { ...base, ...first.files } as Record<string, string>, commit: next, atLeast: 2 },
  { name: 'second pull request', before: base, from: base, commit: second, atLeast: 4 },
];

describe.each(CASES)('$name', ({ before, from, commit, atLeast }) => {
  const planted = locatePlanted(commit, before);
  const files = parsePatch(gitDiff(from, commit.files));

  it('every planted fault stands on a line that the change touches', () => {
    const lines = files.flatMap(({ path, lines }) =>
      lines.map((line) => (line.kind === '-' ? `${path} LEFT ${line.old}` : line.kind === '+' ? `${path} RIGHT ${line.new}` : '')),
    );
    expect(planted.filter(({ path, side, line }) => !lines.includes(`${path} ${side} ${line}`))).toEqual([]);
  });

  it(`the rules find at least ${atLeast}, and few other things`, () => {
    const found = reviewFiles(files);
    const hits = planted.filter(({ path, line, side }) =>
      found.some((finding) => finding.file === path && finding.line === line && finding.side === side),
    );
    expect(hits.length).toBeGreaterThanOrEqual(atLeast);
    expect(found.length - hits.length).toBeLessThanOrEqual(3);
  });
});

it('the base is clean by the rules that matter', () => {
  const found = reviewFiles(parsePatch(gitDiff({}, base))).filter(({ importance }) => importance === 'blocker' || importance === 'major');
  expect(found.map(({ file, line, rule }) => `${file}:${line} ${rule}`)).toEqual([]);
});

it('our own workflow loads without a single remark', () => {
  const files = workflowFiles();
  const { workflow, problems } = loadWorkflow({
    path: '.overcut/workflow.json',
    text: files['.overcut/workflow.json'] ?? '',
    prompts: { plan: files['.overcut/plan.md'] ?? '', review: files['.overcut/review.md'] ?? '' },
    agentIds: ['code-reviewer'],
  });
  expect(problems).toEqual([]);
  expect(workflow?.steps.map(({ id }) => id)).toEqual(['clone', 'plan', 'review']);
});

it('the workflow for questions loads without a single remark', () => {
  const [[path = '', text = ''] = []] = Object.entries(questionFiles());
  const { workflow, problems } = loadWorkflow({ path, text, prompts: {}, agentIds: ['code-reviewer'] });
  expect(problems).toEqual([]);
  expect(workflow?.name).toBe('Questions');
});
