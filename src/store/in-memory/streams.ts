import type { Clock } from '../../journal/clock.ts';
import type { Entry } from '../../journal/entry.ts';
import type { Streams } from '../streams.ts';
import { type AtOnce, copyOf } from './way.ts';

interface Row {
  nonce: string;
  entry: Entry;
}

/** Journals in memory, long texts and all. Who reads an entry gets the one that is kept: nobody changes entries. */
export function streams(clock: Clock): AtOnce<Streams> {
  const kept = new Map<string, { rows: Row[]; until: number; aside?: true }>();
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
      if (kept.get(id)?.aside) return null;
      const standing = rows[from - 1];
      if (standing || rows.length !== from - 1) return standing?.nonce === nonce ? standing.entry.at : null;
      const at = clock.now();
      const more = drafts.map((draft) => ({ nonce, entry: { ...copyOf(draft), at } as Entry }));
      if (kept.has(id)) rows.push(...more);
      else kept.set(id, { rows: more, until: Number.POSITIVE_INFINITY });
      return at;
    },
    length: (id) => rowsOf(id).length,
    setAside(id, length, drafts) {
      const known = kept.get(id);
      const [first, ...others] = rowsOf(id);
      if (!known || !first || known.aside || others.length + 1 !== length) return false;
      const at = clock.now();
      const more = drafts.map((draft) => ({ nonce: 'aside', entry: { ...copyOf(draft), at } as Entry }));
      kept.set(id, { ...known, rows: [first, ...more], aside: true });
      return true;
    },
    read(id, from) {
      const rows = rowsOf(id);
      const wanted = kept.get(id)?.aside ? rows.slice(from > 1 ? 1 : 0) : rows.slice(from - 1);
      return wanted.map(({ entry }) => entry);
    },
    ends: (ids, end) => ids.map((id) => rowsOf(id).at(end === 'first' ? 0 : -1)?.entry ?? null),
    expire(id, seconds) {
      const known = kept.get(id);
      if (known) known.until = clock.now() + seconds * 1_000;
    },
  };
}
