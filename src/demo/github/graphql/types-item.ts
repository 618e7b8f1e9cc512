import { readPullDiff } from '../act/pull-event.ts';
import type { Call } from '../route.ts';
import { accountNodeId, associationOf, isoTime, isoTimeOrNull, nodeId } from '../shape/account.ts';
import { commentsOn, itemPageUrl } from '../shape/item.ts';
import { type Account, type Comment, type Item, isPull, type Label, type PullItem, type Repository } from '../state.ts';
import { makeConnection } from './connection.ts';
import { type In, ISSUES, PULLS, requireReading, seesComment, typedAccount } from './node.ts';
import { GraphRefusal } from './problem.ts';
import { type Field, makeField, makeType, type ObjectType } from './schema.ts';

const CHANGES: Record<string, string> = { added: 'ADDED', removed: 'DELETED', renamed: 'RENAMED', copied: 'COPIED', modified: 'MODIFIED' };

/** Accounts, labels, repositories, issues, pull requests and the comments in their conversation. */
export function itemTypes(): ObjectType<Call>[] {
  return [
    ...['User', 'Bot', 'Organization'].map((name) => makeType<Account, Call>(name, accountFields())),
    makeType<In<Label>, Call>('Label', {
      id: makeField('ID', ({ it }) => nodeId('LA', it.id)),
      name: makeField('String', ({ it }) => it.name),
      color: makeField('String', ({ it }) => it.color),
      description: makeField('String', ({ it }) => it.description),
    }),
    makeType<Repository, Call>('Repository', repositoryFields()),
    makeType<In<Item>, Call>('Issue', {
      ...itemFields<Item>(),
      state: makeField('IssueState', ({ it }) => it.state.toUpperCase()),
      stateReason: makeField('IssueStateReason', ({ it }) => it.stateReason?.toUpperCase() ?? null),
    }),
    makeType<In<PullItem>, Call>('PullRequest', { ...itemFields<PullItem>(), ...pullFields() }),
    makeType<In<Comment>, Call>('IssueComment', commentFields()),
  ];
}

function accountFields(): Record<string, Field<Account, Call>> {
  return {
    id: makeField('ID', accountNodeId),
    databaseId: makeField('Int', (account) => account.id),
    login: makeField('String', (account) => account.login.replace(/\[bot\]$/, '')),
    name: makeField('String', (account) => account.login),
    url: makeField('URI', (account, _args, { world }) => `${world.url}/${account.login}`),
    avatarUrl: makeField('URI', (account, _args, { world }) => `${world.url}/avatars/u/${account.id}`, { size: 'Int' }),
    resourcePath: makeField('URI', (account) => `/${account.login}`),
  };
}

function repositoryFields(): Record<string, Field<Repository, Call>> {
  return {
    id: makeField('ID', (repo) => nodeId('R', repo.id)),
    databaseId: makeField('Int', (repo) => repo.id),
    name: makeField('String', (repo) => repo.name),
    nameWithOwner: makeField('String', (repo) => repo.fullName),
    owner: makeField('RepositoryOwner', (repo) => typedAccount(repo.owner)),
    isPrivate: makeField('Boolean', (repo) => repo.private),
    isFork: makeField('Boolean', (repo) => repo.parent !== null),
    url: makeField('URI', (repo, _args, { world }) => `${world.url}/${repo.fullName}`),
    pullRequest: makeField('PullRequest', (repo, args, call) => findPull(call, repo, args.number), { number: 'Int!' }),
    issue: makeField('Issue', (repo, args, call) => findIssue(call, repo, args.number), { number: 'Int!' }),
    issueOrPullRequest: makeField(
      'IssueOrPullRequest',
      (repo, args, call) => {
        requireReading(call, ISSUES);
        const it = repo.items.get(Number(args.number));
        if (!it) throw new GraphRefusal('NOT_FOUND', `Could not resolve to an issue or pull request with the number of ${args.number}.`);
        return { member: isPull(it) ? 'PullRequest' : 'Issue', source: { repo, it } };
      },
      { number: 'Int!' },
    ),
    pullRequests: makeConnection('PullRequest', listPulls, { name: 'pullRequests', args: { states: '[PullRequestState!]' } }),
    labels: makeConnection('Label', (repo) => [...repo.labels.values()].map((it) => ({ repo, it })), { name: 'labels' }),
  };
}

