import type { Clock } from '../../journal/clock.ts';
import type { Entry } from '../../journal/entry.ts';
import type { Streams } from '../streams.ts';
import type { AtOnce } from './way.ts';

interface Row {
  nonce: string;
  at: number;
  text: string;
}

/** Journals in memory, long texts and all. */
export function streams(clock: Clock): AtOnce<Streams> {
  const kept = new Map<string, { rows: Row[]; until: number }>();
  const rowsOf = (id: string): Row[] => {
    const known = kept.get(id);
    if (!known) return [];
    if (known.until > clock.now()) return known.rows;
    kept.delete(id);
    return [];
  };
  return {
    write(id, { from, nonce, drafts }) {
      const rows = rowsOf(id);
      const standing = rows[from - 1];
      if (standing || rows.length !== from - 1) return standing?.nonce === nonce ? standing.at : null;
      const at = clock.now();
      const more = drafts.map((draft) => ({ nonce, at, text: JSON.stringify(draft) }));
      if (kept.has(id)) rows.push(...more);
      else kept.set(id, { rows: more, until: Number.POSITIVE_INFINITY });
      return at;
    },
    read: (id, from) =>
      rowsOf(id)
        .slice(from - 1)
        .map(entryOf),
    ends: (ids, end) =>
      ids.map((id) => {
        const row = rowsOf(id).at(end === 'first' ? 0 : -1);
        return row ? entryOf(row) : null;
      }),
    expire(id, seconds) {
      const known = kept.get(id);
      if (known) known.until = clock.now() + seconds * 1_000;
    },
  };
}

function entryOf({ text, at }: Row): Entry {
  return { ...(JSON.parse(text) as Entry), at };
}
