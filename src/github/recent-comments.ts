import { z } from 'zod';
import type { Repository } from '../journal/resource.ts';
import type { Api } from './api.ts';

/** A comment of a pull request or issue as it stands on GitHub. `name` tells it from every other one, of either place. */
export interface RecentComment {
  name: string;
  id: number;
  place: 'conversation' | 'thread';
  /** Of its pull request or issue. */
  number: number;
  author: string;
  createdAt: string;
  body: string;
  /** When it was edited; null where it stands as it was written. */
  editedAt: string | null;
  /** As GitHub told it, which is also how a webhook tells it. */
  row: Record<string, unknown>;
}

/** Which comments to list: of a repository, or of one pull request or issue in it; `place` where only those are wanted. */
export interface CommentQuery {
  repository: Repository;
  number?: number;
  place?: RecentComment['place'];
  /** Older ones are left out (ms since 1970). GitHub tells whole seconds only. */
  since: number;
}

const LISTS = [
  { place: 'conversation', items: 'issues' },
  { place: 'thread', items: 'pulls' },
] as const;
const PAGE = 100;
/** More comments than people write between two looks. */
const MOST_PAGES = 50;

const Row = z.looseObject({
  id: z.number(),
  created_at: z.iso.datetime({ offset: true }),
  updated_at: z.string().optional(),
  body: z.string().nullish(),
  user: z.looseObject({ login: z.string() }),
  issue_url: z.string().optional(),
  pull_request_url: z.string().optional(),
});

/** Lists comments that were created since a time, oldest first; those of deleted accounts are left out. Throws `GitHubError`s. */
export async function listRecentComments(api: Api, query: CommentQuery): Promise<RecentComment[]> {
  const lists = LISTS.filter(({ place }) => query.place === undefined || query.place === place);
  const found = await Promise.all(lists.map((list) => listPlace(api, query, list)));
  return found.flat().toSorted((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt) || a.id - b.id);
}

async function listPlace(
  api: Api,
  { repository, number, since }: CommentQuery,
  { place, items }: (typeof LISTS)[number],
): Promise<RecentComment[]> {
  const path = number === undefined ? `${items}/comments` : `${items}/${number}/comments`;
  const comments: RecentComment[] = [];
  for (let page = 1; page <= MOST_PAGES; page++) {
    const { data } = await api.request(`GET /repos/{owner}/{repo}/${path}`, {
      owner: repository.owner,
      repo: repository.name,
      sort: 'created',
      direction: 'asc',
      since: new Date(since).toISOString(),
      per_page: PAGE,
      page,
    });
    const rows = z.array(z.unknown()).parse(data);
    comments.push(...rows.flatMap((row) => toComment(row, place)));
    if (rows.length < PAGE) break;
  }
  return comments.filter(({ createdAt }) => Date.parse(createdAt) >= since);
}

function toComment(value: unknown, place: RecentComment['place']): RecentComment[] {
  const { data: row } = Row.safeParse(value);
  const number = Number(/\/(\d+)$/.exec(row?.issue_url ?? row?.pull_request_url ?? '')?.[1] ?? 0);
  if (!row || number === 0) return [];
  const { id, body, created_at: createdAt, updated_at: updatedAt = createdAt } = row;
  const editedAt = updatedAt === createdAt ? null : updatedAt;
  return [{ name: nameOf(place, id), id, place, number, author: row.user.login, createdAt, body: body ?? '', editedAt, row }];
}

/** A comment in the form in which its webhook is taken into the queue. Asks GitHub for what the webhook says beside it; throws `GitHubError`s. */
export async function toDelivery(
  api: Api,
  { installation, repository, comment }: { installation: number; repository: Repository; comment: RecentComment },
): Promise<{ id: string; event: string; body: string }> {
  const { owner, name: repo } = repository;
  const [whole, item] = await Promise.all([api.rest.repos.get({ owner, repo }), itemOf(api, repository, comment)]);
  const { organization } = whole.data;
  const payload = {
    action: 'created',
    ...item,
    comment: comment.row,
    repository: whole.data,
    ...(organization ? { organization } : {}),
    installation: { id: installation },
    sender: comment.row.user,
  };
  const event = comment.place === 'thread' ? 'pull_request_review_comment' : 'issue_comment';
  return { id: `read-again-${comment.name}`, event, body: JSON.stringify(payload) };
}

async function itemOf(api: Api, { owner, name: repo }: Repository, { place, number }: RecentComment): Promise<Record<string, unknown>> {
  if (place === 'thread') return { pull_request: (await api.rest.pulls.get({ owner, repo, pull_number: number })).data };
  return { issue: (await api.rest.issues.get({ owner, repo, issue_number: number })).data };
}

const Created = z.object({ action: z.literal('created'), comment: z.object({ id: z.number() }) });

/** The name of the comment that a delivery says was created; null for every other delivery. */
export function createdCommentOf(event: string, payload: unknown): string | null {
  const place = event === 'issue_comment' ? 'conversation' : event === 'pull_request_review_comment' ? 'thread' : null;
  const { data } = Created.safeParse(payload);
  return place && data ? nameOf(place, data.comment.id) : null;
}

function nameOf(place: RecentComment['place'], id: number): string {
  return `${place}-${id}`;
}
