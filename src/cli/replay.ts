import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { startOf } from '../journal/view.ts';
import { type Change, replayWith } from '../run/replay/changed-workflow.ts';
import { type Difference, describePlace } from '../run/replay/difference.ts';
import { type Replay, replayTape } from '../run/replay/replay.ts';
import type { Tape } from '../run/replay/tape.ts';
import { readTape, TapeFileError } from '../run/replay/tape-file.ts';
import { recordFor, refuseRecord, type TapeIo } from './export.ts';
import { statOf } from './files.ts';
import { loadGiven } from './given-workflow.ts';
import { withStore } from './open-store.ts';
import { placeOf } from './runs.ts';
import { printable } from './table.ts';
import { UsageError } from './usage-error.ts';

/** What `pitwall replay` is asked for. */
export interface ReplayOptions {
  /** A run's id, or a file that `pitwall export` wrote. */
  source: string;
  with?: string;
  /** Whether prompts may be worded otherwise than they were recorded. */
  ignorePrompts: boolean;
  format: 'text' | 'json';
}

/** Derives a recorded run again and shows the first difference. Answers 0 where there is none, 1 where there is one or the run is not known, 2 for a file that is no record. */
export async function replayRun(options: ReplayOptions, io: TapeIo): Promise<number> {
  const { source } = options;
  try {
    if ((await statOf(source, io.cwd)) === 'file') return await show(readTape(await readFile(resolve(io.cwd, source))), options, io);
    if (/[/\\]|\.(jsonl|gz|json)$/.test(source)) throw new UsageError(`there is no file ${source}: pitwall export <run> writes one`);
    return await withStore(io, async (store) => {
      const tape = await recordFor(store, source, io);
      return tape === null || 'mistake' in tape ? refuseRecord(source, tape, io) : show(tape, options, io);
    });
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof TapeFileError)) throw error;
    io.err(`pitwall: ${error instanceof TapeFileError ? `${source}: ` : ''}${error.message}\n`);
    return 2;
  }
}

async function show(tape: Tape, options: ReplayOptions, io: TapeIo): Promise<number> {
  if (options.with !== undefined) return showChange(tape, options.with, options, io);
  const replay = await replayTape(tape, { prompts: !options.ignorePrompts && !tape.redacted });
  if (options.format === 'json') io.out(`${JSON.stringify(jsonOf(tape, replay), null, 2)}\n`);
  else io.out(textOf(tape, replay));
  return replay.difference ? 1 : 0;
}

function jsonOf({ run }: Tape, { difference, same, missing, givenUp, isWhole }: Replay) {
  return { run, same: difference === null, ended: isWhole, entries: Object.fromEntries(same), missing, givenUp, difference };
}

function textOf(tape: Tape, { difference, same, missing, givenUp, isWhole }: Replay): string {
  const counts = [...same.values()];
  const all = counts.reduce((sum, count) => sum + count, 0);
  const delegations = tape.journals.size - 1;
  const notes = [
    ...(missing.length > 0 ? [`The journals of ${missing.length} delegations are not in the record: they were not derived.`] : []),
    ...givenUp.map((reason) => `Taken from the record, because nothing in it leads there: ${printable(reason)}`),
    ...(isWhole ? [] : ['The run had not ended when it was recorded.']),
    ...(tape.redacted ? ['Texts were taken out of the record: prompts were not compared.'] : []),
  ];
  const verdict = difference
    ? [...describeDifference(tape, difference, REPLAYED), ...(isPrompt(difference) ? [PROMPT_HINT] : [])]
    : [
        `All ${all} entries of the run and ${delegations} ${delegations === 1 ? 'delegation' : 'delegations'} were derived again, the same as recorded.`,
      ];
  return `${[headOf(tape), ...verdict, ...notes].join('\n')}\n`;
}

function headOf(tape: Tape): string {
  const start = startOf(tape.journals.get(tape.run) ?? []);
  return start ? printable(`Run ${tape.run}: ${start.workflow.name}, ${placeOf(start.event)}`) : `Run ${tape.run}`;
}

/** How the two sides of a difference are called. */
interface Sides {
  recorded: string;
  derived: string;
}

const REPLAYED: Sides = { recorded: 'recorded', derived: 'derived' };
const CHANGED: Sides = { recorded: 'it was', derived: 'it would be' };

/** What was there and what came instead; where they are the same kind of entry, the part that is not the same. */
function describeDifference(tape: Tape, { journal, entry, place, recorded, derived, field }: Difference, sides: Sides): string[] {
  const first = tape.journals.get(journal)?.[0];
  const whose = first?.type === 'delegation.started' ? `the delegation "${first.start.label}" to ${first.start.agent.name}` : 'the run';
  const where = describePlace(place);
  const width = Math.max(sides.recorded.length, sides.derived.length, 'part'.length) + 2;
  const row = (name: string, text: string) => `  ${name.padEnd(width)}${text}`;
  const isDigest = field?.path === 'request';
  const [was, is] = field
    ? [field.recorded, field.derived].map((side) => (isDigest ? `a prompt with the digest ${side}` : side))
    : [recorded ?? 'nothing: the record ends here', derived];
  return [
    `The first difference is at entry ${entry} of ${whose}${field && recorded ? `: ${recorded}` : where ? ` (${where})` : ''}`,
    ...(field?.path && !isDigest ? [row('part', field.path)] : []),
    row(sides.recorded, was ?? ''),
    row(sides.derived, is ?? ''),
    `The ${entry - 1} entries before it are the same.`,
  ].map((line) => line.replace(/[\p{Cc}\p{Cf}]+/gu, ' '));
}

const PROMPT_HINT = 'Only what a model is told differs here, as another build may word it: --ignore-prompts compares decisions alone.';

function isPrompt({ field }: Difference): boolean {
  return field !== null && /^(system|messages|tools|request)\b/.test(field.path);
}

async function showChange(tape: Tape, file: string, { format }: ReplayOptions, io: TapeIo): Promise<number> {
  const start = startOf(tape.journals.get(tape.run) ?? []);
  const agentIds = start?.agents.map(({ id }) => id) ?? [];
  const { workflow } = await loadGiven(resolve(io.cwd, file), { option: '--with', agentIds });
  const change = await replayWith(tape, workflow);
  if (format === 'json') io.out(`${JSON.stringify({ run: tape.run, ...change }, null, 2)}\n`);
  else io.out(`${[headOf(tape), ...describeChange(tape, change, file)].join('\n')}\n`);
  return change.kind === 'same' ? 0 : 1;
}

function describeChange(tape: Tape, change: Change, file: string): string[] {
  switch (change.kind) {
    case 'same':
      return [`With ${file} this run would have gone the same way: all ${change.entries} entries are the same.`];
    case 'not started':
      return [`With ${file} this run would not have started: ${printable(change.reason)}`];
    case 'differs':
      return [`With ${file} this run would have gone another way.`, ...describeDifference(tape, change.difference, CHANGED)];
    case 'unusable':
      return [
        `With its own workflow this run does not go as recorded any more, so no other can be compared.`,
        ...describeDifference(tape, change.difference, REPLAYED),
      ];
  }
}
