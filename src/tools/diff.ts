import { z } from 'zod';
import { defineTool, type Tool } from '../agent/tool.ts';
import { ToolError } from '../journal/errors.ts';
import { findChanged, needChanged } from './changed-file.ts';
import type { ToolContext } from './context.ts';
import { pageDiff } from './diff-pages.ts';
import { writeLineNumbers } from './line-numbers.ts';
import { checkOwn } from './target.ts';

const MOST_PATHS = 100;

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
      const pages = pageDiff(path ? [needChanged(diff, context.event, path)] : diff.files);
      if (pages.length === 0) return { text: `Nothing is changed between ${diff.mergeBase} and ${diff.head}.` };
      const text = pages[page - 1];
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
