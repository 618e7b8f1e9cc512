/** The candidate that somebody most likely meant by `word`, or null where none is near. Case, `-` and `_` count little. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  if (word.length > 80) return null;
  const given = plain(word);
  let best: { name: string; distance: number } | null = null;
  for (const { name, wanted } of plainAll(candidates)) {
    const most = Math.min(Math.max(2, Math.floor(wanted.length / 3)), wanted.length - 1, (best?.distance ?? Number.POSITIVE_INFINITY) - 1);
    if (Math.abs(wanted.length - given.length) > most) continue;
    const distance = distanceOf(given, wanted, most);
    if (distance <= most) best = { name, distance };
  }
  return best?.name ?? null;
}

const plainLists = new WeakMap<readonly string[], { name: string; wanted: string }[]>();

/** The same list is asked for many words, so its plain form is kept as long as the list. */
function plainAll(candidates: readonly string[]): { name: string; wanted: string }[] {
  const known = plainLists.get(candidates);
  if (known) return known;
  const made = candidates.map((name) => ({ name, wanted: plain(name) }));
  plainLists.set(candidates, made);
  return made;
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, '');
}

/** Edits (insert, delete, replace, swap of neighbours) between two words; infinite as soon as they are over `most`. */
function distanceOf(one: string, other: string, most: number): number {
  const [a, b] = differing(one, other);
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, k) => k);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let k = 1; k <= b.length; k++) {
      const same = a[i - 1] === b[k - 1] ? 0 : 1;
      const swapped =
        i > 1 && k > 1 && a[i - 1] === b[k - 2] && a[i - 2] === b[k - 1] ? (before[k - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row[k] = Math.min((last[k] ?? 0) + 1, (row[k - 1] ?? 0) + 1, (last[k - 1] ?? 0) + same, swapped);
      least = Math.min(least, row[k] ?? 0);
    }
    if (least > most + 1) return Number.POSITIVE_INFINITY;
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}

/** Both words without what they begin and end with alike. */
function differing(a: string, b: string): [string, string] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}
