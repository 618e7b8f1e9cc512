/** What waits in a queue, as it is seen right before something is added. */
export interface Waiting {
  /** The round of the job that is taken next; null where none waits. */
  next: number | null;
  /** What is to be added waits or is worked on already, under its name. */
  known: boolean;
}

/** The last that a queue can tell from others. */
const LAST_ROUND = 2_097_152;

/**
 * Slots are taken in rounds: each share (an installation) has one job in a round, and those of a round are taken first come. A share that comes new begins
 * in the round that is being taken, so it waits for one job of each other share at most; none waits for ever, because rounds only rise while anything waits.
 * Each process counts what it adds itself: with several, a share may have as many jobs in a round as there are processes.
 */
export class Shares {
  /** The last round that each share was given. */
  readonly #last = new Map<string, number>();
  /** Jobs that have a round and may not be in the queue yet. */
  #underway = 0;

  /** Gives rounds to `count` new jobs of a share, and adds them; answers what `add` answers. `first` is the round of the first, the others follow one by one. */
  async give<T>(job: { share: string; count: number }, waiting: Waiting, add: (first: number) => Promise<T>): Promise<T> {
    const first = this.#count(job, waiting);
    this.#underway++;
    try {
      return await add(first);
    } finally {
      this.#underway--;
    }
  }

  #count({ share, count }: { share: string; count: number }, { next, known }: Waiting): number {
    if (next === null && this.#underway === 0) this.#last.clear();
    const last = this.#last.get(share) ?? 0;
    if (known) return Math.max(next ?? 1, last);
    const first = Math.min(Math.max(next ?? 1, last + 1), LAST_ROUND - count);
    this.#last.set(share, first + count - 1);
    return first;
  }
}
