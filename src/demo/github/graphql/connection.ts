import { GraphRefusal } from './problem.ts';
import { type Arguments, type Field, makeField, makeList, makeType, type ObjectType } from './schema.ts';

const MOST = 100;

/** A part of a list with where it begins. */
interface Page {
  rows: unknown[];
  start: number;
  total: number;
}

/** What every list takes. */
const PAGING = { first: 'Int', last: 'Int', after: 'String', before: 'String' };

/** A paged list of `type`; `read` gives the whole of it. */
export function makeConnection<Source, Context>(
  type: string,
  read: (source: Source, args: Arguments, context: Context) => unknown[] | Promise<unknown[]>,
  options: { name: string; args?: Record<string, string> },
): Field<Source, Context> {
  const resolve = async (source: Source, args: Arguments, context: Context) =>
    cutPage(await read(source, args, context), args, options.name);
  return makeField(`${type}Connection`, resolve, { ...PAGING, ...options.args });
}

/** The types that a list of `type` needs. */
export function connectionTypes<Context>(type: string): ObjectType<Context>[] {
  return [
    makeType<Page, Context>(`${type}Connection`, {
      nodes: makeList(type, (page) => page.rows),
      edges: makeList(`${type}Edge`, (page) => page.rows.map((row, index) => ({ row, index: page.start + index }))),
      totalCount: makeField('Int', (page) => page.total),
      pageInfo: makeField('PageInfo', (page) => page),
    }),
    makeType<{ row: unknown; index: number }, Context>(`${type}Edge`, {
      node: makeField(type, (edge) => edge.row),
      cursor: makeField('String', (edge) => writeCursor(edge.index)),
    }),
  ];
}

/** Where a page stands in its list. */
export function pageInfoType<Context>(): ObjectType<Context> {
  return makeType<Page, Context>('PageInfo', {
    hasNextPage: makeField('Boolean', (page) => page.start + page.rows.length < page.total),
    hasPreviousPage: makeField('Boolean', (page) => page.start > 0),
    startCursor: makeField('String', (page) => (page.rows.length > 0 ? writeCursor(page.start) : null)),
    endCursor: makeField('String', (page) => (page.rows.length > 0 ? writeCursor(page.start + page.rows.length - 1) : null)),
  });
}

function cutPage(rows: readonly unknown[], args: Arguments, name: string): Page {
  const [first, last] = [numberOf(args.first), numberOf(args.last)];
  const size = first ?? last;
  if (size === null) {
    const message = `You must provide a \`first\` or \`last\` value to properly paginate the \`${name}\` connection.`;
    throw new GraphRefusal('MISSING_PAGINATION_BOUNDARIES', message);
  }
  if (size > MOST || size < 0) {
    const limit = first === null ? 'last' : 'first';
    const message = `Requesting ${size} records on the \`${name}\` connection exceeds the \`${limit}\` limit of ${MOST} records.`;
    throw new GraphRefusal('EXCESSIVE_PAGINATION', message);
  }
  let from = typeof args.after === 'string' ? readCursor(args.after) + 1 : 0;
  let to = typeof args.before === 'string' ? readCursor(args.before) : rows.length;
  if (first !== null) to = Math.min(to, from + first);
  else from = Math.max(from, to - size);
  return { rows: rows.slice(from, to), start: from, total: rows.length };
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function writeCursor(index: number): string {
  return Buffer.from(`cursor:${index}`).toString('base64');
}

function readCursor(text: string): number {
  const index = Number(/^cursor:(\d+)$/.exec(Buffer.from(text, 'base64').toString())?.[1] ?? Number.NaN);
  if (Number.isNaN(index)) throw new GraphRefusal('INVALID_CURSOR_ARGUMENTS', `\`${text}\` does not appear to be a valid cursor.`);
  return index;
}
