import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { GitHub } from '../../src/demo/github/github.ts';
import type { Services } from '../../src/session/services.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { agentStep, type House, over } from '../session/house.ts';
import { Office, OPENED, type Place, workflow } from './office.ts';

let office: Office;
let house: House;
let github: GitHub;
let services: Services;

beforeAll(async () => {
  office = await Office.open();
  ({ house, github, services } = office);
});
afterAll(() => office.close());
afterEach(() => {
  services.settings = defaultSettings();
});

const settle = (workflows: Record<string, string>) => office.settle(workflows);
const takeAll = () => office.takeAll();
const openPull = (at: Place, title?: string) => office.openPull(at, title);
const runsOf = (repository: number) => office.runsOf(repository);
const decisions = (...of: Parameters<Office['decisions']>) => office.decisions(...of);

describe('a delivery', () => {
  it('starts a run that knows all it needs, wakes it, and says why', async () => {
    const at = await settle({ review: workflow('Review') });
    const number = await openPull(at);
    await takeAll();
    const [start, ...more] = await runsOf(at.id);
    expect(more).toEqual([]);
    expect(start).toMatchObject({
      workflow: { path: '.overcut/workflows/review.json', name: 'Review', sha: expect.stringMatching(/^[0-9a-f]{40}$/) },
      agents: [{ id: 'a', name: 'A', type: 'CodeReview' }],
      event: { name: 'pull_request_opened', resource: { kind: 'pr', number }, actor: { login: 'wanda' } },
      trust: 'trusted',
    });
    expect(await house.waiting('runs')).toContain(start?.run);
    expect(await decisions(at.id, number)).toEqual([
      { event: 'pull_request_opened', workflow: 'Review', verdict: 'started', reason: 'trigger pull_request_opened' },
    ]);
  });

  it('that comes again, or whose body comes under another id, starts nothing', async () => {
    const at = await settle({ review: workflow('Review') });
    await openPull(at);
    const [opened] = (await takeAll()).filter(({ event }) => event === 'pull_request');
    const body = opened?.body.toString() ?? '';
    await office.intakeOf(services).take({ id: opened?.guid ?? '', event: 'pull_request', body });
    await office.intakeOf(services).take({ id: randomUUID(), event: 'pull_request', body });
    await Promise.all([1, 2, 3].map(() => office.intakeOf(services).take({ id: randomUUID(), event: 'pull_request', body })));
    expect(await runsOf(at.id)).toHaveLength(1);
  });

  it('whose body was sent under the name of an event that starts nothing starts its run all the same; after that it starts nothing under any name', async () => {
    const at = await settle({ review: workflow('Review', [OPENED, { event: 'pull_request_edited' }]) });
    const number = await openPull(at);
    const opened = github.hooks.deliveries.findLast(({ event }) => event === 'pull_request');
    const body = opened?.body.toString() ?? '';
    for (const event of ['ping', 'push', 'check_suite', 'issues', '__proto__'])
      await office.intakeOf(services).take({ id: randomUUID(), event, body });
    await takeAll();
    expect(await runsOf(at.id)).toHaveLength(1);
    at.wanda.comment(at.name, number, 'a remark');
    const comment = github.hooks.deliveries.findLast(({ event }) => event === 'issue_comment');
    const edited = { ...comment?.payload, action: 'edited' };
    for (const event of ['issue_comment', 'issues', 'pull_request'])
      await office.intakeOf(services).take({ id: randomUUID(), event, body: JSON.stringify(edited) });
    expect(await runsOf(at.id)).toHaveLength(1);
  });

  it('that was cut off half way goes on under its own claim, and starts its run once', async () => {
    const at = await settle({ review: workflow('Review') });
    const number = await openPull(at);
    const record = () => Promise.reject(new Error('cut off'));
    const dying = { ...services, store: over(services.store, { decisions: over(services.store.decisions, { record }) }) };
    const [opened] = github.hooks.deliveries.filter(({ event }) => event === 'pull_request').slice(-1);
    const given = { id: opened?.guid ?? '', event: 'pull_request', body: opened?.body.toString() ?? '' };
    const first = office.intakeOf(dying);
    await office.with(first, () => expect(first.take(given)).rejects.toThrow('cut off'));
    await takeAll();
    expect(await runsOf(at.id)).toHaveLength(1);
    expect(await decisions(at.id, number)).toHaveLength(1);
  });

  it('that is given up says so where its pull request is, starts nothing, and starts its run when it is sent again', async () => {
    const at = await settle({ review: workflow('Review') });
    const number = await openPull(at);
    const opened = github.hooks.deliveries.findLast(({ event }) => event === 'pull_request');
    const delivery = { id: opened?.guid ?? '', event: 'pull_request', body: opened?.body.toString() ?? '' };
    const intake = office.intakeOf(services);
    await intake.giveUp({ ...delivery, body: 'not even read' }, 'it crashed 10 times', { unread: true });
    expect(await decisions(at.id, number)).toEqual([]);
    await intake.giveUp(delivery, 'it crashed 7 times', { unread: false });
    expect(await decisions(at.id, number)).toEqual([
      { event: 'pull_request_opened', workflow: null, verdict: 'not matched', reason: 'it crashed 7 times' },
    ]);
    expect(await runsOf(at.id)).toEqual([]);
    await intake.take(delivery);
    expect(await runsOf(at.id)).toHaveLength(1);
  });

  it('starts every workflow that waits for it, and records why another does not', async () => {
    const condition = { combinator: 'and', rules: [{ field: 'context.pullRequest.title', operator: 'contains', value: 'docs' }] };
    const at = await settle({
      one: workflow('One'),
      two: workflow('Two'),
      docs: workflow('Docs', [{ ...OPENED, conditions: condition }]),
      issues: workflow('Issues', [{ event: 'issue_opened' }]),
    });
    const number = await openPull(at, 'Fix it');
    await takeAll();
    expect((await runsOf(at.id)).map(({ workflow: { name } }) => name).sort()).toEqual(['One', 'Two']);
    const why = Object.fromEntries(
      (await decisions(at.id, number)).map(({ workflow: name, verdict, reason }) => [name, `${verdict}: ${reason}`]),
    );
    expect(why.One).toBe('started: trigger pull_request_opened');
    expect(why.Docs).toMatch(/^not matched: pull_request_opened: condition not met: .*Fix it/);
    expect(why.Issues).toBe('not matched: no trigger for pull_request_opened; it waits for issue_opened');
  });

  it('that several triggers of one workflow match starts it once', async () => {
    const at = await settle({
      talk: workflow('Talk', [{ event: 'mention' }, { event: 'pull_request_commented' }, OPENED, OPENED]),
    });
    const number = await openPull(at);
    await takeAll();
    expect(await runsOf(at.id)).toHaveLength(1);
    at.wanda.comment(at.name, number, '@overcut have a look');
    await takeAll();
    const [only, ...more] = await runsOf(at.id);
    expect(more).toEqual([]);
    expect(only?.event.name).toBe('mention');
  });

  it('that holds a command starts what waits for the command, and neither mention nor comment triggers', async () => {
    const at = await settle({
      review: workflow('Review', [{ event: 'manual', slashCommand: { command: 'review' } }]),
      chat: workflow('Chat', [{ event: 'pull_request_commented' }, { event: 'mention' }]),
      both: workflow('Both', [{ event: 'pull_request_commented' }, { event: 'manual', slashCommand: { command: 'review' } }]),
    });
    const number = await openPull(at);
    await takeAll();
    at.wanda.comment(at.name, number, '@overcut /review the tests');
    await takeAll();
    const started = (await runsOf(at.id)).map(({ workflow: { name }, event }) => `${name} by ${event.name}`).sort();
    expect(started).toEqual(['Both by manual', 'Review by manual']);
    const chat = (await decisions(at.id, number)).filter(({ workflow: name, event }) => name === 'Chat' && event !== 'pull_request_opened');
    expect(chat.filter(({ event }) => event !== 'manual').map(({ reason }) => reason)).toEqual(
      Array.from({ length: 2 }, () => 'a command or another event of the same delivery started a workflow'),
    );
    at.wanda.comment(at.name, number, 'just talking, /unheard of');
    await takeAll();
    const later = (await runsOf(at.id)).map(({ workflow: { name }, event }) => `${name} by ${event.name}`).sort();
    expect(later).toEqual(['Both by pull_request_commented', 'Chat by pull_request_commented', 'Review by manual']);
  });

  it('of a repository with a faulty workflow says where the mistake is, and starts the others', async () => {
    const at = await settle({
      broken: '{ "name": "Broken", ',
      unknown: workflow('Unknown', [OPENED], { steps: [agentStep('a', { params: { agentId: 'nobody' } })] }),
      fine: workflow('Fine'),
    });
    const number = await openPull(at);
    await takeAll();
    expect((await runsOf(at.id)).map(({ workflow: { name } }) => name)).toEqual(['Fine']);
    const why = (await decisions(at.id, number)).filter(({ verdict }) => verdict !== 'started').map(({ reason }) => reason);
    expect(why).toHaveLength(2);
    expect(why.join('\n')).toMatch(/^\.overcut\/workflows\/broken\.json has mistakes: line \d+: /m);
    expect(why.join('\n')).toMatch(/^\.overcut\/workflows\/unknown\.json has mistakes: .*nobody/m);
  });

  it('of a repository without workflows is told how to begin', async () => {
    const at = await settle({});
    const number = await openPull(at);
    await takeAll();
    expect(await decisions(at.id, number)).toMatchObject([
      { workflow: null, reason: expect.stringContaining('commit .overcut/workflow.json') },
    ]);
  });
});

