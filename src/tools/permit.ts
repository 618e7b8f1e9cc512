import { canonicalToolName } from '../agent/role.ts';
import type { Trust } from '../journal/entry.ts';
import { toolNamed } from './catalog.ts';

/** What a run that is not trusted may write to GitHub: its review, comments, and its own status. */
const OUTSIDERS_WRITE = new Set([
  'add_pull_request_review_thread',
  'add_pull_request_review_thread_reply',
  'submit_review',
  'add_comment_to_pull_request',
  'update_comment_on_pull_request',
  'add_comment_to_ticket',
  'update_comment_on_ticket',
  'update_status',
]);

/** Notes that end with the run: not what an outsider could leave behind for later ones. */
const OUTSIDERS_NOTE = new Set(['write_scratchpad', 'append_scratchpad']);

/**
 * The tools that an agent may call in a run, by their present names, each once. In an untrusted run there is no terminal, nothing is remembered, and GitHub is
 * written to by review and comments only; a tool that is not in the catalog is not known to be harmless, so it goes too.
 */
export function toolsFor(agentTools: readonly string[], trust: Trust): string[] {
  const names = [...new Set(agentTools.map((name) => toolNamed(name)?.name ?? canonicalToolName(name)))];
  return trust === 'trusted' ? names : names.filter(isHarmless);
}

function isHarmless(name: string): boolean {
  switch (toolNamed(name)?.effect) {
    case 'none':
    case 'workspace':
      return true;
    case 'github':
      return OUTSIDERS_WRITE.has(name);
    case 'memory':
      return OUTSIDERS_NOTE.has(name);
    default:
      return false;
  }
}
