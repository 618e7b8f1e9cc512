import type { Doubt, Doubts } from '../../journal/effect.ts';
import type { Expectable, Expected } from '../expected.ts';
import { type AtOnce, copyOf } from './way.ts';

/** What is expected, in this process' memory. */
export function expected(): AtOnce<Expected> {
  const kept = new Map<string, { one: Expectable; by: number }>();
  const nameOf = ({ wake, id }: Expectable) => `${wake} ${id}`;
  return {
    expect(all, by) {
      for (const one of all) kept.set(nameOf(one), { one: { ...one }, by: Math.ceil(by) });
    },
    forget: (one) => void kept.delete(nameOf(one)),
    take(now, { again, most }) {
      const due = [...kept.values()].filter(({ by }) => by <= now).sort((a, b) => a.by - b.by || (nameOf(a.one) < nameOf(b.one) ? -1 : 1));
      return due.slice(0, most).map((row) => {
        row.by = Math.ceil(again);
        return { ...row.one };
      });
    },
  };
}

/** Doubts in this process' memory; each is expected to be looked at again. */
export function doubts(all: AtOnce<Expected>): AtOnce<Doubts> {
  const kept = new Map<string, Doubt>();
  return {
    note(id, doubt, at) {
      kept.set(id, copyOf(doubt));
      all.expect([{ wake: 'effect', id }], at);
    },
    of: (id) => kept.get(id) ?? null,
  };
}
