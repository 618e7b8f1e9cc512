import { CLOCK, type Clock } from '../journal/clock.ts';
import type { Doubts, EffectRecords, WriteTurns } from '../journal/effect.ts';
import type { DraftReviews } from '../journal/finding.ts';
import type { Blobs } from '../journal/tree.ts';
import { type Approvals, makeApprovals } from './approvals.ts';
import { type Batches, makeBatches } from './batches.ts';
import { makeBlobs } from './blobs.ts';
import { type Budgets, makeBudgets } from './budgets.ts';
import { type Cancels, RedisCancels } from './cancels.ts';
import { type Claims, makeClaims } from './claims.ts';
import { type Decisions, makeDecisions } from './decisions.ts';
import { type DeliveriesCursor, makeDeliveriesCursor } from './deliveries-cursor.ts';
import { makeDoubts } from './doubts.ts';
import { makeDrafts } from './drafts.ts';
import { type Duties, makeDuties } from './duties.ts';
import { type Expected, makeExpected } from './expected.ts';
import { Journals } from './journals.ts';
import { type Keys, makeKeys } from './keys.ts';
import { type Lanes, makeLanes } from './lanes.ts';
import { type Mailboxes, makeMailboxes } from './mailbox.ts';
import { type Memory, makeMemory } from './memory.ts';
import { makeQueued, type Queued } from './queued.ts';
import { Queues } from './queues.ts';
import { makeEffectRecords } from './records.ts';
import { checkRedis, connectCommands, type Redis, type RedisPlace, redisTime, refusalOf, sendAll, waitReady } from './redis.ts';
import { RedisJobs } from './redis-jobs.ts';
import { makeScratchpads, type Scratchpads } from './scratchpads.ts';
import { makeStarts, type Starts } from './starts.ts';
import { makeStatusPlaces, type StatusPlaces } from './status-places.ts';
import { RedisStreams } from './streams.ts';
import { lostAt, renewEpoch, Watch } from './watch.ts';
import { makeWriteTurns } from './write-turns.ts';

const CONNECT_MS = 10_000;
const CLOCK_MS = 60_000;
const LISTED_SECONDS = 31 * 86_400;

/**
 * What a store can do: Redis' (`RedisStore`), or one in this process' memory (`InMemoryStore`), which keeps the same promises. How Redis itself is stands
 * apart: it concerns servers and commands, not runs.
 */
export type Store = Pick<RedisStore, Exclude<keyof RedisStore, 'watch' | 'refusal' | 'renewEpoch' | 'lostAt'>>;

/** Where a store is; `epochFile` is where a server remembers which Redis it worked with. */
export type StorePlace = RedisPlace & { epochFile?: string };

/** Redis as Pitwall needs it: journals, queues and the small records that several writers share. */
export class RedisStore {
  readonly journals: Journals;
  readonly queues: Queues;
  readonly effects: EffectRecords;
  readonly writes: WriteTurns;
  readonly drafts: DraftReviews;
  readonly lanes: Lanes;
  readonly batches: Batches;
  readonly queued: Queued;
  readonly starts: Starts;
  readonly statusPlaces: StatusPlaces;
  readonly mailboxes: Mailboxes;
  readonly budgets: Budgets;
  readonly cancels: Cancels;
  readonly claims: Claims;
  readonly approvals: Approvals;
  readonly decisions: Decisions;
  /** What was read of GitHub's list of deliveries by polling. */
  readonly deliveries: DeliveriesCursor;
  /** What was read of it in search of deliveries that failed. */
  readonly failures: DeliveriesCursor;
  readonly duties: Duties;
  readonly expected: Expected;
  readonly doubts: Doubts;
  /** How Redis is; looked at by servers only. */
  readonly watch: Watch;
  /** Redis' clock as far as it is known here, without asking: by it times of the journal are waited for. */
  readonly clock: Clock;
  readonly #redis: Redis;
  readonly #keys: Keys;
  #difference = { measuredAt: 0, ahead: 0 };

  /** Connects, and checks Redis' settings; rejects with a sentence that says what to do. Warnings go to `warn`. */
  static async open(place: StorePlace, report: { warn(text: string): void; error(error: Error): void }): Promise<RedisStore> {
    const redis = connectCommands(place.url, report.error);
    try {
      await waitReady(redis, CONNECT_MS);
      const { refuse, warn } = await checkRedis(redis);
      if (refuse[0] !== undefined) throw new Error(refuse.join('; '));
      for (const text of warn) report.warn(text);
    } catch (error) {
      redis.disconnect();
      throw error;
    }
    return new RedisStore(redis, place, report.error);
  }

