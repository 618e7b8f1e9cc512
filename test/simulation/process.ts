import type { Clock } from '../../src/journal/clock.ts';
import type { Clockwork } from './clockwork.ts';

/** What may still go wrong, in all processes of a simulation together. */
export interface Troubles {
  crashes: number;
  freezes: number;
  /** Single calls that fail, before or after they were carried out. */
  losses: number;
}

type Fate = 'well' | 'dies before' | 'dies after' | 'held up before' | 'held up after' | 'lost before' | 'lost after';

const RARE = 150;
/** Longer than a lock holds. */
const FREEZE_MS = [8_500, 20_000] as const;

/** A process that may die or be held up at any call. What it has sent when it dies may yet arrive; it never hears of it. */
export class Process {
  readonly name: string;
  readonly clock: Clock;
  dead = false;
  /** They die with it. */
  readonly children: Process[] = [];
  #heldUntil = 0;
  readonly #works: Clockwork;
  readonly #troubles: Troubles;
  readonly #onDeath: () => void;

  constructor(name: string, parts: { works: Clockwork; troubles: Troubles; onDeath(): void }) {
    this.name = name;
    this.#works = parts.works;
    this.#troubles = parts.troubles;
    this.#onDeath = parts.onDeath;
    this.clock = {
      now: () => this.#works.now,
      later: (ms, work) => this.#hear(ms, work),
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason);
          const stop = () => reject(signal?.reason);
          signal?.addEventListener('abort', stop, { once: true });
          this.#hear(ms, () => {
            signal?.removeEventListener('abort', stop);
            resolve();
          });
        }),
    };
  }

  /** A call to what stands outside of the process; each way takes up to `slow` ms. */
  call<T>(what: string, act: () => T, { slow = 3, signal }: { slow?: number; signal?: AbortSignal } = {}): Promise<T> {
    const works = this.#works;
    const fate = this.dead ? 'dies before' : this.#fate();
    return new Promise((resolve, reject) => {
      if (signal) {
        if (signal.aborted) return reject(signal.reason);
        signal.addEventListener('abort', () => this.#hear(0, () => reject(signal.reason)), { once: true });
      }
      if (fate !== 'well') works.note(this.name, `${fate} ${what}`);
      if (fate === 'dies before') return this.die();
      if (fate === 'held up before') this.#hold();
      works.after(Math.max(this.#heldUntil - works.now, 0) + works.below(slow), () => {
        if (this.dead && works.oneIn(2)) return;
        if (fate === 'lost before') return this.#hear(works.below(slow), () => reject(new Error(`${what} was not reached`)));
        const answer = attempt(act);
        works.note(this.name, what);
        if (fate === 'dies after') return this.die();
        if (fate === 'held up after') this.#hold();
        if (fate === 'lost after') return this.#hear(works.below(slow), () => reject(new Error(`the answer of ${what} was lost`)));
        const tell = () => ('error' in answer ? reject(answer.error) : resolve(answer.value));
        if (fate === 'well' && !this.dead && this.#heldUntil <= works.now && works.below(4) > 0) return tell();
        this.#hear(works.below(slow), tell);
      });
    });
  }

  die(): void {
    if (this.dead) return;
    this.dead = true;
    for (const child of this.children) child.die();
    this.#onDeath();
  }

  /** Something reaches the process: not while it is held up, and never after its death. */
  #hear(ms: number, tell: () => void): void {
    this.#works.after(ms, () => {
      if (this.dead) return;
      if (this.#heldUntil > this.#works.now) this.#hear(this.#heldUntil - this.#works.now + this.#works.below(5), tell);
      else tell();
    });
  }

  #hold(): void {
    const [least, most] = FREEZE_MS;
    this.#heldUntil = this.#works.now + least + this.#works.below(most - least);
  }

  #fate(): Fate {
    const troubles = this.#troubles;
    const roll = this.#works.below(RARE);
    const late = this.#works.oneIn(2);
    if (roll < 2 && troubles.crashes-- > 0) return late ? 'dies after' : 'dies before';
    if (roll === 2 && troubles.freezes-- > 0) return late ? 'held up after' : 'held up before';
    if (roll === 3 && troubles.losses-- > 0) return late ? 'lost after' : 'lost before';
    return 'well';
  }
}

function attempt<T>(act: () => T): { value: T } | { error: unknown } {
  try {
    return { value: act() };
  } catch (error) {
    return { error };
  }
}