function findPull(call: Call, repo: Repository, number: unknown): In<PullItem> {
  requireReading(call, PULLS);
  const it = repo.items.get(Number(number));
  if (it && isPull(it)) return { repo, it };
  throw new GraphRefusal('NOT_FOUND', `Could not resolve to a PullRequest with the number of ${number}.`);
}

function findIssue(call: Call, repo: Repository, number: unknown): In<Item> {
  requireReading(call, ISSUES);
  const it = repo.items.get(Number(number));
  if (it && !isPull(it)) return { repo, it };
  throw new GraphRefusal('NOT_FOUND', `Could not resolve to an Issue with the number of ${number}.`);
}

function listPulls(repo: Repository, args: Record<string, unknown>, call: Call): In<PullItem>[] {
  requireReading(call, PULLS);
  const states = Array.isArray(args.states) ? args.states : null;
  const pulls = [...repo.items.values()].filter(isPull);
  return pulls.filter((it) => states === null || states.includes(pullState(it))).map((it) => ({ repo, it }));
}

function pullState(item: PullItem): string {
  return item.pull.mergedAt === null ? item.state.toUpperCase() : 'MERGED';
}

function itemFields<T extends Item>(): Record<string, Field<In<T>, Call>> {
  return {
    id: makeField('ID', ({ it }) => nodeId(it.pull ? 'PR' : 'I', it.id)),
    databaseId: makeField('Int', ({ it }) => it.id),
    number: makeField('Int', ({ it }) => it.number),
    title: makeField('String', ({ it }) => it.title),
    body: makeField('String', ({ it }) => it.body ?? ''),
    bodyText: makeField('String', ({ it }) => it.body ?? ''),
    author: makeField('Actor', ({ it }) => typedAccount(it.author)),
    authorAssociation: makeField('CommentAuthorAssociation', ({ repo, it }) => associationOf(repo, it.author)),
    url: makeField('URI', ({ repo, it }, _args, { world }) => itemPageUrl(world, repo, it)),
    locked: makeField('Boolean', ({ it }) => it.locked),
    closed: makeField('Boolean', ({ it }) => it.state === 'closed'),
    createdAt: makeField('DateTime', ({ it }) => isoTime(it.createdAt)),
    updatedAt: makeField('DateTime', ({ it }) => isoTime(it.updatedAt)),
    closedAt: makeField('DateTime', ({ it }) => isoTimeOrNull(it.closedAt)),
    repository: makeField('Repository', ({ repo }) => repo),
    labels: makeConnection('Label', ({ repo, it }) => [...it.labels].map((label) => ({ repo, it: label })), { name: 'labels' }),
    assignees: makeConnection('User', ({ it }) => [...it.assignees], { name: 'assignees' }),
    comments: makeConnection('IssueComment', ({ repo, it }) => commentsOn(repo, it.number).map((comment) => ({ repo, it: comment })), {
      name: 'comments',
    }),
  };
}

