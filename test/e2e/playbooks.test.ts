import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Person } from '../../src/demo/github/person.ts';
import type { Call, Director, Reply } from '../../src/demo/model/call.ts';
import { Stage, until } from './stage.ts';

const PLAYBOOKS = resolve(import.meta.dirname, '../../../shared/playbooks');
const there = existsSync(PLAYBOOKS);

/** What an agent says in its n-th turn, as far as it is counted by the calls it made. */
type Turns = (Reply | ((call: Call) => Reply))[];

let stage: Stage;
/** Who leads, and what the agents do whose task carries a mark such as [[read]]. */
let lead: (call: Call) => Reply = () => ({ text: 'nothing to do' });
let parts: Record<string, Turns> = {};
/** The whole conversation of each task, as it stood at its last answer. */
let calls: Record<string, Call> = {};

const direct: Director = (call) => {
  const mark = /\[\[([\w-]+)\]\]/.exec(call.userTexts.join('\n'))?.[1];
  const turns = mark === undefined || call.offers('delegate_to_sub_agent') ? undefined : parts[mark];
  if (mark === undefined || !turns) return lead(call);
  calls[mark] = call;
  return takeTurn(call, turns);
};

function takeTurn(call: Call, turns: Turns): Reply {
  const taken = new Set(call.steps.map(({ turn }) => turn)).size;
  const now = turns[Math.min(taken, turns.length - 1)] ?? { text: 'done' };
  return typeof now === 'function' ? now(call) : now;
}

const use = (name: string, input: Record<string, unknown> = {}): Reply => ({ tools: [{ name, input }] });
const together = (...replies: Reply[]): Reply => ({ tools: replies.flatMap(({ tools = [] }) => tools) });
const last = (call: Call, tool: string): string => call.done(tool).at(-1)?.result ?? '';

/** Delegates to the agent of this name. */
function delegate(call: Call, agent: string, instructions: string): Reply {
  const [, agentId = ''] = new RegExp(`\`([\\w-]+)\` "${agent}`).exec(call.system) ?? [];
  return use('delegate_to_sub_agent', { agentId, instructions });
}

/** What people said since the coordinator last spoke to them. */
function heard(call: Call): string {
  const spoken = Math.max(-1, ...call.steps.filter(({ name }) => name === 'task_completed').map(({ turn }) => turn));
  const texts = call.heard.filter(({ turn }) => turn > spoken).map(({ text }) => text);
  return texts.filter((text) => text.includes('of="comment')).join('\n');
}

const isLastTurn = (call: Call) => call.userTexts.some((text) => text.includes('This is your last turn'));
const completed = (message: string): Reply => use('task_completed', { message });

