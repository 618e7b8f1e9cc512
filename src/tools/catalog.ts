import { canonicalToolName } from '../agent/role.ts';
import type { Tool } from '../agent/tool.ts';
import { ATTACHMENT_TOOLS } from './attachments.ts';
import { CI_TOOLS } from './ci.ts';
import { CODE_TOOLS } from './code.ts';
import { COMMENT_TOOLS } from './comment.ts';
import type { ToolContext } from './context.ts';
import { DIFF_TOOLS } from './diff.ts';
import { FILE_TOOLS } from './files.ts';
import { ITEM_TOOLS } from './item.ts';
import { MEMORY_TOOLS } from './memory.ts';
import { PROGRESS_TOOLS } from './progress.ts';
import { PULL_REQUEST_TOOLS } from './pull-request.ts';
import { REVIEW_TOOLS } from './review.ts';
import { SCRATCHPAD_TOOLS } from './scratchpad.ts';
import { TICKET_TOOLS } from './ticket.ts';

/** Every tool that works, in no order that matters. Delegating is the session's own. */
export const TOOLS: readonly Tool<ToolContext>[] = [
  ...FILE_TOOLS,
  ...CODE_TOOLS,
  ...CI_TOOLS,
  ...TICKET_TOOLS,
  ...PULL_REQUEST_TOOLS,
  ...ATTACHMENT_TOOLS,
  ...COMMENT_TOOLS,
  ...ITEM_TOOLS,
  ...DIFF_TOOLS,
  ...REVIEW_TOOLS,
  ...MEMORY_TOOLS,
  ...SCRATCHPAD_TOOLS,
  ...PROGRESS_TOOLS,
];

const BY_NAME = new Map(TOOLS.flatMap((tool) => [tool.name, ...(tool.aliases ?? [])].map((name) => [name, tool] as const)));

/** The tool of a name, or of an older name that published prompts use; null where there is none. */
export function toolNamed(name: string): Tool<ToolContext> | null {
  return BY_NAME.get(canonicalToolName(name)) ?? BY_NAME.get(name.trim()) ?? null;
}
