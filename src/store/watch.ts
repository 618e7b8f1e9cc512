import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Keys } from './keys.ts';
import { type Redis, refusalOf, sendAll } from './redis.ts';

/**
 * How Redis is to us: it does not answer; it takes no writes (`full`, with its own words); it is not the one that this installation worked with, or was
 * flushed (`lost`).
 */
export type Condition = { state: 'ready' } | { state: 'away' } | { state: 'full'; reason: string } | { state: 'lost'; reason: string };

/** What is watched, and where this process remembers with which Redis it worked. */
export interface WatchOptions {
  redis: Redis;
  keys: Keys;
  /** Where the epoch is remembered between starts; null where it is not. */
  file: string | null;
}

const LOOK_MS = 1_000;
const PULSE_MS = 60_000;
/** What `recover` writes: whoever had the epoch before goes on with this one. */
const RECOVERED = 'recovered-';
const RECOVER = '`pitwall recover` closes the checks that were left open, and then the servers go on by themselves';

/**
 * Looks after Redis once a second: whether it answers, takes writes, and still is the one that we worked with. That is told by its epoch, a key that the
 * first start writes and only a flush takes away. A loss is marked in Redis, so that no process overlooks it, and stays until `renewEpoch`.
 */
export class Watch {
  readonly #options: WatchOptions;
  #epoch: string | null;
  /** This process has seen its epoch in this Redis. */
  #met = false;
  #told = '';
  #onChange: (condition: Condition) => void = () => {};
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<Condition> | null = null;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#epoch = readEpoch(options.file);
  }

  /** Looks once, then once a second until `stop`. `onChange` is told of the first look and of every change, and must not throw. */
  async start(onChange: (condition: Condition) => void): Promise<void> {
    this.#onChange = onChange;
    await this.look();
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** How Redis is now. Those who ask at once share one look. Never throws. */
  look(): Promise<Condition> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** Throws where Redis has lost what we worked with: what is put there now must not be acknowledged, and what is taken from there not be done. */
  async refuseLoss(): Promise<void> {
    const [epoch = null, mark = null] = await this.#options.redis.mget(...this.#names());
    const reason = this.#judge(epoch, mark);
    if (reason !== null) throw new Error(reason);
  }

  async #look(): Promise<Condition> {
    const condition = await this.#ask();
    const told = JSON.stringify(condition);
    if (told !== this.#told) this.#onChange(condition);
    this.#told = told;
    return condition;
  }

  async #ask(): Promise<Condition> {
    const { redis, keys } = this.#options;
    try {
      const [epoch = null, mark = null] = await redis.mget(...this.#names());
      const reason = this.#judge(epoch, mark);
      if (reason !== null) await this.#mark(reason, { epoch, mark });
      if (reason !== null) return { state: 'lost', reason };
      await redis.set(keys.pulse(), Date.now(), 'PX', PULSE_MS);
      this.#keep(epoch ?? (await this.#begin()));
      return { state: 'ready' };
    } catch (error) {
      const words = refusalOf(error);
      return words === null ? { state: 'away' } : { state: 'full', reason: words };
    }
  }

  /** Why what stands in Redis is not ours; null where it is, or where nobody has worked here yet. */
  #judge(epoch: string | null, mark: string | null): string | null {
    if (mark !== null) return mark;
    if (epoch === this.#epoch || this.#epoch === null || epoch?.startsWith(RECOVERED)) return null;
    if (epoch === null || this.#met) return `Redis has lost its data (it was flushed, or started without its files): ${RECOVER}`;
    return `PITWALL_REDIS_URL names another Redis than the one that this data folder worked with: correct it, or, where that one is gone: ${RECOVER}`;
  }

  /** Another installation's Redis is not told of our mistake. */
  async #mark(reason: string, { epoch, mark }: { epoch: string | null; mark: string | null }): Promise<void> {
    const { redis, keys } = this.#options;
    if (mark !== null || (epoch !== null && !this.#met)) return;
    await sendAll(redis.multi().setnx(keys.lostAt(), Date.now()).setnx(keys.lost(), reason)).catch(() => 'the next look tries again');
  }

  async #begin(): Promise<string> {
    const { redis, keys } = this.#options;
    await redis.setnx(keys.epoch(), `first-${randomUUID()}`);
    return (await redis.get(keys.epoch())) ?? '';
  }

  #keep(epoch: string): void {
    this.#met = true;
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    writeEpoch(this.#options.file, epoch);
  }

  #names(): [string, string] {
    return [this.#options.keys.epoch(), this.#options.keys.lost()];
  }
}

/** A sentence that says what is the matter and what to do; null where all is well. */
export function explainCondition(condition: Condition): string | null {
  switch (condition.state) {
    case 'ready':
      return null;
    case 'away':
      return 'Redis does not answer: check PITWALL_REDIS_URL and the server; work goes on when it is back';
    case 'full':
      return `Redis takes no writes, and runs are on hold until it does: give it room (maxmemory, disk). It says: ${condition.reason}`;
    case 'lost':
      return condition.reason;
  }
}

/** When a loss was seen first (ms since 1970); null where none is marked. */
export async function lostAt(redis: Redis, keys: Keys): Promise<number | null> {
  const at = await redis.get(keys.lostAt());
  return at === null ? null : Number(at);
}

/** Starts a new epoch, with which all processes go on. */
export async function renewEpoch(redis: Redis, keys: Keys): Promise<void> {
  await sendAll(redis.multi().set(keys.epoch(), `${RECOVERED}${randomUUID()}`).del(keys.lost(), keys.lostAt()));
}

function readEpoch(file: string | null): string | null {
  if (file === null) return null;
  try {
    return readFileSync(file, 'utf8').trim() || null;
  } catch {
    return null;
  }
}

/** A folder that cannot be written remembers nothing; Redis is no worse for that. */
function writeEpoch(file: string | null, epoch: string): void {
  if (file === null) return;
  try {
    writeFileSync(`${file}.new`, `${epoch}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch {}
}
