const PLAN = `Plan the review of this pull request. Do not review it yet.

1. Read the whole change with \`get_pull_request_diff\`.
2. Put the changed files into at most 8 groups that can be reviewed apart from each other: files that depend on each other belong together, generated
   files are left out.
3. Answer with one line for each group and nothing else, in this form:

1. [name of the group] — what was changed, and what to look at. Files: ["path/one.ts", "path/two.ts"]`;

const REVIEW = `You are the **Coordinator** of a code review. You do not read code yourself. This is the plan:

{{outputs.plan.message}}

1. Say with \`update_status\` that the review has begun.
2. In ONE turn, give every line of the plan to **Code Reviewer** (\`code-reviewer\`) with \`delegate_to_sub_agent\`: the first text below, with {item} replaced by the line.
3. When all of them have come back (ask once more for one that failed), delegate the second text to **Code Reviewer**, with {reports} replaced by what
   they answered, one line each.
4. End with \`task_completed\` and the answer of that last delegation. Name the parts of the plan that nobody could review.

First text:

\`\`\`
You are a **Code Reviewer**. Review this part of the pull request, and only this part:

{item}

1. Read the change of these files with \`get_pull_request_diff\`. Look at the code around it with \`read_file\` and \`code_search\` before you judge.
2. Look for what would hurt: wrong results, input that is trusted, secrets, missing checks (deleted ones too), swallowed failures, work that is not
   awaited, races, broken callers, missing tests for risky parts. No remarks on format, names or taste.
3. For each thing you are sure of, call \`add_pull_request_review_thread\` once, at the line that causes it (side LEFT for a deleted line). Say what goes
   wrong and when, and what to do instead. Begin with [BLOCKER], [MAJOR], [MINOR] or [NIT].
4. Return only: \`{files} files - {count} findings ({importances})\`

Allowed tools: get_pull_request_diff, get_pull_request_diff_line_numbers, read_file, list_dir, code_search, add_pull_request_review_thread
\`\`\`

Second text:

\`\`\`
You are a **Review Finalizer**. The threads are written; these are the reports of the reviewers:

{reports}

Call \`submit_review\` exactly once, with event COMMENT and a body of a few lines: how many findings of which weight, what they have in common, what to do
first. Return only: \`Review submitted: {event}. {N} findings.\`

Allowed tools: submit_review
\`\`\``;

/** A review workflow of our own, in the format that a repository commits as `.overcut/workflow.json`. */
export const REVIEW_WORKFLOW = {
  version: '1.0.0',
  name: 'Review',
  triggers: [
    {
      event: 'pull_request_opened',
      conditions: { combinator: 'and', rules: [{ field: 'context.pullRequest.draft', operator: 'equals', value: 'false' }] },
    },
    { event: 'manual', slashCommand: { command: 'review', requireMention: false } },
  ],
  steps: [
    {
      id: 'clone',
      name: 'Check out the pull request',
      action: 'git.clone',
      params: {
        repoFullName: '{{trigger.repository.fullName}}',
        branch: '{{trigger.pullRequest.headBranch}}',
        cloneOptions: { depth: 1, filter: { type: 'blob:none' }, singleBranch: true },
      },
    },
    { id: 'plan', name: 'Plan', action: 'agent.run', params: { agentId: 'code-reviewer' }, instruction: PLAN, stepMaxDurationMinutes: 15 },
    {
      id: 'review',
      name: 'Review',
      action: 'agent.session',
      params: {
        goal: 'A review with one thread for each finding',
        agentIds: ['code-reviewer'],
        exitCriteria: { timeLimit: { maxDurationMinutes: 30 }, userSignals: { explicit: ['/done'] } },
        listenToComments: true,
        keepSessionOpenForComments: false,
      },
      instruction: REVIEW,
      stepMaxDurationMinutes: 35,
    },
  ],
  flow: [
    { from: '', to: 'clone', condition: null },
    { from: 'clone', to: 'plan', condition: null },
    { from: 'plan', to: 'review', condition: null },
  ],
};

/** A code reviewer of our own for `.overcut/agents/code-reviewer.md`. */
export const REVIEWER_AGENT = `---
name: Code Reviewer
description: Reads a part of a change and writes review threads on the lines that cause trouble.
type: CodeReview
---

You review code for people who will read every word of yours. Write about what is certain, in one or two sentences, with the line that causes it.
Say nothing where nothing is wrong.
`;

/** What is said beside keys of the workflow, by their path. */
const REMARKS: Record<string, string> = {
  '': 'A review of every pull request: one agent plans it, others review the parts side by side, and it ends as one submitted review.\nComments like this one are allowed, and so are trailing commas. `pitwall validate` checks this file; `pitwall schema` is for editors.',
  triggers: 'When it runs: a pull request that is no draft is opened, or somebody with write permission comments /review.',
  steps:
    'What it does. The prompt of a step that an agent works on is the file beside this one that is called as the step: plan.md, review.md.',
  'steps.1.params.agentId': 'An agent is a file, too: agents/<id>.md.',
  'steps.2.params.exitCriteria': 'It ends when the coordinator says so, after this time, or when somebody comments /done.',
  'steps.2.params.listenToComments': 'What people comment meanwhile is read by the coordinator.',
  flow: 'In which order. A condition on an edge may leave a step out.',
};

/** The files that give a repository its review workflow, with prompts in files of their own and remarks for those who will change it. */
export function workflowFiles(): Record<string, string> {
  const steps = REVIEW_WORKFLOW.steps.map((step) => ({ ...step, instruction: undefined }));
  const prompts = REVIEW_WORKFLOW.steps.flatMap(({ id, instruction }) =>
    instruction ? [[`.overcut/${id}.md`, `${instruction}\n`] as const] : [],
  );
  return {
    '.overcut/workflow.json': `${remark('', '')}${writeJson({ ...REVIEW_WORKFLOW, steps }, '', '')}\n`,
    ...Object.fromEntries(prompts),
    '.overcut/agents/code-reviewer.md': REVIEWER_AGENT,
  };
}

/** JSON as people write it: short objects on one line, remarks above what they are about. */
function writeJson(value: unknown, path: string, indent: string): string {
  const line = JSON.stringify(value);
  const inner = `${indent}  `;
  const below = (key: string) => (path === '' ? key : `${path}.${key}`);
  if (typeof value !== 'object' || value === null) return line;
  const remarked = Object.keys(REMARKS).some((key) => key.startsWith(`${path}.`));
  if (path !== '' && !remarked && line.length + indent.length <= WIDTH) return oneLine(value);
  if (Array.isArray(value)) {
    const items = value.map((item, at) => `${remark(below(String(at)), inner)}${inner}${writeJson(item, below(String(at)), inner)}`);
    return `[\n${items.join(',\n')}\n${indent}]`;
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const items = entries.map(
    ([key, item]) => `${remark(below(key), inner)}${inner}${JSON.stringify(key)}: ${writeJson(item, below(key), inner)}`,
  );
  return `{\n${items.join(',\n')}\n${indent}}`;
}

const WIDTH = 110;

function oneLine(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{ ${entries.map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`).join(', ')} }`;
}

function remark(path: string, indent: string): string {
  const text = REMARKS[path];
  return text === undefined ? '' : text.replace(/^/gm, `${indent}// `).concat('\n');
}
