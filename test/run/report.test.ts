import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { GitHub } from '../../src/demo/github/github.ts';
import type { Person } from '../../src/demo/github/person.ts';
import { GitHubApp } from '../../src/github/client.ts';
import { Governor } from '../../src/github/governor.ts';
import { createPublisher } from '../../src/github/publisher.ts';
import { NO_USAGE } from '../../src/journal/cost.ts';
import type { Draft, RunStart } from '../../src/journal/entry.ts';
import { Pending, Superseded } from '../../src/journal/errors.ts';
import type { Event } from '../../src/journal/event.ts';
import { resourceKey } from '../../src/journal/resource.ts';
import { reportRun } from '../../src/run/report.ts';
import type { Services } from '../../src/session/services.ts';
import { connectCommands, type Redis, waitReady } from '../../src/store/redis.ts';
import { RedisStore, type Store } from '../../src/store/store.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { agentStep, delegationOf, eventOn, House, over, pullOf, REPOSITORY, startOf } from '../session/house.ts';

const NAME = 'acme/app';
const prefix = `test-report-${randomUUID()}`;
let house: House;
let github: GitHub;
let app: GitHubApp;
let alice: Person;
let installation: number;
let stores: Store[];
let raw: Redis;

beforeAll(async () => {
  raw = connectCommands(inject('redisUrl'), () => {});
  await waitReady(raw, 5_000);
  const open = () => RedisStore.open({ url: inject('redisUrl'), prefix }, { warn: () => {}, error: () => {} });
  [house, github, stores] = await Promise.all([House.open(), GitHub.start(), Promise.all([open(), open()])]);
  const repository = await github.createRepository(NAME, { 'a.txt': 'one\n' });
  installation = github.install(repository).id;
  alice = github.person('alice', { [NAME]: 'write' });
  app = new GitHubApp({
    appId: github.app.id,
    privateKey: github.app.privateKey,
    webhookSecret: github.app.webhookSecret,
    apiUrl: github.apiUrl,
    version: '0.0.0',
    log: pino({ level: 'silent' }),
  });
});
afterAll(async () => {
  raw.disconnect();
  await app.close();
  await Promise.all([house.close(), github.stop(), ...stores.map((store) => store.close())]);
});

/** One of two processes: its own store and publisher, on the same Redis and GitHub. `ahead` moves its clock. */
function processOf(store: Store, ahead: number | (() => number) = 0): Services {
  const publisher = createPublisher({
    api: (...scope) => app.api(...scope),
    identity: () => app.identity(),
    records: store.effects,
    doubts: store.doubts,
    governor: new Governor({ turns: store.writes }),
    places: store.duties,
    drafts: store.drafts,
    diff: () => Promise.reject(new Error('a report needs no diff')),
    settings: defaultSettings(),
    worker: randomUUID(),
  });
  const later = over(store, { now: async () => (await store.now()) + (typeof ahead === 'number' ? ahead : ahead()) });
  return {
    ...house.process().services,
    store: later,
    github: { ...house.process().services.github, perform: (call) => publisher.perform(call) },
  };
}

/** A run on a pull request of its own. */
async function begin(
  more: Partial<Event> = {},
  definition: object = {},
  rest: Partial<RunStart> = {},
): Promise<RunStart & { number: number }> {
  const branch = `b-${randomUUID().slice(0, 8)}`;
  const sha = await alice.push(NAME, branch, { 'a.txt': `${branch}\n` });
  const { number } = await alice.openPull(NAME, { head: branch, title: branch });
  const repository = { ...REPOSITORY, id: github.repository(NAME).id };
  const resource = pullOf(number, { repository, head: { ref: branch, sha, fullName: NAME, fork: false } });
  const start = startOf(
    { name: `W ${number}`, steps: [agentStep('a')], ...definition },
    { event: eventOn(resource, { repository, installation, ...more }), ...rest },
  );
  await first().journals.create(start.run, { type: 'run.started', start });
  return { ...start, number };
}

