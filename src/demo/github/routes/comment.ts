import { addComment, addReaction, deleteComment, editComment, type Reactable, removeReaction } from '../act/comment.ts';
import { htmlOf } from '../act/upload.ts';
import { created, noContent, ok, page } from '../answer.ts';
import { forbidden, notFound } from '../refusal.ts';
import { type Answer, type RepoCall, type Route, repoRoute } from '../route.ts';
import { commentJson, commentsOn, reactionJson } from '../shape/item.ts';
import type { Comment } from '../state.ts';
import { isSince, requireItem, sortRows } from './item.ts';

const read = { needs: ['issues:read', 'pull_requests:read'] };
const write = { needs: ['issues:write', 'pull_requests:write'] };

/** Comments in the conversation, and reactions to whatever one can react to. */
export function commentRoutes(): Route[] {
  return [
    repoRoute('GET /issues/comments', read, (call) => list(call, [...call.repo.comments.values()])),
    repoRoute('GET /issues/{issue_number}/comments', read, (call) => list(call, commentsOn(call.repo, requireItem(call).number))),
    repoRoute('POST /issues/{issue_number}/comments', { ...write, content: true }, (call) =>
      created(commentJson(call.world, call.repo, addComment(call, requireItem(call), call.body.raw('body')))),
    ),
    repoRoute('GET /issues/comments/{comment_id}', read, (call) => ok(commentJson(call.world, call.repo, requireComment(call)))),
    repoRoute('PATCH /issues/comments/{comment_id}', write, (call) => {
      const comment = requireOwn(call);
      editComment(call, comment, call.body.raw('body'));
      return ok(commentJson(call.world, call.repo, comment));
    }),
    repoRoute('DELETE /issues/comments/{comment_id}', write, (call) => {
      deleteComment(call, requireOwn(call));
      return noContent();
    }),
    ...reactionRoutes('/issues/{issue_number}', requireItem),
    ...reactionRoutes('/issues/comments/{comment_id}', requireComment),
    ...reactionRoutes('/pulls/comments/{comment_id}', ({ repo, params }) => repo.reviewComments.get(Number(params.comment_id)) ?? null),
  ];
}

function list(call: RepoCall, comments: Comment[]): Answer {
  const rows = sortRows(
    comments.filter((comment) => isSince(call.query, comment)),
    call.query,
    'asc',
  );
  return page(
    call,
    rows.map((comment) => ({
      ...commentJson(call.world, call.repo, comment),
      ...(call.media === 'full' ? { body_html: htmlOf(call.world, comment.body) } : {}),
    })),
  );
}

function requireComment({ repo, params }: RepoCall): Comment {
  const found = repo.comments.get(Number(params.comment_id));
  if (!found) throw notFound();
  return found;
}

/** An app changes only what it wrote itself. */
function requireOwn(call: RepoCall): Comment {
  const comment = requireComment(call);
  if (call.caller.kind === 'installation' && comment.author !== call.by) throw forbidden();
  return comment;
}

function reactionRoutes(tail: string, find: (call: RepoCall) => Reactable | null): Route[] {
  const target = (call: RepoCall) => {
    const found = find(call);
    if (!found) throw notFound();
    return found;
  };
  return [
    repoRoute(`GET ${tail}/reactions`, read, (call) => {
      const content = call.query.get('content');
      const rows = target(call).reactions.filter((reaction) => !content || reaction.content === content);
      return page(
        call,
        rows.map((reaction) => reactionJson(call.world, reaction)),
      );
    }),
    repoRoute(`POST ${tail}/reactions`, write, (call) => {
      const { reaction, fresh } = addReaction(call, target(call), call.body.needText('content'));
      return { status: fresh ? 201 : 200, body: reactionJson(call.world, reaction) };
    }),
    repoRoute(`DELETE ${tail}/reactions/{reaction_id}`, write, (call) => {
      if (!removeReaction(call, target(call), Number(call.params.reaction_id))) throw notFound();
      return noContent();
    }),
  ];
}
