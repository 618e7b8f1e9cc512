import { plainValue, readTyped, readVariables, ValueProblem } from './argument.ts';
import { type Document, type Operation, parseDocument, type Selection } from './document.ts';
import type { GraphProblem, GraphRefusal } from './problem.ts';
import type { ObjectType, Schema, Typed } from './schema.ts';
import { SyntaxProblem } from './token.ts';
import { validateOperation } from './validate.ts';

/** What a client sends. */
export interface GraphRequest {
  query: string;
  variables: Record<string, unknown>;
  operationName: string | null;
}

/** What it gets; `data` is missing when nothing was executed. */
export interface GraphAnswer {
  data?: Record<string, unknown> | null;
  errors?: GraphProblem[];
}

interface Run<Context> {
  schema: Schema<Context>;
  document: Document;
  variables: Record<string, unknown>;
  context: Context;
  problems: GraphProblem[];
  /** Turns what a resolver threw into a problem; rethrows what is no refusal. */
  explain: (error: unknown) => GraphRefusal;
}

/** Executes a request: mutations one after the other, a field that is refused becomes null and leaves an error. */
export async function executeRequest<Context>(
  schema: Schema<Context>,
  request: GraphRequest,
  options: { context: Context; explain: (error: unknown) => GraphRefusal },
): Promise<GraphAnswer> {
  try {
    const document = parseDocument(request.query);
    const operation = findOperation(document, request.operationName);
    if ('message' in operation) return { errors: [operation] };
    const invalid = validateOperation(schema as Schema<never>, document, operation);
    if (invalid.length > 0) return { errors: invalid };
    const variables = readVariables(schema, operation, request.variables);
    const run: Run<Context> = { schema, document, variables, problems: [], ...options };
    const root = schema.types.get(operation.kind === 'query' ? 'Query' : 'Mutation');
    const data = root ? await readObject(run, { type: root, source: null, selections: operation.selections, path: [] }) : null;
    return { data, ...(run.problems.length > 0 ? { errors: run.problems } : {}) };
  } catch (error) {
    if (error instanceof SyntaxProblem)
      return { errors: [{ message: error.message, locations: [{ line: error.line, column: error.column }] }] };
    if (error instanceof ValueProblem) return { errors: [{ message: error.message }] };
    throw error;
  }
}

function findOperation(document: Document, name: string | null): Operation | GraphProblem {
  const [first] = document.operations;
  const found = name === null ? first : document.operations.find((operation) => operation.name === name);
  if (found && (name !== null || document.operations.length === 1)) return found;
  return { message: document.operations.length > 1 ? 'An operation name is required' : 'No operation named in the document' };
}

type FieldSelection = Selection & { kind: 'field' };

interface Spot<Context> {
  type: ObjectType<Context>;
  source: unknown;
  selections: readonly Selection[];
  path: (string | number)[];
}

async function readObject<Context>(run: Run<Context>, at: Spot<Context>): Promise<Record<string, unknown>> {
  const fields = collectFields(run, at.type, at.selections);
  const data: Record<string, unknown> = {};
  for (const [alias, group] of fields) data[alias] = await readField(run, { ...at, path: [...at.path, alias] }, group);
  return data;
}

/** Fields by the name they get in the answer; the same name twice merges what is asked of it. */
function collectFields<Context>(
  run: Run<Context>,
  type: ObjectType<Context>,
  selections: readonly Selection[],
): Map<string, FieldSelection[]> {
  const fields = new Map<string, FieldSelection[]>();
  const visit = (list: readonly Selection[]) => {
    for (const selection of list) {
      if (!isWanted(run, selection)) continue;
      if (selection.kind === 'field') fields.set(selection.alias, [...(fields.get(selection.alias) ?? []), selection]);
      else {
        const fragment = selection.kind === 'inline' ? selection : run.document.fragments.get(selection.name);
        if (fragment && isMember(run, type.name, fragment.type)) visit(fragment.selections);
      }
    }
  };
  visit(selections);
  return fields;
}

function isWanted<Context>(run: Run<Context>, selection: Selection): boolean {
  return selection.directives.every(({ name, arguments: args }) => {
    const flag = args.if ? plainValue(args.if, run.variables) : true;
    return name === 'skip' ? flag !== true : name !== 'include' || flag === true;
  });
}

function isMember<Context>(run: Run<Context>, name: string, condition: string | null): boolean {
  return condition === null || condition === name || (run.schema.types.get(condition)?.members?.includes(name) ?? false);
}

async function readField<Context>(run: Run<Context>, at: Spot<Context>, group: readonly FieldSelection[]): Promise<unknown> {
  const [first] = group;
  if (!first || first.name === '__typename') return at.type.name;
  const field = at.type.fields[first.name];
  if (!field) return null;
  try {
    const args = Object.fromEntries(
      Object.entries(field.arguments).map(([name, type]) => {
        const written = first.arguments[name];
        return [name, readTyped(run.schema, type, written && plainValue(written, run.variables))];
      }),
    );
    const value = await field.resolve(at.source as never, args, run.context);
    const selections = group.flatMap((one) => one.selections ?? []);
    return await completeValue(run, { type: field.type, list: field.list, value, selections, path: at.path });
  } catch (error) {
    if (error instanceof ValueProblem) throw new ValueProblem(inputMessage(field.arguments, error));
    const refusal = run.explain(error);
    run.problems.push({ type: refusal.type, path: at.path, locations: [first.location], message: refusal.message });
    return null;
  }
}

/** An input object written in the document is refused in other words than one in a variable. */
function inputMessage(types: Record<string, string>, error: ValueProblem): string {
  const [name] = error.path;
  if (!error.message.startsWith('Field is not defined on') || name === undefined) return error.message;
  return `InputObject '${(types.input ?? '').replace('!', '')}' doesn't accept argument '${name}'`;
}

async function completeValue<Context>(
  run: Run<Context>,
  what: { type: string; list: boolean; value: unknown; selections: readonly Selection[]; path: (string | number)[] },
): Promise<unknown> {
  const { value, path } = what;
  if (value === null || value === undefined) return null;
  if (what.list && Array.isArray(value)) {
    const rows: unknown[] = [];
    for (const [index, entry] of value.entries())
      rows.push(await completeValue(run, { ...what, list: false, value: entry, path: [...path, index] }));
    return rows;
  }
  const type = run.schema.types.get(what.type);
  if (!type) return value;
  if (!type.members) return readObject(run, { type, source: value, selections: what.selections, path });
  const { member, source } = value as Typed;
  const concrete = run.schema.types.get(member);
  return concrete ? readObject(run, { type: concrete, source, selections: what.selections, path }) : null;
}
