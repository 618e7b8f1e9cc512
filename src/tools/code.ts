import { z } from 'zod';
import { defineTool, type Tool } from '../agent/tool.ts';
import type { ToolContext } from './context.ts';

/** Finding things in the code of the workspace. */
export const CODE_TOOLS: Tool<ToolContext>[] = [
  defineTool({
    name: 'code_search',
    aliases: ['search_code'],
    description: 'Finds lines that hold a text (or match a regex) in all files, or below a path.',
    effect: 'none',
    input: z.object({ query: z.string().min(1), path: z.string().optional(), glob: z.string().optional(), regex: z.boolean().optional() }),
    async run({ search }, { query, path, glob, regex }) {
      const found = await search({
        query,
        ...(path ? { path } : {}),
        ...(glob ? { glob } : {}),
        ...(regex === undefined ? {} : { regex }),
      });
      return { text: found.text };
    },
  }),
];
