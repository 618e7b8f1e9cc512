import type { Clock } from '../../journal/clock.ts';
import type { EffectRecord, EffectRecords } from '../../journal/effect.ts';
import type { Batches } from '../batches.ts';
import { type Claims, COMMENTS_KEPT_SECONDS, DEDUPE_DAYS } from '../claims.ts';
import type { Decision, Decisions } from '../decisions.ts';
import { MOST as MOST_DECISIONS } from '../decisions.ts';
import type { DeliveriesCursor, PutOff } from '../deliveries-cursor.ts';
import type { Duties } from '../duties.ts';
import type { Lanes } from '../lanes.ts';
import type { Queued } from '../queued.ts';
import type { Past, Starts } from '../starts.ts';
import type { StatusPlaces } from '../status-places.ts';
import { type AtOnce, copyOf, Expiring, getOr } from './way.ts';

/** Effect records in this process' memory. */
export function effectRecords(): AtOnce<EffectRecords> {
  const kept = new Map<string, string>();
  return {
    get(id) {
      const text = kept.get(id);
      return text === undefined ? null : (JSON.parse(text) as EffectRecord);
    },
    swap(id, seen, next) {
      if (kept.get(id) !== (seen === null ? undefined : JSON.stringify(seen))) return false;
      kept.set(id, JSON.stringify(next));
      return true;
    },
  };
}

/** Lanes in this process' memory. */
export function lanes(): AtOnce<Lanes> {
  const kept = new Map<string, { active: string | null; queued: { run: string; priority: number }[] }>();
  const laneOf = (resource: string) => getOr(kept, resource, () => ({ active: null, queued: [] }));
  return {
    enter(resource, run, priority) {
      const lane = laneOf(resource);
      if (lane.active === null) {
        lane.active = run;
        lane.queued = lane.queued.filter((one) => one.run !== run);
      }
      if (lane.active === run) return true;
      if (!lane.queued.some((one) => one.run === run))
        lane.queued = [...lane.queued, { run, priority }].sort((a, b) => a.priority - b.priority);
      return false;
    },
    leave(resource, run) {
      const lane = laneOf(resource);
      lane.queued = lane.queued.filter((one) => one.run !== run);
      if (lane.active === run) lane.active = lane.queued.shift()?.run ?? null;
      return lane.active;
    },
    look(resource) {
      const { active, queued } = laneOf(resource);
      return { active, queued: queued.map(({ run }) => run) };
    },
  };
}

/** Starts in this process' memory; `lengthOf` says how many entries a journal has. */
export function starts(lengthOf: (id: string) => number, clock: Clock): AtOnce<Starts> {
  const kept = new Map<string, Past & { length: number }>();
  const look = (id: string): Past => {
    const seen = kept.get(id);
    if (seen?.length !== lengthOf(id)) return { count: 0, failures: 0, since: 0, how: '' };
    const { length: _, ...past } = seen;
    return past;
  };
  const change = (id: string, more: Partial<Past>) => kept.set(id, { ...look(id), ...more, length: lengthOf(id) });
  return {
    look,
    begin(id) {
      const past = look(id);
      change(id, { count: past.count + 1 });
      return past;
    },
    takeBack(id) {
      if (kept.has(id)) change(id, { count: Math.max(0, look(id).count - 1) });
    },
    end(id) {
      const { count } = look(id);
      if (count > 1) change(id, { count: count - 1, failures: 0, since: 0 });
      else kept.delete(id);
    },
    failed(id, how) {
      const { count, failures, since } = look(id);
      change(id, { count: Math.max(0, count - 1), failures: failures + 1, since: since || clock.now(), how });
    },
    died(id, how) {
      if (kept.has(id)) change(id, { how });
    },
    forget: (id) => void kept.delete(id),
  };
}

/** Batches in this process' memory. */
export function batches(): AtOnce<Batches> {
  const kept = new Map<string, Set<string>>();
  const batchOf = (run: string) => getOr(kept, run, () => new Set());
  return {
    open(run, delegations) {
      for (const id of delegations) batchOf(run).add(id);
    },
    end(run, delegation) {
      batchOf(run).delete(delegation);
      return batchOf(run).size;
    },
    look: (run) => [...batchOf(run)],
  };
}

/** Runs that have not begun, in this process' memory. */
export function queued(): AtOnce<Queued> {
  const kept = new Map<string, Map<string, string>>();
  const of = (resource: string) => getOr(kept, resource, () => new Map<string, string>());
  return {
    claim: (resource, workflow, run) => getOr(of(resource), workflow, () => run),
    replace: (resource, workflow, run) => void of(resource).set(workflow, run),
    clear(resource, workflow, run) {
      if (of(resource).get(workflow) === run) of(resource).delete(workflow);
    },
  };
}

