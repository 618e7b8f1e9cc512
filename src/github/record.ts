import type { Clock } from '../journal/clock.ts';
import type { EffectRecord, EffectRecords, Outcome, Sent } from '../journal/effect.ts';
import { Superseded } from '../journal/errors.ts';

/** Who keeps the records of effects: `worker` is this process' nonce. */
export interface RecordKeeper {
  records: EffectRecords;
  worker: string;
  clock: Clock;
}

/** A record that a worker acts on. */
export type Acting = Extract<EffectRecord, { state: 'acting' }>;

/** Takes the record, which was `first` a moment ago: from nothing to acting. One that is found acting keeps its time, and what it made is looked up first. */
export async function claim(
  { records, worker, clock }: RecordKeeper,
  id: string,
  first: EffectRecord | null,
): Promise<{ status: 'ended'; outcome: Outcome } | { status: 'ours'; record: Acting; resumed: boolean }> {
  for (let seen = first; ; seen = await records.get(id)) {
    if (seen?.state === 'ended') return { status: 'ended', outcome: seen.outcome };
    if (seen?.state === 'acting' && seen.by === worker) return { status: 'ours', record: seen, resumed: true };
    const record: Acting = { at: clock.now(), ...seen, state: 'acting', by: worker };
    if (await records.swap(id, seen, record)) return { status: 'ours', record, resumed: seen?.state === 'acting' };
  }
}

/** Throws `Superseded` where the record is not this worker's to act on any more. */
export async function checkRecord({ records, worker }: RecordKeeper, id: string): Promise<void> {
  const record = await records.get(id);
  if (record?.state !== 'acting' || record.by !== worker) throw new Superseded(`another worker carries out ${id}`);
}

/** Ends the record, once; throws `Superseded` where another worker has it. */
export async function endRecord({ records, worker, clock }: RecordKeeper, id: string, outcome: Outcome): Promise<void> {
  const seen = await records.get(id);
  const ours = seen?.state === 'acting' && seen.by === worker;
  if (ours && (await records.swap(id, seen, { state: 'ended', at: clock.now(), outcome }))) return;
  throw new Superseded(`another worker carries out ${id}`);
}

/** Keeps in the record since when GitHub gives no clear answer (null: it does), or what was sent; throws `Superseded` where another worker has it. */
export async function noteInRecord(
  { records, worker }: RecordKeeper,
  id: string,
  note: { unclear: number | null } | { sent: Sent },
): Promise<void> {
  const seen = await records.get(id);
  if (seen?.state !== 'acting' || seen.by !== worker) throw new Superseded(`another worker carries out ${id}`);
  const { unclear = null, ...rest } = { ...seen, ...note };
  const next: Acting = unclear === null ? rest : { ...rest, unclear };
  if (!(await records.swap(id, seen, next))) throw new Superseded(`another worker carries out ${id}`);
}
