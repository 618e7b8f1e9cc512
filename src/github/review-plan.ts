import type { Diff } from '../journal/diff.ts';
import type { Finding, Rung } from '../journal/finding.ts';
import { type Placing, place, validLines } from './ladder.ts';
import type { Remark } from './review-body.ts';

/** Comments on lines in one review. */
export const BATCH = 30;

/** What decides where findings stand: the diff they are posted against, the one they were written for, and rungs that GitHub taught us. */
export interface Ground {
  diff: Diff;
  /** The diff at the event's head, where the review had to move to a newer one: a line counts only if it still says the same. */
  before: Diff | null;
  /** Findings that GitHub did not take where they were: the highest rung that is left to each. */
  lowered: ReadonlyMap<string, Rung>;
}

/** The remarks of one review. */
export interface Batch {
  line: Remark[];
  file: Remark[];
  body: Remark[];
}

const HEIGHT: Record<Rung, number> = { line: 3, 'range-cut': 2, file: 1, body: 0 };

/** Sorts findings that are not posted yet into the next review: 30 on lines, and all that have none. */
export function planBatch(findings: Finding[], ground: Ground): Batch {
  const remarks = findings.filter((f) => !f.posted).map((finding) => ({ finding, placing: placeFinding(finding, ground) }));
  const on = (...rungs: Rung[]) => remarks.filter((r) => rungs.includes(r.placing.rung));
  return { line: on('line', 'range-cut').slice(0, BATCH), file: on('file'), body: on('body') };
}

/** Where a finding stands: never higher than where it was recorded, nor than GitHub allowed. */
export function placeFinding(finding: Finding, { diff, before, lowered }: Ground): Placing {
  const limit = Math.min(HEIGHT[finding.rung], HEIGHT[lowered.get(finding.id) ?? 'line']);
  const { path, side, line, startLine } = finding;
  const placing = place(diff, { path, side, ...(limit > HEIGHT.file ? { line, startLine } : {}) });
  if (limit === HEIGHT.body || placing.rung === 'body') return { ...placing, rung: 'body' };
  if (before && placing.line !== undefined && !saysTheSame(placing, before, diff)) return place(diff, { path, side });
  return finding.rung === 'range-cut' && placing.rung === 'line' ? { ...placing, rung: 'range-cut' } : placing;
}

function saysTheSame({ path, side, line, startLine }: Placing, before: Diff, now: Diff): boolean {
  const textAt = (diff: Diff, at: number | undefined) => {
    const file = diff.files.find((f) => f.path === path);
    return file && validLines(file).find((v) => v.side === side && v.line === at)?.text;
  };
  return [line, startLine ?? line].every((at) => textAt(before, at) !== undefined && textAt(before, at) === textAt(now, at));
}

/** One step down: what GitHub refuses on a line goes on the file, what it refuses there into the review's text. */
export function lower(rung: Rung): Rung {
  return rung === 'file' || rung === 'body' ? 'body' : 'file';
}
