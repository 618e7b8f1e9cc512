import { commentsOf, createReview, deletePendingReview, dismissReview, editReview, type NewThread, submitReview } from '../act/review.ts';
import { createReviewComment, deleteReviewComment, editReviewComment, replyToThread, rootOf } from '../act/review-comment.ts';
import { created, noContent, ok, page } from '../answer.ts';
import { Fields } from '../fields.ts';
import { forbidden, invalid, malformed, notFound } from '../refusal.ts';
import { type Answer, type RepoCall, type Route, repoRoute } from '../route.ts';
import { reviewCommentJson, reviewJson } from '../shape/review.ts';
import type { Review, ReviewComment } from '../state.ts';
import { isSince, requirePull } from './item.ts';

const read = { needs: ['pull_requests:read'] };
const write = { needs: ['pull_requests:write'] };
const content = { ...write, content: true };

/** What a comment of a new review may hold. */
const COMMENT_FIELDS = ['path', 'position', 'body', 'line', 'side', 'start_line', 'start_side'];

/** Reviews and the comments on the diff. */
export function reviewRoutes(): Route[] {
  return [
    repoRoute('GET /pulls/{pull_number}/reviews', read, (call) =>
      page(
        call,
        reviewsOf(call).map((review) => reviewJson(call.world, call.repo, review)),
      ),
    ),
    repoRoute('POST /pulls/{pull_number}/reviews', content, postReview),
    repoRoute('GET /pulls/{pull_number}/reviews/{review_id}', read, (call) => answerReview(call, requireReview(call))),
    repoRoute('PUT /pulls/{pull_number}/reviews/{review_id}', write, (call) => {
      const review = requireOwnReview(call);
      editReview(call, requirePull(call), { review, body: call.body.needText('body') });
      return answerReview(call, review);
    }),
    repoRoute('DELETE /pulls/{pull_number}/reviews/{review_id}', write, (call) => {
      const review = requireOwnReview(call);
      deletePendingReview(call, review);
      return answerReview(call, review);
    }),
    repoRoute('POST /pulls/{pull_number}/reviews/{review_id}/events', content, async (call) => {
      const review = requireOwnReview(call);
      const body = call.body.text('body');
      await submitReview(call, requirePull(call), { review, event: call.body.needText('event'), ...(body === undefined ? {} : { body }) });
      return answerReview(call, review);
    }),
    repoRoute('PUT /pulls/{pull_number}/reviews/{review_id}/dismissals', write, (call) => {
      const review = requireReview(call);
      call.body.needText('message');
      dismissReview(call, requirePull(call), review);
      return answerReview(call, review);
    }),
    repoRoute('GET /pulls/{pull_number}/reviews/{review_id}/comments', read, (call) => {
      const rows = commentsOf(call.repo, requireReview(call));
      return page(
        call,
        rows.map((comment) => reviewCommentJson(call.world, call.repo, comment)),
      );
    }),
    ...commentRoutes(),
  ];
}

function commentRoutes(): Route[] {
  return [
    repoRoute('GET /pulls/comments', read, (call) => listComments(call, [...call.repo.reviewComments.values()])),
    repoRoute('GET /pulls/{pull_number}/comments', read, (call) => {
      const { number } = requirePull(call);
      return listComments(
        call,
        [...call.repo.reviewComments.values()].filter((comment) => comment.number === number),
      );
    }),
    repoRoute('POST /pulls/{pull_number}/comments', content, postComment),
    repoRoute('POST /pulls/{pull_number}/comments/{comment_id}/replies', content, (call) => {
      const root = requireComment(call);
      if (root.inReplyTo !== null) throw invalid('PullRequestReviewComment', 'in_reply_to');
      const reply = replyToThread(call, requirePull(call), { root, body: call.body.raw('body') });
      return created(reviewCommentJson(call.world, call.repo, reply));
    }),
    repoRoute('GET /pulls/comments/{comment_id}', read, (call) => ok(reviewCommentJson(call.world, call.repo, requireComment(call)))),
    repoRoute('PATCH /pulls/comments/{comment_id}', write, (call) => {
      const comment = requireOwnComment(call);
      editReviewComment(call, comment, call.body.raw('body'));
      return ok(reviewCommentJson(call.world, call.repo, comment));
    }),
    repoRoute('DELETE /pulls/comments/{comment_id}', write, (call) => {
      deleteReviewComment(call, requireOwnComment(call));
      return noContent();
    }),
  ];
}

