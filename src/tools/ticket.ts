import { z } from 'zod';
import { defineTool, type Tool } from '../agent/tool.ts';
import type { ToolContext } from './context.ts';
import { pageConversation } from './conversation-pages.ts';
import { ListInput, listItems } from './listing.ts';
import { answerJson } from './publishing.ts';
import { checkRepository, numberOf } from './target.ts';

/** Reading issues of the run's repository. */
export const TICKET_TOOLS: Tool<ToolContext>[] = [
  defineTool({
    name: 'read_ticket',
    description: "An issue with its comments; this run's by default.",
    effect: 'none',
    input: z.looseObject({ number: z.int().min(1).optional(), page: z.int().min(1).optional() }),
    async run(context, { number, page = 1, ...rest }) {
      checkRepository(context.event, rest);
      const { issue, comments, hidden } = await context.github.readIssue(numberOf(context.event, number));
      return answerJson(pageConversation({ ...issue, hiddenComments: hidden }, { comments }, page));
    },
  }),
  defineTool({
    name: 'list_tickets',
    description: 'Lists or searches issues.',
    effect: 'none',
    input: ListInput,
    run: (context, input) => listItems(context, 'issue', input),
  }),
];
