import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FaultOptions } from '../../src/demo/github/fault.ts';
import { Governor, type Turn } from '../../src/github/governor.ts';
import type { Effect, EffectRecord, Outcome } from '../../src/journal/effect.ts';
import { Pending, Superseded } from '../../src/journal/errors.ts';
import { House } from './house.ts';

/** Every kind of write, against everything that may become of it. */

const REPO = 'acme/app';
const ISSUES = 'POST /repos/{owner}/{repo}/issues/{issue_number}';
const OUTPUT = { title: 'Running', summary: 'See below.' };

interface Kind {
  /** Requests that a fault hits. */
  on: string | RegExp;
  /** What has to stand before. */
  prepare?(): Promise<unknown>;
  effect(id: number): Effect;
  /** How often it stands on GitHub. */
  count(id: number): Promise<number> | number;
}

let house: House;
let run = '';

beforeAll(async () => {
  house = await House.open({}, { 'src/a.ts': 'one\ntwo\nthree\n' });
});
afterAll(async () => {
  expect(house.gh.defects).toEqual([]);
  await house.close();
});
beforeEach(() => {
  run = house.run;
});
afterEach(() => house.clear());

const idOf = (outcome: Outcome, name: string): number =>
  outcome.status === 'done' ? Number((outcome.result as Record<string, unknown>)[name]) : Number.NaN;
const made = async (effect: Effect, name: string) => idOf(await house.publisher().perform(house.call(effect, { key: 'before' })), name);
const labels = async () => (await house.read<{ labels: { name: string }[] }>('GET /repos/{owner}/{repo}/issues/{n}')).labels;
const finding = async () => {
  await house.find(run, { id: `${run}f`, line: 2 });
  await house.publisher().perform(house.call({ type: 'review.submit', event: 'COMMENT', body: 'Before.' }, { key: 'before' }));
};
const writes = () => house.gh.log.filter(({ write }) => write).length;
const shown = (id: number) => house.gh.checks(REPO, house.head).filter((check) => check.id === id);
const isDraft = async () => (await house.read<{ draft: boolean }>('GET /repos/{owner}/{repo}/pulls/{n}')).draft;

