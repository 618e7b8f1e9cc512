import { z } from 'zod';
import { defineTool, type Tool } from '../agent/tool.ts';
import type { ItemChange } from '../journal/effect.ts';
import { ToolError } from '../journal/errors.ts';
import type { ToolContext } from './context.ts';
import { answerJson, publishEffect } from './publishing.ts';
import { checkOwn, refuseUnknown } from './target.ts';

const Names = z.array(z.string().trim().min(1).max(100)).max(20).optional();
const text = z.string().optional();
const shown = { title: z.string().trim().min(1).optional(), body: text, addLabels: Names, removeLabels: Names };

const TicketInput = z.looseObject({
  ...shown,
  addAssignees: Names,
  removeAssignees: Names,
  milestone: text.describe('Title of an open one; empty for none.'),
  state: z.enum(['open', 'closed']).optional(),
});
const PullInput = z.looseObject({ ...shown, draft: z.boolean().optional(), explanation: text });

/** Changing the run's own pull request or issue. */
export const ITEM_TOOLS: Tool<ToolContext>[] = [
  defineTool({
    name: 'update_ticket',
    description: "Changes what is given of this run's issue or pull request.",
    effect: 'github',
    exact: true,
    input: TicketInput,
    run: (context, input) => updateItem(context, { name: 'update_ticket', kind: 'pull request or issue' }, input),
  }),
  defineTool({
    name: 'update_pull_request',
    description: "Changes what is given of this run's pull request.",
    effect: 'github',
    exact: true,
    input: PullInput,
    run: (context, input) => updateItem(context, { name: 'update_pull_request', kind: 'pull request' }, input),
  }),
];

/** Other names that prompts use. `labels` and `assignees` add: what a model did not read stays. */
const Aliases = z.looseObject({ description: text, labels: Names, assignees: Names, explanation: text });

async function updateItem(
  context: ToolContext,
  { name, kind }: { name: string; kind: Parameters<typeof checkOwn>[2] },
  input: z.infer<typeof TicketInput> & { draft?: boolean | undefined },
) {
  const { title, body, addLabels, removeLabels, addAssignees, removeAssignees, milestone, state, draft, ...others } = input;
  const aliases = Aliases.safeParse(others);
  if (!aliases.success) throw new ToolError(`${name} was not run: labels and assignees are lists of names.`);
  const { description, labels, assignees, explanation: _, ...places } = aliases.data;
  checkOwn(context.event, places, kind);
  refuseUnknown(name, places);
  const change: ItemChange = {
    ...(title === undefined ? {} : { title }),
    ...(body === undefined && description === undefined ? {} : { body: body ?? description ?? '' }),
    ...(state === undefined ? {} : { state }),
    ...(milestone === undefined ? {} : { milestone: milestone.trim() || null }),
    ...(draft === undefined ? {} : { draft }),
    ...namesAs('addLabels', labels, addLabels),
    ...namesAs('removeLabels', removeLabels),
    ...namesAs('addAssignees', assignees, addAssignees),
    ...namesAs('removeAssignees', removeAssignees),
  };
  if (Object.keys(change).length === 0) throw new ToolError(`${name} was not run: nothing to change was given.`);
  return answerJson(await publishEffect(context, { type: 'item.update', ...change }));
}

function namesAs(field: string, ...lists: (string[] | undefined)[]): Record<string, string[]> {
  const names = lists.flatMap((list) => list ?? []).map((name) => (field.endsWith('Assignees') ? name.replace(/^@/, '') : name));
  return names.length === 0 ? {} : { [field]: names };
}
