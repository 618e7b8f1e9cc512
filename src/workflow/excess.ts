import { instructionOf, type StepSurroundings } from './check-step.ts';
import { sizeOf } from './pattern.ts';
import { at, itemsOf, type Place, textAt } from './place.ts';
import type { Remark } from './problem.ts';
import type { Found } from './shape.ts';

const MOST = { triggers: 100, steps: 300, flow: 3000 };
const MOST_AGENTS = 300;
const MOST_RULES = 1000;
const MOST_PATTERN = 3000;
const MOST_INSTRUCTION = 512 * 1024;

/**
 * More than anybody writes is refused before it is looked at: checks of the flow and of agents grow with the square of it, and each rule, pattern and
 * instruction is gone through for every event, in a process that works for other repositories too.
 */
export function findExcess(found: Found, around: Pick<StepSurroundings, 'prompts' | 'promptPath'>): Remark[] {
  const definition: Place = { value: found.definition, path: found.base };
  const long = Object.entries(MOST).flatMap(([key, count]): Remark[] => {
    const place = at(definition, key);
    return itemsOf(place).length > count ? [tooMuch(place, `at most ${count} entries`)] : [];
  });
  if (long.length > 0) return long;
  const steps = at(definition, 'steps');
  const named = itemsOf(steps).map((step) => listedIn(step, 'agentIds') + listedIn(step, 'agents'));
  const written = itemsOf(steps).reduce((sum, step) => sum + (instructionOf(step, around)?.text.length ?? 0), 0);
  return [
    ...(sum(named) > MOST_AGENTS ? [tooMuch(steps, `steps that name at most ${MOST_AGENTS} agents`, `${sum(named)}`)] : []),
    ...(found.agents.length > MOST_AGENTS
      ? [tooMuch({ value: null, path: [] }, `at most ${MOST_AGENTS} agents`, `${found.agents.length}`)]
      : []),
    ...(written > MOST_INSTRUCTION
      ? [tooMuch(steps, `instructions of at most ${MOST_INSTRUCTION} characters together`, `${written}`)]
      : []),
    ...ruleExcess({ value: { rules: conditionsOf(definition) }, path: definition.path }),
  ];
}

/** Every condition of the triggers and the edges. */
function conditionsOf(definition: Place): unknown[] {
  const triggers = itemsOf(at(definition, 'triggers')).map((trigger) => at(trigger, 'conditions').value);
  const edges = itemsOf(at(definition, 'flow')).map((edge) => at(edge, 'condition').value);
  return [...triggers, ...edges].filter((condition) => condition !== undefined && condition !== null);
}

/** Rules and the texts of their patterns, in all that lies under a condition. */
function ruleExcess(condition: Place): Remark[] {
  let [rules, patterns] = [0, 0];
  const open = [condition];
  for (let place = open.pop(); place; place = open.pop()) {
    open.push(...itemsOf(at(place, 'rules')));
    const value = at(place, 'value');
    const values = Array.isArray(value.value) ? itemsOf(value) : [value];
    rules += Array.isArray(at(place, 'rules').value) ? 0 : values.length;
    if (textAt(at(place, 'operator')) === 'matches')
      patterns += sum(values.map((one) => sizeOf((textAt(one) ?? '').slice(0, MOST_PATTERN))));
  }
  if (rules > MOST_RULES) return [tooMuch(condition, `at most ${MOST_RULES} rules`, `${rules}`)];
  if (patterns <= MOST_PATTERN) return [];
  const expected = `patterns of at most ${MOST_PATTERN} characters together, their counts, such as {100}, written out`;
  return [tooMuch(condition, expected, `${patterns}`)];
}

function listedIn(step: Place, key: string): number {
  return itemsOf(at(at(step, 'params'), key)).length;
}

function tooMuch({ path }: Place, expected: string, found?: string): Remark {
  return { severity: 'error', path, expected, ...(found === undefined ? {} : { found }) };
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
