import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { FaultOptions } from '../../src/demo/github/fault.ts';
import type { Annotation, Effect } from '../../src/journal/effect.ts';
import { House } from './house.ts';

const UPDATE = 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}';
const output = { title: 'Mistakes', summary: 'Here.' };

let house: House;
let n = 0;
let run = '';

beforeAll(async () => {
  house = await House.open({}, { 'a.txt': 'one\n' });
});
afterAll(() => house.close());
beforeEach(() => {
  run = `run${++n}`;
});
afterEach(() => house.clear());

const perform = (key: string, effect: Effect, worker = 'worker-1') =>
  house.publisher({ worker }).perform({ run, key, event: house.event, effect });

async function open(): Promise<number> {
  const sha = 'head' in house.event.resource ? house.event.resource.head.sha : '';
  const made = await perform('open', { type: 'check.create', sha, name: 'Configuration', external: run, output });
  return (made as { result: { checkId: number } }).result.checkId;
}

function annotate(count: number, message = (k: number) => `mistake ${k}`): Annotation[] {
  return Array.from({ length: count }, (_, k) => ({ path: 'a.txt', line: k + 1, column: 2, level: 'failure', message: message(k) }));
}

const end = (check: number, annotations: Annotation[], worker?: string) =>
  perform('end', { type: 'check.update', check, status: 'completed', conclusion: 'failure', output: { ...output, annotations } }, worker);

const standing = () => house.gh.checks('acme/app').find((check) => check.externalId === run);
const linesOf = () => standing()?.annotations.map((one) => one.start_line);
const upTo = (count: number) => Array.from({ length: count }, (_, k) => k + 1);

it.each([0, 1, 50, 51, 175])('%i annotations stand once each, and then the check ends', async (count) => {
  const check = await open();
  expect((await end(check, annotate(count))).status).toBe('done');
  expect([standing()?.status, standing()?.conclusion, linesOf()]).toEqual(['completed', 'failure', upTo(count)]);
});

const FAULTS: [string, Omit<FaultOptions, 'on'>][] = [
  ['the first request is lost', { status: 502 }],
  ['the first answer is lost', { status: 502, when: 'after' }],
  ['the second answer is lost', { status: 502, when: 'after', skip: 1 }],
  ['the connection is cut after each of two', { kind: 'reset', when: 'after', times: 2 }],
  ['the answer to the end is lost', { status: 502, when: 'after', skip: 3 }],
];

it.each(FAULTS)('each stands once when %s', async (_, fault) => {
  const check = await open();
  house.gh.fault({ on: UPDATE, ...fault });
  expect((await end(check, annotate(120))).status).toBe('done');
  expect([standing()?.status, linesOf()]).toEqual(['completed', upTo(120)]);
});

it('a worker that takes over adds what is missing', async () => {
  const check = await open();
  await end(check, annotate(60), 'dead');
  house.records.rows.set(`${run}:end`, JSON.stringify({ state: 'acting', at: house.clock.now(), by: 'dead' }));
  expect((await end(check, annotate(120))).status).toBe('done');
  expect(linesOf()).toEqual(upTo(120));
});

it('where GitHub refuses them the check ends all the same, and its result says why', async () => {
  const check = await open();
  house.gh.fault({ on: UPDATE, status: 422, body: { message: 'Invalid annotation' } });
  expect(await end(check, annotate(3))).toMatchObject({
    status: 'done',
    result: { checkId: check, unannotated: expect.stringContaining('Invalid annotation') },
  });
  expect([standing()?.status, linesOf()]).toEqual(['completed', []]);
});

it('equal ones stand once, and no credential is shown', async () => {
  const check = await open();
  const token = `ghp_${'a1B2'.repeat(9)}`;
  const [one] = annotate(1, () => `found ${token}`);
  await end(check, one ? [one, one] : []);
  expect(standing()?.annotations).toHaveLength(1);
  expect(JSON.stringify(standing()?.annotations)).not.toContain(token);
});