describe('who is heard', () => {
  const COMMANDED = { review: workflow('Review', [{ event: 'manual', slashCommand: { command: 'review' } }]) };

  it('is a person with write: a stranger’s command starts nothing and says why', async () => {
    const at = await settle(COMMANDED);
    const number = await openPull(at);
    await takeAll();
    at.eve.comment(at.name, number, '/review');
    await takeAll();
    expect(await runsOf(at.id)).toEqual([]);
    expect((await decisions(at.id, number)).find(({ event }) => event === 'manual')?.reason).toBe(
      `@eve has no write permission on ${at.name}`,
    );
    at.wanda.comment(at.name, number, '/review');
    await takeAll();
    expect(await runsOf(at.id)).toMatchObject([{ trust: 'trusted', event: { command: { name: 'review' }, comment: { body: '/review' } } }]);
  });

  it('is not the app itself', async () => {
    const at = await settle({ ...COMMANDED, chat: workflow('Chat', [{ event: 'pull_request_commented' }]) });
    const number = await openPull(at);
    await takeAll();
    const api = await office.app.api((await office.app.installationOf(at.name)) ?? 0, at.id, 'review');
    const [owner = '', repo = ''] = at.name.split('/');
    await api.rest.issues.createComment({ owner, repo, issue_number: number, body: 'I am done.' });
    expect(await takeAll()).not.toEqual([]);
    expect(await runsOf(at.id)).toEqual([]);
  });

  it('is a fork only as the setting says', async () => {
    const at = await settle({ review: workflow('Review') });
    const fork = await at.eve.fork(at.name);
    const propose = async (branch: string) => {
      await at.eve.push(fork, branch, { 'a.txt': `${branch}\n` });
      const pull = await at.eve.openPull(at.name, { head: branch, fork, title: branch });
      await takeAll();
      return pull.number;
    };
    const number = await propose('first');
    expect(await runsOf(at.id)).toEqual([]);
    expect((await decisions(at.id, number))[0]?.reason).toMatch(/a fork by @eve, who has no write permission: the setting forks is "ask"/);
    services.settings = { ...defaultSettings(), forks: 'untrusted' };
    await propose('second');
    expect(await runsOf(at.id)).toMatchObject([{ trust: 'untrusted', event: { resource: { head: { fork: true } } } }]);
  });

  it('is an outsider’s comment only where trigger and app allow it, and then untrusted', async () => {
    const open = { event: 'issue_commented', settings: { allowOutsiders: true } };
    const at = await settle({ open: workflow('Open', [open]), closed: workflow('Closed', [{ event: 'issue_commented' }]) });
    const { number } = await at.wanda.openIssue(at.name, { title: 'Help' });
    await takeAll();
    services.settings = { ...defaultSettings(), allowOutsiders: true };
    at.eve.comment(at.name, number, 'me too');
    await takeAll();
    expect(await runsOf(at.id)).toMatchObject([{ workflow: { name: 'Open' }, trust: 'untrusted' }]);
  });
});

describe('a delay', () => {
  it('puts a run off by a timer, but not a command', async () => {
    const settings = { delaySeconds: 600 };
    const at = await settle({
      later: workflow('Later', [
        { ...OPENED, settings },
        { event: 'manual', slashCommand: { command: 'now' }, settings },
      ]),
    });
    const number = await openPull(at);
    await takeAll();
    const [late] = await runsOf(at.id);
    expect(await house.waiting('runs')).not.toContain(late?.run);
    expect(await house.waiting('timers')).toContain(late?.run);
    at.wanda.comment(at.name, number, '/now');
    await takeAll();
    expect(await runsOf(at.id)).toHaveLength(1);
    expect(await house.waiting('runs')).toContain(late?.run);
  });
});
