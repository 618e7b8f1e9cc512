import type { Repository } from '../journal/resource.ts';
import type { Api } from './api.ts';
import { type IssueRow, type IssueView, repoOf, toIssueView } from './read.ts';

/** What to list. `limit` is 1 to 100. */
export interface ListOptions {
  state?: 'open' | 'closed' | 'all';
  limit?: number;
}

/** A pull request in a list. */
export interface PullRow extends IssueView {
  base: string;
  head: string;
  draft: boolean;
}

const DEFAULT_LIMIT = 30;
const MAX_LIMIT = 100;

/** Issues without pull requests, newest first. Throws `GitHubError`s, as all here. */
export async function listIssues(
  api: Api,
  repository: Repository,
  options: ListOptions & { labels?: string[] } = {},
): Promise<IssueView[]> {
  const { state = 'open', labels = [] } = options;
  const limit = limitOf(options.limit);
  const query = { ...repoOf({ repository }), state, per_page: MAX_LIMIT, ...(labels.length > 0 ? { labels: labels.join(',') } : {}) };
  const found: IssueView[] = [];
  for await (const { data } of api.paginate.iterator(api.rest.issues.listForRepo, query)) {
    found.push(...data.filter((row) => !row.pull_request).map((row) => toIssueView(row as IssueRow)));
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}

/** Pull requests, newest first; `head` is `owner:branch`. */
export async function listPulls(
  api: Api,
  repository: Repository,
  options: ListOptions & { base?: string; head?: string } = {},
): Promise<PullRow[]> {
  const { state = 'open', base, head } = options;
  const query = {
    ...repoOf({ repository }),
    state,
    per_page: limitOf(options.limit),
    ...(base ? { base } : {}),
    ...(head ? { head } : {}),
  };
  const { data } = await api.rest.pulls.list(query);
  return data.map((row) => ({
    ...toIssueView({ ...row, pull_request: {} } as IssueRow),
    base: row.base.ref,
    head: row.head.ref,
    draft: row.draft ?? false,
  }));
}

/**
 * Searches issues or pull requests of this repository only, whatever the query says. `query` is GitHub's search language; a query that GitHub cannot
 * read is a `refused` error with its reason.
 */
export async function searchItems(
  api: Api,
  repository: Repository,
  options: { kind: 'issue' | 'pr'; query: string; limit?: number },
): Promise<IssueView[]> {
  const q = `repo:${repository.fullName} is:${options.kind} ${withoutPlaces(options.query)}`.trim();
  const { data } = await api.rest.search.issuesAndPullRequests({ q, per_page: limitOf(options.limit) });
  const own = `/repos/${repository.fullName}`.toLowerCase();
  return data.items.filter((row) => row.repository_url.toLowerCase().endsWith(own)).map((row) => toIssueView(row as IssueRow));
}

/** Qualifiers that would lead elsewhere. */
function withoutPlaces(query: string): string {
  return query
    .replace(/-?\b(?:repo|org|user):\S+/gi, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function limitOf(limit = DEFAULT_LIMIT): number {
  return Math.min(MAX_LIMIT, Math.max(1, Math.floor(limit)));
}