  private constructor(redis: Redis, place: StorePlace, onError: (error: Error) => void) {
    const keys = makeKeys(place.prefix);
    this.#redis = redis;
    this.#keys = keys;
    this.clock = { ...CLOCK, now: () => Math.round(Date.now() + this.#difference.ahead) };
    this.journals = new Journals(new RedisStreams(redis, keys));
    this.queues = new Queues(new RedisJobs(redis, place, onError), { onError, shareOf: (id) => this.journals.installationOf(id) });
    this.effects = makeEffectRecords(redis, keys);
    this.writes = makeWriteTurns(redis, keys);
    this.drafts = makeDrafts(redis, keys);
    this.lanes = makeLanes(redis, keys);
    this.batches = makeBatches(redis, keys);
    this.queued = makeQueued(redis, keys);
    this.starts = makeStarts(redis, keys);
    this.statusPlaces = makeStatusPlaces(redis, keys);
    this.mailboxes = makeMailboxes(redis, keys);
    this.budgets = makeBudgets(redis, keys);
    this.cancels = new RedisCancels(redis, keys, { url: place.url, onError });
    this.claims = makeClaims(redis, keys, place.dedupeDays);
    this.approvals = makeApprovals(redis, keys);
    this.decisions = makeDecisions(redis, keys, place.decisionDays);
    this.deliveries = makeDeliveriesCursor(redis, keys, 'polled');
    this.failures = makeDeliveriesCursor(redis, keys, 'failed');
    this.duties = makeDuties(redis, keys);
    this.expected = makeExpected(redis, keys);
    this.doubts = makeDoubts(redis, keys, this.expected);
    this.watch = new Watch({ redis, keys, file: place.epochFile ?? null });
  }

  /** The files that agents of a run wrote. */
  blobs(run: string): Blobs {
    return makeBlobs(this.#redis, this.#keys, run);
  }

  pads(run: string): Scratchpads {
    return makeScratchpads(this.#redis, this.#keys, run);
  }

  memory(repository: number, agent: string): Memory {
    return makeMemory(this.#redis, this.#keys, { repository, agent });
  }

  /** Redis' clock in ms, the one all processes share: this machine's, corrected by a difference that is measured once a minute. */
  async now(): Promise<number> {
    if (Date.now() - this.#difference.measuredAt > CLOCK_MS) {
      const before = Date.now();
      const time = await redisTime(this.#redis);
      const after = Date.now();
      this.#difference = { measuredAt: after, ahead: time - (before + after) / 2 };
    }
    return this.clock.now();
  }

  /** Whether Redis answers. */
  async isUp(): Promise<boolean> {
    try {
      return (await this.#redis.ping()) === 'PONG';
    } catch {
      return false;
    }
  }

  /** Redis' own words where it takes no writes, so that nothing can go on; null where it does. Rejects where it does not answer. */
  async refusal(): Promise<string | null> {
    try {
      await this.#redis.set(this.#keys.pulse(), Date.now(), 'PX', CLOCK_MS);
      return null;
    } catch (error) {
      const words = refusalOf(error);
      if (words === null) throw error;
      return words;
    }
  }

  /** Starts a new epoch after what Redis held was lost: the servers go on with it. */
  renewEpoch(): Promise<void> {
    return renewEpoch(this.#redis, this.#keys);
  }

  /** When it was first seen that Redis had lost what it held (ms since 1970); null where it has not, and after a new epoch was started. */
  lostAt(): Promise<number | null> {
    return lostAt(this.#redis, this.#keys);
  }

  /** Keeps a list of the runs there are: id and the time of the start, newest last. */
  async listRun(run: string, resource: string, at: number): Promise<void> {
    const { runs, runsOf } = this.#keys;
    const commands = this.#redis.pipeline().zadd(runs(), 'NX', at, run);
    await sendAll(commands.zadd(runsOf(resource), 'NX', at, run).expire(runsOf(resource), LISTED_SECONDS));
  }

  /** Ids of a resource's newest runs, newest first. */
  async runsOf(resource: string, count: number): Promise<string[]> {
    return this.#redis.zrevrange(this.#keys.runsOf(resource), 0, count - 1);
  }

  /** Ids of the newest runs, newest first. */
  async newestRuns(count: number): Promise<string[]> {
    return this.#redis.zrevrange(this.#keys.runs(), 0, count - 1);
  }

  async close(): Promise<void> {
    this.watch.stop();
    await this.queues.close();
    this.cancels.close();
    this.#redis.disconnect();
  }
}
