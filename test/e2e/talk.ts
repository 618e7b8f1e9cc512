import type { Call, Reply } from '../../src/demo/model/call.ts';
import { AGENT } from './small-review.ts';
import { areChecksOver, type Stage, until } from './stage.ts';

/** A repository whose sessions stay open and answer every comment; `listens`: also while they work. `/talk` starts one too. */
export function talkFiles(listens = true): Record<string, string> {
  const workflow = {
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
  };
  return { 'a.txt': 'a\n', '.overcut/workflow.json': JSON.stringify(workflow), '.overcut/agents/reviewer.md': AGENT };
}

/** Answers with the numbers it was asked for, once each, in the order it heard them. */
export function echo(call: Call): Reply {
  if (!call.offers('delegate_to_sub_agent')) return { text: 'ok' };
  const asked = call.userTexts.join('\n').match(/question \d+/g) ?? [];
  const told = call.done('task_completed').flatMap((step) => String(step.input.message).match(/question \d+/g) ?? []);
  const fresh = [...new Set(asked)].filter((one) => !told.includes(one));
  return { tools: [{ name: 'task_completed', input: { message: fresh.length > 0 ? `heard ${fresh.join(', ')}` : 'ready' } }] };
}

/** A pull request of alice's, who may write, in a repository with these files. Mallory may not even read it. */
export async function openPull({ github }: Stage, name: string, { files, head }: Record<'files' | 'head', Record<string, string>>) {
  const repo = await github.createRepository(name, files);
  github.install(repo);
  const [alice, mallory] = [github.person('alice', { [repo.fullName]: 'write' }), github.person('mallory', {})];
  await alice.push(repo, 'feature', head);
  const { number } = await alice.openPull(repo, { head: 'feature', title: 'Change' });
  const comments = () => github.comments(repo, number).filter((one) => one.author === github.bot);
  const said = () => comments().map((one) => one.body);
  const ended = () => areChecksOver(github, repo);
  return { github, repo, alice, mallory, number, said, ended };
}

/** A pull request whose session has said that it is ready, and waits for comments. */
export async function openTalk(stage: Stage, { name = 'acme/app', listens = true } = {}) {
  const talk = await openPull(stage, name, { files: talkFiles(listens), head: { 'a.txt': 'b\n' } });
  await until('the session waits', () => ['ready', '💬'].every((word) => talk.said().some((body) => body.includes(word))));
  return talk;
}
