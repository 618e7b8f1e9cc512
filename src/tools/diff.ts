import { z } from 'zod';
import { defineTool, type Tool } from '../agent/tool.ts';
import type { Diff, DiffFile } from '../journal/diff.ts';
import { ToolError } from '../journal/errors.ts';
import { ignoredBy } from '../workflow/ignore.ts';
import { findChanged, needChanged } from './changed-file.ts';
import type { ToolContext } from './context.ts';
import { pageDiff } from './diff-pages.ts';
import { writeLineNumbers } from './line-numbers.ts';
import { checkOwn } from './target.ts';

const MOST_PATHS = 100;
const MOST_NAMED = 50;

/** Reading the change of the run's pull request. */
export const DIFF_TOOLS: Tool<ToolContext>[] = [
  defineTool({
    name: 'get_pull_request_diff',
    description: "The pull request's diff, or a file's, page by page; the last line names the next page.",
    effect: 'none',
    input: z.looseObject({ path: z.string().optional(), page: z.int().min(1).optional() }),
    async run(context, { path, page = 1, ...rest }) {
      checkOwn(context.event, rest, 'pull request');
      const diff = await context.diff();
      const { files, leftOut } = path
        ? { files: [needChanged(diff, context.event, path)], leftOut: '' }
        : splitIgnored(diff, context.rules);
      const pages = pageDiff(files);
      if (pages.length === 0) return { text: leftOut || `Nothing is changed between ${diff.mergeBase} and ${diff.head}.` };
      const text = page === 1 ? `${leftOut}${pages[0]}` : pages[page - 1];
      if (text === undefined) throw new ToolError(`There is no page ${page}: the last one is ${pages.length}.`);
      return { text: page < pages.length ? `${text}next page: ${page + 1} (of ${pages.length})` : text };
    },
  }),
  defineTool({
    name: 'get_pull_request_diff_line_numbers',
    description:
      'The lines of a changed file that can carry a review comment: a list of {side, line, text}; [] for a file that is not in the diff.',
    effect: 'none',
    input: z.looseObject({ path: z.union([z.string(), z.array(z.string())]) }),
    async run(context, { path, ...rest }) {
      checkOwn(context.event, rest, 'pull request');
      const paths = [...new Set([path].flat().map((one) => one.trim()))].filter(Boolean);
      if (paths.length === 0) throw new ToolError('No path was given: name a changed file.');
      if (paths.length > MOST_PATHS)
        throw new ToolError(`At most ${MOST_PATHS} paths can be asked for at once, these are ${paths.length}.`);
      const diff = await context.diff();
      return { text: writeLineNumbers(paths.flatMap((one) => findChanged(diff, context.event, one) ?? [])) };
    },
  }),
];

/** The changed files to review, and a sentence on those that settings leave out; a file that is asked for by its path is shown all the same. */
function splitIgnored(diff: Diff, { ignore }: ToolContext['rules']): { files: DiffFile[]; leftOut: string } {
  const ignored = diff.files.flatMap(({ path }) => {
    const rule = ignoredBy(ignore, path);
    return rule === null ? [] : [{ path, rule }];
  });
  if (ignored.length === 0) return { files: diff.files, leftOut: '' };
  const paths = new Set(ignored.map(({ path }) => path));
  const named = ignored.slice(0, MOST_NAMED).map(({ path, rule }) => `${path} (${rule})`);
  const more = ignored.length > MOST_NAMED ? ` and ${ignored.length - MOST_NAMED} more` : '';
  const leftOut = `Left out, because the settings say that they are not reviewed: ${named.join(', ')}${more}.\n`;
  return { files: diff.files.filter(({ path }) => !paths.has(path)), leftOut };
}
