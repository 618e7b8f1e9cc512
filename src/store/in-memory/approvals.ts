import type { Event } from '../../journal/event.ts';
import type { Allowed, Approvals, Asked } from '../approvals.ts';
import { type AtOnce, copyOf } from './way.ts';

interface Kept {
  head: string;
  since: string;
  allowed: Allowed | null;
  events: Map<string, Event>;
}

/** Approvals in this process' memory. */
export function approvals(): AtOnce<Approvals> {
  const kept = new Map<string, Kept>();
  const shown = ({ events, ...rest }: Kept): Asked => ({ ...copyOf(rest), events: new Map(copyOf([...events])) });
  return {
    look(resource) {
      const known = kept.get(resource);
      return known ? shown(known) : null;
    },
    note(resource, { sha, since }, waits) {
      const known = kept.get(resource);
      const isNewer = known === undefined || (known.head !== sha && known.since <= since);
      const now = isNewer ? { head: sha, since, allowed: null, events: known?.events ?? new Map() } : known;
      if (waits && now.head === sha) now.events.set(waits.path, copyOf(waits.event));
      kept.set(resource, now);
      return shown(now);
    },
    allow(resource, head, word) {
      const known = kept.get(resource);
      if (known?.head !== head) return false;
      known.allowed = { ...word };
      return true;
    },
  };
}
