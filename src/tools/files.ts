import { z } from 'zod';
import { defineTool, type Tool, type ToolAnswer } from '../agent/tool.ts';
import type { ToolContext } from './context.ts';
import { ANSWER_LIMIT, cutText } from './cut.ts';

const Path = z.string().min(1);
const ROOM = ANSWER_LIMIT - 512;

/** Reading and changing files of the workspace. Paths outside it are refused by `Files`. */
export const FILE_TOOLS: Tool<ToolContext>[] = [
  defineTool({
    name: 'read_file',
    description: 'Reads a text file, or some of its lines.',
    effect: 'none',
    input: z.object({ path: Path, startLine: z.int().optional(), endLine: z.int().optional() }),
    run: readFile,
  }),
  defineTool({
    name: 'list_dir',
    aliases: ['list_directory', 'read_dir'],
    description: 'Lists a directory; folders end with /.',
    effect: 'none',
    input: z.object({ path: z.string().optional() }),
    async run({ files }, { path = '.' }) {
      const entries = await files.list(path);
      const rows = entries.map(({ name, kind, size }) => (kind === 'directory' ? `${name}/` : `${name} (${size} bytes)`));
      return { text: rows.join('\n') || '(empty directory)' };
    },
  }),
  defineTool({
    name: 'create_directory',
    description: 'Makes a directory.',
    effect: 'workspace',
    input: z.object({ path: Path }),
    async run({ files }, { path }) {
      return { text: `${await files.makeDirectory(path)}/ can be written to; it is kept once there is a file in it.` };
    },
  }),
  defineTool({
    name: 'write_file',
    description: 'Writes a whole file.',
    effect: 'workspace',
    input: z.object({ path: Path, content: z.string() }),
    run: async ({ files }, { path, content }) =>
      changing(files, `Wrote ${await files.write(path, content)} (${Buffer.byteLength(content)} bytes).`),
  }),
  defineTool({
    name: 'append_file',
    description: "Adds text at a file's end; makes the file.",
    effect: 'workspace',
    input: z.object({ path: Path, content: z.string() }),
    run: async ({ files }, { path, content }) =>
      changing(files, `Appended ${Buffer.byteLength(content)} bytes to ${await files.append(path, content)}.`),
  }),
  defineTool({
    name: 'edit_file',
    description: 'Replaces a text that stands once in a file, or everywhere with `all`.',
    effect: 'workspace',
    input: z.object({ path: Path, old: z.string(), new: z.string(), all: z.boolean().optional() }),
    async run({ files }, { path, all, ...change }) {
      const edited = await files.edit(path, all === undefined ? change : { ...change, all });
      return changing(files, `Replaced ${edited.count === 1 ? 'one place' : `${edited.count} places`} in ${edited.path}.`);
    },
  }),
  defineTool({
    name: 'delete_file',
    description: 'Deletes a file.',
    effect: 'workspace',
    input: z.object({ path: Path }),
    run: async ({ files }, { path }) => changing(files, `Deleted ${await files.remove(path)}.`),
  }),
];

async function readFile(
  { files }: ToolContext,
  input: { path: string; startLine?: number | undefined; endLine?: number | undefined },
): Promise<ToolAnswer> {
  const { path, startLine = 1, endLine = -1 } = input;
  const start = Math.max(1, startLine);
  const range = await files.readLines(path, endLine > 0 ? { start, end: endLine } : { start });
  if (Buffer.byteLength(range.text) <= ROOM) return { text: range.text };
  const kept = cutText(range.text, ROOM);
  const whole = range.text[kept.length] === '\n';
  const last = range.start + kept.split('\n').length - 1;
  if (whole) return { text: `${kept}\n[cut: lines ${range.start} to ${last} of ${range.total}; for the rest: startLine ${last + 1}]` };
  const next = last < range.total ? `; the next line: startLine ${last + 1}` : '';
  return {
    text: `${kept}\n[cut inside line ${last} of ${range.total}, which is too long to show: find what you need in it by code_search${next}]`,
  };
}

function changing(files: ToolContext['files'], text: string): ToolAnswer {
  const changes = files.changed();
  return Object.keys(changes).length > 0 ? { text, changes } : { text };
}
