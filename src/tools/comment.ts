import { z } from 'zod';
import { defineTool, type Tool } from '../agent/tool.ts';
import type { ToolContext } from './context.ts';
import { answerJson, needBody, publishEffect } from './publishing.ts';
import { checkOwn } from './target.ts';

/** Comments on the run's own pull request or issue. GitHub has one conversation for both, so the ticket tools also work on a pull request. */
export const COMMENT_TOOLS: Tool<ToolContext>[] = [
  addTool('add_comment_to_ticket', 'pull request or issue'),
  updateTool({ name: 'update_comment_on_ticket', aliases: ['update_ticket_comment'], kind: 'pull request or issue' }),
  addTool('add_comment_to_pull_request', 'pull request'),
  updateTool({ name: 'update_comment_on_pull_request', aliases: ['update_pull_request_comment'], kind: 'pull request' }),
];

type Kind = Parameters<typeof checkOwn>[2];

function addTool(name: string, kind: Kind): Tool<ToolContext> {
  return defineTool({
    name,
    description: `Comments on this run's ${kind}.`,
    effect: 'github',
    input: z.looseObject({ body: z.string() }),
    async run(context, { body, ...rest }) {
      checkOwn(context.event, rest, kind);
      return answerJson(await publishEffect(context, { type: 'comment.create', body: needBody(body) }));
    },
  });
}

function updateTool({ name, aliases, kind }: { name: string; aliases: string[]; kind: Kind }): Tool<ToolContext> {
  return defineTool({
    name,
    aliases,
    description: 'Replaces the text of a comment that you wrote.',
    effect: 'github',
    input: z.looseObject({ commentId: z.int().min(1), body: z.string() }),
    async run(context, { commentId, body, ...rest }) {
      checkOwn(context.event, rest, kind);
      return answerJson(await publishEffect(context, { type: 'comment.update', comment: commentId, body: needBody(body) }));
    },
  });
}
