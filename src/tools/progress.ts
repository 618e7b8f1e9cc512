import { z } from 'zod';
import { defineTool, type Tool } from '../agent/tool.ts';
import { ToolError } from '../journal/errors.ts';
import type { ToolContext } from './context.ts';

/** How an agent tells people and the runtime where it stands. The loop ends by seeing the name `task_completed`. */
export const PROGRESS_TOOLS: Tool<ToolContext>[] = [
  defineTool({
    name: 'update_status',
    aliases: ['status_update'],
    description: 'Tells people how the work goes.',
    effect: 'github',
    input: z.object({ message: z.string(), status: z.string().optional() }),
    async run(context, { message, status }) {
      const text = message.trim() || status?.trim() || '';
      if (!text) throw new ToolError('message is empty: say in a sentence what is being done.');
      await context.status(text);
      return { text: 'Status updated.' };
    },
  }),
  defineTool({
    name: 'task_completed',
    description: 'Ends your task; the message is its result.',
    effect: 'none',
    input: z.object({ message: z.string() }),
    run: async (_context, { message }) => ({ text: message }),
  }),
];
