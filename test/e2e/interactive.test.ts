import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { Call, Reply } from '../../src/demo/model/call.ts';
import { areChecksOver, Stage, until } from './stage.ts';

const PLAYBOOKS = resolve(import.meta.dirname, '../../../shared/playbooks');
const there = existsSync(PLAYBOOKS);
if (!there) process.stderr.write('the published workflows are not beside this checkout: their tests are skipped\n');

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

/** Answers what it was asked last, once; the first answer is a question to people where the session listens. */
function talk(call: Call): Reply {
  if (!call.offers('delegate_to_sub_agent')) return { text: '### Proposed Design\n\nLooked at the code.' };
  if (call.done('delegate_to_sub_agent').length === 0 && call.offers('update_status')) {
    const agentId = /`([\w-]+)` "/.exec(call.system)?.[1] ?? '';
    if (agentId) return { tools: [{ name: 'delegate_to_sub_agent', input: { agentId, instructions: 'Look at it.' } }] };
  }
  const asked = call.userTexts.join('\n').match(/remark \d+/g) ?? [];
  const message = asked.length > 0 ? `heard ${[...new Set(asked)].join(', ')}` : 'Here is what there is. Shall I go on?';
  if (call.userTexts.join('\n').includes('This is your last turn'))
    return { tools: [{ name: 'task_completed', input: { message: 'Goodbye.' } }] };
  return { text: message };
}

describe.skipIf(!there)('a published interactive workflow', () => {
  it.for([
    { name: 'auto-changelog-reminder', on: 'pr', trigger: '/changelog', signal: 'thanks', lookalike: 'Thanks' },
    { name: 'auto-root-cause-analysis', on: 'issue', trigger: 'needs-rca', signal: '/done', lookalike: '/done.' },
    { name: 'technical-design-proposal', on: 'issue', trigger: 'needs-design', signal: '/done', lookalike: '/Done' },
  ])('$name waits, answers, and ends by its exact signal', async ({ name, on, trigger, signal, lookalike }) => {
    const text = readFileSync(resolve(PLAYBOOKS, name, 'workflow.json'), 'utf8');
    stage = await Stage.open(inject('redisUrl'), { director: talk });
    const { github } = stage;
    const repo = await github.createRepository('acme/app', { 'a.txt': 'a\n', [`.overcut/workflows/${name}.json`]: text });
    github.install(repo);
    const alice = github.person('alice', { [repo.fullName]: 'write' });
    await stage.addServer();
    const number = on === 'pr' ? await openPull() : (await alice.openIssue(repo, { title: 'It breaks', body: 'Always.' })).number;
    if (on === 'pr') alice.comment(repo, number, trigger);
    else await alice.label(repo, number, trigger);
    const said = () =>
      github
        .comments(repo, number)
        .filter((one) => one.author === github.bot)
        .map((one) => one.body);
    const has = (words: string) => said().some((body) => body.includes(words));
    await until('it waits', () => has('Shall I go on?') && has('💬'));
    alice.comment(repo, number, 'remark 1');
    await until('the comment is answered', () => has('heard remark 1'));
    alice.comment(repo, number, lookalike);
    alice.comment(repo, number, 'remark 2');
    await until('a lookalike ends nothing', () => has('remark 1, remark 2'));
    expect(has('✅')).toBe(false);
    alice.comment(repo, number, signal);
    await until('it ended', () => has('✅'));
    await until('its checks, which issues have none of, are over', () => on === 'issue' || areChecksOver(github, repo));
    expect(github.defects).toEqual([]);

    async function openPull(): Promise<number> {
      await alice.push(repo, 'feature', { 'a.txt': 'b\n' });
      return (await alice.openPull(repo, { head: 'feature', title: 'Change' })).number;
    }
  });
});