describe.skipIf(!there)('a published workflow, unchanged', () => {
  let alice: Person;

  beforeAll(async () => {
    stage = await Stage.open(inject('redisUrl'), { director: direct });
    alice = stage.github.person('alice', {});
    await stage.addServer();
  });
  afterEach(() => {
    expect(stage.github.defects).toEqual([]);
    lead = () => ({ text: 'nothing to do' });
    [parts, calls] = [{}, {}];
  });
  afterAll(() => stage.close());

  /** A repository with a playbook in it, on which the App is installed. */
  async function repository(fullName: string, playbook: string | null, files: Record<string, string>, access: 'write' | 'none' = 'write') {
    const own =
      playbook === null
        ? {}
        : { [`.overcut/workflows/${playbook}.json`]: readFileSync(resolve(PLAYBOOKS, playbook, 'workflow.json'), 'utf8') };
    const repo = await stage.github.createRepository(fullName, { ...files, ...own });
    stage.github.install(repo);
    if (access !== 'none') alice = stage.github.person('alice', { [fullName]: access });
    return repo;
  }

  /** What the App said in a conversation. */
  const said = (fullName: string, number: number) =>
    stage.github
      .comments(fullName, number)
      .filter((one) => one.author === stage.github.bot)
      .map((one) => one.body);
  const hears = (fullName: string, number: number, words: string) =>
    until(`"${words}"`, () => said(fullName, number).some((body) => body.includes(words)));
  const labels = (fullName: string, number: number) => [...stage.github.item(fullName, number).labels].map(({ name }) => name).sort();
  const allEnded = (fullName: string) =>
    until('every check is completed', () => stage.github.checks(fullName).every(({ status }) => status === 'completed'));

  it('auto-changelog-reminder asks for an entry at once on a command, says that it cannot commit it, and ends by "thanks"', async () => {
    const name = 'one/app';
    await repository(name, 'auto-changelog-reminder', { 'CHANGELOG.md': '# Changelog\n\n## Unreleased\n- Old.\n', 'src/ui/a.ts': 'old\n' });
    parts = {
      look: [
        together(use('read_pull_request'), use('get_pull_request_diff'), use('read_file', { path: 'CHANGELOG.md' })),
        (call) => ({ text: `user-facing: ${last(call, 'get_pull_request_diff').includes('src/ui/a.ts')}` }),
      ],
      remind: [
        use('add_comment_to_pull_request', { body: '⚠️ A changelog entry is required. Reply with "approve changelog".' }),
        { text: 'reminded' },
      ],
      commit: [
        use('run_terminal_cmd', { command: 'git commit -am "Changelog"' }),
        (call) => ({ text: `not committed: ${last(call, 'run_terminal_cmd')}` }),
      ],
    };
    lead = (call) => {
      const asked = call.done('delegate_to_sub_agent');
      if (isLastTurn(call)) return completed('The reminder stands.');
      if (asked.length === 0) return delegate(call, 'Senior Developer', 'Look at the change. [[look]]');
      if (asked.length === 1) return delegate(call, 'Technical Writer', `Remind. [[remind]] ${asked[0]?.result}`);
      if (!heard(call).includes('approve changelog')) return { text: 'Shall I commit the entry?' };
      if (asked.length === 2) return delegate(call, 'Senior Developer', 'Commit. [[commit]]');
      return { text: 'I cannot commit yet: please take the entry over.' };
    };
    await alice.push(name, 'feature', { 'src/ui/a.ts': 'new\n' });
    const { number } = await alice.openPull(name, { head: 'feature', title: 'Change a button' });
    alice.comment(name, number, '/changelog');
    await hears(name, number, 'A changelog entry is required');
    await hears(name, number, 'Shall I commit the entry?');
    alice.comment(name, number, 'approve changelog');
    await hears(name, number, 'I cannot commit yet');
    expect(calls.commit?.done('run_terminal_cmd')[0]).toMatchObject({
      error: true,
      result: expect.stringContaining('is not built in this release'),
    });
    alice.comment(name, number, 'thanks');
    await hears(name, number, '✅ **Auto-Changelog Reminder** completed');
    await hears(name, number, 'Asked for, but not built in this release: `run_terminal_cmd`.');
    await allEnded(name);
    expect(stage.github.checks(name)).toHaveLength(1);
    expect(said(name, number).filter((body) => body.includes('A changelog entry is required'))).toHaveLength(1);
    expect(calls.remind?.userTexts.join('\n')).toContain('user-facing: true');
  });

  it('auto-root-cause-analysis finds the repository, posts one analysis with its labels and /pr, answers a question, and ends by "thanks"', async () => {
    const name = 'two/app';
    await repository(name, 'auto-root-cause-analysis', { 'src/app.ts': 'export const app = 1;\n' });
    await repository('two/billing', null, { 'src/refund.ts': 'export const refund = (cents: number) => cents / 0;\n' });
    await repository('two/secret', null, { 'src/merger.ts': 'secret\n' }, 'none');
    const finder: string[] = [];
    const marker = '<!-- overcut:rca:done -->';
    parts = {
      analyse: [
        together(use('read_ticket'), use('code_search', { query: 'refund' }), use('read_file', { path: 'two/billing/src/refund.ts' })),
        (call) => ({ text: `Cause: ${last(call, 'read_file').trim()} Found by: ${last(call, 'code_search').split('\n')[0]}` }),
      ],
      fix: [{ text: 'Divide by 100.' }],
      post: [
        use('add_comment_to_ticket', { body: `## Root cause\nDivision by zero in two/billing.\n${marker}` }),
        use('update_ticket', { removeLabels: ['needs-rca'], addLabels: ['rca-complete', 'conf-high'] }),
        use('add_comment_to_ticket', { body: '/pr - Implement RCA fix suggestion above' }),
        { text: 'posted' },
      ],
    };
    lead = (call) => {
      const told = call.userTexts.join('\n');
      if (call.system.includes('Repository finder')) {
        finder.push(told);
        const repositories = [
          { repoFullName: 'two/billing', confidence: 0.9, reason: 'It refunds.' },
          { repoFullName: name, confidence: 0.6, reason: 'It was reported here.' },
          { repoFullName: 'two/secret', confidence: 0.9, reason: 'A guess.' },
        ];
        return use('task_completed', { repositories });
      }
      const asked = call.done('delegate_to_sub_agent');
      const expert = (text: string) => delegate(call, 'Root-Cause Analysis', text);
      if (isLastTurn(call)) return completed('The analysis stands.');
      if (asked.length === 0) return expert('Analyse. [[analyse]]');
      if (asked.length === 1) return expert(`Fix. [[fix]] ${asked[0]?.result}`);
      if (asked.length === 2) return expert('Post and label. [[post]]');
      if (heard(call).includes('Which file')) return completed('It is two/billing/src/refund.ts.');
      return completed('The root cause is posted above.');
    };
    const { number } = await alice.openIssue(name, { title: 'Refunds fail', body: 'Error: not finite, in two/secret' });
    await alice.label(name, number, 'needs-rca');
    await hears(name, number, 'The root cause is posted above.');
    expect(finder).toHaveLength(1);
    expect(finder[0]?.match(/^two\/\w+/gm)?.sort()).toEqual(['two/app', 'two/billing']);
    expect(calls.fix?.userTexts.join('\n')).toMatch(/Cause: [\s\S]*cents \/ 0[\s\S]*Found by: two\/billing\/src\/refund.ts/);
    expect(labels(name, number)).toEqual(['conf-high', 'rca-complete']);
    const comments = said(name, number);
    expect(comments.filter((body) => body.includes(marker))).toHaveLength(1);
    expect(comments.filter((body) => body.startsWith('/pr - Implement'))).toHaveLength(1);
    alice.comment(name, number, 'Which file is it?');
    await hears(name, number, 'It is two/billing/src/refund.ts.');
    alice.comment(name, number, 'thanks');
    await hears(name, number, '✅ **Auto Root Cause Analysis** completed');
  });

  it('technical-design-proposal reviews its draft, posts it, assigns the author, takes "/approve" for a comment, and ends by "/done"', async () => {
    const name = 'three/app';
    await repository(name, 'technical-design-proposal', { 'src/user.ts': 'export const user = 1;\n' });
    const design = '### Proposed Design\n\n## Goal\nPreferences.\n\n## Open Questions\n- Which ones?';
    parts = {
      analyst: [
        use('read_ticket'),
        use('list_tickets', { query: 'preferences' }),
        (call) => ({ text: `ticket_title: ${/"title":"([^"]+)"/.exec(last(call, 'read_ticket'))?.[1]}` }),
      ],
      explorer: [
        together(use('code_search', { query: 'user' }), use('list_directory', { path: 'three/app/src' })),
        { text: 'reference: src/user.ts' },
      ],
      architect: [{ text: '### Proposed Design\n\nA first draft.' }],
      reviewer: [use('read_ticket'), (call) => ({ text: `review_result: ${call.done('read_ticket')[0]?.error ? 'fail' : 'pass'}` })],
      revise: [{ text: design }],
      again: [{ text: 'review_result: pass' }],
      post: [
        use('add_comment_to_ticket', { body: `${design}\n\n> If you'd like a draft implementation branch, comment \`/pr\`.` }),
        use('update_ticket', { assignees: ['alice'], removeLabels: ['needs-design'], addLabels: ['design-needs-info'] }),
        { text: 'posted' },
      ],
    };
    const steps = [
      ['Senior Developer', 'analyst', ''],
      ['Senior Developer', 'explorer', ''],
      ['Technical Writer', 'architect', ''],
      ['Senior Developer', 'reviewer', '\nProhibited: write_file, run_terminal_cmd, read_ticket, code_search, read_file, git commands'],
      ['Technical Writer', 'revise', ''],
      ['Senior Developer', 'again', ''],
    ] as const;
    lead = (call) => {
      const asked = call.done('delegate_to_sub_agent');
      if (isLastTurn(call)) return completed('Goodbye.');
      if (!call.userTexts.join('\n').includes('post-processing')) {
        if (call.done('update_status').length === 0) return use('update_status', { message: 'Starting the design.' });
        const step = steps[asked.length];
        const before = asked.map(({ result }) => result).join('\n');
        if (step) return delegate(call, step[0], `Do your part. [[${step[1]}]] ${before}${step[2]}`);
        return completed(asked[4]?.result ?? '');
      }
      if (asked.length === 0) return delegate(call, 'Product Manager', 'Post it. [[post]]');
      const words = heard(call);
      if (words.includes('/approve')) return completed('It is approved already.');
      return completed(words.includes('How long') ? 'About a week.' : 'The design is posted.');
    };
    const { number } = await alice.openIssue(name, { title: 'User preferences', body: 'We need them.' });
    alice.comment(name, number, '/design');
    await hears(name, number, 'The design is posted.');
    expect(calls.reviewer?.done('read_ticket')[0]).toMatchObject({ error: true });
    expect(calls.explorer?.steps.map(({ error }) => error)).toEqual([false, false]);
    expect(calls.again?.userTexts.join('\n')).toContain('ticket_title: User preferences');
    const posted = said(name, number).filter((body) => body.startsWith('### Proposed Design'));
    expect(posted).toEqual([expect.stringContaining('comment `/pr`')]);
    const item = stage.github.item(name, number);
    expect([...item.assignees].map(({ login }) => login)).toEqual(['alice']);
    expect(labels(name, number)).toEqual(['design-needs-info']);
    alice.comment(name, number, '/approve');
    await hears(name, number, 'It is approved already.');
    alice.comment(name, number, 'How long will it take?');
    await hears(name, number, 'About a week.');
    alice.comment(name, number, '/done');
    await hears(name, number, '✅ **Generate Technical Design Proposal** completed');
  });

  it('fix-review-comments plans from the open threads, keeps its list, answers and resolves them, and says what it could not run', async () => {
    const name = 'four/app';
    const file = 'one\ntwo\nthree\n';
    await repository(name, 'fix-review-comments', { 'a.ts': '', 'b.ts': '' });
    const list = (mark: string) => `## 🔧 Implementation Plan\n\n- [${mark}] [PLAN-1] Rename\n- [ ] [PLAN-2] Guard`;
    const threadsIn = (call: Call) => {
      const { threads } = JSON.parse(last(call, 'read_pull_request')) as {
        threads: { threadId: string; isResolved: boolean; path: string }[];
      };
      return threads.filter(({ isResolved }) => !isResolved);
    };
    parts = {
      track: [use('add_comment_to_pull_request', { body: list(' ') }), (call) => ({ text: last(call, 'add_comment_to_pull_request') })],
      fix: [
        use('read_file', { path: 'a.ts' }),
        use('edit_file', { path: 'a.ts', old: 'two', new: 'second' }),
        use('run_terminal_cmd', { command: 'git push' }),
        { text: 'edited, not pushed' },
      ],
      answer: [
        (call) => {
          const told = call.userTexts.join('\n');
          const threadId = /PRRT_\w+/.exec(told)?.[0] ?? '';
          return together(
            use('update_pull_request_comment', { commentId: Number(/"commentId":(\d+)/.exec(told)?.[1]), body: list('x') }),
            use('add_pull_request_review_thread_reply', { threadId, body: 'Fixed in [PLAN-1].' }),
            use('resolve_pull_request_review_thread', { threadId }),
          );
        },
        { text: 'answered' },
      ],
    };
    lead = (call) => {
      if (call.offers('read_pull_request') && call.done('read_pull_request').length === 0) return use('read_pull_request');
      if (call.offers('read_pull_request'))
        return completed(
          `### Implementation Plan\n${threadsIn(call)
            .map(({ threadId, path }) => `- Threads: ${threadId} (${path})`)
            .join('\n')}`,
        );
      const asked = call.done('delegate_to_sub_agent');
      const plan = call.userTexts.join('\n');
      const thread = /PRRT_\w+(?= \(a\.ts\))/.exec(plan)?.[0];
      const fixer = (text: string) => delegate(call, 'PR Review Fixer', text);
      if (isLastTurn(call)) return completed('Bye.');
      if (call.done('status_update').length === 0) return use('status_update', { message: 'Addressing the review.' });
      if (asked.length === 0) return fixer('Post the list. [[track]]');
      if (asked.length === 1) return fixer('Fix PLAN-1. [[fix]]');
      if (asked.length === 2) return fixer(`Answer ${thread}. [[answer]] ${asked[0]?.result}`);
      return completed(heard(call).includes('And b.ts?') ? 'b.ts is next.' : '1 fix implemented and tracked in the comment.');
    };
    await alice.push(name, 'feature', { 'a.ts': file, 'b.ts': file });
    const { number } = await alice.openPull(name, { head: 'feature', title: 'Add' });
    const remarks = await Promise.all(
      ['a.ts', 'b.ts', 'b.ts'].map((path, k) => alice.reviewComment(name, number, { path, line: k + 1, body: `Remark ${k}` })),
    );
    alice.resolveThread(name, remarks[2]?.id ?? 0);
    alice.comment(name, number, '/fix-review');
    await hears(name, number, '1 fix implemented');
    const plans = said(name, number).filter((body) => body.startsWith('## 🔧 Implementation Plan'));
    expect(plans).toEqual([expect.stringContaining('- [x] [PLAN-1] Rename')]);
    const answers = stage.github.reviewComments(name, number).filter(({ author }) => author === stage.github.bot);
    expect(answers.map(({ body, threadId }) => [body.split('\n')[0], threadId])).toEqual([['Fixed in [PLAN-1].', remarks[0]?.threadId]]);
    expect(stage.github.threads(name, number).map(({ resolvedBy }) => resolvedBy?.login ?? null)).toEqual([
      stage.github.bot.login,
      null,
      'alice',
    ]);
    expect(calls.fix?.steps.map(({ name: tool, error }) => [tool, error])).toEqual([
      ['read_file', false],
      ['edit_file', false],
      ['run_terminal_cmd', true],
    ]);
    alice.comment(name, number, 'And b.ts?');
    await hears(name, number, 'b.ts is next.');
    alice.comment(name, number, '/done');
    await hears(name, number, 'Asked for, but not built in this release: `run_terminal_cmd`.');
    await allEnded(name);
  });

  it('fix-ci reads the failed run and its logs, and says that it can neither test nor push', async () => {
    const name = 'five/app';
    await repository(name, 'fix-ci', { 'src/sum.ts': 'export const sum = 1;\n' });
    const analysed: Call[] = [];
    lead = (call) => {
      if (!call.userTexts.join('\n').includes('# CI Fix Implementer')) {
        analysed.push(call);
        const jobId = Number(/"jobId":(\d+),"name":"test"/.exec(last(call, 'get_ci_run_details'))?.[1]);
        return takeTurn(call, [
          use('get_ci_run_details', { runId: Number(/Run ID\*\*: (\d+)/.exec(call.userTexts.join('\n'))?.[1]) }),
          together(
            use('get_ci_job_logs', { jobId }),
            use('get_ci_run_logs'),
            use('list_pr_ci_runs'),
            use('edit_file', { path: 'src/sum.ts', old: '1', new: '2' }),
          ),
          { text: `fix_type: code_fix\n${last(call, 'get_ci_job_logs')}` },
        ]);
      }
      return takeTurn(call, [
        use('edit_file', { path: 'src/sum.ts', old: 'sum = 0', new: 'sum = 1' }),
        use('run_terminal_cmd', { command: 'npm test' }),
        use('add_comment_to_pull_request', { body: '## CI Fix Applied\nNot pushed.' }),
        { text: 'status: partial' },
      ]);
    };
    const sha = await alice.push(name, 'feature', { 'src/sum.ts': 'export const sum = 0;\n' });
    const pull = await alice.openPull(name, { head: 'feature', title: 'Sum' });
    const jobs = [{ name: 'lint' }, { name: 'test', conclusion: 'failure', log: 'run\n##[error]expected 1, got 0\n' }];
    alice.runWorkflow(name, { sha, branch: 'feature', conclusion: 'failure', pulls: [pull], jobs });
    await hears(name, pull.number, '## CI Fix Applied');
    await hears(name, pull.number, 'Asked for, but not built in this release: `run_terminal_cmd`.');
    await allEnded(name);
    const calls = analysed.at(-1)?.steps.map(({ name: tool, error }) => [tool, error]);
    expect(calls).toEqual([
      ['get_ci_run_details', false],
      ['get_ci_job_logs', false],
      ['get_ci_run_logs', false],
      ['list_pr_ci_runs', false],
      ['edit_file', true],
    ]);
    expect(last(analysed.at(-1) as Call, 'get_ci_run_logs')).toContain('##[error]expected 1, got 0');
    expect(said(name, pull.number).some((body) => body.includes('status: partial'))).toBe(true);
  });
});
