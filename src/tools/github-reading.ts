import type { Api } from '../github/api.ts';
import type { Audience } from '../github/audience.ts';
import { GitHubError } from '../github/error.ts';
import { readComments, readCommits, readIssue, readPull, readReviews } from '../github/read.ts';
import { listIssues, listPulls, searchItems } from '../github/search.ts';
import { readThreads } from '../github/threads.ts';
import { ToolError } from '../journal/errors.ts';
import type { Repository } from '../journal/resource.ts';
import type { GitHubReading, ListQuery } from './context.ts';

/** What reading is bound to: one repository, and who may be read. */
export interface ReadingScope {
  repository: Repository;
  api(): Promise<Api>;
  audience(): Promise<Audience>;
}

/** The reading side of GitHub for the tools of one run. */
export function makeReading({ repository, api, audience }: ReadingScope): GitHubReading {
  return {
    readPullRequest: (number) =>
      tell(async () => {
        const [client, who] = await Promise.all([api(), audience()]);
        const place = { repository, number };
        const [pull, commits, comments, reviews, threads] = await Promise.all([
          readPull(client, place),
          readCommits(client, place),
          readComments(client, place, { audience: who }),
          readReviews(client, place, who),
          readThreads(client, place, who),
        ]);
        const hidden = comments.hidden + reviews.hidden + threads.hidden;
        return { pull, commits, comments: comments.items, reviews: reviews.items, threads: threads.threads, hidden };
      }),
    readIssue: (number) =>
      tell(async () => {
        const [client, who] = await Promise.all([api(), audience()]);
        const place = { repository, number };
        const [issue, comments] = await Promise.all([readIssue(client, place), readComments(client, place, { audience: who })]);
        return { issue, comments: comments.items, hidden: comments.hidden };
      }),
    list: (query) => tell(async () => list(await api(), repository, query)),
  };
}

async function list(api: Api, repository: Repository, query: ListQuery) {
  const { kind, limit, head } = query;
  const state = query.state === 'merged' ? 'closed' : query.state;
  const words = [
    query.query ?? '',
    ...(query.labels ?? []).map((label) => `label:"${label}"`),
    ...(query.state === 'merged' ? ['is:merged'] : []),
  ];
  if (query.query || (kind === 'pr' && words.some(Boolean)))
    return searchItems(api, repository, { kind, query: words.join(' ').trim(), limit });
  const options = { limit, ...(state ? { state } : {}) };
  if (kind === 'issue') return listIssues(api, repository, { ...options, ...(query.labels ? { labels: query.labels } : {}) });
  return listPulls(api, repository, { ...options, ...(head ? { head: head.includes(':') ? head : `${repository.owner}:${head}` } : {}) });
}

/** What the model asked for and GitHub does not have is the model's to know; everything else is not. */
async function tell<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GitHubError && (error.kind === 'missing' || error.kind === 'refused')) throw new ToolError(error.message);
    throw error;
  }
}
