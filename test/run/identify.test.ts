import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Listed } from '../../src/github/discovery.ts';
import type { Event } from '../../src/journal/event.ts';
import type { Repository } from '../../src/journal/resource.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import type { Line } from '../agent/talk.ts';
import { agentStep, Crash, eventOn, House, type Process, startOf } from '../session/house.ts';
import { Remote } from '../workspace/remote.ts';

let house: House;
const remotes = new Map<string, Repository>();

beforeAll(async () => {
  house = await House.open();
  for (const [at, fullName] of ['acme/app', 'acme/billing', 'acme/site', 'acme/secret', 'elsewhere/own'].entries()) {
    const remote = new Remote(house.root, { id: 100 + at, fullName });
    remote.commit('refs/heads/main', { 'src/main.ts': `the code of ${fullName}\n` });
    const [owner = '', name = ''] = fullName.split('/');
    remotes.set(fullName, { ...remote.repository, owner, name, private: fullName !== 'acme/site' });
  }
});
afterAll(() => house.close());
afterEach(() => {
  house.asked = [];
  house.settings = defaultSettings();
});

const repositoryOf = (fullName: string): Repository => {
  const found = remotes.get(fullName);
  if (!found) throw new Error(`no ${fullName}`);
  return found;
};

const DESCRIPTIONS: Record<string, string> = { 'acme/billing': 'Invoices and refunds', 'acme/secret': 'The merger' };

/** The App is installed on these; ana and ben may read billing. */
function install(...names: string[]): void {
  const listed = names.map((name): Listed => {
    return { repository: repositoryOf(name), description: DESCRIPTIONS[name] ?? '', language: '', topics: [] };
  });
  house.installation = {
    list: async () => listed,
    find: async (name) => listed.find(({ repository }) => repository.fullName.toLowerCase() === name.toLowerCase()) ?? null,
    canRead: async ({ fullName }, login) => fullName === 'acme/billing' && ['ana', 'ben'].includes(login),
  };
}

let issues = 0;

function issueOn(fullName: string, title: string, more: Partial<Event> = {}): Event {
  const repository = repositoryOf(fullName);
  const number = ++issues;
  const issue = { number, title, state: 'open', labels: [], assignees: [], author: 'ana', body: '' };
  const context = {
    trigger: { eventType: 'issue_opened' },
    repository: { fullName, name: repository.name, description: '' },
    issue,
  } as unknown as Event['context'];
  return eventOn({ kind: 'issue', repository, number, url: '' }, { name: 'issue_opened', repository, context, ...more });
}

const identify = (params: object = {}) => ({ id: 'identify-repos', action: 'repo.identify', params });
const CLONE = { id: 'clone', action: 'git.clone', params: { repoFullName: '{{outputs.identify-repos}}' } };

async function walk(steps: object[], event: Event, process: Process = house.process()) {
  const flow = steps.map((step, at) => ({ from: at === 0 ? '' : (steps[at - 1] as { id: string }).id, to: (step as { id: string }).id }));
  const run = await house.begin(startOf({ steps, flow }, { event }));
  const waits = await process.drive(run);
  const ends = await house.entriesOf(run, 'step.ended');
  return { run, waits, outputs: Object.fromEntries(ends.map(({ step, output }) => [step, output])), ends };
}

const report = (...repositories: object[]): Line => ({ calls: [{ name: 'task_completed', input: { repositories } }] });
const at = (repoFullName: string, confidence: number) => ({ repoFullName, confidence, reason: 'because' });

