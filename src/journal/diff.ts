/** Which version of a file a line is counted in: `LEFT` the base, `RIGHT` the head (words of GitHub). */
export type Side = 'LEFT' | 'RIGHT';

/** One row of a hunk. `old` and `new` are 1-based line numbers; a row has both only when unchanged. The text has no line end. */
export interface DiffLine {
  kind: ' ' | '+' | '-';
  text: string;
  old?: number;
  new?: number;
}

/** A hunk with GitHub's 3 lines of context. `header` is the whole `@@` line. */
export interface Hunk {
  header: string;
  oldStart: number;
  newStart: number;
  lines: DiffLine[];
}

/** One changed file of `merge-base..head`, as git tells it. `previous` is the old path of a rename or copy. */
export interface DiffFile {
  path: string;
  previous?: string;
  status: 'added' | 'modified' | 'removed' | 'renamed' | 'copied' | 'mode';
  binary: boolean;
  additions: number;
  deletions: number;
  hunks: Hunk[];
  /** The file's part of `git diff` as git printed it, from `diff --git` on. */
  text: string;
}

/** A whole change: the commits it lies between and its files in git's order. */
export interface Diff {
  base: string;
  head: string;
  mergeBase: string;
  files: DiffFile[];
}
