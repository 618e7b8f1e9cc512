import { z } from 'zod';
import { defineTool, type Tool } from '../agent/tool.ts';
import { ToolError } from '../journal/errors.ts';
import type { ToolContext } from './context.ts';

const MOST = 16 * 1024;

/** What an agent keeps about a repository from run to run. */
export const MEMORY_TOOLS: Tool<ToolContext>[] = [
  defineTool({
    name: 'memory_write',
    description: 'Remembers something about this repository for later runs; the same title replaces it.',
    effect: 'memory',
    input: z.object({ title: z.string().trim().min(1).max(200), content: z.string().min(1) }),
    async run({ memory, key }, { title, content }) {
      const size = Buffer.byteLength(content);
      if (size > MOST) throw new ToolError(`A memory has at most ${MOST} bytes, this has ${size}: keep what will help next time.`);
      await memory.write(title, content, key);
      return { text: `Remembered under ${JSON.stringify(title)}.` };
    },
  }),
  defineTool({
    name: 'memory_read',
    description: 'Reads what was remembered under a title.',
    effect: 'none',
    input: z.object({ title: z.string().trim().min(1) }),
    async run({ memory }, { title }) {
      const found = await memory.read(title);
      if (found.length > 0) return { text: found.map((one) => `# ${one.title}\n${one.content}`).join('\n\n') };
      const titles = (await memory.all()).slice(0, 50).map((one) => one.title);
      throw new ToolError(
        `Nothing is remembered under ${JSON.stringify(title)}. ${titles.length > 0 ? `Titles: ${titles.join('; ')}.` : 'There are no memories yet.'}`,
      );
    },
  }),
];
