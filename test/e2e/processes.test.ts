import { afterEach, expect, inject, it } from 'vitest';
import { AGENT, BASE, direct, EXPECTED, HEAD, threadsOn, WORKFLOW } from './small-review.ts';
import { Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

/** The processes that wrote the journals of delegations, as the entries tell: each writer signs with its own nonce. */
async function writersOfDelegations(stage: Stage): Promise<Set<string>> {
  const redis = await stage.connection();
  const keys = await redis.keys(`${stage.prefix}:journal:*~*`);
  const rows = await Promise.all(keys.map((key) => redis.xrange(key, '-', '+')));
  return new Set(
    rows.flatMap((row) =>
      row
        .map(([, fields]) => fields[1] ?? '')
        .filter((nonce) => !nonce.startsWith('create-'))
        .map((nonce) => nonce.split('-')[0] ?? ''),
    ),
  );
}

const WIDTH = 12;

it('delegations of one run land on both of two processes with different data folders, and the results are equal', async () => {
  stage = await Stage.open(inject('redisUrl'), {
    latencyMs: 60,
    director(call) {
      if (!call.offers('delegate_to_sub_agent')) {
        const k = /\[\[part (\d+)\]\]/.exec(call.userTexts.join('\n'))?.[1];
        const [read] = call.done('read_file');
        return read ? { text: `part ${k}: ${(read.result ?? '').trim()}` } : { tools: [{ name: 'read_file', input: { path: 'a.txt' } }] };
      }
      const done = call.done('delegate_to_sub_agent');
      if (done.length > 0) return { tools: [{ name: 'task_completed', input: { message: done.map((step) => step.result).join('\n') } }] };
      return {
        tools: Array.from({ length: WIDTH }, (_, k) => ({
          name: 'delegate_to_sub_agent',
          input: { agentId: 'reviewer', instructions: `[[part ${k}]]` },
        })),
      };
    },
  });
  const { github } = stage;
  const repo = await github.createRepository('acme/app', {
    ...BASE,
    '.overcut/workflow.json': WORKFLOW,
    '.overcut/agents/reviewer.md': AGENT,
  });
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  await Promise.all([stage.addServer(), stage.addServer()]);
  await alice.push(repo, 'feature', { 'a.txt': 'the same for all\n' });
  const pull = await alice.openPull(repo, { head: 'feature', title: 'Change' });
  const status = await until('the run ended', () => github.comments(repo, pull.number).find((comment) => comment.body.includes('✅')));
  const parts = Array.from({ length: WIDTH }, (_, k) => `part ${k}: the same for all`);
  expect(parts.filter((part) => !status.body.includes(part))).toEqual([]);
  expect((await writersOfDelegations(stage)).size).toBe(2);
});

it('a review stands once, on its lines, and a stop hands over without a word lost', async () => {
  stage = await Stage.open(inject('redisUrl'), { director: direct, latencyMs: 20 });
  const { github } = stage;
  const repo = await github.createRepository('acme/app', BASE);
  github.install(repo);
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  const first = await stage.addServer();
  const second = await stage.addServer();
  await alice.push(repo, 'feature', HEAD);
  const pull = await alice.openPull(repo, { head: 'feature', title: 'Change' });
  await until('a delegation is asked', () => stage?.model.requests.some((request) => request.call?.offers('read_file')));
  github.hooks.target = second.url;
  expect(await first.stop()).toBe(0);
  await until('the run ended', () => github.comments(repo, pull.number).find((comment) => comment.body.includes('✅')));
  expect(threadsOn(github, repo.fullName, pull.number)).toEqual(EXPECTED);
  expect(github.reviews(repo, pull.number).filter((review) => review.state === 'COMMENTED')).toHaveLength(1);
  expect(github.defects).toEqual([]);
});
