import { afterEach, expect, inject, it } from 'vitest';
import { AGENT, BASE, direct, EXPECTED, HEAD, threadsOn, WORKFLOW } from './small-review.ts';
import { areChecksOver, Stage, until } from './stage.ts';

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

const NAME = 'Pitwall configuration';
const FAULTY = `{
  "name": "Evil CANARY",
  "triggers": [{ "event": "pull_request_openend" }],
  "steps": [
    { "id": "x", "action": "agent.run", "instruction": "CANARY-instruction", "params": { "agentId": "nobody" } }
  ],
  "flow": [{ "from": "", "to": "x" }]
}
`;
const FIXED = FAULTY.replace('openend', 'opened').replace('nobody', 'reviewer');

async function settle(own: Stage) {
  const { github } = own;
  const repo = await github.createRepository('acme/app', BASE, { private: false });
  github.install(repo);
  await own.addServer();
  const alice = github.person('alice', { [repo.fullName]: 'write' });
  const untilEnded = (number: number) =>
    until(`the run on ${number} ended`, () => github.comments(repo, number).some((comment) => comment.body.includes('✅')));
  const untilChecked = (sha: string) =>
    until(`the check on ${sha}`, () => github.checks(repo, sha).find((check) => check.name === NAME && check.status === 'completed'));
  return { repo, alice, untilEnded, untilChecked };
}

it('proposed configuration is checked line by line, and nothing of it runs', async () => {
  stage = await Stage.open(inject('redisUrl'), { director: direct });
  const { github, model } = stage;
  const { repo, alice, untilEnded, untilChecked } = await settle(stage);
  const path = '.overcut/workflows/evil.json';
  const first = await alice.push(repo, 'feature', { ...HEAD, [path]: FAULTY, '.overcut/agents/reviewer.md': 'CANARY-agent' });
  const pull = await alice.openPull(repo, { head: 'feature', title: 'Change' });
  const faulty = await untilChecked(first);
  expect(faulty.conclusion).toBe('failure');
  expect(faulty.annotations.map((one) => `${one.annotation_level} ${one.path}:${one.start_line}`).sort()).toEqual([
    'failure .overcut/agents/reviewer.md:1',
    `failure ${path}:3`,
    `failure ${path}:5`,
  ]);
  expect(faulty.output.summary).toContain('no: it has errors');
  await untilEnded(pull.number);

  const second = await alice.push(repo, 'feature', { [path]: FIXED, '.overcut/agents/reviewer.md': AGENT });
  const fixed = await untilChecked(second);
  expect([fixed.conclusion, fixed.output.title, fixed.annotations]).toEqual(['success', 'Valid: 2 workflows, 1 agent', []]);
  expect(fixed.output.summary).toMatch(/\| Evil CANARY \(`.overcut\/workflows\/evil.json`\) \| yes \| no: /);
  expect(fixed.output.summary).toContain('until then the version of `main` is what runs');

  expect(threadsOn(github, repo.fullName, pull.number)).toEqual(EXPECTED);
  expect(
    github
      .checks(repo)
      .map((check) => check.name)
      .sort(),
  ).toEqual([NAME, NAME, 'Small review']);
  const told = JSON.stringify(model.requests.map((request) => request.request));
  expect(told).toContain('Delegate each changed file');
  expect(told).not.toContain('CANARY');
  expect(github.defects).toEqual([]);
});

it('a stranger’s fork and a linked folder are checked too; a pull request that leaves configuration alone is not', async () => {
  stage = await Stage.open(inject('redisUrl'), { director: direct });
  const { github } = stage;
  const { repo, alice, untilEnded, untilChecked } = await settle(stage);
  const mallory = github.person('mallory');
  const fork = await mallory.fork(repo);
  const many = Array.from({ length: 120 }, (_, k) => `  "unknown${k}": ${k},`).join('\n');
  const foreign = await mallory.push(fork, 'foreign', { '.overcut/workflow.json': `{\n${many}\n${WORKFLOW.slice(1)}` });
  github.fault({ on: 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', status: 502, when: 'after' });
  await mallory.openPull(repo, { head: 'foreign', fork, title: 'Foreign' });
  const warned = await untilChecked(foreign);
  expect(warned.conclusion).toBe('neutral');
  expect(warned.annotations.map((one) => one.start_line)).toEqual(Array.from({ length: 120 }, (_, k) => k + 2));
  expect(warned.output.summary).toContain('It comes from a fork');

  const linked = await alice.push(repo, 'linked', {
    '.overcut/workflow.json': null,
    '.overcut/agents/reviewer.md': null,
    '.overcut': { symlink: 'evil' },
  });
  await alice.openPull(repo, { head: 'linked', title: 'Linked' });
  const refused = await untilChecked(linked);
  expect([refused.conclusion, refused.annotations.map((one) => one.path)]).toEqual(['failure', ['.overcut']]);

  const plain = await alice.push(repo, 'plain', HEAD);
  await alice.push(repo, 'main', { '.overcut/agents/other.md': AGENT });
  const pull = await alice.openPull(repo, { head: 'plain', title: 'Plain' });
  await untilEnded(pull.number);
  const listed = `/pulls/${pull.number}/files`;
  await until('its files were looked at', () => github.log.some((entry) => entry.path.includes(listed) && entry.status === 200));
  await until('its checks ended', () => areChecksOver(github, repo, plain));
  expect(github.checks(repo, plain).map((check) => check.name)).toEqual(['Small review']);
  expect(github.checks(repo).filter((check) => check.name === NAME)).toHaveLength(2);
  expect(github.defects).toEqual([]);
});
