import { z } from 'zod';
import { dataBlock } from '../agent/data-block.ts';
import { defineTool, type Tool, type ToolAnswer } from '../agent/tool.ts';
import { ToolError } from '../journal/errors.ts';
import type { AttachmentReading, ToolContext } from './context.ts';
import { cutText } from './cut.ts';
import { checkRepository, numberOf } from './target.ts';

const Id = z.int().min(1);
const Input = z.looseObject({ number: Id.optional(), url: z.string().min(1).optional(), page: Id.default(1) });

/** Reading the files that people put into issues and pull requests. */
export const ATTACHMENT_TOOLS: Tool<ToolContext>[] = [
  attachmentTool('get_ticket_attachments', { kind: 'issue', of: 'an issue and its comments' }),
  attachmentTool('get_pull_request_attachments', { kind: 'pr', of: 'a pull request, its comments and threads' }),
];

function attachmentTool(name: string, { kind, of }: { kind: 'pr' | 'issue'; of: string }): Tool<ToolContext> {
  return defineTool({
    name,
    description: `The files that ${of} link to, with the text of those that are text; this run's by default. With url one of them, page by page.`,
    effect: 'none',
    input: Input,
    async run(context, { number, url, page, ...rest }) {
      checkRepository(context.event, rest);
      const { files, more, hidden } = await context.github.readAttachments({ kind, number: numberOf(context.event, number), url });
      const [only] = files;
      if (url !== undefined && only) return pageFile(only, page);
      const room = Math.floor(PAGE_BYTES / Math.max(1, files.filter((file) => file.kind === 'text').length));
      const blocks = files.map((file) => describeFile(file, room));
      if (more > 0) blocks.push(`(${more} more are not shown: name one by its url.)`);
      if (hidden > 0) blocks.push(`(${hidden} comments by people without write permission are not read.)`);
      return { text: [files.length === 0 ? 'Nothing is attached.' : '', ...blocks].filter(Boolean).join('\n\n') };
    },
  });
}

const PAGE_BYTES = 48 * 1024;

function describeFile(file: AttachmentReading, room: number): string {
  const title = `attachment ${file.name} (${file.url})`;
  if (file.kind === 'unread') return dataBlock(title, `(not read: ${file.why})`);
  if (file.kind === 'other')
    return dataBlock(title, `(${file.type}, ${file.bytes} bytes: agents are shown text only, ask somebody what is in it)`);
  const shown = cutText(file.text, room);
  const rest = shown.length < file.text.length ? `\n(cut: ${file.bytes} bytes in all; ask for this url, page by page)` : '';
  return dataBlock(title, `${shown}${rest}`);
}

function pageFile(file: AttachmentReading, page: number): ToolAnswer {
  if (file.kind !== 'text') return { text: describeFile(file, PAGE_BYTES) };
  let rest = file.text;
  let shown = cutText(rest, PAGE_BYTES);
  for (let at = 1; at < page; at++) {
    rest = rest.slice(shown.length);
    if (rest === '') throw new ToolError(`There is no page ${page}: the last one is ${at}.`);
    shown = cutText(rest, PAGE_BYTES);
  }
  const next = shown.length < rest.length ? `\nnext page: ${page + 1}` : '';
  return { text: `${dataBlock(`attachment ${file.name}, page ${page}`, shown)}${next}` };
}