function answerReview(call: RepoCall, review: Review): Answer {
  return ok(reviewJson(call.world, call.repo, review));
}

/** Reviews of a pull request that the caller may see: pending ones only by their author. */
function reviewsOf(call: RepoCall): Review[] {
  const { number } = requirePull(call);
  return [...call.repo.reviews.values()].filter((review) => review.number === number && isVisible(call, review));
}

function isVisible(call: RepoCall, review: Review): boolean {
  return review.state !== 'PENDING' || review.author === call.by;
}

function requireReview(call: RepoCall): Review {
  const found = reviewsOf(call).find((review) => review.id === Number(call.params.review_id));
  if (!found) throw notFound();
  return found;
}

function requireOwnReview(call: RepoCall): Review {
  const review = requireReview(call);
  if (review.author !== call.by) throw forbidden();
  return review;
}

function requireComment(call: RepoCall): ReviewComment {
  const found = call.repo.reviewComments.get(Number(call.params.comment_id));
  if (!found || (found.pending && found.author !== call.by)) throw notFound();
  return found;
}

function requireOwnComment(call: RepoCall): ReviewComment {
  const comment = requireComment(call);
  if (call.caller.kind === 'installation' && comment.author !== call.by) throw forbidden();
  return comment;
}

async function postReview(call: RepoCall): Promise<Answer> {
  const { body } = call;
  const [text, event, commit] = [body.text('body'), body.text('event'), body.text('commit_id')];
  const review = await createReview(call, requirePull(call), {
    comments: (body.list('comments') ?? []).map(readThread),
    ...(text === undefined ? {} : { body: text }),
    ...(event === undefined ? {} : { event }),
    ...(commit === undefined ? {} : { commit }),
  });
  return answerReview(call, review);
}

function readThread(entry: unknown): NewThread {
  const fields = new Fields(entry);
  const strange = fields.names().find((name) => !COMMENT_FIELDS.includes(name));
  if (strange !== undefined) throw malformed(`For 'items', "${strange}" is not a permitted key.`);
  for (const name of ['path', 'body']) if (!fields.has(name)) throw malformed(`For 'items', "${name}" wasn't supplied.`);
  return { ...readTarget(fields), body: fields.text('body') ?? '' };
}

function readTarget(fields: Fields) {
  const [line, position, startLine] = [fields.integer('line'), fields.integer('position'), fields.integer('start_line')];
  const [side, startSide] = [fields.text('side'), fields.text('start_side')];
  return {
    path: fields.text('path') ?? '',
    ...(line === undefined ? {} : { line }),
    ...(position === undefined ? {} : { position }),
    ...(startLine === undefined ? {} : { startLine }),
    ...(side === undefined ? {} : { side }),
    ...(startSide === undefined ? {} : { startSide }),
  };
}

function listComments(call: RepoCall, comments: ReviewComment[]): Answer {
  const { query, world, repo } = call;
  const rows = comments.filter((comment) => !comment.pending && isSince(query, comment));
  const way = query.get('direction') === 'desc' ? -1 : 1;
  return page(
    call,
    rows.sort((a, b) => way * (a.id - b.id)).map((comment) => reviewCommentJson(world, repo, comment)),
  );
}

async function postComment(call: RepoCall): Promise<Answer> {
  const { body, world, repo } = call;
  const item = requirePull(call);
  const answered = body.integer('in_reply_to');
  if (answered !== undefined) {
    const comment = repo.reviewComments.get(answered);
    if (!comment || comment.number !== item.number) throw invalid('PullRequestReviewComment', 'in_reply_to');
    return created(reviewCommentJson(world, repo, replyToThread(call, item, { root: rootOf(call, comment), body: body.raw('body') })));
  }
  const commit = body.needText('commit_id');
  const onFile = body.text('subject_type') === 'file';
  body.needText('path');
  if (!onFile && !body.has('line') && !body.has('position')) throw malformed(NO_PLACE);
  const comment = await createReviewComment(call, item, { ...readTarget(body), onFile, body: body.raw('body'), commit });
  return created(reviewCommentJson(world, repo, comment));
}

const NO_PLACE = [
  'No subschema in "oneOf" matched.',
  '"positioning" wasn\'t supplied.',
  '"position" wasn\'t supplied.',
  '"in_reply_to" wasn\'t supplied.',
  '"subject_type" wasn\'t supplied.',
  '"line" wasn\'t supplied.',
].join('\n');
