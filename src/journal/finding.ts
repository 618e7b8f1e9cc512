import type { Side } from './diff.ts';

/** The ladder, so that nothing is lost: exact lines, a range cut to one hunk, the file, a section of the review's body. */
export type Rung = 'line' | 'range-cut' | 'file' | 'body';

/** Something a sub-agent found, recorded in the run's draft review. Lines are 1-based; `line` is absent for a remark on the whole file. */
export interface Finding {
  id: string;
  path: string;
  side: Side;
  line?: number;
  startLine?: number;
  body: string;
  suggestion?: string;
  rung: Rung;
  /** Where it was recorded: the key of the tool call. */
  key: string;
  /** Set when it stands on GitHub; `earlier` where an open thread of a review before this run's says it already. */
  posted?: { review: number; comment: number | null; rung: Rung; earlier?: true };
}

/** The draft reviews of runs, in the store: written by parallel delegations, read by the publisher. */
export interface DraftReviews {
  /**
   * Records a finding. The same path, line, side and body again answers the one that is there; the same path and body, where the first stands on a
   * lower rung, moves it. Repeating a call (same `key`) changes nothing.
   */
  add(run: string, finding: Finding): Promise<Finding>;
  list(run: string): Promise<Finding[]>;
  markPosted(run: string, id: string, posted: NonNullable<Finding['posted']>): Promise<void>;
}
