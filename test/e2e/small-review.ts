import type { GitHub } from '../../src/demo/github/github.ts';
import type { Call, Reply } from '../../src/demo/model/call.ts';

/** A small review: a clone, and a session whose coordinator delegates two files to one reviewer each, then has the review submitted. */
export const WORKFLOW = JSON.stringify({
  name: 'Small review',
  triggers: [{ event: 'pull_request_opened' }],
  flow: [
    { from: '', to: 'clone' },
    { from: 'clone', to: 'review' },
  ],
  steps: [
    {
      id: 'clone',
      action: 'git.clone',
      params: { repoFullName: '{{trigger.repository.fullName}}', branch: '{{trigger.pullRequest.headBranch}}' },
    },
    {
      id: 'review',
      action: 'agent.session',
      instruction: 'Delegate each changed file of "{{trigger.pullRequest.title}}" to the Code Reviewer, then have the review submitted.',
      params: { goal: 'Review', agentIds: ['reviewer'], exitCriteria: { timeLimit: { maxDurationMinutes: 30 } } },
    },
  ],
  agents: [],
}).replace('"agents":[]', '"agentRefs":{}');

export const AGENT = '---\nname: Code Reviewer\ntype: CodeReview\n---\nYou review.\n';

export const BASE = {
  '.overcut/workflow.json': WORKFLOW,
  '.overcut/agents/reviewer.md': AGENT,
  'a.txt': 'one\ntwo\nthree\n',
  'b.txt': 'one\ntwo\nthree\n',
};
export const HEAD = { 'a.txt': 'one\nFAULT a\nthree\n', 'b.txt': 'one\ntwo\nFAULT b\nthree\n' };
export const EXPECTED = [
  { path: 'a.txt', line: 2, body: 'There is FAULT a' },
  { path: 'b.txt', line: 3, body: 'There is FAULT b' },
];

/** Plays the small review from the conversation alone, so it may be asked twice. */
export function direct(call: Call): Reply {
  if (call.offers('delegate_to_sub_agent')) return coordinate(call);
  const text = call.userTexts.join('\n');
  const file = /\[\[review ([\w.]+)\]\]/.exec(text)?.[1];
  if (file) return review(call, file);
  if (call.done('submit_review').length === 0)
    return { tools: [{ name: 'submit_review', input: { event: 'COMMENT', body: 'Two faults.' } }] };
  return { text: 'submitted' };
}

function coordinate(call: Call): Reply {
  const delegations = call.done('delegate_to_sub_agent');
  const delegate = (instructions: string) => ({ name: 'delegate_to_sub_agent', input: { agentId: 'reviewer', instructions } });
  if (call.done('update_status').length === 0) return { tools: [{ name: 'update_status', input: { message: 'Looking at two files.' } }] };
  if (delegations.length === 0) return { tools: ['a.txt', 'b.txt'].map((name) => delegate(`Review one file. [[review ${name}]]`)) };
  if (delegations.length === 2) return { tools: [delegate('Submit the review now.')] };
  return { tools: [{ name: 'task_completed', input: { message: `done: ${delegations.map((step) => step.result).join(', ')}` } }] };
}

function review(call: Call, file: string): Reply {
  const [read] = call.done('read_file');
  if (!read)
    return {
      tools: [
        { name: 'read_file', input: { path: file } },
        { name: 'append_scratchpad', input: { name: 'notes', content: `read ${file}` } },
      ],
    };
  const lines = (read.result ?? '').split('\n');
  const at = lines.findIndex((line) => line.includes('FAULT')) + 1;
  const word = /FAULT \w/.exec(read.result ?? '')?.[0];
  if (call.done('add_pull_request_review_thread').length === 0) {
    return {
      tools: [{ name: 'add_pull_request_review_thread', input: { path: file, line: at, side: 'RIGHT', body: `There is ${word}` } }],
    };
  }
  return { text: `${file}: 1 finding` };
}

/** What stands on the pull request: each thread's place and first line, in order. */
export function threadsOn(github: GitHub, fullName: string, number: number): { path: string; line: number | null; body: string }[] {
  const threads = github
    .reviewComments(fullName, number)
    .map(({ place, body }) => ({ path: place.path, line: place.line, body: body.split('\n')[0] ?? '' }));
  return threads.sort((a, b) => `${a.path}:${a.line}`.localeCompare(`${b.path}:${b.line}`));
}
