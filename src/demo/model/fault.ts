import type { Call } from './call.ts';

/**
 * What goes wrong instead of a good answer: 429, 529 and 500 as the API sends them, a stream that ends in its middle (`cut`), broken JSON in a tool's
 * input (`bad-json`), an answer that never comes (`hang`), an error event inside the stream (`sse-error`), a `refusal`, and an answer at its limit
 * (`max-tokens`).
 */
export type FaultKind = 429 | 529 | 500 | 'cut' | 'bad-json' | 'hang' | 'sse-error' | 'refusal' | 'max-tokens';

/** A planned fault. `times` calls are hit (1 by default, Infinity for ever) after the first `skip` that `when` accepts. `retryAfter` is in seconds. */
export interface FaultPlan {
  kind: FaultKind;
  times?: number;
  skip?: number;
  when?: (call: Call) => boolean;
  retryAfter?: number;
}

/** A plan with how often it has hit. */
export interface Fault extends FaultPlan {
  seen: number;
  hits: number;
}

/** The first fault that is due for this call, counted as hit; null where none is. */
export function takeFault(faults: Fault[], call: Call): Fault | null {
  for (const fault of faults) {
    if (fault.hits >= (fault.times ?? 1) || !(fault.when?.(call) ?? true)) continue;
    fault.seen++;
    if (fault.seen <= (fault.skip ?? 0)) continue;
    fault.hits++;
    return fault;
  }
  return null;
}