function first(): Store {
  const [store] = stores;
  if (!store) throw new Error('no store');
  return store;
}

/** Several reports at once; one that comes too soon after another waits, and one whose effect another has taken over stops. */
async function report(run: string, ...processes: Services[]): Promise<void> {
  const signal = new AbortController().signal;
  await Promise.all(
    processes.map((services) =>
      reportRun(services, run, { signal }).catch((error: unknown) => {
        if (!(error instanceof Pending || error instanceof Superseded)) throw error;
      }),
    ),
  );
}

/** What stands on GitHub of a run. */
function seen({ number, event }: RunStart & { number: number }) {
  const sha = event.resource.kind === 'pr' ? event.resource.head.sha : '';
  return {
    comments: github.comments(NAME, number).map(({ body }) => body.split('\n\n<sub>')[0]),
    checks: github.checks(NAME, sha).map(({ status, conclusion }) => [status, conclusion]),
  };
}

const ANSWER = { content: [], stop: 'end_turn' as const, usage: NO_USAGE, model: 'm' };

describe('the report of a run', () => {
  it('made by two processes at once leaves one comment and one check, in their newest state', async () => {
    const run = await begin();
    const [one, two] = [processOf(first()), processOf(stores[1] ?? first())];
    for (let again = 0; again < 3; again++) await report(run.run, one, two);
    expect(seen(run)).toMatchObject({ comments: [`⏳ **W ${run.number}** is queued.`], checks: [['in_progress', null]] });
    const journal = await first().journals.open(run.run);
    await journal.append({ type: 'run.state', state: 'Running', reason: '' }, { type: 'step.started', step: 'a' });
    const [oneLater, twoLater] = [processOf(first(), 5_000), processOf(stores[1] ?? first(), 5_000)];
    await report(run.run, oneLater, twoLater);
    await journal.append(
      { type: 'step.ended', step: 'a', state: 'Completed', output: { message: 'All good.' }, reason: '' },
      { type: 'run.ended', state: 'Completed', reason: '', message: 'All good.' },
    );
    await report(run.run, twoLater, oneLater);
    for (let again = 0; again < 2; again++) await report(run.run, one, twoLater);
    const end = seen(run);
    expect(end.checks).toEqual([['completed', 'success']]);
    expect(end.comments).toHaveLength(1);
    expect(end.comments[0]).toMatch(/^✅ \*\*W \d+\*\* completed in .*\n\nAll good\.$/s);
    expect(github.defects).toEqual([]);
  });

  it('is no comment where the settings want quiet: the check says what the comment would', async () => {
    const run = await begin({}, {}, { rules: { ...defaultSettings(), quiet: true } });
    const sha = run.event.resource.kind === 'pr' ? run.event.resource.head.sha : '';
    const journal = await first().journals.open(run.run);
    await journal.append({ type: 'run.state', state: 'Running', reason: '' }, { type: 'status', key: 's', message: 'Half way there' });
    await report(run.run, processOf(first()));
    expect(github.checks(NAME, sha)[0]?.output.summary).toContain('> Half way there');
    await journal.append({ type: 'run.ended', state: 'Completed', reason: '', message: 'All good.' });
    await report(run.run, processOf(first(), 5_000));
    expect(github.checks(NAME, sha)[0]?.output.summary).toContain('\nAll good.\n');
    expect(seen(run)).toEqual({ comments: [], checks: [['completed', 'success']] });
  });

  it('counts findings that settings leave out, and lists them', async () => {
    const run = await begin({}, {}, { rules: { ...defaultSettings(), severityFloor: 'major', maxFindings: 0 } });
    for (const [k, body] of ['[NIT]: too long', '[MAJOR]: breaks'].entries())
      await first().drafts.add(run.run, { id: `f${k}`, path: 'a.txt', side: 'RIGHT', line: k + 1, body, rung: 'line', key: `k${k}` });
    const journal = await first().journals.open(run.run);
    await journal.append({ type: 'run.ended', state: 'Completed', reason: '', message: '' });
    await report(run.run, processOf(first()));
    const sha = run.event.resource.kind === 'pr' ? run.event.resource.head.sha : '';
    const { title, summary = '' } = github.checks(NAME, sha)[0]?.output ?? {};
    expect(title).toBe('0 of 2 findings posted, 2 left out by settings');
    expect(summary).toContain('| Findings | 2 produced, 0 posted, 1 suppressed by settings, 1 deferred by settings, 0 not posted |');
    expect(summary).toContain('- `a.txt:1`: [NIT]: too long (info is below major (the setting severityFloor))');
    expect(summary).toContain('- `a.txt:2`: [MAJOR]: breaks (more than 0 (the setting maxFindings))');
  });

  it('by a process that was frozen over the end of its run changes nothing any more', async () => {
    const run = await begin();
    const journal = await first().journals.open(run.run);
    await journal.append({ type: 'run.state', state: 'Running', reason: '' }, { type: 'step.started', step: 'a' });
    await report(run.run, processOf(first()));
    await journal.append({ type: 'step.state', step: 'a', state: 'WaitingForReply' });
    const awake = processOf(first(), 10_000);
    let frozen = false;
    const perform: Services['github']['perform'] = async (call) => {
      if (call.key.startsWith('status/') && !frozen) {
        frozen = true;
        await journal.append(
          { type: 'step.ended', step: 'a', state: 'Completed', output: { message: 'All good.' }, reason: '' },
          { type: 'run.ended', state: 'Completed', reason: '', message: 'All good.' },
        );
        await report(run.run, processOf(stores[1] ?? first(), 20_000));
      }
      return awake.github.perform(call);
    };
    await report(run.run, { ...awake, github: { ...awake.github, perform } });
    expect(frozen).toBe(true);
    expect(seen(run)).toMatchObject({ comments: [expect.stringMatching(/^✅/)], checks: [['completed', 'success']] });
  });

  it('shows a sign of life of a run at work every five minutes, and none of one that waits or is queued', async () => {
    const run = await begin();
    const sha = run.event.resource.kind === 'pr' ? run.event.resource.head.sha : '';
    const edits = () => github.log.filter(({ method, path }) => method === 'PATCH' && path.includes('/check-runs/')).length;
    const shown = () => /As of \| (\S+ \S+)/.exec(github.checks(NAME, sha)[0]?.output.summary ?? '')?.[1];
    await report(run.run, processOf(first()));
    const due = async () => Number((await raw.zscore(`${prefix}:expected`, `report ${run.run}`)) ?? 0);
    expect(await due()).toBe(0);
    const journal = await first().journals.open(run.run);
    await journal.append({ type: 'run.state', state: 'Running', reason: '' }, { type: 'step.started', step: 'a' });
    let ahead = 5_000;
    const services = processOf(first(), () => ahead);
    await report(run.run, services);
    const pulse = await due();
    expect(pulse).toBe((journal.entries[0]?.at ?? 0) + 300_000);
    const [before, then] = [edits(), shown()];
    ahead = 200_000;
    await report(run.run, services);
    expect(edits()).toBe(before);
    ahead = 310_000;
    await report(run.run, services);
    expect(edits()).toBe(before + 1);
    expect(shown()).not.toBe(then);
    expect(await due()).toBe(pulse + 300_000);
    await journal.append({ type: 'step.state', step: 'a', state: 'WaitingForReply' });
    await report(run.run, processOf(first(), 700_000));
    expect(await due()).toBe(0);
    expect(github.checks(NAME, sha)[0]?.output.title).toBe('Listening for comments');
  });

  it('says since when the model of a run, or of one of its delegations, is away, and that it is back', async () => {
    const run = await begin();
    const sha = run.event.resource.kind === 'pr' ? run.event.resource.head.sha : '';
    const title = () => github.checks(NAME, sha)[0]?.output.title;
    const services = (ahead: number) => processOf(first(), ahead);
    const journal = await first().journals.open(run.run);
    const key = 'step/a/turn/0/call/0';
    await journal.append(
      { type: 'run.state', state: 'Running', reason: '' },
      { type: 'step.started', step: 'a' },
      { type: 'model.away', key: 'step/a/turn/0', message: 'overloaded', until: Date.now() },
    );
    await report(run.run, services(0));
    expect(title()).toMatch(/^Running: step "a", the model is unavailable since \d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
    expect(github.checks(NAME, sha)[0]?.output.summary).toMatch(
      /\| Model \| unavailable since .* UTC, asked again at .* UTC: overloaded \|/,
    );
    const delegation = `${run.run}~one`;
    await journal.append(
      { type: 'turn.answered', key: 'step/a/turn/0', answer: ANSWER, ms: 1 },
      { type: 'delegation.queued', key, delegation, agent: 'A', label: '' },
    );
    await report(run.run, services(3_000));
    expect(title()).toBe('Running: step "a", 0 of 1 delegations done');
    await first().journals.create(delegation, { type: 'delegation.started', start: delegationOf({ delegation }) });
    const other = await first().journals.open(delegation);
    await other.append({ type: 'model.away', key: 'work/turn/0', message: 'busy', until: Date.now() });
    await report(run.run, services(6_000));
    expect(title()).toContain('0 of 1 delegations done, the model is unavailable since');
    await other.append({ type: 'turn.answered', key: 'work/turn/0', answer: ANSWER, ms: 1 });
    await report(run.run, services(9_000));
    expect(title()).toBe('Running: step "a", 0 of 1 delegations done');
    await other.append({ type: 'model.away', key: 'work/turn/1', message: 'busy', until: Date.now() });
    await report(run.run, services(12_000));
    expect(title()).toContain('the model is unavailable since');
  });

  it('edits no sooner than two seconds after the edit before, unless the run ended', async () => {
    const run = await begin();
    const services = processOf(first());
    const signal = new AbortController().signal;
    await reportRun(services, run.run, { signal });
    const journal = await first().journals.open(run.run);
    await journal.append({ type: 'run.state', state: 'Running', reason: '' }, { type: 'status', key: 's', message: 'reading' });
    await expect(reportRun(services, run.run, { signal })).rejects.toThrow(Pending);
    expect(seen(run).comments[0]).toContain('is queued');
    await journal.append({ type: 'run.ended', state: 'Failed', reason: 'step "a": no key', message: '' });
    await reportRun(services, run.run, { signal });
    expect(seen(run).comments[0]).toContain('Reason: step "a": no key');
    expect(seen(run).checks).toEqual([['completed', 'failure']]);
  });

  it('writes a static comment at the start and at the end only', async () => {
    const run = await begin({}, { statusUpdateMethod: 'static_comment' });
    await report(run.run, processOf(first()));
    const journal = await first().journals.open(run.run);
    await journal.append({ type: 'run.state', state: 'Running', reason: '' }, { type: 'step.started', step: 'a' });
    await report(run.run, processOf(first(), 5_000));
    expect(seen(run).comments[0]).toContain('is queued');
    await journal.append({ type: 'run.ended', state: 'Completed', reason: '', message: 'fin' });
    await report(run.run, processOf(first(), 5_000));
    expect(seen(run).comments).toEqual([expect.stringContaining('fin')]);
  });

  describe('of a workflow that reuses its comment', () => {
    const REUSE = { statusUpdateMethod: 'reuse_comment' };
    const END = { type: 'run.ended' as const, state: 'Completed' as const, reason: '' };
    const own = ({ number }: { number: number }) => github.comments(NAME, number).filter(({ author }) => author === github.bot);
    const place = ({ event, workflow }: RunStart) => `${prefix}:status:${resourceKey(event.resource)}:${workflow.path}`;

    /** A later run of the same workflow on the same pull request. */
    async function again<T extends RunStart>(run: T): Promise<T> {
      const next = { ...run, run: `r${randomUUID().slice(0, 8)}` };
      await first().journals.create(next.run, { type: 'run.started', start: next });
      return next;
    }

    async function add(run: RunStart, ...drafts: Draft[]): Promise<void> {
      await (await first().journals.open(run.run)).append(...drafts);
      await report(run.run, processOf(first(), 5_000));
    }

    it('two runs write one, by two processes', async () => {
      const run = await begin({}, REUSE);
      const two = [processOf(first()), processOf(stores[1] ?? first())];
      for (let more = 0; more < 3; more++) await report(run.run, ...two);
      await add(run, { ...END, message: 'first' });
      expect(own(run).map(({ body }) => body)).toEqual([expect.stringContaining('first')]);
      const later = await again(run);
      for (let more = 0; more < 3; more++) await report(later.run, ...two);
      expect(own(run).map(({ body }) => body)).toEqual([expect.stringContaining('is queued')]);
      await add(later, { ...END, message: 'second' });
      expect(own(run).map(({ body }) => body)).toEqual([expect.stringContaining('second')]);
      expect(github.defects).toEqual([]);
    });

    it('a run that waits for its turn leaves the comment to the one at work, and one that was overtaken writes no more', async () => {
      const run = await begin({}, REUSE);
      await add(run, { type: 'run.state', state: 'Running', reason: '' }, { type: 'status', key: 's', message: 'at work' });
      const later = await again(run);
      await report(later.run, processOf(first()));
      expect(own(run).map(({ body }) => body)).toEqual([expect.stringContaining('at work')]);
      await add(later, { type: 'run.state', state: 'Running', reason: '' }, { type: 'status', key: 's', message: 'overtakes' });
      await add(run, { ...END, message: 'too late' });
      expect(own(run).map(({ body }) => body)).toEqual([expect.stringContaining('overtakes')]);
    });

    it('is found on a later page where its id is forgotten, and made anew where it was deleted', async () => {
      const run = await begin({}, REUSE);
      for (let k = 0; k < 101; k++) alice.comment(NAME, run.number, `remark ${k}`);
      await add(run, { ...END, message: 'first' });
      const forget = { ...run, run: `r${randomUUID().slice(0, 8)}` };
      await raw.del(place(run), ...(await raw.keys(`${prefix}:effect:s*`)));
      await first().journals.create(forget.run, { type: 'run.started', start: forget });
      await add(forget, { ...END, message: 'second' });
      expect(own(run).map(({ body }) => body)).toEqual([expect.stringContaining('second')]);
      const [only] = own(run);
      const api = await app.api(installation, github.repository(NAME).id, 'review');
      await api.rest.issues.deleteComment({ owner: 'acme', repo: 'app', comment_id: only?.id ?? 0 });
      const last = await again(run);
      await add(last, { ...END, message: 'third' });
      expect(own(run).map(({ body }) => body)).toEqual([expect.stringContaining('third')]);
    });
  });

  it('puts eyes on the comment that started the run, once', async () => {
    const other = await begin();
    const comment = alice.comment(NAME, other.number, '/review');
    const author = { id: 1, login: 'alice', bot: false };
    const heard = { id: comment.id, place: 'conversation' as const, author, body: '/review', url: '', createdAt: '' };
    const start = startOf({ steps: [agentStep('a')] }, { event: { ...other.event, name: 'manual', comment: heard } });
    await first().journals.create(start.run, { type: 'run.started', start });
    await report(start.run, processOf(first()), processOf(stores[1] ?? first()));
    expect(comment.reactions.map(({ content }) => content)).toEqual(['eyes']);
  });

  it('of a run without a page on GitHub writes nothing', async () => {
    const repository = { ...REPOSITORY, id: github.repository(NAME).id };
    const start = startOf(
      { steps: [agentStep('a')] },
      { event: eventOn({ kind: 'branch', repository, branch: 'main' }, { repository, installation }) },
    );
    await first().journals.create(start.run, { type: 'run.started', start });
    const before = github.checks(NAME).length;
    await report(start.run, processOf(first()));
    await report('r-nobody', processOf(first()));
    expect(github.checks(NAME)).toHaveLength(before);
  });
});
