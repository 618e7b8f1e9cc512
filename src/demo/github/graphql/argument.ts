import type { Operation, Value } from './document.ts';
import { SCALARS, type Schema } from './schema.ts';

/** A value that does not fit its type. */
export class ValueProblem extends Error {
  readonly path: string[];

  constructor(message: string, path: string[] = []) {
    super(message);
    this.name = 'ValueProblem';
    this.path = path;
  }
}

/** Inputs and enums of a schema. */
type Types = Pick<Schema<never>, 'inputs' | 'enums'>;

/** Takes the variables that came with an operation, with their defaults. Throws ValueProblem in GitHub's words. */
export function readVariables(types: Types, operation: Operation, given: Record<string, unknown>): Record<string, unknown> {
  const variables: Record<string, unknown> = {};
  for (const { name, type, fallback } of operation.variables) {
    const value = given[name] === undefined && fallback ? plainValue(fallback, {}) : given[name];
    try {
      const read = readTyped(types, type, value);
      if (read !== undefined) variables[name] = read;
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error;
      const where = error.path.length > 0 ? ` for ${error.path.join('.')}` : '';
      throw new ValueProblem(`Variable $${name} of type ${type} was provided invalid value${where} (${error.message})`);
    }
  }
  return variables;
}

/** Fills variables into a written value; an absent variable is undefined. */
export function plainValue(value: Value, variables: Record<string, unknown>): unknown {
  switch (value.kind) {
    case 'variable':
      return variables[value.name];
    case 'literal':
      return value.value;
    case 'enum':
      return value.name;
    case 'list':
      return value.values.map((entry) => plainValue(entry, variables));
    default:
      return Object.fromEntries(Object.entries(value.fields).map(([name, entry]) => [name, plainValue(entry, variables)]));
  }
}

/** Checks a value against a written type (`[ID!]`, `AddCommentInput!`) and returns it. Throws ValueProblem. */
export function readTyped(types: Types, type: string, value: unknown): unknown {
  if (value === undefined || value === null) {
    if (type.endsWith('!')) throw new ValueProblem('Expected value to not be null');
    return value;
  }
  const bare = type.replace(/!$/, '');
  if (bare.startsWith('[')) return (Array.isArray(value) ? value : [value]).map((entry) => readTyped(types, bare.slice(1, -1), entry));
  const input = types.inputs[bare];
  if (input) return readInput(types, { name: bare, fields: input }, value);
  const words = types.enums[bare];
  if (words) {
    if (typeof value === 'string' && words.includes(value)) return value;
    throw new ValueProblem(`Expected ${JSON.stringify(value)} to be one of: ${words.join(', ')}`);
  }
  return readScalar(bare, value);
}

function readInput(types: Types, input: { name: string; fields: Record<string, string> }, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ValueProblem(`Expected ${JSON.stringify(value)} to be a key-value object.`);
  }
  const given: Record<string, unknown> = { ...value };
  const strange = Object.keys(given).find((name) => input.fields[name] === undefined);
  if (strange !== undefined) throw new ValueProblem(`Field is not defined on ${input.name}`, [strange]);
  for (const [name, type] of Object.entries(input.fields)) {
    try {
      given[name] = readTyped(types, type, given[name]);
    } catch (error) {
      if (error instanceof ValueProblem) throw new ValueProblem(error.message, [name, ...error.path]);
      throw error;
    }
  }
  return given;
}

function readScalar(type: string, value: unknown): unknown {
  const fits: Record<string, (value: unknown) => boolean> = {
    Int: (one) => Number.isInteger(one),
    Boolean: (one) => typeof one === 'boolean',
    ID: (one) => typeof one === 'string' || Number.isInteger(one),
  };
  const check = fits[type] ?? ((one: unknown) => typeof one === 'string');
  if (SCALARS.includes(type) && check(value)) return value;
  throw new ValueProblem(`Could not coerce value ${JSON.stringify(value)} to ${type}`);
}
