import type { EntryOf, HeardComment } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';

/** What reaches a conversation before a turn: texts (comments, notices), and the reason if this is to be its last turn, or (`abrupt`) if there is to be none. */
export interface News {
  texts: string[];
  closing: string | null;
  abrupt?: boolean;
  /** Among the texts is the word that a limit is near. It stands in the record with its text, so that neither is there without the other. */
  warned?: boolean;
  /** Comments among the texts, for the record. */
  heard?: HeardComment[];
}

/** The turn that is about to be asked: its number, the calls made so far, and the size of its prompt in tokens, roughly. */
export interface TurnAhead {
  turn: number;
  calls: number;
  tokens: number;
  /** Set where news of this turn were recorded before, and it was not answered yet; `since` when (ms since 1970) it is known to be the last, and why. */
  again?: { since: number | null; closing: string | null };
}

/** The news of a turn as they stand in the journal; `closingAt` is when its end was told (ms since 1970). */
export interface TurnNews {
  texts: string[];
  closing: string | null;
  closingAt: number | null;
  abrupt: boolean;
}

/**
 * Asks for news before a turn that has no answer yet, and records what is new. A turn that waits long for its answer (the model is away, its process died, its call
 * was aborted) is asked for again, so that an end, or a comment, that came meanwhile is heard all the same.
 */
export async function hearTurn(
  journal: Journal,
  key: string,
  ahead: TurnAhead,
  hear: (ahead: TurnAhead) => Promise<News>,
): Promise<TurnNews> {
  const told = recordsOf(journal, key);
  const known = joinNews(told);
  if (known.abrupt || journal.find('turn.answered', key)) return known;
  const { heard = [], ...news } = await hear(
    told.length > 0 ? { ...ahead, again: { since: known.closingAt, closing: known.closing } } : ahead,
  );
  const ends = news.closing !== null && (known.closing === null || news.abrupt === true);
  if (news.texts.length === 0 && heard.length === 0 && !ends) return known;
  const comments = heard.map((one) => ({ type: 'comment.heard' as const, key: `${key}/heard/${one.comment}`, ...one }));
  await journal.append({ type: 'noted', key: newsKey(key, told.length), value: news }, ...comments);
  return joinNews(recordsOf(journal, key));
}

/** Whether a conversation was told before that a limit is near. */
export function wasWarned(journal: Journal, key: string): boolean {
  return journal.entries.some(
    (entry) => entry.type === 'noted' && entry.key.startsWith(`${key}/turn/`) && entry.key.includes('/news') && isWarning(entry.value),
  );
}

function isWarning(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'warned' in value && value.warned === true;
}

type NewsRecord = EntryOf<'noted'> & { value: Omit<News, 'heard'> };

function newsKey(key: string, nth: number): string {
  return nth === 0 ? `${key}/news` : `${key}/news/${nth}`;
}

function recordsOf(journal: Journal, key: string): NewsRecord[] {
  const records: NewsRecord[] = [];
  for (;;) {
    const found = journal.find('noted', newsKey(key, records.length));
    if (!found) return records;
    records.push(found as NewsRecord);
  }
}

function joinNews(records: NewsRecord[]): TurnNews {
  const closing = records.find(({ value }) => value.closing !== null);
  return {
    texts: records.flatMap(({ value }) => value.texts),
    closing: closing?.value.closing ?? null,
    closingAt: closing?.at ?? null,
    abrupt: records.some(({ value }) => value.abrupt === true),
  };
}
