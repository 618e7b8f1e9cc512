import type { Api } from './api.ts';
import { type Audience, keepReadable } from './audience.ts';
import { readMarker, unsign } from './markers.ts';
import { type Place, repoOf } from './read.ts';
import { readThreads } from './threads.ts';

/** A comment of the conversation or of a review thread, as a model may be told of it. */
export interface Said {
  id: number;
  place: 'conversation' | 'thread';
  author: string;
  body: string;
  createdAt: string;
  path?: string;
  line?: number;
}

/** What was said on a pull request or issue, oldest first: `hidden` counts what strangers wrote, `older` what was not read because there is so much. */
export interface Conversation {
  said: Said[];
  hidden: number;
  older: number;
}

const PAGE = 100;

/**
 * Reads the newest comments that may be read: the last pages of the conversation, and, on a pull request, of its review threads. Status comments of the App are left
 * out: they tell of runs, not of the matter. Throws `GitHubError`s.
 */
export async function readConversation(api: Api, place: Place & { pull: boolean }, audience: Audience): Promise<Conversation> {
  const [{ rows, older }, threads] = await Promise.all([
    newestRows(api, place),
    place.pull ? readThreads(api, place, audience) : { threads: [], hidden: 0 },
  ]);
  const talk = await keepReadable(rows, audience);
  const own = talk.items.filter(({ author, body }) => author !== audience.self || !readMarker(body).key?.includes(':status'));
  const inThreads = threads.threads.flatMap(({ path, line, comments }) =>
    comments.map(({ id, author, body, createdAt }) => ({
      id,
      place: 'thread' as const,
      author,
      body,
      createdAt,
      path,
      ...(line ? { line } : {}),
    })),
  );
  const said = [...own, ...inThreads].map((one) => ({ ...one, body: unsign(one.body) }));
  said.sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id - b.id);
  return { said, hidden: talk.hidden + threads.hidden, older };
}

/** GitHub lists from the oldest on, so of a long conversation the first page tells which the last are. */
async function newestRows(api: Api, place: Place): Promise<{ rows: Said[]; older: number }> {
  const read = (page: number) => api.rest.issues.listComments({ ...repoOf(place), issue_number: place.number, per_page: PAGE, page });
  const first = await read(1);
  const last = Number(/[?&]page=(\d+)[^>]*>;\s*rel="last"/.exec(first.headers.link ?? '')?.[1] ?? 1);
  const wanted = last > 1 ? [...new Set([Math.max(2, last - 1), last])] : [];
  const more = await Promise.all(wanted.map(read));
  const pages = last > 2 ? more : [first, ...more];
  const rows = pages
    .flatMap(({ data }) => data)
    .map((row) => ({
      id: row.id,
      place: 'conversation' as const,
      author: row.user?.login ?? 'ghost',
      body: row.body ?? '',
      createdAt: row.created_at,
    }));
  return { rows, older: last > 2 ? (last - 2) * PAGE : 0 };
}
