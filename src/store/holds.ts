/** Calls that are under way in this process, by the run or delegation that they are made for; a published word aborts them. */
export class Holds {
  readonly #held = new Map<string, Set<AbortController>>();

  /** Does work with a signal that is aborted when `abort` is called for this id, or by `outer`. */
  async hold<T>(id: string, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const held = new AbortController();
    const follow = () => held.abort(outer.reason);
    if (outer.aborted) follow();
    outer.addEventListener('abort', follow, { once: true });
    const all = this.#held.get(id) ?? new Set();
    this.#held.set(id, all.add(held));
    try {
      return await work(held.signal);
    } finally {
      outer.removeEventListener('abort', follow);
      all.delete(held);
      if (all.size === 0) this.#held.delete(id);
    }
  }

  /** Whose calls are under way. */
  ids(): string[] {
    return [...this.#held.keys()];
  }

  abort(id: string): void {
    for (const held of this.#held.get(id) ?? []) held.abort(new Error('told to end'));
  }
}
