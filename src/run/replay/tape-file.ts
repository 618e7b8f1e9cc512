import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Outcome } from '../../journal/effect.ts';
import type { Entry } from '../../journal/entry.ts';
import { JOURNAL_FORMAT } from '../../store/encoding.ts';
import { Settings } from '../../workflow/settings.ts';
import { type Tape, TapedSettings } from './tape.ts';

/** Changes when files of one build cannot be read by another. */
const FILE_FORMAT = 1;
const WHAT = 'pitwall run';

/** A file that holds no run that this build can replay: the message says why, and what to do. */
export class TapeFileError extends Error {
  override name = 'TapeFileError';
}

const Header = z.object({
  what: z.literal(WHAT),
  format: z.int(),
  journalFormat: z.int(),
  version: z.string(),
  run: z.string().min(1),
  redacted: z.boolean(),
});

const EntryLine = z.object({
  journal: z.string().min(1),
  n: z.int().min(1),
  entry: z.looseObject({ type: z.string(), at: z.number() }),
});

const OutcomeLine = z.discriminatedUnion('status', [
  z.object({ status: z.literal('done'), result: z.unknown() }),
  z.object({ status: z.literal('refused'), reason: z.string() }),
  z.object({ status: z.literal('unknown'), reason: z.string() }),
]);

const Line = z.union([
  EntryLine,
  z.object({ settings: TapedSettings.strip() }),
  z.object({ order: z.string(), reason: z.string() }),
  z.object({ effect: z.string(), outcome: OutcomeLine }),
  z.object({ blob: z.string(), base64: z.string() }),
  z.object({ end: z.int() }),
]);
type Line = z.infer<typeof Line>;

/** Writes a record as lines of JSON: one says what the file is, one for every entry, and the last how many there are. */
export function writeTape(tape: Tape, version: string): string {
  const header: z.infer<typeof Header> = {
    what: WHAT,
    format: FILE_FORMAT,
    journalFormat: JOURNAL_FORMAT,
    version,
    run: tape.run,
    redacted: tape.redacted,
  };
  const entries = [...tape.journals].flatMap(([journal, all]) => all.map((entry, k) => ({ journal, n: k + 1, entry })));
  const lines: object[] = [
    header,
    { settings: TapedSettings.strip().parse(tape.settings) },
    ...[...tape.orders].map(([order, reason]) => ({ order, reason })),
    ...[...tape.effects].map(([effect, outcome]) => ({ effect, outcome })),
    ...[...tape.blobs].map(([blob, content]) => ({ blob, base64: content.toString('base64') })),
    ...entries,
  ];
  return [...lines, { end: lines.length + 1 }].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** A file's content, compressed. */
export function packTape(text: string): Buffer {
  return gzipSync(text);
}

/** Reads a record from a file's content, compressed or not. Throws `TapeFileError` for what is no record, is cut off, or comes from a newer build. */
export function readTape(content: Buffer): Tape {
  const [first = '', ...rest] = linesOf(textOf(content));
  const header = readHeader(first);
  const tape: Tape = {
    run: header.run,
    journals: new Map([[header.run, []]]),
    settings: Settings.parse({}),
    orders: new Map(),
    effects: new Map(),
    blobs: new Map(),
    redacted: header.redacted,
  };
  let end = 0;
  rest.forEach((text, k) => {
    const line = readLine(text, k + 2);
    if ('end' in line) end = line.end;
    else keepLine(tape, line, k + 2);
  });
  if (end !== rest.length + 1) throw new TapeFileError(CUT_OFF);
  if (tape.journals.get(header.run)?.[0]?.type !== 'run.started')
    throw new TapeFileError('the file holds no start of its run: export the run again');
  return tape;
}

const CUT_OFF = 'the file is cut off, or lines of it are missing: export the run again, or copy the file again';

function textOf(content: Buffer): string {
  if (content[0] !== 0x1f || content[1] !== 0x8b) return content.toString('utf8');
  try {
    return gunzipSync(content).toString('utf8');
  } catch {
    throw new TapeFileError(CUT_OFF);
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function readHeader(text: string): z.infer<typeof Header> {
  const value = parseJson(text);
  const isOurs = typeof value === 'object' && value !== null && 'what' in value && value.what === WHAT;
  if (!isOurs) throw new TapeFileError('the file is no exported run: pitwall export <run> writes one');
  const newer = (key: string, known: number) => key in value && Number((value as Record<string, unknown>)[key]) > known;
  if (newer('format', FILE_FORMAT) || newer('journalFormat', JOURNAL_FORMAT)) {
    const by = 'version' in value ? ` (Pitwall ${String(value.version)})` : '';
    throw new TapeFileError(`the file was written by a newer build${by} than this one: replay it with that build, or upgrade`);
  }
  const parsed = Header.safeParse(value);
  if (!parsed.success)
    throw new TapeFileError(`line 1 of the file is not what it should be (${z.prettifyError(parsed.error)}): export the run again`);
  return parsed.data;
}

function readLine(text: string, number: number): Line {
  const value = parseJson(text);
  if (value === undefined) throw new TapeFileError(CUT_OFF);
  const parsed = Line.safeParse(value);
  if (!parsed.success) throw new TapeFileError(`line ${number} of the file is nothing that a run is recorded with: export the run again`);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function keepLine(tape: Tape, line: Exclude<Line, { end: number }>, number: number): void {
  if ('settings' in line) tape.settings = Settings.parse(line.settings);
  else if ('order' in line) tape.orders.set(line.order, line.reason);
  else if ('effect' in line) tape.effects.set(line.effect, line.outcome as Outcome);
  else if ('blob' in line) tape.blobs.set(line.blob, Buffer.from(line.base64, 'base64'));
  else {
    const entries = tape.journals.get(line.journal) ?? [];
    if (line.n !== entries.length + 1)
      throw new TapeFileError(
        `line ${number} of the file is entry ${line.n} of ${line.journal}, where entry ${entries.length + 1} belongs: export the run again`,
      );
    entries.push(line.entry as unknown as Entry);
    tape.journals.set(line.journal, entries);
  }
}