/** Status places in this process' memory. */
export function statusPlaces(): AtOnce<StatusPlaces> {
  const kept = new Map<string, { run: string; at: number; comment: number | null }>();
  const keyOf = (resource: string, workflow: string) => `${resource} ${workflow}`;
  return {
    look(resource, workflow) {
      const place = kept.get(keyOf(resource, workflow));
      return place ? { run: place.run, comment: place.comment } : null;
    },
    take(resource, workflow, { run, at }) {
      const place = kept.get(keyOf(resource, workflow));
      if (place && place.run !== run && place.at > at) return false;
      kept.set(keyOf(resource, workflow), { run, at, comment: place?.comment ?? null });
      return true;
    },
    keep(resource, workflow, comment) {
      const place = kept.get(keyOf(resource, workflow));
      if (place) place.comment = comment;
    },
  };
}

/** Claims in this process' memory. */
export function claims(clock: Clock): AtOnce<Claims> {
  const done = new Expiring<true>(clock.now);
  const bodies = new Expiring<string>(clock.now);
  const comments = new Expiring<string>(clock.now);
  const firsts = new Expiring<string>(clock.now);
  const keptSeconds = DEDUPE_DAYS * 86_400;
  return {
    take(delivery, bodyDigest, { bodySeconds = keptSeconds } = {}) {
      if (done.get(delivery)) return 'id';
      if (bodyDigest === null) return null;
      const owner = bodies.get(bodyDigest);
      if (owner !== undefined && owner !== delivery) return 'body';
      bodies.set(bodyDigest, delivery, bodySeconds * 1_000);
      return null;
    },
    finish: (delivery) => done.set(delivery, true, keptSeconds * 1_000),
    finished: (deliveries) => deliveries.filter((delivery) => done.get(delivery)),
    takeComment(comment, delivery) {
      const owner = comments.get(comment);
      if (owner === undefined) comments.set(comment, delivery, COMMENTS_KEPT_SECONDS * 1_000);
      return owner === undefined || owner === delivery;
    },
    isFirst(thing, who, seconds) {
      const first = firsts.get(thing);
      if (first === undefined) firsts.set(thing, who, seconds * 1_000);
      return first === undefined || first === who;
    },
    broughtComments: (ids) => ids.filter((comment) => comments.get(comment)),
  };
}

/** Decisions in this process' memory. */
export function decisions(): AtOnce<Decisions> {
  const kept = new Map<string, Decision[]>();
  const keyOf = (repository: number, resource: string) => `${repository} ${resource}`;
  return {
    record(repository, resource, more) {
      const all = [...copyOf(more).reverse(), ...(kept.get(keyOf(repository, resource)) ?? [])];
      kept.set(keyOf(repository, resource), all.slice(0, MOST_DECISIONS));
    },
    list: (repository, resource) => copyOf(kept.get(keyOf(repository, resource)) ?? []),
  };
}

/** A cursor in this process' memory. */
export function deliveriesCursor(): AtOnce<DeliveriesCursor> {
  const seen = new Set<string>();
  const putOffs = new Map<string, PutOff>();
  let since: number | null = null;
  let reached: number | null = null;
  return {
    open(now) {
      since ??= now;
      return { since, reached };
    },
    reach: (deliveredAt) => void (reached = deliveredAt),
    unseen: (guids) => [...new Set(guids)].filter((guid) => !seen.has(guid)),
    see(guid) {
      seen.add(guid);
      putOffs.delete(guid);
    },
    putOff: (guid, putOff) => void putOffs.set(guid, { ...putOff }),
    putOffs: (guids) => new Map([...putOffs].filter(([guid]) => guids.includes(guid))),
  };
}

/** Duties in this process' memory. */
export function duties(clock: Clock): AtOnce<Duties> {
  const holders = new Expiring<string>(clock.now);
  const begun = new Map<string, number>();
  return {
    hold(duty, holder, ms) {
      if ((holders.get(duty) ?? holder) !== holder) return false;
      holders.set(duty, holder, ms);
      return true;
    },
    letGo(duty, holder) {
      if (holders.get(duty) === holder) holders.delete(duty);
    },
    begin: (duty, at) => void begun.set(duty, at),
    begunAt: (duty) => begun.get(duty) ?? 0,
  };
}
