import type { ConversationEnd } from '../agent/conversation.ts';
import type { Journal } from '../journal/journal.ts';
import { lastWords } from './last-words.ts';

/** How a step's conversation came out. `early` says why it ended before its agent said that it was done: what there is then is partial. */
export interface StepOutcome {
  message: string;
  by: ConversationEnd['by'];
  early: string | null;
}

/** What becomes of a conversation's end. One that had said all and only waited for replies did not end early, whatever ended it. */
export function outcomeOf(journal: Journal, key: string, end: ConversationEnd): StepOutcome {
  const { message, by, closing } = end;
  const before = `${key}/turn/${end.last - 1}`;
  const waited = journal.find('noted', `${before}/waits`) !== undefined;
  return { message: message || lastWords(journal, key), by, early: waited ? null : closing };
}
