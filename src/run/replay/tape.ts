import type { Outcome } from '../../journal/effect.ts';
import type { Entry } from '../../journal/entry.ts';
import { startOf } from '../../journal/view.ts';
import { stepOrder } from '../../session/order-to-end.ts';
import type { Store } from '../../store/store.ts';
import { Settings } from '../../workflow/settings.ts';

/** The settings that decide how a run goes. None of them is a secret. */
export const TapedSettings = Settings.pick({ models: true, limits: true, gracePeriodSeconds: true, clonesFrom: true });

/** A recorded run: all that its code was told from outside, and all that it decided. Plain data, so it can be kept in a file. */
export interface Tape {
  run: string;
  /** Entries of the run and of its delegations by journal id, the run's first. Those of delegations that are gone are missing. */
  journals: Map<string, Entry[]>;
  settings: Settings;
  /** Why the run, a delegation or a single step was told to end, by its id. */
  orders: Map<string, string>;
  /** How effects ended, by their record's id. */
  effects: Map<string, Outcome>;
  /** Files that several delegations of one turn appended to, by digest: what their merge is made from. */
  blobs: Map<string, Buffer>;
  /** Long texts were taken out: prompts cannot be compared. */
  redacted: boolean;
}

/** Reads a run from the store; null where it is not known. `settings` are those that it ran with. */
export async function recordTape(store: Store, run: string, settings: Settings): Promise<Tape | null> {
  const entries = await store.journals.read(run);
  if (!startOf(entries)) return null;
  const journals = new Map([[run, entries]]);
  for (const entry of entries) {
    if (entry.type !== 'delegation.queued') continue;
    const own = await store.journals.read(entry.delegation);
    if (own.length > 0) journals.set(entry.delegation, own);
  }
  const orders = new Map<string, string>();
  const steps = entries.flatMap((entry) => (entry.type === 'step.started' ? [stepOrder(run, `step/${entry.step}`)] : []));
  for (const id of [...journals.keys(), ...steps]) {
    const reason = await store.cancels.reasonOf(id);
    if (reason !== null) orders.set(id, reason);
  }
  return {
    run,
    journals,
    settings: Settings.parse(TapedSettings.strip().parse(settings)),
    orders,
    effects: await effectsOf(store, run, journals),
    blobs: await blobsOf(store, run, entries),
    redacted: false,
  };
}

/** The records of what a session itself says and of what a run posts at its end; effects of tool calls end in their entries. */
async function effectsOf(store: Store, run: string, journals: Tape['journals']): Promise<Tape['effects']> {
  const effects: Tape['effects'] = new Map();
  for (const entry of journals.get(run) ?? []) {
    if (entry.type !== 'noted' || !(entry.key.endsWith('/said') || entry.key === 'leftovers')) continue;
    const id = `${run}:${entry.key}`;
    const record = await store.effects.get(id);
    if (record?.state === 'ended') effects.set(id, record.outcome);
  }
  return effects;
}

/** What was joined is put together from its parts again, so their contents are needed. */
async function blobsOf(store: Store, run: string, entries: readonly Entry[]): Promise<Tape['blobs']> {
  const versions = new Map<string, string[]>();
  for (const entry of entries) {
    if (entry.type !== 'delegation.ended') continue;
    for (const [path, blob] of Object.entries(entry.end.changes))
      if (blob?.appended) versions.set(path, [...(versions.get(path) ?? []), blob.digest]);
  }
  const digests = new Set([...versions.values()].filter((all) => all.length > 1).flat());
  const blobs = store.blobs(run);
  return new Map(await Promise.all([...digests].map(async (digest) => [digest, await blobs.get(digest)] as const)));
}
