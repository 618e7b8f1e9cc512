import type { Expectation } from '../journal/entry.ts';
import { findsPattern, refusalOf } from '../workflow/pattern.ts';

/** What a sub-agent left behind: names of the scratchpads that hold something, how many calls it made, its last message. */
export interface ExpectationFacts {
  scratchpads: readonly string[];
  calls: number;
  output: string;
}

/** What an expectation asks for and the facts do not show, in words for the sub-agent; empty where all is there. */
export function missingOf(expect: Expectation, facts: ExpectationFacts): string[] {
  return [missingScratchpad(expect, facts), missingCalls(expect, facts), missingOutput(expect, facts)].filter(
    (missing) => missing !== null,
  );
}

function missingScratchpad({ scratchpad }: Expectation, facts: ExpectationFacts): string | null {
  if (scratchpad === undefined || facts.scratchpads.includes(scratchpad)) return null;
  return `the scratchpad \`${scratchpad}\` is missing or empty: write it`;
}

function missingCalls({ minCalls }: Expectation, { calls }: ExpectationFacts): string | null {
  if (minCalls === undefined || calls >= minCalls) return null;
  return `at least ${minCalls} tool calls are expected and ${calls} were made: do the work with your tools`;
}

function missingOutput({ outputPattern }: Expectation, { output }: ExpectationFacts): string | null {
  if (outputPattern === undefined) return null;
  const refusal = refusalOf(outputPattern);
  if (refusal !== null) return `the expected pattern ${outputPattern} cannot be used (${refusal}): whoever delegates must correct it`;
  return findsPattern(outputPattern, output)
    ? null
    : `the final message does not match the pattern ${outputPattern}: end with one that does`;
}
