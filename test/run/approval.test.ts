import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/workflow/settings.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { over } from '../session/house.ts';
import { Office, OPENED, type Place, workflow } from './office.ts';

let office: Office;
beforeAll(async () => {
  office = await Office.open();
  office.house.onEffect = () => ({ status: 'done', result: { checkId: 1 } });
});
afterAll(() => office.close());
afterEach(() => {
  office.services.settings = defaultSettings();
  office.house.effects.clear();
});

const WORKFLOWS = {
  review: workflow('Review'),
  labels: workflow('Labels', [OPENED, { event: 'pull_request_labeled' }]),
  issues: workflow('Issues', [{ event: 'issue_opened' }]),
};

/** A stranger's pull request from a fork, under a setting. */
async function propose(forks: Settings['forks'] = 'ask') {
  office.services.settings = { ...defaultSettings(), forks };
  const at = await office.settle(WORKFLOWS);
  const fork = await at.eve.fork(at.name);
  await at.eve.push(fork, 'feature', { 'a.txt': 'one\n' });
  const { number } = await at.eve.openPull(at.name, { head: 'feature', fork, title: 'Change' });
  await office.takeAll();
  const push = async (text: string) => {
    const sha = await at.eve.push(fork, 'feature', { 'a.txt': text });
    await office.takeAll();
    return sha;
  };
  return { ...at, fork, number, push };
}

async function say(at: Place & { number: number }, text: string): Promise<void> {
  at.wanda.comment(at.name, at.number, text);
  await office.takeAll();
}

const started = async (at: Place) =>
  (await office.runsOf(at.id)).map(({ workflow: { name }, trust, event: { resource } }) => {
    return `${name} ${trust} ${resource.kind === 'pr' ? resource.head.sha : ''}`.trim();
  });

describe('/ok-to-run', () => {
  it('starts each workflow that waited, once, also where its delivery is cut off and comes again', async () => {
    const at = await propose();
    const [sha = ''] = (await office.house.store.approvals.look(`${at.id}:pr:${at.number}`))?.head.split(' ') ?? [];
    at.wanda.comment(at.name, at.number, '/ok-to-run');
    const { services } = office;
    let starts = 0;
    const create: typeof services.store.journals.create = (...args) => {
      if (++starts === 2) throw new Error('cut off');
      return services.store.journals.create(...args);
    };
    const dying = office.intakeOf({ ...services, store: over(services.store, { journals: over(services.store.journals, { create }) }) });
    const [said] = office.github.hooks.deliveries.slice(-1);
    const given = { id: said?.guid ?? '', event: 'issue_comment', body: said?.body.toString() ?? '' };
    await office.with(dying, () => expect(dying.take(given)).rejects.toThrow('cut off'));
    await office.takeAll();
    expect((await started(at)).sort()).toEqual([`Labels untrusted ${sha}`, `Review untrusted ${sha}`]);
    expect((await office.decisions(at.id, at.number)).find(({ event }) => event === 'manual')).toMatchObject({
      verdict: 'started',
      reason: expect.stringContaining('"Labels", "Review"'),
    });
  });

  it('lets later events of the same commit start workflows as far as was said, and those of a new one not', async () => {
    const at = await propose();
    await say(at, '/ok-to-run trusted');
    await at.wanda.label(at.name, at.number, 'ready');
    await office.takeAll();
    expect((await started(at)).every((run) => run.includes(' trusted '))).toBe(true);
    const before = await started(at);
    await at.push('two\n');
    await at.wanda.label(at.name, at.number, 'again');
    await office.takeAll();
    expect(await started(at)).toEqual(before);
  });

  it('without and then with "trusted" lifts the limits; the other way round it starts nothing', async () => {
    const at = await propose();
    await say(at, '/ok-to-run');
    await say(at, '/ok-to-run trusted');
    expect((await started(at)).map((run) => run.split(' ').slice(0, 2).join(' ')).sort()).toEqual([
      'Labels trusted',
      'Labels untrusted',
      'Review trusted',
      'Review untrusted',
    ]);
    const before = await started(at);
    await say(at, '/ok-to-run');
    expect(await started(at)).toEqual(before);
    expect(office.said().at(-1)).toContain('nothing is started twice');
  });

  it('does not count for a commit that was pushed after it was said', async () => {
    const at = await propose();
    at.wanda.comment(at.name, at.number, '/ok-to-run');
    const unseen = office.github.hooks.deliveries.at(-1);
    await at.eve.push(at.fork, 'feature', { 'a.txt': 'evil\n' });
    const pushed = office.github.hooks.deliveries.filter(({ event }) => event === 'pull_request').at(-1);
    expect(pushed?.id).toBeGreaterThan(unseen?.id ?? 0);
    await office.takeAll();
    expect(await started(at)).toEqual([]);
    expect(office.said().at(-1)).toContain('was pushed in the meantime');
    await say(at, '/ok-to-run');
    expect(await started(at)).toHaveLength(2);
  });

  it.each<[Settings['forks'], string, string, number]>([
    ['off', '/ok-to-run', 'the setting `forks` is "off"', 0],
    ['untrusted', '/ok-to-run', 'run untrusted by themselves', 2],
    ['untrusted', '/ok-to-run trusted', 'rocket', 4],
    ['ask', '/ok-to-run please', 'Say `/ok-to-run`', 0],
  ])('where forks are "%s": %s', async (forks, text, answer, runs) => {
    const at = await propose(forks);
    await say(at, text);
    expect(office.said().join('\n')).toContain(answer);
    expect(await started(at)).toHaveLength(runs);
  });

  it('on an issue, and on a pull request that is not from a fork, says that there is nothing to allow', async () => {
    const at = await office.settle(WORKFLOWS);
    const { number } = await at.wanda.openIssue(at.name, { title: 'Help' });
    await say({ ...at, number }, '/ok-to-run');
    expect(office.said().at(-1)).toContain('this is none');
    await say({ ...at, number: await office.openPull(at) }, '/ok-to-run');
    expect(office.said().at(-1)).toContain('not from a fork');
  });
});

describe('strangers', () => {
  it('get one reaction a minute each, however much they command, and every comment a decision', async () => {
    const review = workflow('Review', [{ event: 'manual', slashCommand: { command: 'review' } }, { event: 'mention' }]);
    const at = await office.settle({ review });
    const number = await office.openPull(at);
    await office.takeAll();
    for (const text of ['/review', '/review now', '/why', '@overcut please', '/cancel', '/ok-to-run'])
      at.eve.comment(at.name, number, text);
    await office.takeAll();
    expect(office.said()).toEqual(['confused']);
    const { number: issue } = await at.wanda.openIssue(at.name, { title: 'Help' });
    at.eve.comment(at.name, issue, '/review');
    office.github.person('mallory', {}).comment(at.name, number, '/review');
    await office.takeAll();
    expect(office.said()).toEqual(['confused', 'confused', 'confused']);
    expect(await office.runsOf(at.id)).toEqual([]);
    const told = (await office.decisions(at.id, number)).filter(({ reason }) =>
      /has no write permission|needs write permission/.test(reason),
    );
    expect(told.length).toBeGreaterThanOrEqual(7);
  });

  it('who open an issue start what runs untrusted', async () => {
    const at = await office.settle(WORKFLOWS);
    await at.eve.openIssue(at.name, { title: 'Help' });
    await office.takeAll();
    expect(await office.runsOf(at.id)).toMatchObject([{ trust: 'untrusted', workflow: { name: 'Issues' } }]);
  });
});
