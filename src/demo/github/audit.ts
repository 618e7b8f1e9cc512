const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What GitHub asks of an app, by name of the rule that was broken. */
export type Rule =
  | 'content-per-minute'
  | 'content-per-hour'
  | 'concurrent-writes'
  | 'concurrent-requests'
  | 'early-after-limit'
  | 'token-wide'
  | 'token-all-permissions'
  | 'token-refused'
  | 'dropped-thread'
  | 'repeated-refusal';

/** One rule broken, when and by what. */
export interface Breach {
  rule: Rule;
  at: number;
  detail: string;
}

/** The highest figures so far. */
export interface Peaks {
  concurrentRequests: number;
  concurrentWrites: number;
  contentPerMinute: number;
  contentPerHour: number;
}

/** Counts how an app behaves towards GitHub's limits. It refuses nothing; tests read `breaches`, `peaks` and the counters. */
export class Audit {
  readonly breaches: Breach[] = [];
  readonly peaks: Peaks = { concurrentRequests: 0, concurrentWrites: 0, contentPerMinute: 0, contentPerHour: 0 };
  /** Tokens issued, and how many of them were not cut to one repository. */
  readonly tokens = { issued: 0, wide: 0, allPermissions: 0 };
  /** GitHub's own figures; requests and writes a moment, contents in 60 and 3 600 s. */
  readonly limits = { contentPerMinute: 80, contentPerHour: 500, concurrentWrites: 1, concurrentRequests: 100 };
  requests = 0;
  writes = 0;
  contents = 0;
  readonly #live = new Map<string, { requests: number; writes: number }>();
  readonly #contents = new Map<string, number[]>();
  readonly #blocked = new Map<string, { since: number; until: number }>();
  readonly #refused = new Map<string, number>();

  /** Opens the account of one request of `who`; the returned function closes it. */
  begin(who: string, request: { write: boolean; detail: string }): () => void {
    const live = this.#live.get(who) ?? { requests: 0, writes: 0 };
    this.#live.set(who, live);
    this.#checkBlock(who, request.detail);
    this.requests++;
    live.requests++;
    this.#peak('concurrentRequests', live.requests, { rule: 'concurrent-requests', detail: request.detail });
    if (request.write) {
      this.writes++;
      live.writes++;
      this.#peak('concurrentWrites', live.writes, { rule: 'concurrent-writes', detail: request.detail });
    }
    return () => {
      live.requests--;
      if (request.write) live.writes--;
    };
  }

  /** Something new became visible. */
  countContent(who: string, detail: string): void {
    const now = Date.now();
    const times = (this.#contents.get(who) ?? []).filter((at) => at > now - HOUR_MS);
    times.push(now);
    this.#contents.set(who, times);
    this.contents++;
    this.#peak('contentPerMinute', times.filter((at) => at > now - MINUTE_MS).length, { rule: 'content-per-minute', detail });
    this.#peak('contentPerHour', times.length, { rule: 'content-per-hour', detail });
  }

  /**
   * A token was made; `repositories` is null for all of them, `permissions` for all there are. A wide one that may only read metadata is counted and is no breach: that
   * is how an app finds out where it is installed.
   */
  countToken(token: { repositories: number | null; permissions: string[] | null }): void {
    const harmless = token.permissions?.every((name) => name === 'metadata') ?? false;
    this.tokens.issued++;
    if (token.repositories !== 1) {
      this.tokens.wide++;
      if (!harmless) this.breach('token-wide', token.repositories === null ? 'all repositories' : `${token.repositories} repositories`);
    }
    if (token.permissions === null) {
      this.tokens.allPermissions++;
      this.breach('token-all-permissions', 'a token that names no permissions');
    }
  }

  /** A limit was answered: requests before `seconds` have passed count as a breach. */
  limit(who: string, seconds: number): void {
    this.#blocked.set(who, { since: Date.now(), until: Date.now() + seconds * 1000 });
  }

  /** A write was refused with 4xx; the same one three times is a breach. */
  countRefusal(key: string, detail: string): void {
    const times = (this.#refused.get(key) ?? 0) + 1;
    this.#refused.set(key, times);
    if (times === 3) this.breach('repeated-refusal', detail);
  }

  breach(rule: Rule, detail: string): void {
    this.breaches.push({ rule, at: Date.now(), detail });
  }

  /** How often each rule was broken, without the rules named. */
  summary(except: readonly Rule[] = []): Partial<Record<Rule, number>> {
    const counts: Partial<Record<Rule, number>> = {};
    for (const { rule } of this.breaches) if (!except.includes(rule)) counts[rule] = (counts[rule] ?? 0) + 1;
    return counts;
  }

  #peak(name: keyof Peaks, value: number, breach: { rule: Rule; detail: string }): void {
    this.peaks[name] = Math.max(this.peaks[name], value);
    if (value > this.limits[name]) this.breach(breach.rule, `${value}: ${breach.detail}`);
  }

  /** A quarter of a second is granted to what was on its way when the limit was answered. */
  #checkBlock(who: string, detail: string): void {
    const block = this.#blocked.get(who);
    const now = Date.now();
    if (block && now < block.until && now > block.since + 250)
      this.breach('early-after-limit', `${Math.ceil((block.until - now) / 1000)} s too early: ${detail}`);
  }
}
