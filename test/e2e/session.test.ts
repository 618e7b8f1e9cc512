import { afterEach, describe, expect, inject, it } from 'vitest';
import type { Call, Reply } from '../../src/demo/model/call.ts';
import { AGENT } from './small-review.ts';
import { Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

const WORKFLOW = (listens: boolean) =>
  JSON.stringify({
    name: 'Talk',
    triggers: [{ event: 'pull_request_opened' }, { event: 'manual', slashCommand: { command: 'talk' } }],
    steps: [
      {
        id: 'talk',
        action: 'agent.session',
        instruction: 'Answer every comment.',
        params: {
          goal: 'Talk',
          agentIds: ['reviewer'],
          listenToComments: listens,
          keepSessionOpenForComments: true,
          exitCriteria: { timeLimit: { maxDurationMinutes: 30 }, userSignals: { explicit: ['/done'] } },
        },
      },
    ],
    agentRefs: {},
  });

/** Answers with the numbers it was asked for, once each, in the order it heard them. */
function echo(call: Call): Reply {
  if (!call.offers('delegate_to_sub_agent')) return { text: 'ok' };
  const asked = call.userTexts.join('\n').match(/question \d+/g) ?? [];
  const told = call.done('task_completed').flatMap((step) => String(step.input.message).match(/question \d+/g) ?? []);
  const fresh = [...new Set(asked)].filter((one) => !told.includes(one));
  return { tools: [{ name: 'task_completed', input: { message: fresh.length > 0 ? `heard ${fresh.join(', ')}` : 'ready' } }] };
}

async function openTalk(listens = true) {
  stage = await Stage.open(inject('redisUrl'), { director: echo });
  const { github } = stage;
  const repo = await github.createRepository('acme/app', {
    'a.txt': 'a\n',
    '.overcut/workflow.json': WORKFLOW(listens),
    '.overcut/agents/reviewer.md': AGENT,
  });
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  const mallory = github.person('mallory', {});
  await stage.addServer();
  await alice.push(repo, 'feature', { 'a.txt': 'b\n' });
  const pull = await alice.openPull(repo, { head: 'feature', title: 'Change' });
  const said = () =>
    github
      .comments(repo, pull.number)
      .filter((one) => one.author === github.bot)
      .map((one) => one.body);
  const ended = () => github.checks(repo).every((check) => check.status === 'completed');
  await until('the session waits', () => said().some((body) => body.includes('ready')) && said().some((body) => body.includes('💬')));
  return { stage, github, repo, alice, mallory, number: pull.number, said, ended };
}

describe('a session that stays open', () => {
  it('answers comments once each, in order, marks them, and ends by the exact signal of somebody who may', async () => {
    const { github, repo, alice, mallory, number, said, ended } = await openTalk();
    const questions = Array.from({ length: 6 }, (_, k) => alice.comment(repo, number, `question ${k}`));
    await until('all are answered', () =>
      Array.from({ length: 6 }, (_, k) => k).every((k) => said().some((body) => body.includes(`question ${k}`))),
    );
    const heard = said().flatMap((body) => body.match(/question \d/g) ?? []);
    expect(heard).toEqual(['question 0', 'question 1', 'question 2', 'question 3', 'question 4', 'question 5']);
    await until('they are marked', () =>
      questions.every((question) => ['eyes', 'rocket'].every((content) => question.reactions.some((one) => one.content === content))),
    );
    for (const text of ['/done.', '/Done', '> /done', '```\n/done\n```', 'I am /done now', '/done /done'])
      alice.comment(repo, number, text);
    const strange = mallory.comment(repo, number, '/done');
    await until('the stranger is refused', () => strange.reactions.some((one) => one.content === 'confused'));
    alice.comment(repo, number, 'question 7');
    await until('it still listens', () => said().some((body) => body.includes('question 7')));
    expect(ended()).toBe(false);
    const before = Date.now();
    alice.comment(repo, number, '/done');
    await until('it ended', () => ended() && said().some((body) => body.includes('✅')));
    expect(Date.now() - before).toBeLessThan(5_000);
    expect(github.defects).toEqual([]);
  });

  it('waits without a job, and hears a comment after its process was killed', async () => {
    const { stage: own, repo, alice, number, said } = await openTalk(false);
    const [first] = own.servers;
    await first?.kill();
    await first?.start();
    alice.comment(repo, number, 'question 1');
    await until('it is answered', () => said().some((body) => body.includes('question 1')));
    expect(said().filter((body) => body.includes('question 1'))).toHaveLength(1);
  });

  it('obeys /why, /status, /help, /cancel and /retry of people with write permission only', async () => {
    const { github, repo, alice, mallory, number, said, ended } = await openTalk();
    const strange = mallory.comment(repo, number, '/cancel');
    await until('the stranger is refused', () => strange.reactions.some((one) => one.content === 'confused'));
    alice.comment(repo, number, '/why');
    await until('/why', () => said().some((body) => body.includes('What was decided') && body.includes('pull_request_opened')));
    alice.comment(repo, number, '/status');
    await until('/status', () => said().some((body) => body.includes('Runs here') && body.includes('WaitingForReply')));
    alice.comment(repo, number, '/help');
    await until('/help', () => said().some((body) => body.includes('/talk')));
    expect(ended()).toBe(false);
    alice.comment(repo, number, '/cancel');
    await until('/cancel', () => ended() && said().some((body) => body.includes('cancelled by')));
    alice.comment(repo, number, '/retry');
    await until('/retry', () => github.checks(repo).length === 2);
    expect(github.checks(repo).filter((check) => check.conclusion === 'cancelled')).toHaveLength(1);
  });
});