const KINDS: Record<string, Kind> = {
  'a comment': {
    on: `${ISSUES}/comments`,
    effect: () => ({ type: 'comment.create', body: `Said by ${run}` }),
    count: async () => (await house.comments()).filter(({ body }) => body.includes(`Said by ${run}\n`)).length,
  },
  'the comment of a place': {
    on: `${ISSUES}/comments`,
    effect: () => ({ type: 'comment.create', body: `Said by ${run}`, slot: `s${run}` }),
    count: async () => (await house.comments()).filter(({ body }) => body.includes(`Said by ${run}\n`)).length,
  },
  'an edit': {
    on: 'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}',
    prepare: () => made({ type: 'comment.create', body: 'Before' }, 'commentId'),
    effect: (comment) => ({ type: 'comment.update', comment, body: `After ${run}` }),
    count: async () => (await house.comments()).filter(({ body }) => body.includes(`After ${run}\n`)).length,
  },
  'a check run': {
    on: 'POST /repos/{owner}/{repo}/check-runs',
    effect: () => ({ type: 'check.create', sha: house.head, name: 'Pitwall', external: run, output: OUTPUT }),
    count: () => house.gh.checks(REPO, house.head).filter((check) => check.externalId === run && check.status !== 'completed').length,
  },
  'the end of a check run': {
    on: 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}',
    prepare: () => made({ type: 'check.create', sha: house.head, name: 'Pitwall', external: run, output: OUTPUT }, 'checkId'),
    effect: (check) => ({ type: 'check.update', check, status: 'completed', conclusion: 'success', output: { ...OUTPUT, title: run } }),
    count: (check) => shown(check).filter(({ output, conclusion }) => output.title === run && conclusion === 'success').length,
  },
  'a reply': {
    on: 'POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies',
    prepare: finding,
    effect: () => ({ type: 'thread.reply', thread: `${run}f`, body: `Answer of ${run}` }),
    count: async () => (await house.reviewComments()).filter(({ body }) => body.includes(`Answer of ${run}\n`)).length,
  },
  'a review that is created': {
    on: 'POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews',
    effect: () => ({ type: 'review.submit', event: 'COMMENT', body: `Seen by ${run}` }),
    count: async () =>
      (await house.reviews()).filter(({ body, state }) => body.includes(`Seen by ${run}\n`) && state === 'COMMENTED').length,
  },
  'a review that is submitted': {
    on: 'POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/events',
    effect: () => ({ type: 'review.submit', event: 'COMMENT', body: `Seen by ${run}` }),
    count: async () =>
      (await house.reviews()).filter(({ body, state }) => body.includes(`Seen by ${run}\n`) && state === 'COMMENTED').length,
  },
  'a reaction': {
    on: `${ISSUES}/reactions`,
    prepare: async () => house.gh.reactions(REPO, house.number).splice(0).length,
    effect: () => ({ type: 'reaction.add', target: { kind: 'issue', id: house.number }, content: 'rocket' }),
    count: () => house.gh.reactions(REPO, house.number).filter(({ content }) => content === 'rocket').length,
  },
  'a label': {
    on: `${ISSUES}/labels`,
    effect: () => ({ type: 'item.update', addLabels: [run] }),
    count: async () => (await labels()).filter(({ name }) => name === run).length,
  },
  'a draft': {
    on: /^POST .*graphql/,
    prepare: async () => {
      await house.publisher().perform(house.call({ type: 'item.update', draft: false }, { key: 'before' }));
    },
    effect: () => ({ type: 'item.update', draft: true }),
    count: async () => Number(await isDraft()),
  },
  'a resolved thread': {
    on: /^POST .*graphql/,
    prepare: finding,
    effect: () => ({ type: 'thread.resolve', thread: `${run}f` }),
    count: async () => {
      const comment = (await house.drafts.list(run))[0]?.posted?.comment;
      return house.gh.threads(REPO, house.number).filter(({ resolvedBy, rootId }) => resolvedBy && rootId === comment).length;
    },
  },
  'a CI run': {
    on: /^POST .*rerun-failed-jobs$/,
    prepare: async () =>
      house.gh
        .person('alice', { [REPO]: 'write' })
        .runWorkflow(REPO, { sha: house.head, branch: 'feature', conclusion: 'failure', jobs: [{ name: 'test', conclusion: 'failure' }] })
        .id,
    effect: (id) => ({ type: 'ci.rerun', run: id }),
    count: (id) => house.gh.repository(REPO).workflowRuns.get(id)?.reruns.length ?? 0,
  },
};

const kinds = Object.entries(KINDS);

/** Answers the id of what stands before, where there is one. */
async function prepare(kind: Kind): Promise<number> {
  const before = await kind.prepare?.();
  return typeof before === 'number' ? before : 0;
}

/** Performs as a run does: what has to wait is tried again later, by whoever works then. */
async function carryOut(effect: Effect, worker = 'heir'): Promise<Outcome> {
  for (let tries = 0; tries < 5; tries++) {
    try {
      return await house.publisher({ worker }).perform(house.call(effect));
    } catch (error) {
      if (!(error instanceof Pending || error instanceof Superseded)) throw error;
      house.clock.pass(20_000);
    }
  }
  throw new Error('this never ends');
}

function recordOf(): EffectRecord {
  return JSON.parse(house.records.rows.get(`${run}:step.1`) ?? 'null') as EffectRecord;
}

const PAGE = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Bad gateway</html>' };
const UNCLEAR: [string, Omit<FaultOptions, 'on'>][] = [
  ['its answer is cut off', { kind: 'cut', when: 'after' }],
  ['a cut answer comes to what was not done', { kind: 'cut' }],
  ['a page comes in place of its answer', { ...PAGE, when: 'after' }],
  ['an empty answer comes to it', { status: 200, headers: { 'content-type': 'text/plain' }, body: '', when: 'after' }],
];

