import type { Api } from '../github/api.ts';
import type { Audience } from '../github/audience.ts';
import { GitHubError } from '../github/error.ts';
import { type Place, readComments, readCommits, readIssue, readPull, readReviews } from '../github/read.ts';
import { listIssues, listPulls, searchItems } from '../github/search.ts';
import { readThreads } from '../github/threads.ts';
import { ToolError } from '../journal/errors.ts';
import type { Repository } from '../journal/resource.ts';
import type { GitHubReading, ListQuery } from './context.ts';

/**
 * GitHub's reading side as tools want it, for one repository. `audienceOf` says whose comments may be read in a conversation that this person opened.
 * What GitHub has not, or cannot read, becomes a `ToolError`; everything else stays what it is.
 */
export function makeReading(api: Api, repository: Repository, audienceOf: (author: string) => Audience): GitHubReading {
  return {
    readPullRequest: (number) =>
      told(`pull request ${repository.fullName}#${number}`, () => readWholePull(api, { repository, number }, audienceOf)),
    readIssue: (number) =>
      told(`issue ${repository.fullName}#${number}`, async () => {
        const issue = await readIssue(api, { repository, number });
        const comments = await readComments(api, { repository, number }, { audience: audienceOf(issue.author) });
        return { issue, comments: comments.items, hidden: comments.hidden };
      }),
    list: (query) => told('the search', () => listOrSearch(api, repository, query)),
  };
}

async function readWholePull(api: Api, place: Place, audienceOf: (author: string) => Audience) {
  const pull = await readPull(api, place);
  const audience = audienceOf(pull.author);
  const [commits, comments, reviews, threads] = await Promise.all([
    readCommits(api, place),
    readComments(api, place, { audience }),
    readReviews(api, place, audience),
    readThreads(api, place, audience),
  ]);
  const hidden = comments.hidden + reviews.hidden + threads.hidden;
  return { pull, commits, comments: comments.items, reviews: reviews.items, threads: threads.threads, hidden };
}

async function listOrSearch(api: Api, repository: Repository, wanted: ListQuery) {
  const { kind, query, state = 'open', labels = [], head, limit } = wanted;
  const plain = state === 'merged' ? 'closed' : state;
  if (query === undefined && kind === 'issue') return listIssues(api, repository, { state: plain, labels, limit });
  if (query === undefined && labels.length === 0 && state !== 'merged') {
    const from = head === undefined || head.includes(':') ? head : `${repository.owner}:${head}`;
    return listPulls(api, repository, { state: plain, limit, ...(from === undefined ? {} : { head: from }) });
  }
  const words = [
    query ?? '',
    state === 'all' ? '' : `is:${kind === 'pr' ? state : plain}`,
    ...labels.map((label) => `label:${JSON.stringify(label)}`),
    head === undefined ? '' : `head:${head.replace(/^[^:]*:/, '')}`,
  ];
  return searchItems(api, repository, { kind, query: words.filter(Boolean).join(' '), limit });
}

async function told<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GitHubError && error.kind === 'missing')
      throw new ToolError(`GitHub has no ${what}: check the number, or list what there is.`);
    if (error instanceof GitHubError && error.kind === 'refused')
      throw new ToolError(`GitHub did not accept ${what}: ${error.message}. Change it and try again.`);
    throw error;
  }
}
