import { z } from 'zod';
import type { ToolAnswer } from '../agent/tool.ts';
import type { ToolContext } from './context.ts';
import { cutLine } from './cut.ts';
import { answerJson } from './publishing.ts';
import { checkRepository } from './target.ts';

const EXCERPT = 200;

/** What list tools take. */
export const ListInput = z.looseObject({
  query: z.string().optional(),
  state: z.enum(['open', 'closed', 'merged', 'all']).optional(),
  labels: z.array(z.string()).optional(),
  limit: z.number().default(10),
});
export type ListInput = z.infer<typeof ListInput> & { head?: string | undefined };

/** Lists pull requests or issues of the run's repository, each with the beginning of its text. */
export async function listItems(context: ToolContext, kind: 'pr' | 'issue', input: ListInput): Promise<ToolAnswer> {
  const { query, state, labels, head, limit, ...rest } = input;
  checkRepository(context.event, rest);
  const rows = await context.github.list({
    kind,
    ...(query?.trim() ? { query: query.trim() } : {}),
    ...(state ? { state } : {}),
    ...(labels && labels.length > 0 ? { labels } : {}),
    ...(head ? { head } : {}),
    limit: Math.min(100, Math.max(1, Math.floor(limit))),
  });
  return answerJson(rows.map((row) => ({ ...row, body: cutLine(row.body, EXCERPT) })));
}