describe.each(UNCLEAR)('where %s', (_, fault) => {
  it.each(kinds)('%s stands once, and is recorded', async (__, kind) => {
    const id = await prepare(kind);
    house.gh.fault({ on: kind.on, ...fault });
    const outcome = await carryOut(kind.effect(id));
    expect(outcome).toMatchObject({ status: 'done' });
    expect(await kind.count(id)).toBe(1);
    expect(recordOf()).toMatchObject({ state: 'ended', outcome });
  });
});

/** A governor whose process is gone as soon as its first write was answered. */
class Killed extends Governor {
  constructor() {
    super({ turns: house.turns, clock: house.clock });
  }

  override async write<T>(installation: number, turn: Turn, act: () => Promise<T>): Promise<T> {
    return super.write(installation, turn, async () => {
      const before = writes();
      const answer = await act();
      if (writes() > before) throw new Error('killed');
      return answer;
    });
  }
}

describe('of a process that is killed', () => {
  it.each(kinds)('before the call, %s is carried out once by another', async (_, kind) => {
    const id = await prepare(kind);
    house.records.rows.set(`${run}:step.1`, JSON.stringify({ state: 'acting', at: house.clock.now(), by: 'dead' }));
    expect(await carryOut(kind.effect(id))).toMatchObject({ status: 'done' });
    expect(await kind.count(id)).toBe(1);
  });

  it.each(kinds)('after the call, %s is found by another', async (_, kind) => {
    const id = await prepare(kind);
    const dying = house.publisher({ worker: 'dying', governor: new Killed() }).perform(house.call(kind.effect(id)));
    await expect(dying).rejects.toThrow('killed');
    expect(await carryOut(kind.effect(id))).toMatchObject({ status: 'done' });
    expect(await kind.count(id)).toBe(1);
    expect(recordOf()).toMatchObject({ state: 'ended', outcome: { status: 'done' } });
  });
});

describe('where GitHub calls every token bad', () => {
  it.each(kinds)('%s waits for a better one: nothing is done, nothing is decided', async (_, kind) => {
    const id = await prepare(kind);
    house.gh.fault({ on: kind.on, status: 401, body: { message: 'Bad credentials' }, times: 2 });
    await expect(house.publisher().perform(house.call(kind.effect(id)))).rejects.toMatchObject({ kind: 'unauthorized' });
    expect(await kind.count(id)).toBe(0);
    expect(await carryOut(kind.effect(id))).toMatchObject({ status: 'done' });
    expect(await kind.count(id)).toBe(1);
  });
});

describe('of a run that ended', () => {
  it.each(kinds)('while it waited for its turn, %s is left out', async (_, kind) => {
    const id = await prepare(kind);
    const before = writes();
    const outcome = await house.publisher().perform(house.call(kind.effect(id), { mayStillAct: async () => false }));
    expect(outcome).toMatchObject({ status: 'refused', reason: expect.stringContaining('ended') });
    expect(writes()).toBe(before);
    expect(await kind.count(id)).toBe(0);
  });
});

const REFUSALS: [string, Omit<FaultOptions, 'on'>][] = [
  ['403', { status: 403, body: { message: 'Resource not accessible by integration' } }],
  ['410', { status: 410, body: { message: 'This issue was deleted' } }],
  ['422', { status: 422, body: { message: 'Validation Failed' } }],
];

describe.each(REFUSALS)('where GitHub answers %s', (_, fault) => {
  it.each(kinds)('%s is refused for good, and leaves nothing', async (__, kind) => {
    const id = await prepare(kind);
    house.gh.fault({ on: kind.on, ...fault, times: 9 });
    const outcome = await carryOut(kind.effect(id));
    house.gh.clearFaults();
    expect(outcome.status).toBe('refused');
    expect(await kind.count(id)).toBe(0);
    expect(recordOf()).toMatchObject({ state: 'ended', outcome });
    expect((await house.reviews()).map(({ state }) => state)).not.toContain('PENDING');
  });
});
