import { execFileSync } from 'node:child_process';

/**
 * An independent reading of `git diff`: every place that can carry a comment, as `path LEFT|RIGHT line`, and `path FILE` for every changed file. It asks
 * git for one file at a time, with `-z` names, and counts hunk rows itself; nothing is shared with what the server or the double do.
 */
export function validPlaces(dir: string, base: string, head: string): Set<string> {
  const git = (...args: string[]) => execFileSync('git', ['-C', dir, ...args], { encoding: 'utf8', maxBuffer: 512 * 1024 * 1024 });
  const from = git('merge-base', base, head).trim();
  const places = new Set<string>();
  const fields = git('diff', '--name-status', '-z', '-M', from, head).split('\0');
  for (let at = 0; at < fields.length - 1; ) {
    const renamed = /^[RC]/.test(fields[at]!);
    const names = fields.slice(at + 1, at + (renamed ? 3 : 2));
    at += renamed ? 3 : 2;
    const path = names.at(-1)!;
    places.add(`${path} FILE`);
    for (const row of rowsOf(git('diff', '-M', '-U3', from, head, '--', ...names))) places.add(`${path} ${row}`);
  }
  return places;
}

function rowsOf(diff: string): string[] {
  const places: string[] = [];
  let [left, right, inside] = [0, 0, false];
  for (const row of diff.split('\n')) {
    const start = row.match(/^@@ -(\d+)\S* \+(\d+)\S* @@/);
    if (start) [left, right, inside] = [Number(start[1]), Number(start[2]), true];
    else if (row.startsWith('diff --git')) inside = false;
    else if (inside && row[0] === '+') places.push(`RIGHT ${right++}`);
    else if (inside && row[0] === '-') places.push(`LEFT ${left++}`);
    else if (inside && row[0] === ' ') places.push(`RIGHT ${right++}`, `LEFT ${left++}`);
  }
  return places;
}
