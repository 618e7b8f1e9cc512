import { afterEach, expect, inject, it } from 'vitest';
import type { Call } from '../../src/demo/model/call.ts';
import { AGENT } from './small-review.ts';
import { Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

const WORKFLOW = JSON.stringify({
  name: 'Look',
  triggers: [{ event: 'pull_request_opened' }, { event: 'manual', slashCommand: { command: 'look' } }],
  steps: [{ id: 'look', action: 'agent.run', instruction: 'Look at {{trigger.pullRequest.headSha}}.', params: { agentId: 'reviewer' } }],
});

it('a stranger’s pull request from a fork runs only for the commit that a person with write permission allowed, and as far as they said', async () => {
  /** Each run by its first question: the commit it was told to look at, and whether it may remember things. */
  const asked: string[] = [];
  const director = (call: Call) => {
    const sha = /Look at ([0-9a-f]{40})\./.exec(call.userTexts.join('\n'))?.[1];
    if (call.first) asked.push(`${sha} ${call.offers('memory_write') ? 'trusted' : 'untrusted'}`);
    return { text: 'looked' };
  };
  stage = await Stage.open(inject('redisUrl'), { director });
  const { github } = stage;
  const files = { 'a.txt': 'a\n', '.overcut/workflow.json': WORKFLOW, '.overcut/agents/reviewer.md': AGENT };
  const repo = await github.createRepository('acme/app', files, { private: false });
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  const mallory = github.person('mallory', {});
  await stage.addServer();

  const fork = await mallory.fork(repo);
  const first = await mallory.push(fork, 'feature', { 'a.txt': 'one\n' });
  const { number } = await mallory.openPull(repo, { head: 'feature', fork, title: 'Change' });
  const word = (sha: string) => github.checks(repo, sha).find(({ name }) => name === 'Pitwall approval')?.output.title;
  const runs = (sha: string) =>
    github.checks(repo, sha).filter(({ name, conclusion }) => name === 'Look' && conclusion === 'success').length;
  const bodies = () => github.comments(repo, number).flatMap(({ author, body }) => (author === github.bot ? [body] : []));
  const say = (who: typeof alice, text: string) => who.comment(repo, number, text);
  const answered = (words: string) => until(words, () => bodies().some((body) => body.includes(words)));

  await until('the check asks', () => word(first) === 'Waiting for /ok-to-run');
  const strange = say(mallory, '/ok-to-run');
  await until('the stranger is refused', () => strange.reactions.some(({ content }) => content === 'confused'));
  say(alice, '/look');
  await answered('`/look` started nothing');
  expect(asked).toEqual([]);

  const allowed = say(alice, '/ok-to-run');
  await until('it ran', () => runs(first) === 1);
  expect(asked).toEqual([`${first} untrusted`]);
  expect(word(first)).toBe('Allowed by `@alice`');
  expect(allowed.reactions.map(({ content }) => content)).toContain('rocket');
  say(alice, '/ok-to-run');
  await answered('nothing is started twice');
  expect(asked).toHaveLength(1);

  const second = await mallory.push(fork, 'feature', { 'a.txt': 'two\n' });
  await until('the push took it back', () => word(second) === 'Waiting for /ok-to-run');
  expect(asked).toHaveLength(1);
  say(alice, '/ok-to-run trusted');
  await until('it ran again', () => runs(second) === 1);
  expect(asked).toEqual([`${first} untrusted`, `${second} trusted`]);

  await alice.push(repo, 'own', { 'a.txt': 'three\n' });
  const own = await alice.openPull(repo, { head: 'own', title: 'Own' });
  alice.comment(repo, own.number, '/ok-to-run');
  await until('there is nothing to allow', () => github.comments(repo, own.number).some(({ body }) => body.includes('not from a fork')));
  expect(github.defects).toEqual([]);
});
