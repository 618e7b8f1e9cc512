import type { Clock } from '../../src/journal/clock.ts';
import type { Doubt, Doubts, EffectRecord, EffectRecords, Places, WriteTurns } from '../../src/journal/effect.ts';
import type { DraftReviews, Finding } from '../../src/journal/finding.ts';

/** A clock that runs only when somebody sleeps: nobody waits in a test. */
export class FakeClock implements Clock {
  #now = Date.parse('2026-11-21T12:00:00Z');
  readonly slept: number[] = [];
  readonly planned: { ms: number; work: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.slept.push(ms);
    this.#now += ms;
  }

  later(ms: number, work: () => void): void {
    this.planned.push({ ms, work });
  }

  pass(ms: number): void {
    this.#now += ms;
  }
}

/** The queue of writes in memory, with the figures of the real one. */
export class MemoryTurns implements WriteTurns {
  readonly blocked = new Map<number, number>();
  readonly #held = new Set<number>();
  readonly #times: number[] = [];
  readonly #clock: Clock;
  peak = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async take(installation: number, { content }: { content: boolean }): Promise<{ wait: number } | { release(): Promise<void> }> {
    const now = this.#clock.now();
    const until = this.blocked.get(installation) ?? 0;
    if (until > now) return { wait: until - now };
    if (this.#held.has(installation)) return { wait: 15 };
    const minute = this.#times.filter((t) => t > now - 60_000);
    if (content && minute.length >= 60) return { wait: (minute[0] ?? now) + 60_001 - now };
    if (content) this.#times.push(now);
    this.#held.add(installation);
    this.peak = Math.max(this.peak, this.#held.size);
    return {
      release: async () => {
        this.#held.delete(installation);
      },
    };
  }

  async block(installation: number, until: number): Promise<void> {
    this.blocked.set(installation, until);
  }

  async blockedFor(installation: number): Promise<number> {
    return Math.max(0, (this.blocked.get(installation) ?? 0) - this.#clock.now());
  }

  /** Forgets what was written and every block. */
  reset(): void {
    this.#times.length = 0;
    this.blocked.clear();
  }
}

/** Effect records in memory. They are compared by value, as the store does. */
export class MemoryRecords implements EffectRecords {
  readonly rows = new Map<string, string>();

  async get(id: string): Promise<EffectRecord | null> {
    const text = this.rows.get(id);
    return text === undefined ? null : (JSON.parse(text) as EffectRecord);
  }

  async swap(id: string, seen: EffectRecord | null, next: EffectRecord): Promise<boolean> {
    if ((this.rows.get(id) ?? null) !== (seen && JSON.stringify(seen))) return false;
    this.rows.set(id, JSON.stringify(next));
    return true;
  }
}

/** Draft reviews in memory. */
export class MemoryDrafts implements DraftReviews {
  readonly rows = new Map<string, Finding[]>();

  async add(run: string, finding: Finding): Promise<Finding> {
    this.rows.set(run, [...(this.rows.get(run) ?? []), structuredClone(finding)]);
    return finding;
  }

  async list(run: string): Promise<Finding[]> {
    return structuredClone(this.rows.get(run) ?? []);
  }

  async markPosted(run: string, id: string, posted: NonNullable<Finding['posted']>): Promise<void> {
    const finding = this.rows.get(run)?.find((f) => f.id === id);
    if (finding) finding.posted = posted;
  }
}

/** Doubts in memory, with the time at which they are to be looked at. */
export class MemoryDoubts implements Doubts {
  readonly rows = new Map<string, { doubt: Doubt; at: number }>();

  async note(id: string, doubt: Doubt, at: number): Promise<void> {
    this.rows.set(id, { doubt, at });
  }

  async of(id: string): Promise<Doubt | null> {
    return this.rows.get(id)?.doubt ?? null;
  }
}

/** Places that one holder at a time has, for ever or until it lets go. */
export class MemoryPlaces implements Places {
  readonly rows = new Map<string, string>();

  async hold(place: string, holder: string): Promise<boolean> {
    const owner = this.rows.get(place) ?? holder;
    this.rows.set(place, owner);
    return owner === holder;
  }

  async letGo(place: string, holder: string): Promise<void> {
    if (this.rows.get(place) === holder) this.rows.delete(place);
  }
}
