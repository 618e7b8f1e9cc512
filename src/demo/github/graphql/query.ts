import { covers } from '../access.ts';
import type { Call } from '../route.ts';
import { connectionTypes, pageInfoType } from './connection.ts';
import { REACTION_NAMES } from './mutate-comment.ts';
import { mutationInputs, mutationTypes } from './mutation.ts';
import { findAccount, findNode, typedAccount } from './node.ts';
import { GraphRefusal } from './problem.ts';
import { makeField, makeList, makeType, makeUnion, type ObjectType, type Schema } from './schema.ts';
import { itemTypes } from './types-item.ts';
import { reviewTypes } from './types-review.ts';

const ACTORS = ['User', 'Bot', 'Organization'];
const COMMENTS = ['IssueComment', 'PullRequestReviewComment', 'PullRequestReview'];
const ITEMS = ['Issue', 'PullRequest'];
const ACTOR_FIELDS = { login: 'String', url: 'URI', avatarUrl: 'URI', resourcePath: 'URI' };

/** The part of GitHub's schema that reviewing needs. */
export function makeSchema(): Schema<Call> {
  const lists = [
    'PullRequest',
    'Label',
    'User',
    'IssueComment',
    'PullRequestReviewThread',
    'PullRequestReview',
    'PullRequestReviewComment',
  ];
  const types: ObjectType<Call>[] = [
    queryType(),
    ...mutationTypes(),
    ...itemTypes(),
    ...reviewTypes(),
    ...unions(),
    pageInfoType(),
    ...[...lists, 'PullRequestChangedFile'].flatMap((name) => connectionTypes<Call>(name)),
  ];
  return { types: new Map(types.map((type) => [type.name, type])), inputs: mutationInputs(), enums: ENUMS };
}

const ENUMS = {
  DiffSide: ['LEFT', 'RIGHT'],
  PullRequestReviewThreadSubjectType: ['LINE', 'FILE'],
  PullRequestReviewEvent: ['COMMENT', 'APPROVE', 'REQUEST_CHANGES', 'DISMISS'],
  PullRequestReviewState: ['PENDING', 'COMMENTED', 'APPROVED', 'CHANGES_REQUESTED', 'DISMISSED'],
  PullRequestState: ['OPEN', 'CLOSED', 'MERGED'],
  ReportedContentClassifiers: ['SPAM', 'ABUSE', 'OFF_TOPIC', 'OUTDATED', 'DUPLICATE', 'RESOLVED', 'LOW_QUALITY'],
  ReactionContent: Object.keys(REACTION_NAMES),
};

function unions(): ObjectType<Call>[] {
  const nodes = ['Repository', ...ITEMS, ...COMMENTS, 'PullRequestReviewThread', ...ACTORS];
  return [
    makeUnion('Node', nodes, { id: 'ID' }),
    makeUnion('Actor', ACTORS, ACTOR_FIELDS),
    makeUnion('RepositoryOwner', ACTORS, { ...ACTOR_FIELDS, id: 'ID' }),
    makeUnion('IssueOrPullRequest', ITEMS),
    makeUnion('Minimizable', COMMENTS, { isMinimized: 'Boolean', minimizedReason: 'String', viewerCanMinimize: 'Boolean' }),
    makeUnion('Comment', COMMENTS, { id: 'ID', body: 'String', bodyText: 'String', createdAt: 'DateTime', updatedAt: 'DateTime' }),
  ];
}

function queryType(): ObjectType<Call> {
  return makeType<null, Call>('Query', {
    viewer: makeField('User', (_source, _args, { caller }) => caller.account),
    repository: makeField('Repository', (_source, args, call) => findRepository(call, args), {
      owner: 'String!',
      name: 'String!',
      followRenames: 'Boolean',
    }),
    node: makeField('Node', (_source, args, call) => findAny(call, args.id), { id: 'ID!' }),
    nodes: makeList('Node', (_source, args, call) => (Array.isArray(args.ids) ? args.ids.map((id) => findAny(call, id)) : []), {
      ids: '[ID!]!',
    }),
    user: makeField('User', (_source, args, { world }) => world.accounts.get(String(args.login).toLowerCase()) ?? null, {
      login: 'String!',
    }),
  });
}

function findRepository(call: Call, args: Record<string, unknown>) {
  const name = `${String(args.owner)}/${String(args.name)}`;
  const repo = call.world.repository(name);
  if (repo && covers(call.caller, repo)) return repo;
  throw new GraphRefusal('NOT_FOUND', `Could not resolve to a Repository with the name '${name}'.`);
}

function findAny(call: Call, id: unknown) {
  return typedAccount(findAccount(call, id)) ?? findNode(call, id);
}
