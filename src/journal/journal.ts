import type { Draft, Entry } from './entry.ts';

/** A run or delegation comes to an orderly end where its journal has as many entries: every wake reads and walks them. */
export const MOST_ENTRIES = 20_000;

/**
 * The record of a run or of a delegation, and the only way to get anything done once.
 * One writer at a time: `append` throws `Superseded` when another has taken over.
 */
export interface Journal {
  readonly id: string;
  /** Aborted as soon as another writer is known to have taken over; the reason is `Superseded`. Calls in hand are made under it. */
  readonly lost: AbortSignal;
  /** All entries, oldest first. Grows while the journal is open. */
  readonly entries: readonly Entry[];
  /** Writes entries in one step, in order; they are in `entries` when it resolves. */
  append(...drafts: Draft[]): Promise<void>;
  /** The entry of this type and key, if it was written. */
  find<T extends Entry['type']>(type: T, key: string): Extract<Entry, { type: T }> | undefined;
  /**
   * Does `work` once and answers from the record afterwards. Keys come from data (step, turn number, index of a call).
   * A result must survive JSON. If `work` throws, nothing is recorded.
   */
  once<T>(key: string, work: () => Promise<T> | T): Promise<T>;
}
