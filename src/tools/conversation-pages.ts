import { ToolError } from '../journal/errors.ts';

/** About how many bytes a page of a conversation has. */
const PAGE_SIZE = 48 * 1024;

/** Lists of a conversation by name, such as `threads` and `comments`. */
export type Lists = Record<string, readonly unknown[]>;

/**
 * One page of a pull request or issue: its facts on the first page, then what was said, in the order of the lists. `nextPage` is there where more follows.
 * Throws `ToolError` for a page that is not there.
 */
export function pageConversation(facts: object, lists: Lists, page: number): object {
  const pages: { name: string; value: unknown }[][] = [[]];
  let bytes = Buffer.byteLength(JSON.stringify(facts));
  for (const [name, values] of Object.entries(lists)) {
    for (const value of values) {
      const more = Buffer.byteLength(JSON.stringify(value)) + 1;
      if (bytes + more > PAGE_SIZE && (pages.length === 1 || (pages.at(-1)?.length ?? 0) > 0)) {
        pages.push([]);
        bytes = 0;
      }
      pages.at(-1)?.push({ name, value });
      bytes += more;
    }
  }
  const wanted = pages[page - 1];
  if (!wanted) throw new ToolError(`There is no page ${page}: the last one is ${pages.length}.`);
  const names = Object.keys(lists).filter((name) => page === 1 || wanted.some((item) => item.name === name));
  const shown = names.map((name) => [name, wanted.filter((item) => item.name === name).map(({ value }) => value)]);
  return { ...(page === 1 ? facts : {}), ...Object.fromEntries(shown), ...(page < pages.length ? { nextPage: page + 1 } : {}) };
}
