import { describe, expect, it } from 'vitest';
import { type ExpectationFacts, missingOf } from '../../src/agent/expectation.ts';
import type { Expectation } from '../../src/journal/entry.ts';

const FACTS: ExpectationFacts = { scratchpads: ['a'], calls: 3, output: 'posted 3 comments' };

describe('what is missing at the end of a delegation', () => {
  const cases: [string, Expectation, Partial<ExpectationFacts>, RegExp[]][] = [
    ['nothing was expected', {}, {}, []],
    ['all is there', { scratchpad: 'a', minCalls: 3, outputPattern: 'posted \\d+' }, {}, []],
    ['no scratchpad', { scratchpad: 'a' }, { scratchpads: ['b'] }, [/`a` is missing/]],
    ['too few calls', { minCalls: 4 }, {}, [/at least 4.*3 were made/]],
    ['another output', { outputPattern: '^done$' }, {}, [/does not match/]],
    ['everything', { scratchpad: 'a', minCalls: 9, outputPattern: 'x{3}' }, { scratchpads: ['b'] }, [/`a`/, /9/, /match/]],
    ['a pattern that is none', { outputPattern: '(' }, {}, [/cannot be used/]],
  ];
  it.each(cases)('%s', (_, expected, facts, missing) => {
    const found = missingOf(expected, { ...FACTS, ...facts });
    expect(found).toHaveLength(missing.length);
    for (const [k, pattern] of missing.entries()) expect(found[k]).toMatch(pattern);
  });

  it('a hostile pattern does not stall', () => {
    const from = performance.now();
    missingOf({ outputPattern: '(a+)+$' }, { ...FACTS, output: `${'a'.repeat(5000)}!` });
    expect(performance.now() - from).toBeLessThan(1000);
  });
});
