import type { Tool, ToolAnswer } from '../agent/tool.ts';
import { parseArguments } from './arguments.ts';
import type { ToolContext } from './context.ts';
import { ANSWER_LIMIT, cutText } from './cut.ts';

/** Tools whose answers may be longer than 64 KiB, in bytes. */
const LONGER: Record<string, number> = { read_scratchpad: 1024 * 1024 };

/** How to get what was cut from an answer. */
const REST: Record<string, string> = {
  read_scratchpad: 'no more of a scratchpad can be read: keep long lists in several pads',
  list_dir: 'list its folders one by one, or use code_search',
  code_search: 'narrow it by path, glob or a longer query',
  memory_read: 'ask for one title',
};

/**
 * Runs one call of a tool with a model's own arguments, and keeps the answer under its limit. Throws `ToolError` for arguments that do not fit, and
 * whatever the tool throws.
 */
export async function runTool(tool: Tool<ToolContext>, context: ToolContext, input: unknown): Promise<ToolAnswer> {
  const answer = await tool.run(context, parseArguments(tool, input));
  return { ...answer, text: limitAnswer(tool.name, answer.text) };
}

function limitAnswer(name: string, text: string): string {
  const limit = LONGER[name] ?? ANSWER_LIMIT;
  const size = Buffer.byteLength(text);
  if (size <= limit) return text;
  const kept = cutText(text, limit - 300);
  const rest = REST[name] ?? 'ask for a smaller part';
  return `${kept}\n[cut: ${Buffer.byteLength(kept)} of ${size} bytes are shown; for the rest: ${rest}]`;
}
