import type { Journal } from '../journal/journal.ts';

/** The text of the newest answer in a conversation; empty where it held none. */
export function lastWords({ entries }: Journal, key: string): string {
  const last = entries.findLast((entry) => entry.type === 'turn.answered' && entry.key.startsWith(`${key}/`));
  const content = last?.type === 'turn.answered' ? last.answer.content : [];
  return content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');
}
