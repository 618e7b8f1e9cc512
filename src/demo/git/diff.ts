import type { BareRepository } from './bare.ts';

/** GitHub's word for what happened to a file. */
export type FileStatus = 'added' | 'modified' | 'removed' | 'renamed' | 'copied' | 'changed';

/** One file of a diff. `patch` starts at the first hunk header; null for binary and empty ones. */
export interface FileDiff {
  path: string;
  oldPath: string | null;
  status: FileStatus;
  sha: string;
  oldMode: string;
  newMode: string;
  additions: number;
  deletions: number;
  binary: boolean;
  patch: string | null;
}

/** What lies between two commits: the files in git's order and the whole text. */
export interface Diff {
  from: string;
  to: string;
  files: FileDiff[];
  text: Buffer;
}

const STATUS: Record<string, FileStatus> = { A: 'added', M: 'modified', D: 'removed', R: 'renamed', C: 'copied', T: 'changed' };

/** The id of the tree without any file, which stands in for the parent of a first commit. */
export const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** Files, counts and patches between two commits or trees, renames found, with `context` lines around each change (default 3). One process. */
export async function readDiff(bare: BareRepository, range: { from: string; to: string; context?: number }): Promise<Diff> {
  const { from, to, context = 3 } = range;
  const args = [
    'diff',
    '--no-color',
    '--no-ext-diff',
    '--no-textconv',
    '-M',
    '--raw',
    '--numstat',
    '-z',
    '--no-abbrev',
    '-p',
    `-U${context}`,
  ];
  const out = await bare.run([...args, from, to]);
  const { rows, counts, rest } = readTables(out);
  const patches = splitPatches(rest)[Symbol.iterator]();
  const files = rows.map((row, index) => ({
    ...row,
    ...(counts[index] ?? { additions: 0, deletions: 0, binary: false }),
    patch: takePatch(patches, row),
  }));
  return { from, to, files, text: rest };
}

/** The commit where two histories part, or null when they share nothing. */
export async function mergeBase(bare: BareRepository, left: string, right: string): Promise<string | null> {
  const out = await bare.text(['merge-base', left, right], { expect: [0, 1] });
  return out.trim().split('\n')[0] || null;
}

type Row = Pick<FileDiff, 'path' | 'oldPath' | 'status' | 'sha' | 'oldMode' | 'newMode'>;
type Count = Pick<FileDiff, 'additions' | 'deletions' | 'binary'>;

/** The two tables of `--raw --numstat -z` stand before the patch and end with an empty field. */
function readTables(out: Buffer): { rows: Row[]; counts: Count[]; rest: Buffer } {
  let at = 0;
  const next = () => {
    const end = out.indexOf(0, at);
    const field = out.subarray(at, end < 0 ? out.length : end).toString('utf8');
    at = end < 0 ? out.length : end + 1;
    return field;
  };
  const rows: Row[] = [];
  while (out[at] === 0x3a) rows.push(readRow(next(), next));
  const counts: Count[] = [];
  while (counts.length < rows.length) {
    const [additions = '', deletions = '', path = ''] = next().split('\t');
    if (path === '') [next(), next()];
    counts.push({ additions: Number(additions) || 0, deletions: Number(deletions) || 0, binary: additions === '-' });
  }
  if (out[at] === 0) at++;
  return { rows, counts, rest: out.subarray(at) };
}

function readRow(head: string, next: () => string): Row {
  const [oldMode = '', newMode = '', oldSha = '', newSha = '', letter = 'M'] = head.slice(1).split(' ');
  const first = next();
  const status = STATUS[letter[0] ?? ''] ?? 'changed';
  const moved = status === 'renamed' || status === 'copied';
  return {
    path: moved ? next() : first,
    oldPath: moved ? first : null,
    status,
    sha: status === 'removed' ? oldSha : newSha,
    oldMode,
    newMode,
  };
}

/** A file that becomes a link, or back, has two patches: its deletion and its creation. They are shown as one. */
function takePatch(patches: Iterator<string | null>, row: Row): string | null {
  const first = patches.next().value ?? null;
  if (row.status !== 'changed' || row.oldMode.slice(0, 2) === row.newMode.slice(0, 2)) return first;
  const second = patches.next().value ?? null;
  return [first, second].filter((part) => part !== null).join('\n') || null;
}

function splitPatches(text: Buffer): (string | null)[] {
  const patches: { lines: string[]; started: boolean }[] = [];
  const lines = text.toString('latin1').split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const line of lines) {
    const current = patches.at(-1);
    if (line.startsWith('diff --git ')) patches.push({ lines: [], started: false });
    else if (current) {
      current.started ||= line.startsWith('@@ ');
      if (current.started) current.lines.push(line);
    }
  }
  return patches.map((patch) => (patch.started ? Buffer.from(patch.lines.join('\n'), 'latin1').toString('utf8') : null));
}
