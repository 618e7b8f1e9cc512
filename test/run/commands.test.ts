import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { agentStep, session } from '../session/house.ts';
import { Office, type Place, workflow } from './office.ts';

let office: Office;
beforeAll(async () => {
  office = await Office.open();
});
afterAll(() => office.close());
afterEach(() => office.house.effects.clear());

const manual = (command: string, more: object = {}) => ({ event: 'manual', slashCommand: { command }, ...more });
const names = async (at: Place) => (await office.runsOf(at.id)).map((start) => start.workflow.name);

describe('a command for a workflow that works on a failed CI run', () => {
  const FIX = workflow('Fix', [manual('fix')], {
    steps: [agentStep('a', { instruction: 'See run {{trigger.ciWorkflow.runId}} of {{trigger.ciWorkflow.branch}}.' })],
  });
  const CLONE = workflow('Clone', [manual('clone')], { steps: [agentStep('a', { instruction: 'On {{trigger.ciWorkflow.branch}}.' })] });

  async function settled() {
    const at = await office.settle({ fix: FIX, clone: CLONE, other: workflow('Other', [manual('other')]) });
    const number = await office.openPull(at);
    await office.takeAll();
    const say = async (text: string) => {
      at.wanda.comment(at.name, number, text);
      await office.takeAll();
      return (await office.runsOf(at.id)).at(-1);
    };
    const head = () => {
      const pull = office.github.item(at.name, number).pull;
      if (!pull) throw new Error('no pull request');
      return { ref: pull.headRef, sha: pull.headSha };
    };
    return { ...at, number, say, head };
  }

  it('is refused with the reason where the newest commit has none, and started with the newest where it has', async () => {
    const at = await settled();
    await at.say('/fix');
    expect(await names(at)).toEqual([]);
    const [told = ''] = office.said();
    expect(told).toMatch(
      /^`\/fix` started nothing: it works on a failed CI run, and GitHub knows none of the newest commit \([0-9a-f]{7}\)\.$/,
    );
    const head = at.head();
    const make = (name: string) => at.wanda.runWorkflow(at.name, { name, sha: head.sha, branch: head.ref });
    const [old, failed, green] = [make('old'), make('tests'), make('lint')];
    at.wanda.endWorkflow(at.name, old, 'failure');
    at.wanda.endWorkflow(at.name, failed, 'failure');
    at.wanda.endWorkflow(at.name, green, 'success');
    await office.takeAll();
    const start = await at.say('/fix');
    expect(start).toMatchObject({ workflow: { name: 'Fix' } });
    expect(start?.event.context.ciWorkflow).toMatchObject({ runId: failed.id, workflowName: 'tests', status: 'Failed', branch: head.ref });
  });

  it('that only names its branch needs no run, and one that says nothing of CI is told nothing', async () => {
    const at = await settled();
    const start = await at.say('/clone');
    const head = at.head();
    expect(start?.event.context.ciWorkflow).toMatchObject({ runId: '', branch: head.ref, commitSha: head.sha });
    expect((await at.say('/other'))?.event.context.ciWorkflow).toBeUndefined();
  });

  it('on an issue says that it is none', async () => {
    const at = await settled();
    const { number } = await at.wanda.openIssue(at.name, { title: 'Help' });
    at.wanda.comment(at.name, number, '/fix');
    await office.takeAll();
    expect(office.said().at(-1)).toContain('this is no pull request');
  });
});

describe('a command whose conditions do not hold', () => {
  it('is answered to a person who may command, and gets a reaction where they may not', async () => {
    const conditions = { combinator: 'and', rules: [{ field: 'context.pullRequest.baseBranch', operator: 'equals', value: 'release' }] };
    const at = await office.settle({ ship: workflow('Ship', [manual('ship', { conditions })]) });
    const number = await office.openPull(at);
    await office.takeAll();
    at.wanda.comment(at.name, number, '/ship');
    at.eve.comment(at.name, number, '/ship');
    at.wanda.comment(at.name, number, '/unknown');
    await office.takeAll();
    const [told = '', reaction, ...more] = office.said();
    expect(told).toMatch(/^`\/ship` started nothing: manual: condition not met: .*release.*main/);
    expect([reaction, ...more]).toEqual(['confused']);
  });
});

describe('a command that the app itself wrote', () => {
  const TALK = workflow('Talk', [{ event: 'pull_request_opened' }], {
    steps: [session('a', { keepSessionOpenForComments: true, listenToComments: true })],
  });
  const NEXT = workflow('Next', [manual('next'), { event: 'pull_request_commented' }]);

  async function opened() {
    const at = await office.settle({ talk: TALK, next: NEXT });
    const number = await office.openPull(at);
    await office.takeAll();
    const [first] = await office.runsOf(at.id);
    const api = await office.app.api(await office.app.installationOf(at.name), at.id, 'review');
    const [owner = '', repo = ''] = at.name.split('/');
    const write = async (body: string) => {
      await api.rest.issues.createComment({ owner, repo, issue_number: number, body });
      await office.takeAll();
    };
    return { ...at, number, run: first?.run ?? '', write };
  }

  it('queues behind the run that wrote it; only the first word of its comment counts', async () => {
    const at = await opened();
    await office.house.store.lanes.enter(`${at.id}:pr:${at.number}`, at.run, 5);
    await at.write('I would say\n/next');
    await at.write('@overcut /next');
    await at.write('/why');
    expect(await names(at)).toEqual(['Talk']);
    expect(office.said()).toEqual([]);
    await at.write('/next please');
    expect(await office.runsOf(at.id)).toMatchObject([
      { workflow: { name: 'Talk' } },
      { workflow: { name: 'Next' }, chain: 1, trust: 'trusted' },
    ]);
    expect(await office.house.store.cancels.reasonOf(at.run)).toBeNull();
  });

  it('ends a session that only waits for replies', async () => {
    const at = await opened();
    office.house.play = () => ({ calls: [{ name: 'task_completed', input: { message: '/next' } }] });
    expect(await office.house.process().drive(at.run)).toContain('a reply');
    await at.write('/next');
    expect(await office.house.store.cancels.reasonOf(at.run)).toContain('started "Next" by /next');
  });

  it('is trusted no further than the run that may have written it', async () => {
    const at = await office.settle({ triage: workflow('Triage', [{ event: 'issue_opened' }]), next: NEXT });
    const { number } = await at.eve.openIssue(at.name, { title: 'Help' });
    await office.takeAll();
    const api = await office.app.api(await office.app.installationOf(at.name), at.id, 'review');
    const [owner = '', repo = ''] = at.name.split('/');
    await api.rest.issues.createComment({ owner, repo, issue_number: number, body: '/next' });
    await office.takeAll();
    expect((await office.runsOf(at.id)).map(({ trust }) => trust)).toEqual(['untrusted', 'untrusted']);
  });
});
