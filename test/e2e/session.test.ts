import { afterEach, describe, expect, inject, it } from 'vitest';
import { Stage, until } from './stage.ts';
import { echo, openTalk } from './talk.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

async function begin(listens = true) {
  stage = await Stage.open(inject('redisUrl'), { director: echo });
  const server = await stage.addServer();
  return { server, ...(await openTalk(stage, { listens })) };
}

describe('a session that stays open', () => {
  it('answers comments once each, in order, marks them, and ends by the exact signal of somebody who may', async () => {
    const { github, repo, alice, mallory, number, said, ended } = await begin();
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
    expect(Date.now() - before).toBeLessThan(15_000);
    expect(github.defects).toEqual([]);
  });

  it('waits without a job, and hears a comment after its process was killed', async () => {
    const { server, repo, alice, number, said } = await begin(false);
    await server.kill();
    await server.start();
    alice.comment(repo, number, 'question 1');
    await until('it is answered', () => said().some((body) => body.includes('question 1')));
    expect(said().filter((body) => body.includes('question 1'))).toHaveLength(1);
  });

  it('obeys /why, /status, /help, /cancel and /retry of people with write permission only', async () => {
    const { github, repo, alice, mallory, number, said, ended } = await begin();
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
