import { z } from 'zod';
import { defineTool, type Tool } from '../agent/tool.ts';
import type { ToolContext } from './context.ts';
import { pageConversation } from './conversation-pages.ts';
import { ListInput, listItems } from './listing.ts';
import { answerJson } from './publishing.ts';
import { checkRepository, numberOf } from './target.ts';

/** Reading pull requests of the run's repository. */
export const PULL_REQUEST_TOOLS: Tool<ToolContext>[] = [
  defineTool({
    name: 'read_pull_request',
    description: "A pull request with its commits, reviews, threads and comments; this run's by default.",
    effect: 'none',
    input: z.looseObject({ number: z.int().min(1).optional(), page: z.int().min(1).optional() }),
    async run(context, { number, page = 1, ...rest }) {
      checkRepository(context.event, rest);
      const read = await context.github.readPullRequest(numberOf(context.event, number));
      const { pull, commits, reviews, threads, comments, hidden } = read;
      return answerJson(pageConversation({ ...pull, hiddenComments: hidden }, { threads, reviews, comments, commits }, page));
    },
  }),
  defineTool({
    name: 'list_pull_requests',
    description: 'Lists or searches pull requests.',
    effect: 'none',
    input: ListInput.extend({ head: z.string().optional() }),
    run: (context, input) => listItems(context, 'pr', input),
  }),
];
