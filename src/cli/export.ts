import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { redactTape } from '../run/replay/redaction.ts';
import { recordTape, type Tape } from '../run/replay/tape.ts';
import { packTape, writeTape } from '../run/replay/tape-file.ts';
import type { Store } from '../store/store.ts';
import { loadSettings } from './doctor/environment.ts';
import { type RunsIo, withStore } from './open-store.ts';
import { refuseUnknown } from './runs.ts';

/** What the commands that keep and replay runs are handed. */
export interface TapeIo extends RunsIo {
  cwd: string;
  version: string;
}

/** Above this size (bytes) a file that was not named is compressed. */
const LARGE = 256 * 1024;

/** Writes a run's record to a new file, or to the terminal (`--out -`). Answers 1 where the run is not known, 2 where the file cannot be written. */
export function exportRun({ run, out, redact }: { run: string; out?: string; redact: boolean }, io: TapeIo): Promise<number> {
  return withStore(io, async (store) => {
    const recorded = await recordFor(store, run, io);
    if (recorded === null || 'mistake' in recorded) return refuseRecord(run, recorded, io);
    const tape = redact ? redactTape(recorded) : recorded;
    const text = writeTape(tape, io.version);
    if (out === '-') {
      io.out(text);
      return 0;
    }
    const isLarge = out === undefined ? text.length > LARGE : out.endsWith('.gz');
    const name = out ?? `${run}.jsonl${isLarge ? '.gz' : ''}`;
    try {
      await writeFile(resolve(io.cwd, name), isLarge ? packTape(text) : text, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      io.err(`pitwall: ${name} is not written (${codeOf(error)}): name a new file with --out\n`);
      return 2;
    }
    const entries = [...tape.journals.values()].reduce((sum, all) => sum + all.length, 0);
    io.out(
      `${name}: ${entries} entries of the run and ${tape.journals.size - 1} delegations; pitwall replay ${name} derives them again.\n`,
    );
    return 0;
  });
}

/** A run's record with the settings of this machine; null where the run is not known. */
export async function recordFor(store: Store, run: string, io: RunsIo): Promise<Tape | { mistake: string } | null> {
  const read = await loadSettings(io.survey);
  if (read instanceof Error || !read.settings) return { mistake: 'the settings have mistakes: pitwall settings names them' };
  return recordTape(store, run, read.settings);
}

/** Says why there is no record. Answers the exit code. */
export function refuseRecord(run: string, refusal: { mistake: string } | null, io: RunsIo): number {
  if (!refusal) return refuseUnknown(run, io);
  io.err(`pitwall: ${refusal.mistake}\n`);
  return 2;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
