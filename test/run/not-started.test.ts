import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GitHub } from '../../src/demo/github/github.ts';
import { GitHubApp } from '../../src/github/client.ts';
import { Configurations } from '../../src/github/configuration.ts';
import { Permissions } from '../../src/github/permission.ts';
import { Intake } from '../../src/run/intake.ts';
import { agentStep, House } from '../session/house.ts';

let house: House;
let github: GitHub;
let app: GitHubApp;
let intake: Intake;
const taken = new Set<number>();

beforeAll(async () => {
  [house, github] = await Promise.all([House.open(), GitHub.start()]);
  const { id, privateKey, webhookSecret } = github.app;
  app = new GitHubApp({
    appId: id,
    privateKey,
    webhookSecret,
    apiUrl: github.apiUrl,
    version: '0.0.0',
    log: pino({ level: 'silent' }),
  });
  const { services } = house.process();
  intake = new Intake({ services, app, configurations: new Configurations(), permissions: new Permissions() });
  app.onDelivery((delivery) => intake.handle(delivery));
});
afterAll(async () => {
  await app.close();
  await Promise.all([house.close(), github.stop()]);
});

const WORKFLOW = JSON.stringify({ name: 'Look', triggers: [{ event: 'pull_request_opened' }], steps: [agentStep('a')] });

/** A pull request of a repository with these settings, taken in. */
async function open(name: string, settings: string) {
  const files = {
    'a.txt': 'a\n',
    '.overcut/workflow.json': WORKFLOW,
    '.overcut/agents/a.md': '---\nname: A\ntype: CodeReview\n---\nYou look.\n',
    '.overcut/settings.json': settings,
  };
  const { id } = await github.createRepository(name, files);
  github.install(name);
  const writer = github.person(`writer${id}`, { [name]: 'write' });
  await writer.push(name, 'feature', { 'a.txt': 'b\n' });
  const { number } = await writer.openPull(name, { head: 'feature', title: 'Change' });
  for (const delivery of github.hooks.deliveries.filter((one) => !taken.has(one.id))) {
    taken.add(delivery.id);
    await intake.take({ id: delivery.guid, event: delivery.event, body: delivery.body.toString() });
  }
  const [decision] = await house.store.decisions.list(id, `${id}:pr:${number}`);
  const [run] = await house.store.runsOf(`${id}:pr:${number}`, 1);
  return { decision, run };
}

it('a run for which no budget is left is not started, and its check says why', async () => {
  const { decision, run } = await open('acme/spent', '{ "limits": { "repository": { "dollars": 0 } } }');
  const reason = 'budget: the budget of this repository today ($0.00 of $0.00) is used up; it is whole again at midnight (UTC)';
  expect([decision?.verdict, decision?.reason, run]).toEqual(['not matched', reason, undefined]);
  const effects = [...house.effects].filter(([key]) => key.includes(':check')).map(([, { effect }]) => effect);
  expect(effects).toMatchObject([
    { type: 'check.create', name: 'Look', output: { title: 'Not started', summary: expect.stringContaining(reason) } },
  ]);
});

it('a run keeps to the limits as its repository narrowed them, and not to wider ones', async () => {
  const { run = '' } = await open('acme/narrow', '{ "limits": { "run": { "dollars": 2, "tokens": null }, "session": { "turns": 3 } } }');
  const [start] = await house.entriesOf(run, 'run.started');
  expect(start?.start.limits).toMatchObject({ run: { dollars: 2, tokens: 50_000_000 }, session: { turns: 3, toolCalls: 2000 } });
});

it('while settings of a repository have mistakes nothing runs', async () => {
  const { decision, run } = await open('acme/broken', '{\n"limits": { "runs": {} } }');
  expect(run).toBeUndefined();
  expect(decision?.reason).toMatch(/^\.overcut\/settings\.json has mistakes: line 2: .*did you mean "run"/);
});
