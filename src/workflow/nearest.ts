/** The candidate that somebody most likely meant by `word`, or null where none is near. Case, `-` and `_` count little. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  if (word.length > 80) return null;
  const scored = candidates
    .map((name) => ({ name, distance: distanceOf(plain(word), plain(name)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  return best && best.distance <= Math.max(2, Math.floor(plain(best.name).length / 3)) && best.distance < plain(best.name).length
    ? best.name
    : null;
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, '');
}

/** Edits (insert, delete, replace, swap of neighbours) between two words. */
function distanceOf(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, k) => k);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let k = 1; k <= b.length; k++) {
      const same = a[i - 1] === b[k - 1] ? 0 : 1;
      const swapped =
        i > 1 && k > 1 && a[i - 1] === b[k - 2] && a[i - 2] === b[k - 1] ? (before[k - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min((last[k] ?? 0) + 1, (row[k - 1] ?? 0) + 1, (last[k - 1] ?? 0) + same, swapped));
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
