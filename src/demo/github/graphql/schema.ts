/** Arguments after variables were filled in and types were checked. */
export type Arguments = Record<string, unknown>;

/** One field: its type (`String`, `PullRequest`, ...), whether it is a list, what it takes (name to written type, `ID!`) and how it is read. */
export interface Field<Source, Context> {
  type: string;
  list: boolean;
  arguments: Record<string, string>;
  resolve: (source: Source, args: Arguments, context: Context) => unknown;
}

/** A type with fields, or one that stands for several (`members`) and shares `fields` with them. */
export interface ObjectType<Context> {
  name: string;
  fields: Record<string, Field<never, Context>>;
  members: string[] | null;
}

/** Everything that a document may ask for. */
export interface Schema<Context> {
  types: Map<string, ObjectType<Context>>;
  inputs: Record<string, Record<string, string>>;
  enums: Record<string, readonly string[]>;
}

/** What a field of a type with members must return: the member and its source. */
export interface Typed {
  member: string;
  source: unknown;
}

/** Names of types without fields. Dates and addresses are texts. */
export const SCALARS = ['String', 'Int', 'ID', 'Boolean', 'DateTime', 'URI', 'GitObjectID', 'BigInt'];

/** A field that holds one value. */
export function makeField<Source, Context>(
  type: string,
  resolve: Field<Source, Context>['resolve'],
  args: Record<string, string> = {},
): Field<Source, Context> {
  return { type, list: false, arguments: args, resolve };
}

/** A field that holds several values. */
export function makeList<Source, Context>(
  type: string,
  resolve: Field<Source, Context>['resolve'],
  args: Record<string, string> = {},
): Field<Source, Context> {
  return { type, list: true, arguments: args, resolve };
}

/** A type whose sources are of one kind. */
export function makeType<Source, Context>(name: string, fields: Record<string, Field<Source, Context>>): ObjectType<Context> {
  return { name, fields: fields as Record<string, Field<never, Context>>, members: null };
}

/** A type that stands for its members; their fields of the same name are used. */
export function makeUnion<Context>(name: string, members: string[], fields: Record<string, string> = {}): ObjectType<Context> {
  const shared = Object.entries(fields).map(([field, type]): [string, Field<never, Context>] => [
    field,
    { type, list: false, arguments: {}, resolve: () => null },
  ]);
  return { name, fields: Object.fromEntries(shared), members };
}
