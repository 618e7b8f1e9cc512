import type { Clock } from '../journal/clock.ts';
import type { Sent } from '../journal/effect.ts';
import { Pending } from '../journal/errors.ts';
import type { Event } from '../journal/event.ts';
import { type Api, queryGraph } from './api.ts';
import { GitHubError, toGitHubError } from './error.ts';
import type { Governor } from './governor.ts';

/** What GitHub made of a request: `unknown` means that it may have been carried out. `code` is GitHub's status. */
export type Reply<T> =
  | { status: 'done'; value: T }
  | { status: 'refused'; code: number; reason: string }
  | { status: 'unknown'; reason: string };
/** A reply after which it is known whether the request was carried out. */
export type Settled<T> = Exclude<Reply<T>, { status: 'unknown' }>;

/** The caller may not act any more: the run ended, or another has taken it over. Nothing was written. */
export class Withdrawn extends Error {
  override name = 'Withdrawn';
}

/** GitHub does not say whether something was done; to be looked up later. */
export class Unsettled extends Pending {
  readonly reason: string;

  constructor(reason: string, until: number) {
    super(`GitHub, which does not answer clearly (${reason})`, until);
    this.reason = reason;
  }
}

/** What a writer acts for and through. */
export interface WriterOptions {
  api: Api;
  governor: Governor;
  clock: Clock;
  event: Event;
  /** Own login, `slug[bot]`. */
  login: string;
  /** Marks what is created: `<run>:<effect key>`. */
  key: string;
  /** The record was found under way: what it creates may stand on GitHub. */
  resumed: boolean;
  /** When the effect was first begun (ms since 1970). */
  since: number;
  /** What it made (an id), where its record tells: others know it by that. */
  made?: number;
  /** When it was last sent, where it can carry no marker. */
  sent?: Sent;
  /** Keeps that, before it is sent. */
  noteSent?: (sent: Sent) => Promise<void>;
  signal?: AbortSignal;
  /** Told before something is done again that a look has not found: what was done before may yet show up beside it. */
  onDoubt?: () => Promise<void>;
  /** Asked inside the turn, right before each write: throws `Superseded` if somebody else has the record, `Withdrawn` if the caller may not act. */
  guard: (purpose: 'act' | 'undo') => Promise<void>;
}

/** How a write goes: `content` (true by default) if it creates something, `before` is called inside the turn and may throw to leave it out. */
export interface WriteOptions {
  content?: boolean;
  before?: () => void | Promise<void>;
}

const BACKOFF = [1000, 2000];
const LATER = 15_000;

