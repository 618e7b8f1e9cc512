import { z } from 'zod';
import { defineTool, type Tool } from '../agent/tool.ts';
import { ToolError } from '../journal/errors.ts';
import type { Scratchpads, ToolContext } from './context.ts';

/** Pads of the runtime itself; agents neither see nor touch them. */
export const RESERVED_PADS = '.pitwall/';

const MOST = 1024 * 1024;
const Name = z.string().min(1).max(200);

/** Notes that all agents of a run share; they live as long as the run. */
export const SCRATCHPAD_TOOLS: Tool<ToolContext>[] = [
  defineTool({
    name: 'write_scratchpad',
    description: 'Writes a scratchpad that all agents of this run can read; replaces what it held.',
    effect: 'memory',
    input: z.object({ name: Name, content: z.string() }),
    async run({ pads, key }, { name, content }) {
      checkPad(name, content);
      await pads.write(name, content, key);
      return { text: `Wrote ${name} (${Buffer.byteLength(content)} bytes).` };
    },
  }),
  defineTool({
    name: 'read_scratchpad',
    description: 'Reads a scratchpad.',
    effect: 'none',
    input: z.object({ name: Name }),
    async run({ pads }, { name }) {
      checkPad(name, '');
      const text = await pads.read(name);
      if (text !== null) return { text };
      const names = (await visiblePads(pads)).map((pad) => pad.name);
      throw new ToolError(
        `There is no scratchpad ${JSON.stringify(name)}. ${names.length > 0 ? `There are: ${names.join(', ')}.` : 'There are none yet.'}`,
      );
    },
  }),
  defineTool({
    name: 'append_scratchpad',
    description: 'Adds an entry at the end of a scratchpad; makes the pad.',
    effect: 'memory',
    input: z.object({ name: Name, content: z.string() }),
    async run({ pads, key }, { name, content }) {
      checkPad(name, content);
      await pads.append(name, content, key);
      return { text: `Appended to ${name}.` };
    },
  }),
  defineTool({
    name: 'list_scratchpads',
    description: 'Lists the scratchpads.',
    effect: 'none',
    input: z.object({}),
    async run({ pads }) {
      const rows = (await visiblePads(pads)).map(({ name, size }) => `${name} (${size} characters)`);
      return { text: rows.join('\n') || 'There are no scratchpads yet.' };
    },
  }),
];

function checkPad(name: string, content: string): void {
  if (name.startsWith(RESERVED_PADS)) throw new ToolError(`Names that begin with ${RESERVED_PADS} are reserved: choose another name.`);
  const size = Buffer.byteLength(content);
  if (size > MOST) throw new ToolError(`A scratchpad has at most ${MOST} bytes, this has ${size}: write several.`);
}

async function visiblePads(pads: Scratchpads): Promise<{ name: string; size: number }[]> {
  return (await pads.list()).filter(({ name }) => !name.startsWith(RESERVED_PADS));
}
