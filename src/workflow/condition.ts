import { z } from 'zod';
import { findsPattern } from './pattern.ts';

/** What a rule can ask. On a list the positive ones ask for any element, the negative ones for none. */
export const OPERATORS = ['equals', 'notEquals', 'contains', 'notContains', 'matches', 'startsWith', 'endsWith', 'in', 'notIn'] as const;

const Scalar = z.union([z.string(), z.number(), z.boolean()]);

/** One comparison. `field` begins with `context.` or, on an edge of the flow, with `outputs.<step>`. */
export const Rule = z.strictObject({
  field: z.string().min(1),
  operator: z.enum(OPERATORS),
  value: z.union([Scalar, z.array(Scalar)]).nullable(),
});
export type Rule = z.infer<typeof Rule>;

/** Rules that must all hold (`and`) or of which one must (`or`); without rules it holds. `not` turns the answer round. */
export interface Condition {
  combinator: 'and' | 'or';
  rules: (Rule | Condition)[];
  not: boolean;
}

/** The schema of a condition, nested at will. */
export const Condition = z.strictObject({
  combinator: z
    .enum(['and', 'or'])
    .nullish()
    .transform((value) => value ?? 'and'),
  get rules() {
    return z.array(z.union([Rule, Condition]));
  },
  not: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
});

/** What rules look at: `context` is the event, `outputs` what ended steps gave. */
export interface ConditionData {
  context: object;
  outputs?: Record<string, unknown>;
}

/** One comparison as it went, for decision records. */
export interface Comparison {
  field: string;
  operator: Rule['operator'];
  wanted: string;
  actual: string;
  held: boolean;
}

/** Whether the condition holds; none at all holds. */
export function holds(condition: Condition | null | undefined, data: ConditionData): boolean {
  return !condition || judge(condition, viewOf(data));
}

/** Every comparison of a condition with the values that were compared, and the result. Texts are cut to 200 characters. */
export function explain(condition: Condition | null | undefined, data: ConditionData): { held: boolean; comparisons: Comparison[] } {
  if (!condition) return { held: true, comparisons: [] };
  const view = viewOf(data);
  return { held: judge(condition, view), comparisons: compareAll(condition, view) };
}

/** The comparisons that did not hold, in words. */
export function describeMisses(comparisons: readonly Comparison[]): string {
  const misses = comparisons
    .filter(({ held }) => !held)
    .map((c) => `${c.field} ${c.operator} ${JSON.stringify(c.wanted)}, it is ${JSON.stringify(c.actual)}`);
  return misses.length === 0 ? 'the condition is negated and its rules hold' : misses.join('; ');
}

/** What rules look at while one condition is judged: each field is read, and each rule asked, once. */
interface View {
  read(field: string): { texts: string[]; elements: string[] };
  answers: Map<Rule, boolean>;
}

function viewOf(data: ConditionData): View {
  const fields = new Map<string, ReturnType<View['read']>>();
  const read = (field: string) => {
    const value = valueAt(field, data);
    const texts = textsOf(value);
    return { texts, elements: Array.isArray(value) ? texts : [texts[0] ?? ''] };
  };
  return {
    read: (field) => {
      const known = fields.get(field) ?? read(field);
      fields.set(field, known);
      return known;
    },
    answers: new Map(),
  };
}

function judge(node: Rule | Condition, data: View): boolean {
  if ('field' in node) return compare(node, data);
  const answer =
    node.combinator === 'or' && node.rules.length > 0 ? node.rules.some((r) => judge(r, data)) : node.rules.every((r) => judge(r, data));
  return answer !== node.not;
}

function compareAll(condition: Condition, data: View): Comparison[] {
  return condition.rules.flatMap((node) => {
    if (!('field' in node)) return compareAll(node, data);
    const actual = data.read(node.field).texts.join(', ');
    const wanted = wantedTexts(node).join(', ');
    return [
      { field: node.field, operator: node.operator, wanted: wanted.slice(0, 200), actual: actual.slice(0, 200), held: compare(node, data) },
    ];
  });
}

function compare(rule: Rule, { read, answers }: View): boolean {
  const known = answers.get(rule);
  if (known !== undefined) return known;
  const { elements } = read(rule.field);
  const wanted = wantedTexts(rule);
  const positive = POSITIVE[rule.operator];
  const any = elements.some((element) => wanted.some((text) => positive.test(element, text)));
  const answer = positive.negated ? !any : any;
  answers.set(rule, answer);
  return answer;
}

const POSITIVE: Record<Rule['operator'], { negated: boolean; test(actual: string, wanted: string): boolean }> = {
  equals: { negated: false, test: (actual, wanted) => actual === wanted },
  notEquals: { negated: true, test: (actual, wanted) => actual === wanted },
  contains: { negated: false, test: (actual, wanted) => actual.includes(wanted) },
  notContains: { negated: true, test: (actual, wanted) => actual.includes(wanted) },
  matches: { negated: false, test: (actual, wanted) => findsPattern(wanted, actual) },
  startsWith: { negated: false, test: (actual, wanted) => actual.startsWith(wanted) },
  endsWith: { negated: false, test: (actual, wanted) => actual.endsWith(wanted) },
  in: { negated: false, test: (actual, wanted) => actual === wanted },
  notIn: { negated: true, test: (actual, wanted) => actual === wanted },
};

/** `in` and `notIn` also take one text with commas. */
function wantedTexts({ operator, value }: Rule): string[] {
  if (typeof value === 'string' && (operator === 'in' || operator === 'notIn')) return value.split(',').map((text) => text.trim());
  return textsOf(value);
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(textOf) : [textOf(value)];
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function valueAt(field: string, data: ConditionData): unknown {
  return field.split('.').reduce<unknown>((value, key) => {
    return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }, data);
}
