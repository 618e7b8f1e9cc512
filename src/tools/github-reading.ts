import type { Api } from '../github/api.ts';
import type { UploadPlace } from '../github/attachment.ts';
import type { Audience } from '../github/audience.ts';
import { listCiRuns, listDispatchedRuns, readCiLog, readCiRun } from '../github/ci-run.ts';
import { readConversation } from '../github/conversation.ts';
import { GitHubError } from '../github/error.ts';
import { readComments, readCommits, readIssue, readPull, readReviews } from '../github/read.ts';
import { listIssues, listPulls, searchItems } from '../github/search.ts';
import { readThreads } from '../github/threads.ts';
import { ToolError } from '../journal/errors.ts';
import type { Repository } from '../journal/resource.ts';
import { readAttachments } from './attachment-reading.ts';
import type { GitHubReading, ListQuery } from './context.ts';

/** What reading is bound to: one repository, and who may be read. */
export interface ReadingScope {
  repository: Repository;
  api(): Promise<Api>;
  audience(): Promise<Audience>;
  /** How uploads are fetched. */
  uploads: UploadPlace;
}

/** The reading side of GitHub for the tools of one run. What GitHub does not have, or cannot read, becomes a `ToolError`. */
export function makeReading({ repository, api, audience, uploads }: ReadingScope): GitHubReading {
  return {
    readPullRequest: (number) =>
      tell(`pull request ${repository.fullName}#${number}`, async () => {
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
      tell(`issue ${repository.fullName}#${number}`, async () => {
        const [client, who] = await Promise.all([api(), audience()]);
        const place = { repository, number };
        const [issue, comments] = await Promise.all([readIssue(client, place), readComments(client, place, { audience: who })]);
        return { issue, comments: comments.items, hidden: comments.hidden };
      }),
    readCiRun: (id) => tell(`CI run ${id}`, async () => readCiRun(await api(), repository, id)),
    listCiRuns: (number) =>
      tell(`pull request ${repository.fullName}#${number}`, async () => {
        const client = await api();
        const { head } = await readPull(client, { repository, number });
        return listCiRuns(client, repository, head.sha);
      }),
    readCiLog: (job) => tell(`log of CI job ${job}`, async () => readCiLog(await api(), repository, job)),
    readConversation: ({ kind, number }) =>
      tell(`conversation of ${repository.fullName}#${number}`, async () => {
        const [client, who] = await Promise.all([api(), audience()]);
        return readConversation(client, { repository, number, pull: kind === 'pr' }, who);
      }),
    readAttachments: ({ number, ...wanted }) =>
      tell(`attachments of ${repository.fullName}#${number}`, async () => {
        const [client, who] = await Promise.all([api(), audience()]);
        return readAttachments({ api: client, audience: who, place: { repository, number }, uploads }, wanted);
      }),
    listDispatched: (workflow) => tell(`workflow ${workflow}`, async () => listDispatchedRuns(await api(), repository, workflow)),
    list: (query) => tell('this list', async () => list(await api(), repository, query)),
  };
}

async function list(api: Api, repository: Repository, wanted: ListQuery) {
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

/** What the model asked for and GitHub does not have is the model's to know; everything else is not. */
async function tell<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    if (error.kind === 'missing') throw new ToolError(`GitHub has no ${what}: check the number, or list what there is.`);
    if (error.kind === 'refused') throw new ToolError(`GitHub did not accept ${what}: ${error.message}. Change it and try again.`);
    throw error;
  }
}
