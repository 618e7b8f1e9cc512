import type { Document, Operation, Selection, Value } from './document.ts';
import type { GraphProblem } from './problem.ts';
import type { ObjectType, Schema } from './schema.ts';

/** What a walk over a document carries with it. */
interface Walk {
  schema: Schema<never>;
  document: Document;
  operation: Operation;
  problems: GraphProblem[];
  open: Set<string>;
}

/** Says in GitHub's words what an operation asks for that is not there. */
export function validateOperation(schema: Schema<never>, document: Document, operation: Operation): GraphProblem[] {
  const walk: Walk = { schema, document, operation, problems: [], open: new Set() };
  const root = schema.types.get(operation.kind === 'query' ? 'Query' : 'Mutation');
  if (root)
    checkSelections(walk, operation.selections, {
      type: root,
      path: [operation.name ? `${operation.kind} ${operation.name}` : operation.kind],
    });
  return walk.problems;
}

interface At {
  type: ObjectType<never>;
  path: string[];
}

function checkSelections(walk: Walk, selections: readonly Selection[], at: At): void {
  for (const selection of selections) {
    if (selection.kind === 'field') checkField(walk, selection, at);
    else if (selection.kind === 'inline') checkTyped(walk, { ...selection, type: selection.type ?? at.type.name }, at);
    else checkSpread(walk, selection, at);
  }
}

function checkSpread(walk: Walk, spread: Selection & { kind: 'spread' }, at: At): void {
  const fragment = walk.document.fragments.get(spread.name);
  const { location } = spread;
  if (!fragment) {
    complain(walk, { message: `Fragment ${spread.name} was used, but not defined`, code: 'useAndDefineFragment', path: at.path, location });
  } else if (walk.open.has(spread.name)) {
    complain(walk, { message: `Fragment ${spread.name} contains an infinite loop`, code: 'infiniteLoop', path: at.path, location });
  } else {
    walk.open.add(spread.name);
    checkTyped(walk, { ...fragment, location }, at);
    walk.open.delete(spread.name);
  }
}

function checkTyped(walk: Walk, part: { type: string; selections: Selection[]; location: Selection['location'] }, at: At): void {
  const type = walk.schema.types.get(part.type);
  if (type) checkSelections(walk, part.selections, { type, path: [...at.path, `... on ${part.type}`] });
  else
    complain(walk, {
      message: `No such type ${part.type}, so it can't be a fragment condition`,
      code: 'undefinedType',
      path: at.path,
      location: part.location,
    });
}

function checkField(walk: Walk, field: Selection & { kind: 'field' }, at: At): void {
  if (field.name === '__typename') return;
  const path = [...at.path, field.alias];
  const { location } = field;
  const known = at.type.fields[field.name];
  if (!known) {
    const message = `Field '${field.name}' doesn't exist on type '${at.type.name}'`;
    complain(walk, { message, code: 'undefinedField', path, location, more: { typeName: at.type.name, fieldName: field.name } });
    return;
  }
  checkArguments(walk, { field, accepted: known.arguments, path });
  const type = walk.schema.types.get(known.type);
  if (type && !field.selections) {
    const message = `Field must have selections (field '${field.name}' returns ${known.type} but has no selections. Did you mean '${field.name} { ... }'?)`;
    complain(walk, { message, code: 'selectionMismatch', path, location });
  } else if (!type && field.selections) {
    const message = `Selections can't be made on scalars (field '${field.name}' returns ${known.type} but has selections)`;
    complain(walk, { message, code: 'selectionMismatch', path, location });
  } else if (type && field.selections) checkSelections(walk, field.selections, { type, path });
}

function checkArguments(walk: Walk, at: { field: Selection & { kind: 'field' }; accepted: Record<string, string>; path: string[] }): void {
  const { field, accepted, path } = at;
  const { location } = field;
  for (const [name, value] of Object.entries(field.arguments)) {
    if (accepted[name] === undefined) {
      complain(walk, {
        message: `Field '${field.name}' doesn't accept argument '${name}'`,
        code: 'argumentNotAccepted',
        path: [...path, name],
        location,
      });
    }
    for (const variable of variablesIn(value)) {
      if (walk.operation.variables.some((one) => one.name === variable)) continue;
      const message = `Variable $${variable} is used by ${walk.operation.name ?? `anonymous ${walk.operation.kind}`} but not declared`;
      complain(walk, { message, code: 'variableNotDefined', path, location });
    }
  }
  const missing = Object.entries(accepted).flatMap(([name, type]) =>
    type.endsWith('!') && field.arguments[name] === undefined ? [name] : [],
  );
  if (missing.length > 0) {
    const message = `Field '${field.name}' is missing required arguments: ${missing.join(', ')}`;
    complain(walk, { message, code: 'missingRequiredArguments', path, location });
  }
}

function variablesIn(value: Value): string[] {
  if (value.kind === 'variable') return [value.name];
  if (value.kind === 'list') return value.values.flatMap(variablesIn);
  return value.kind === 'object' ? Object.values(value.fields).flatMap(variablesIn) : [];
}

function complain(
  walk: Walk,
  what: { message: string; code: string; path: string[]; location: Selection['location']; more?: Record<string, unknown> },
): void {
  const { message, code, path, location, more } = what;
  walk.problems.push({ path, extensions: { code, ...more }, locations: [location], message });
}