/** The hand that carries one effect out: every request in its turn, every write guarded, every failure sorted. */
export class Writer {
  readonly #options: WriterOptions;
  readonly owner: string;
  readonly repo: string;
  #begun = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.owner = options.event.repository.owner;
    this.repo = options.event.repository.name;
  }

  get key(): string {
    return this.#options.key;
  }

  /** Own login. */
  get login(): string {
    return this.#options.login;
  }

  get event(): Event {
    return this.#options.event;
  }

  get resumed(): boolean {
    return this.#options.resumed;
  }

  /** The number of the run's own pull request or issue; null for branches and schedules. */
  get number(): number | null {
    const { resource } = this.event;
    return resource.kind === 'pr' || resource.kind === 'issue' ? resource.number : null;
  }

  /** A write was sent. */
  get begun(): boolean {
    return this.#begun;
  }

  get since(): number {
    return this.#options.since;
  }

  get sent(): Sent | null {
    return this.#options.sent ?? null;
  }

  /** Notes that something without a marker is sent now, for the first time or again; to be called right before. */
  async noteSent(before: number): Promise<void> {
    await this.#options.noteSent?.({ at: this.now, before });
  }

  get now(): number {
    return this.#options.clock.now();
  }

  /** Whether something was written by this App. */
  owns(user: { login?: string } | null | undefined): boolean {
    return user?.login?.toLowerCase() === this.#options.login.toLowerCase();
  }

  /** Of what one effect made several times, by ids: the one that its record names stays, else the oldest; the others are doubles. */
  part<T extends { id: number }>(rows: T[]): { kept: T | null; doubles: T[] } {
    const kept = rows.find(({ id }) => id === this.#options.made) ?? rows.toSorted((a, b) => a.id - b.id)[0] ?? null;
    return { kept, doubles: rows.filter((row) => row !== kept) };
  }

  /** A read over REST. 5xx and network failures are tried again, then throw `Unsettled`. */
  read<T>(route: string, parameters: Record<string, unknown> = {}): Promise<Settled<T>> {
    return this.#insist(() => this.#request<T>(route, parameters));
  }

  /** All pages of a list; null where GitHub refuses it. `rows` takes them out of a page. */
  async list<T>(route: string, parameters: Record<string, unknown> = {}, rows = (page: unknown) => page as T[]): Promise<T[] | null> {
    const all: T[] = [];
    for (let page = 1; ; page++) {
      const reply = await this.read<unknown>(route, { ...parameters, per_page: 100, page });
      if (reply.status === 'refused') return page === 1 ? null : all;
      const part = rows(reply.value);
      all.push(...part);
      if (part.length < 100) return all;
    }
  }

  /** A GraphQL query, with the care of `read`. */
  ask<T>(query: string, variables: Record<string, unknown>): Promise<Settled<T>> {
    return this.#insist(() => queryGraph<T>(this.#options.api, query, variables));
  }

  /** One guarded write over REST; never repeated here. */
  write<T>(route: string, parameters: Record<string, unknown>, options: WriteOptions = {}): Promise<Reply<T>> {
    return this.#guarded('act', options, () => this.#request<T>(route, parameters));
  }

  /** One guarded GraphQL mutation; never repeated here. */
  mutate<T>(mutation: string, variables: Record<string, unknown>, options: WriteOptions = {}): Promise<Reply<T>> {
    return this.#guarded('act', options, () => queryGraph<T>(this.#options.api, mutation, variables));
  }

  /** Takes back something of our own (a double, a leftover), also when the caller may not act any more. What is gone already is fine. */
  async undo(route: string, parameters: Record<string, unknown>): Promise<Settled<unknown>> {
    for (let attempt = 0; ; attempt++) {
      const reply = await this.#guarded('undo', { content: false }, () => this.#request<unknown>(route, parameters));
      if (reply.status === 'refused' && reply.code === 404) return { status: 'done', value: null };
      if (reply.status !== 'unknown') return reply;
      await this.#pause(attempt, reply.reason);
    }
  }

  /**
   * Makes something stand exactly once: acts, and where it may have been done already (a resumed effect, an unclear answer) looks first, and once more
   * where GitHub then refuses. Tries three times, then throws `Unsettled`. `unsure` tells that it was done after a look had found nothing.
   */
  async settle<T>(step: {
    act: () => Promise<Reply<T>>;
    look: () => Promise<T | null>;
    doubt?: boolean;
  }): Promise<Settled<T> & { unsure: boolean }> {
    let doubt = step.doubt ?? this.resumed;
    for (let attempt = 0; ; attempt++) {
      const found = doubt ? await step.look() : null;
      if (found !== null) return { status: 'done', value: found, unsure: false };
      if (doubt) await this.#options.onDoubt?.();
      const reply = await step.act();
      const late = doubt && reply.status === 'refused' ? await step.look() : null;
      if (late !== null) return { status: 'done', value: late, unsure: false };
      if (reply.status !== 'unknown') return { ...reply, unsure: doubt };
      doubt = true;
      await this.#pause(attempt, reply.reason);
    }
  }

  async #insist<T>(act: () => Promise<T>): Promise<Settled<T>> {
    for (let attempt = 0; ; attempt++) {
      const reply = await this.#sort(false, act);
      if (reply.status !== 'unknown') return reply;
      await this.#pause(attempt, reply.reason);
    }
  }

  async #pause(attempt: number, reason: string): Promise<void> {
    const { clock } = this.#options;
    const pause = BACKOFF[attempt];
    if (pause === undefined) throw new Unsettled(reason, clock.now() + LATER);
    await clock.sleep(pause);
  }

  async #request<T>(route: string, parameters: Record<string, unknown>): Promise<T> {
    try {
      const { status, data } = await this.#options.api.request(route, { owner: this.owner, repo: this.repo, ...parameters });
      if (status !== 204 && !isJson(data)) throw new GitHubError(`GitHub ${route}: the answer was no JSON`, { kind: 'network' });
      return data as T;
    } catch (error) {
      throw toGitHubError(error, { method: route, path: `(${this.owner}/${this.repo})`, granted: {}, now: this.now });
    }
  }

  #guarded<T>(purpose: 'act' | 'undo', options: WriteOptions, act: () => Promise<T>): Promise<Reply<T>> {
    return this.#sort(options.content ?? true, async () => {
      await this.#options.guard(purpose);
      await options.before?.();
      this.#begun = true;
      return act();
    });
  }

  async #sort<T>(content: boolean, act: () => Promise<T>): Promise<Reply<T>> {
    const { governor, event, signal } = this.#options;
    const turn = { content, ...(signal && !this.#begun ? { signal } : {}) };
    try {
      return { status: 'done', value: await governor.write(event.installation, turn, act) };
    } catch (error) {
      return sortFailure(error);
    }
  }
}

/** A proxy's page, or an answer of which nothing came through, does not tell what GitHub did. */
function isJson(data: unknown): boolean {
  return typeof data === 'object' && data !== null && !(data instanceof ArrayBuffer);
}

function sortFailure(error: unknown): Exclude<Reply<never>, { status: 'done' }> {
  if (!(error instanceof GitHubError)) throw error;
  const { kind, status, message } = error;
  if (kind === 'network' || kind === 'unavailable' || status === 408) return { status: 'unknown', reason: message };
  if (kind === 'unauthorized' || kind === 'suspended' || kind === 'limited') throw error;
  if (status === 200 && /something went wrong|timed? ?out|internal error/i.test(message)) return { status: 'unknown', reason: message };
  return { status: 'refused', code: status, reason: message };
}