describe('repo.identify', () => {
  it('answers what the model named of the list, the likeliest first, and nothing else', async () => {
    install('acme/app', 'acme/billing', 'acme/site', 'acme/secret');
    house.play = () =>
      report(at('acme/site', 0.6), at('ACME/billing', 0.9), at('acme/secret', 1), at('elsewhere/own', 1), at('acme/app', 0.3));
    const { outputs } = await walk([identify({ maxResults: 3, minConfidence: 0.5 })], issueOn('acme/app', 'Refunds fail'));
    expect(outputs['identify-repos']).toEqual([at('acme/billing', 0.9), at('acme/site', 0.6)]);
    const [asked] = house.asked;
    const told = JSON.stringify(asked);
    expect(told).toContain('Refunds fail');
    expect(told).toContain('acme/billing: Invoices and refunds');
    expect(told).not.toContain('acme/secret');
    expect(asked?.tools.map(({ name }) => name)).toEqual(['task_completed']);
  });

  it("takes no more than maxResults, and the event's own where nothing is sure enough", async () => {
    install('acme/app', 'acme/billing', 'acme/site');
    house.play = () => report(at('acme/site', 0.4), at('acme/billing', 0.4));
    const few = await walk([identify({ maxResults: 1 })], issueOn('acme/app', 'Refunds fail'));
    expect(few.outputs['identify-repos']).toEqual([at('acme/site', 0.4)]);
    const none = await walk([identify({ maxResults: 5, minConfidence: 0.5 })], issueOn('acme/app', 'Refunds fail'));
    expect(none.outputs['identify-repos']).toMatchObject([{ repoFullName: 'acme/app', confidence: 0 }]);
  });

  it("asks again for arguments that do not fit and for text, and goes on with the event's own after three texts", async () => {
    install('acme/app', 'acme/billing');
    house.play = ({ turn, results }) => {
      if (turn === 0) return { text: 'It is billing.' };
      if (turn === 1) return report({ repoFullName: 'acme/billing', confidence: 7 });
      expect(results[0]?.error).toBe(true);
      return report(at('acme/billing', 0.7));
    };
    const { outputs } = await walk([identify()], issueOn('acme/app', 'Refunds fail'));
    expect(outputs['identify-repos']).toEqual([at('acme/billing', 0.7)]);
    house.asked = [];
    house.play = () => ({ text: 'It is billing.' });
    const silent = await walk([identify()], issueOn('acme/app', 'Refunds fail'));
    expect(silent.outputs['identify-repos']).toMatchObject([{ repoFullName: 'acme/app' }]);
    expect(house.asked).toHaveLength(3);
  });

  it('asks no model where there is nothing to choose from', async () => {
    install('acme/app', 'acme/secret');
    const { outputs } = await walk([identify()], issueOn('acme/app', 'Tell me of the merger'));
    expect(outputs['identify-repos']).toMatchObject([{ repoFullName: 'acme/app', confidence: 1 }]);
    expect(house.asked).toEqual([]);
  });

  it('shows no private repository in a public one, nor to a run of somebody who may not read it', async () => {
    install('acme/app', 'acme/billing', 'acme/site');
    house.play = () => report(at('acme/billing', 1));
    const mallory = { id: 9, login: 'mallory', bot: false };
    await walk([identify()], issueOn('acme/site', 'Refunds fail'));
    await walk([identify()], issueOn('acme/app', 'Refunds fail', { actor: mallory }));
    await walk([identify()], issueOn('acme/app', 'Refunds fail', { author: mallory }));
    expect(JSON.stringify(house.asked)).not.toContain('acme/billing');
  });

  it('shows of many those whose names and descriptions the words fit', async () => {
    const others = Array.from({ length: 200 }, (_, n) => ({
      ...repositoryOf('acme/site'),
      id: 1000 + n,
      fullName: `acme/part-${n}`,
      name: `part-${n}`,
    }));
    install('acme/app');
    const own = await house.installation.list();
    const many = others.map(
      (repository, n): Listed => ({ repository, description: n === 187 ? 'thermostat firmware' : '', language: '', topics: [] }),
    );
    house.installation = { ...house.installation, list: async () => [...own, ...many] };
    house.play = () => report(at('acme/part-187', 1));
    const { outputs } = await walk([identify()], issueOn('acme/app', 'The thermostat freezes'));
    expect(outputs['identify-repos']).toMatchObject([{ repoFullName: 'acme/part-187' }]);
    expect(JSON.stringify(house.asked).match(/acme\/part-\d+/g)).toHaveLength(49);
  });

  it('asks once and chooses among the same, whenever its process dies', async () => {
    house.play = () => report(at('acme/billing', 1));
    for (let death = 1; death <= 12; death++) {
      install('acme/app', 'acme/billing');
      house.asked = [];
      const event = issueOn('acme/app', 'Refunds fail');
      const steps = [identify(), CLONE];
      const run = await house.begin(
        startOf(
          {
            steps,
            flow: [
              { from: '', to: 'identify-repos' },
              { from: 'identify-repos', to: 'clone' },
            ],
          },
          { event },
        ),
      );
      await house
        .process({ at: death, after: death % 2 === 0 })
        .drive(run)
        .catch((error: unknown) => expect(error).toBeInstanceOf(Crash));
      expect(await house.process().drive(run)).toBeNull();
      expect(await house.steps(run)).toEqual({ 'identify-repos': 'Completed', clone: 'Completed' });
      expect(await house.entriesOf(run, 'checkout')).toMatchObject([{ checkout: { repository: { fullName: 'acme/billing' } } }]);
      expect(await house.entriesOf(run, 'turn.answered')).toHaveLength(1);
      expect(house.asked.length).toBeLessThanOrEqual(2);
    }
  });
});

