import { ModelRefused } from '../agent/model.ts';
import { pauseOf } from '../github/error.ts';
import { Fatal, Pending, Superseded } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import { isStoreTrouble } from '../store/redis.ts';
import { TemplateError } from '../workflow/template-render.ts';

/** How often work is tried after an error that is not the model's to mend, without getting any further in between. */
export const MOST_TRIES = 5;

/**
 * Judges what a step or delegation threw. Answers the reason where it ends as failed: the error says that trying again is no use, or it came
 * `MOST_TRIES` times in a row. Else throws the error again, counted in the journal where it is an infrastructure error. `key` is the work's place there.
 * What only time cures is not counted: while Redis is away or full it is tried again; while GitHub wants no requests, or the installation is suspended, the
 * run waits (OnHold where that may take long).
 */
export async function judgeTrouble(work: { journal: Journal; key: string; signal: AbortSignal }, error: unknown): Promise<string> {
  if (error instanceof Pending || error instanceof Superseded || work.signal.aborted) throw error;
  if (isStoreTrouble(error)) throw error;
  const pause = pauseOf(error, Date.now());
  if (pause !== null) return hold(work.journal, pause);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Fatal || error instanceof ModelRefused || error instanceof TemplateError) return message;
  const { all, inARow } = countTroubles(work.journal, work.key);
  if (inARow + 1 >= MOST_TRIES) return `tried ${MOST_TRIES} times: ${message}`;
  await work.journal.append({ type: 'noted', key: `${work.key}/trouble/${all}`, value: message });
  throw error;
}

/** Said once: the run is on hold until its journal goes on. */
async function hold(journal: Journal, { reason, until, long }: { reason: string; until: number; long: boolean }): Promise<never> {
  const last = journal.entries.at(-1);
  const isSaid = last?.type === 'run.state' && last.state === 'OnHold';
  if (long && !isSaid && journal.entries[0]?.type === 'run.started') await journal.append({ type: 'run.state', state: 'OnHold', reason });
  throw new Pending(reason, until);
}

/** Any other entry of the same work is progress, and sets the count back. */
function countTroubles({ entries }: Journal, key: string): { all: number; inARow: number } {
  let all = 0;
  let inARow = 0;
  for (const entry of entries) {
    if (!('key' in entry) || (entry.key !== key && !entry.key.startsWith(`${key}/`))) continue;
    const isTrouble = entry.type === 'noted' && entry.key.startsWith(`${key}/trouble/`);
    if (isTrouble) all++;
    inARow = isTrouble ? inARow + 1 : 0;
  }
  return { all, inARow };
}
