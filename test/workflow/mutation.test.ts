import { describe, expect, it } from 'vitest';
import { loadWorkflow } from '../../src/workflow/load.ts';
import { below, type Made, makeWorkflow, randomFrom } from './generator.ts';
import { MUTATIONS } from './mutations.ts';

const KINDS = Object.keys(MUTATIONS);
const INVALID = 5000;
const VALID = 2000;

function load(made: Made, text: string) {
  return loadWorkflow({ path: 'w/workflow.json', text, prompts: made.prompts, agentIds: made.agentIds });
}

describe('mutations', () => {
  it(`${VALID} workflows that are valid by construction are accepted, in every shape`, () => {
    const refused: unknown[] = [];
    const shapes = new Set<string>();
    for (let seed = 1; seed <= VALID; seed++) {
      const made = makeWorkflow(randomFrom(seed));
      const { workflow, problems } = load(made, JSON.stringify(made.value, null, seed % 3));
      const errors = problems.filter(({ severity }) => severity === 'error');
      shapes.add(made.base.join('.'));
      if (!workflow || errors.length > 0) refused.push({ seed, errors: errors.slice(0, 2) });
      else expect(JSON.parse(JSON.stringify(workflow))).toEqual(workflow);
    }
    expect(refused).toEqual([]);
    expect([...shapes].sort()).toEqual(['', 'definition', 'workflow.definition']);
  });

  it(`${INVALID} that are invalid by construction are refused, each with its path and its line`, () => {
    const counts: Record<string, number> = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
    const wrong: unknown[] = [];
    let [made, seed] = [0, 100_000];
    while (made < INVALID) {
      const kind = KINDS[made % KINDS.length] ?? '';
      const random = randomFrom(seed++);
      const base = makeWorkflow(random);
      const list = MUTATIONS[kind] ?? [];
      const which = below(random, list.length);
      const mutant = list[which]?.(base, random);
      if (!mutant) continue;
      made += 1;
      counts[kind] = (counts[kind] ?? 0) + 1;
      const { workflow, problems } = load(base, mutant.text);
      const errors = problems.filter(({ severity, file }) => severity === 'error' && file === 'w/workflow.json');
      const lines = mutant.text.split('\n');
      const line = mutant.marker === undefined ? null : lines.findIndex((text) => text.includes(mutant.marker ?? '')) + 1;
      const here = errors.filter(({ path }) => path === mutant.path);
      const placed = here.some(
        (e) =>
          e.line >= 1 &&
          e.line <= lines.length &&
          e.column >= 1 &&
          e.column <= (lines[e.line - 1] ?? '').length + 1 &&
          (line === null || e.line === line),
      );
      const spoken = here.every((e) => e.expected !== '' && e.found !== '' && e.message.startsWith('expected '));
      if (workflow || !placed || !spoken)
        wrong.push({
          kind,
          which,
          seed: seed - 1,
          wanted: mutant.path,
          line,
          got: errors.slice(0, 3).map((e) => `${e.line}:${e.column} ${e.path} ${e.message}`),
        });
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(250);
  });

  it('every single mutation of the list is refused somewhere', () => {
    for (const [kind, list] of Object.entries(MUTATIONS)) {
      for (const [which, mutate] of list.entries()) {
        const tried = Array.from({ length: 40 }, (_, index) => {
          const random = randomFrom(index * 7919 + which);
          const made = makeWorkflow(random);
          const mutant = mutate(made, random);
          return mutant ? load(made, mutant.text).workflow === null : null;
        }).filter((refused) => refused !== null);
        expect([kind, which, tried.length > 0, tried.every(Boolean)]).toEqual([kind, which, true, true]);
      }
    }
  });

  it('nothing makes it throw: random bytes, cut and damaged workflows', () => {
    for (let seed = 1; seed <= 1500; seed++) {
      const random = randomFrom(seed);
      const bytes = Buffer.from(Array.from({ length: below(random, 300) }, () => below(random, 256)));
      expect(loadWorkflow({ path: 'x', text: bytes.toString('utf8'), prompts: {} }).workflow).toBeNull();
      const made = makeWorkflow(random);
      const text = JSON.stringify(made.value);
      const damaged = Buffer.from(text);
      for (let k = 0; k < 1 + below(random, 5); k++) damaged[below(random, damaged.length)] = below(random, 256);
      expect(Array.isArray(load(made, damaged.toString('utf8')).problems)).toBe(true);
      const [from, to] = [below(random, text.length), below(random, text.length)];
      expect(Array.isArray(load(made, text.slice(0, from) + text.slice(to)).problems)).toBe(true);
    }
  });

  it('any value in any place is answered, not thrown', () => {
    const values: unknown[] = [
      null,
      0,
      -1,
      1e308,
      '',
      '\u0000',
      '__proto__',
      [],
      [[[]]],
      {},
      { constructor: 1 },
      true,
      [null],
      '{{',
      { TODO: null },
      'x'.repeat(5000),
    ];
    for (let seed = 1; seed <= 200; seed++) {
      const random = randomFrom(seed * 31);
      const made = makeWorkflow(random);
      const holders: Record<string, unknown>[] = [];
      collect(made.value, holders);
      for (const value of values) {
        const copy = JSON.parse(JSON.stringify(made.value));
        const list: Record<string, unknown>[] = [];
        collect(copy, list);
        const holder = list[below(random, list.length)] ?? {};
        const keys = Object.keys(holder);
        holder[keys[below(random, keys.length)] ?? 'constructor'] = value;
        expect(Array.isArray(load(made, JSON.stringify(copy)).problems)).toBe(true);
      }
    }
  });
});

function collect(value: unknown, into: Record<string, unknown>[]): void {
  if (typeof value !== 'object' || value === null) return;
  into.push(value as Record<string, unknown>);
  for (const child of Object.values(value)) collect(child, into);
}