describe('git.clone of other repositories', () => {
  it('puts what was identified side by side, and agents read and search all of it', async () => {
    install('acme/app', 'acme/billing', 'acme/site');
    house.play = ({ request, turn, told }) => {
      if (request.tools.length === 1) return report(at('acme/billing', 0.9), at('acme/site', 0.8));
      if (turn > 0) return { text: 'read' };
      expect(told).toContain('/workspace/acme/billing/');
      return {
        calls: [
          { name: 'read_file', input: { path: 'acme/billing/src/main.ts' } },
          { name: 'list_dir', input: { path: '/workspace/acme' } },
          { name: 'read_file', input: { path: 'src/main.ts' } },
        ],
      };
    };
    const steps = [identify({ maxResults: 3 }), CLONE, agentStep('work')];
    const { run, outputs } = await walk(steps, issueOn('acme/app', 'Refunds fail'));
    expect(outputs.clone).toMatchObject([
      { repoFullName: 'acme/billing', path: '/workspace/acme/billing', branch: 'main' },
      { repoFullName: 'acme/site', path: '/workspace/acme/site', branch: 'main' },
    ]);
    const answers = (await house.entriesOf(run, 'call.ended'))
      .filter(({ key }) => key.startsWith('step/work/'))
      .map(({ result }) => result.text);
    expect(answers.sort()).toEqual([
      expect.stringContaining('does not exist. Did you mean "acme/billing/src/main.ts" or "acme/site/src/main.ts"?'),
      'billing/\nsite/',
      'the code of acme/billing',
    ]);
  });

  const TITLED = '{{trigger.issue.title}}';
  const rows: [what: string, repoFullName: string, title: string, installed: string[], clonesFrom: string[], outcome: string[] | RegExp][] =
    [
      ["a name of the event's title", TITLED, 'acme/billing', ['acme/billing'], [], /only the event named it/],
      ['a public one of the title', TITLED, 'acme/site', ['acme/site'], [], /only the event named it/],
      ["the event's own", TITLED, 'ACME/App', [], [], ['acme/app']],
      ['one that the setting lists', TITLED, 'acme/secret', ['acme/secret'], ['acme/secret'], ['acme/secret']],
      ['one that the setting lists and the App does not have', TITLED, 'acme/secret', [], ['acme/*'], /not cloned: either the App/],
      ['one named in the step', 'acme/billing', 'x', ['acme/billing'], [], ['acme/billing']],
      ['several named in the step', '["{{trigger.repository.fullName}}", "acme/site"]', 'x', ['acme/site'], [], ['acme/app', 'acme/site']],
      ['one named in the step that its people may not read', 'acme/secret', 'x', ['acme/secret'], [], /not cloned: either the App/],
      ['one named in the step that is not there', 'acme/nothing', 'x', [], [], /not cloned: either the App/],
      [
        'one that a name in the step only begins with',
        'acme/bill{{trigger.issue.title}}',
        'ing',
        ['acme/billing'],
        [],
        /only the event named it/,
      ],
    ];
  it.each(rows)('%s', async (_, repoFullName, title, installed, clonesFrom, outcome) => {
    install(...installed);
    house.settings = { ...defaultSettings(), clonesFrom };
    const { ends, run } = await walk([{ id: 'clone', action: 'git.clone', params: { repoFullName } }], issueOn('acme/app', title));
    if (outcome instanceof RegExp) {
      expect(ends).toMatchObject([{ state: 'Failed', reason: expect.stringMatching(outcome) }]);
      expect(await house.entriesOf(run, 'checkout')).toEqual([]);
    } else {
      expect(ends).toMatchObject([{ state: 'Completed' }]);
      expect((await house.entriesOf(run, 'checkout')).map(({ checkout }) => checkout.repository.fullName)).toEqual(outcome);
    }
  });
});
