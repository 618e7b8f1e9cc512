import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replayWith } from '../../../src/run/replay/changed-workflow.ts';
import type { Tape } from '../../../src/run/replay/tape.ts';
import { readTape } from '../../../src/run/replay/tape-file.ts';
import type { Workflow } from '../../../src/workflow/definition.ts';
import { Settings } from '../../../src/workflow/settings.ts';

const fixture = (name: string): Tape => readTape(readFileSync(resolve(import.meta.dirname, `../../fixtures/runs/${name}.jsonl`)));
const review = fixture('small-review');
const talk = fixture('talk');

/** The run's own workflow, changed as text. */
function changed(tape: Tape, from: string | RegExp, to: string): Workflow {
  const first = tape.journals.get(tape.run)?.[0];
  const text = JSON.stringify(first?.type === 'run.started' ? first.start.workflow.definition : null);
  const other = text.replace(from, to);
  if (other === text && from !== '') throw new Error(`${String(from)} does not stand in ${text}`);
  return JSON.parse(other) as Workflow;
}

const CONDITION =
  '"condition":{"combinator":"and","not":false,"rules":[{"field":"context.pullRequest.title","operator":"equals","value":"x"}]}';

describe('another workflow for a recorded run', () => {
  it.each([
    ['its own', review, '', '', { kind: 'same', entries: 27 }],
    [
      'another trigger',
      review,
      '"pull_request_opened"',
      '"issue_opened"',
      { kind: 'not started', reason: expect.stringContaining('it waits for issue_opened') as string },
    ],
    [
      'a condition that does not hold',
      review,
      '"conditions":null',
      `"conditions":${CONDITION.slice(12)}`,
      { kind: 'not started', reason: expect.stringContaining('context.pullRequest.title equals "x", it is "Change"') as string },
    ],
  ])('%s', async (_, tape, from, to, expected) => {
    expect(await replayWith(tape, changed(tape, from, to))).toMatchObject(expected);
  });

  it.each([
    [
      'a branch',
      review,
      'headBranch',
      'baseBranch',
      { place: { step: 'clone' }, field: { path: 'branch', recorded: '"feature"', derived: '"main"' } },
    ],
    [
      'a condition of the flow',
      review,
      /"condition":null(?=\}\],"priority)/,
      CONDITION,
      { recorded: 'the step starts (step "review")', derived: expect.stringContaining('the step ends Skipped') as string },
    ],
    [
      'the order of steps',
      review,
      '{"from":"","to":"clone","condition":null},{"from":"clone","to":"review","condition":null}',
      '{"from":"","to":"review","condition":null},{"from":"review","to":"clone","condition":null}',
      { recorded: 'the step starts (step "clone")', derived: 'the step starts (step "review")' },
    ],
    [
      'an instruction',
      review,
      'Delegate each',
      'Look at each',
      { place: { step: 'review' }, field: { path: 'messages.1', derived: expect.stringContaining('Look at each') as string } },
    ],
    [
      'a time limit',
      review,
      '"maxDurationMinutes":30',
      '"maxDurationMinutes":20',
      { place: { step: 'review' }, field: { path: 'system' } },
    ],
    ['a goal', review, '"goal":"Review"', '"goal":"Other"', { place: { step: 'review' }, field: { path: 'messages.0' } }],
    ['an exit signal', talk, '"/done"', '"/stop"', { place: { step: 'talk' }, field: { path: 'system' } }],
  ])('%s: the first difference is named', async (_, tape, from, to, difference) => {
    expect(await replayWith(tape, changed(tape, from, to))).toMatchObject({ kind: 'differs', difference });
  });

  it('another model', async () => {
    const price = { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 };
    const models = { ...review.settings.models, big: { id: 'big-model', price } };
    const tape = { ...review, settings: Settings.parse({ ...review.settings, models }) };
    const difference = { place: { step: 'review', turn: 0 }, field: { path: 'model', derived: '"big-model"' } };
    expect(await replayWith(tape, changed(tape, '"coordinatorModelKey":null', '"coordinatorModelKey":"big"'))).toMatchObject({
      kind: 'differs',
      difference,
    });
  });

  it('a run that cannot be derived even with its own says so', async () => {
    const entries = structuredClone(review.journals.get(review.run) ?? []);
    const end = entries.at(-1);
    if (end?.type === 'run.ended') end.message += 'x';
    const tape = { ...review, journals: new Map([...review.journals, [review.run, entries]]) };
    expect(await replayWith(tape, changed(review, '', ''))).toMatchObject({ kind: 'unusable', difference: { entry: entries.length } });
  });
});
