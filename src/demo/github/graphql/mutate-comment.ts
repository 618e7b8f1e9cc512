import { addComment, addReaction, editComment } from '../act/comment.ts';
import { editReviewComment } from '../act/review-comment.ts';
import type { Fields } from '../fields.ts';
import type { Call } from '../route.ts';
import { countContent, type Payload } from './mutate-review.ts';
import { findNode, openNode, requireScene } from './node.ts';
import { GraphRefusal } from './problem.ts';

const BOTH = ['issues:write', 'pull_requests:write'];

/** GitHub's names of reactions in GraphQL. */
export const REACTION_NAMES: Record<string, string> = {
  THUMBS_UP: '+1',
  THUMBS_DOWN: '-1',
  LAUGH: 'laugh',
  HOORAY: 'hooray',
  CONFUSED: 'confused',
  HEART: 'heart',
  ROCKET: 'rocket',
  EYES: 'eyes',
};

/** Hides a comment under the reason given, or shows it again when there is none. */
export function minimizeComment(call: Call, input: Fields): Payload {
  const found = findNode(call, input.raw('subjectId'));
  if (found.member !== 'IssueComment' && found.member !== 'PullRequestReviewComment' && found.member !== 'PullRequestReview') {
    throw new GraphRefusal('UNPROCESSABLE', 'The subject cannot be minimized');
  }
  const scene = requireScene(call, found.source.repo, BOTH);
  found.source.it.minimized = input.text('classifier') ?? null;
  scene.world.changes.tell('comment.minimized', scene.repo.fullName, found.source.it.number);
  return { minimizedComment: found, unminimizedComment: found };
}

/** Adds a comment to an issue or a pull request. */
export function commentOn(call: Call, input: Fields): Payload {
  const found = findNode(call, input.raw('subjectId'));
  if (found.member !== 'PullRequest' && found.member !== 'Issue')
    throw new GraphRefusal('NOT_FOUND', 'Could not resolve to an issue or pull request');
  const scene = requireScene(call, found.source.repo, BOTH);
  const it = addComment(scene, found.source.it, input.raw('body'));
  countContent(call, 'addComment');
  return { commentEdge: { row: { repo: scene.repo, it }, index: 0 }, subject: found };
}

/** Changes a comment of the conversation. */
export function updateComment(call: Call, input: Fields): Payload {
  const { source, scene } = openNode(call, input.raw('id'), { member: 'IssueComment', needs: BOTH });
  editComment(scene, source.it, input.raw('body'));
  return { issueComment: source };
}

/** Changes a comment on the diff. */
export function updateReviewComment(call: Call, input: Fields): Payload {
  const { source, scene } = openNode(call, input.raw('pullRequestReviewCommentId'), { member: 'PullRequestReviewComment' });
  editReviewComment(scene, source.it, input.raw('body'));
  return { pullRequestReviewComment: source };
}

/** Adds a reaction to whatever takes one. */
export function reactTo(call: Call, input: Fields): Payload {
  const found = findNode(call, input.raw('subjectId'));
  if (found.member === 'Repository' || !('reactions' in found.source.it))
    throw new GraphRefusal('UNPROCESSABLE', 'The subject takes no reactions');
  const scene = requireScene(call, found.source.repo, BOTH);
  addReaction(scene, found.source.it, REACTION_NAMES[input.needText('content')] ?? '');
  return { subject: found };
}
