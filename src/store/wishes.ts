import type { Clock } from '../journal/clock.ts';

/** What is wished for closer than this is one (ms). */
const MOMENT_MS = 2_000;

/**
 * Merges what is wished for again and again: the first wish is granted at once, those that come within a moment of it together after that. Only in memory: what
 * another process did not live to grant has to be wished for again by whoever goes on with its work.
 */
export class Wishes {
  readonly #clock: Clock;
  readonly #grant: (id: string) => Promise<void>;
  /** What was granted a moment ago, and whether it was wished for since. */
  readonly #granted = new Map<string, { again: boolean }>();

  constructor(clock: Clock, grant: (id: string) => Promise<void>) {
    this.#clock = clock;
    this.#grant = grant;
  }

  /** Resolves when it is granted, or kept for later. */
  async wish(id: string): Promise<void> {
    const known = this.#granted.get(id);
    if (known) known.again = true;
    else await this.grant(id);
  }

  /** Grants at once what cannot wait, and all that was wished for before. Where that fails it throws, and is tried again in a moment. */
  async grant(id: string): Promise<void> {
    const row = { again: false };
    this.#granted.set(id, row);
    this.#clock.later(MOMENT_MS, () => void this.#settle(id, row));
    try {
      await this.#grant(id);
    } catch (error) {
      row.again = true;
      throw error;
    }
  }

  /** Grants all that is kept for later. */
  async grantAll(): Promise<void> {
    const left = [...this.#granted].flatMap(([id, { again }]) => (again ? [id] : []));
    this.#granted.clear();
    await Promise.all(left.map((id) => this.#grant(id)));
  }

  async #settle(id: string, row: { again: boolean }): Promise<void> {
    if (this.#granted.get(id) !== row) return;
    this.#granted.delete(id);
    if (row.again) await this.grant(id).catch(() => undefined);
  }
}