function pullFields(): Record<string, Field<In<PullItem>, Call>> {
  const diffOf = ({ repo, it }: In<PullItem>, { world, caller }: Call) =>
    readPullDiff({ world, repo, by: caller.account ?? repo.owner }, it);
  const sum = (key: 'additions' | 'deletions') => async (source: In<PullItem>, _args: unknown, call: Call) =>
    (await diffOf(source, call)).files.reduce((total, file) => total + file[key], 0);
  return {
    state: makeField('PullRequestState', ({ it }) => pullState(it)),
    isDraft: makeField('Boolean', ({ it }) => it.pull.draft),
    merged: makeField('Boolean', ({ it }) => it.pull.mergedAt !== null),
    mergedAt: makeField('DateTime', ({ it }) => isoTimeOrNull(it.pull.mergedAt)),
    headRefName: makeField('String', ({ it }) => it.pull.headRef),
    headRefOid: makeField('GitObjectID', ({ it }) => it.pull.headSha),
    headRepository: makeField('Repository', ({ it }) => it.pull.headRepository),
    baseRefName: makeField('String', ({ it }) => it.pull.baseRef),
    baseRefOid: makeField('GitObjectID', ({ it }) => it.pull.baseSha),
    isCrossRepository: makeField('Boolean', ({ repo, it }) => it.pull.headRepository !== repo),
    changedFiles: makeField('Int', async (source, _args, call) => (await diffOf(source, call)).files.length),
    additions: makeField('Int', sum('additions')),
    deletions: makeField('Int', sum('deletions')),
    files: makeConnection(
      'PullRequestChangedFile',
      async (source, _args, call) =>
        (await diffOf(source, call)).files.map(({ path, additions, deletions, status }) => ({
          path,
          additions,
          deletions,
          changeType: CHANGES[status] ?? 'CHANGED',
        })),
      { name: 'files' },
    ),
    reviewThreads: makeConnection('PullRequestReviewThread', listThreads, { name: 'reviewThreads' }),
    reviews: makeConnection('PullRequestReview', listReviews, {
      name: 'reviews',
      args: { states: '[PullRequestReviewState!]', author: 'String' },
    }),
  };
}

function listThreads({ repo, it }: In<PullItem>, _args: unknown, call: Call) {
  const threads = [...repo.threads.values()].filter((thread) => thread.number === it.number);
  return threads
    .filter((thread) => {
      const root = repo.reviewComments.get(thread.rootId) ?? [...repo.reviewComments.values()].find((one) => one.threadId === thread.id);
      return root !== undefined && seesComment(call, root);
    })
    .map((thread) => ({ repo, it: thread }));
}

function listReviews({ repo, it }: In<PullItem>, args: Record<string, unknown>, call: Call) {
  const states = Array.isArray(args.states) ? args.states : null;
  return [...repo.reviews.values()]
    .filter((review) => review.number === it.number && (review.state !== 'PENDING' || review.author === call.caller.account))
    .filter(
      (review) =>
        (states === null || states.includes(review.state)) && (typeof args.author !== 'string' || review.author.login === args.author),
    )
    .map((review) => ({ repo, it: review }));
}

function commentFields(): Record<string, Field<In<Comment>, Call>> {
  return {
    id: makeField('ID', ({ it }) => nodeId('IC', it.id)),
    databaseId: makeField('Int', ({ it }) => it.id),
    fullDatabaseId: makeField('BigInt', ({ it }) => String(it.id)),
    body: makeField('String', ({ it }) => it.body),
    bodyText: makeField('String', ({ it }) => it.body),
    author: makeField('Actor', ({ it }) => typedAccount(it.author)),
    authorAssociation: makeField('CommentAuthorAssociation', ({ repo, it }) => associationOf(repo, it.author)),
    viewerDidAuthor: makeField('Boolean', ({ it }, _args, { caller }) => it.author === caller.account),
    createdAt: makeField('DateTime', ({ it }) => isoTime(it.createdAt)),
    updatedAt: makeField('DateTime', ({ it }) => isoTime(it.updatedAt)),
    isMinimized: makeField('Boolean', ({ it }) => it.minimized !== null),
    minimizedReason: makeField('String', ({ it }) => it.minimized?.toLowerCase() ?? null),
    viewerCanMinimize: makeField('Boolean', () => true),
    url: makeField('URI', ({ repo, it }, _args, { world }) => {
      const kind = repo.items.get(it.number)?.pull ? 'pull' : 'issues';
      return `${world.url}/${repo.fullName}/${kind}/${it.number}#issuecomment-${it.id}`;
    }),
    repository: makeField('Repository', ({ repo }) => repo),
    pullRequest: makeField('PullRequest', ({ repo, it }, _args, call) =>
      repo.items.get(it.number)?.pull ? findPull(call, repo, it.number) : null,
    ),
  };
}
