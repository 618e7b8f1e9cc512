import { Fields } from '../fields.ts';
import type { Call } from '../route.ts';
import { commentOn, minimizeComment, reactTo, updateComment, updateReviewComment } from './mutate-comment.ts';
import {
  addReview,
  changeDraft,
  deleteReview,
  dismiss,
  type Payload,
  replyInThread,
  settleThread,
  startThread,
  submit,
} from './mutate-review.ts';
import { type Field, makeField, makeType, type ObjectType } from './schema.ts';

/** One mutation: the fields of its input, of its answer, and what it does. */
interface Mutation {
  input: Record<string, string>;
  payload: Record<string, string>;
  run: (call: Call, input: Fields) => Payload | Promise<Payload>;
}

const MUTATIONS: Record<string, Mutation> = {
  addPullRequestReviewThread: {
    input: {
      pullRequestId: 'ID',
      pullRequestReviewId: 'ID',
      path: 'String!',
      body: 'String!',
      line: 'Int',
      side: 'DiffSide',
      startLine: 'Int',
      startSide: 'DiffSide',
      subjectType: 'PullRequestReviewThreadSubjectType',
    },
    payload: { thread: 'PullRequestReviewThread' },
    run: startThread,
  },
  addPullRequestReviewThreadReply: {
    input: { pullRequestReviewThreadId: 'ID!', pullRequestReviewId: 'ID', body: 'String!' },
    payload: { comment: 'PullRequestReviewComment' },
    run: replyInThread,
  },
  resolveReviewThread: {
    input: { threadId: 'ID!' },
    payload: { thread: 'PullRequestReviewThread' },
    run: (call, input) => settleThread(call, input, true),
  },
  unresolveReviewThread: {
    input: { threadId: 'ID!' },
    payload: { thread: 'PullRequestReviewThread' },
    run: (call, input) => settleThread(call, input, false),
  },
  addPullRequestReview: {
    input: {
      pullRequestId: 'ID!',
      body: 'String',
      event: 'PullRequestReviewEvent',
      commitOID: 'GitObjectID',
      threads: '[DraftPullRequestReviewThread]',
    },
    payload: { pullRequestReview: 'PullRequestReview' },
    run: addReview,
  },
  submitPullRequestReview: {
    input: { pullRequestReviewId: 'ID', pullRequestId: 'ID', event: 'PullRequestReviewEvent!', body: 'String' },
    payload: { pullRequestReview: 'PullRequestReview' },
    run: submit,
  },
  deletePullRequestReview: {
    input: { pullRequestReviewId: 'ID!' },
    payload: { pullRequestReview: 'PullRequestReview' },
    run: deleteReview,
  },
  dismissPullRequestReview: {
    input: { pullRequestReviewId: 'ID!', message: 'String!' },
    payload: { pullRequestReview: 'PullRequestReview' },
    run: dismiss,
  },
  convertPullRequestToDraft: {
    input: { pullRequestId: 'ID!' },
    payload: { pullRequest: 'PullRequest' },
    run: (call, input) => changeDraft(call, input, true),
  },
  markPullRequestReadyForReview: {
    input: { pullRequestId: 'ID!' },
    payload: { pullRequest: 'PullRequest' },
    run: (call, input) => changeDraft(call, input, false),
  },
  minimizeComment: {
    input: { subjectId: 'ID!', classifier: 'ReportedContentClassifiers!' },
    payload: { minimizedComment: 'Minimizable' },
    run: minimizeComment,
  },
  unminimizeComment: { input: { subjectId: 'ID!' }, payload: { unminimizedComment: 'Minimizable' }, run: minimizeComment },
  addComment: {
    input: { subjectId: 'ID!', body: 'String!' },
    payload: { commentEdge: 'IssueCommentEdge', subject: 'Node' },
    run: commentOn,
  },
  updateIssueComment: { input: { id: 'ID!', body: 'String!' }, payload: { issueComment: 'IssueComment' }, run: updateComment },
  updatePullRequestReviewComment: {
    input: { pullRequestReviewCommentId: 'ID!', body: 'String!' },
    payload: { pullRequestReviewComment: 'PullRequestReviewComment' },
    run: updateReviewComment,
  },
  addReaction: { input: { subjectId: 'ID!', content: 'ReactionContent!' }, payload: { subject: 'Node' }, run: reactTo },
};

/** The mutations, and a type for the answer of each. */
export function mutationTypes(): ObjectType<Call>[] {
  const fields = Object.entries(MUTATIONS).map(([name, mutation]): [string, Field<null, Call>] => {
    const resolve = async (_source: null, args: Record<string, unknown>, call: Call) => {
      const input = new Fields(args.input);
      return { ...(await mutation.run(call, input)), clientMutationId: input.raw('clientMutationId') ?? null };
    };
    return [name, makeField(`${capital(name)}Payload`, resolve, { input: `${capital(name)}Input!` })];
  });
  const payloads = Object.entries(MUTATIONS).map(([name, { payload }]) => {
    const own = Object.entries({ ...payload, clientMutationId: 'String' }).map(([field, type]): [string, Field<Payload, Call>] => [
      field,
      makeField(type, (source) => source[field]),
    ]);
    return makeType<Payload, Call>(`${capital(name)}Payload`, Object.fromEntries(own));
  });
  return [makeType<null, Call>('Mutation', Object.fromEntries(fields)), ...payloads];
}

/** The input types by name. */
export function mutationInputs(): Record<string, Record<string, string>> {
  const own = Object.entries(MUTATIONS).map(([name, { input }]) => [`${capital(name)}Input`, { ...input, clientMutationId: 'String' }]);
  const draft = { path: 'String!', body: 'String!', line: 'Int!', side: 'DiffSide', startLine: 'Int', startSide: 'DiffSide' };
  return { ...Object.fromEntries(own), DraftPullRequestReviewThread: draft };
}

function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
