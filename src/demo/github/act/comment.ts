import { isAtLeast, roleOf } from '../access.ts';
import { invalid, Refusal, requireBody } from '../refusal.ts';
import type { Scene } from '../route.ts';
import type { Json } from '../shape/account.ts';
import { commentJson, issueJson, REACTIONS } from '../shape/item.ts';
import type { Comment, Item, Reaction } from '../state.ts';
import { sendEvent } from './event.ts';

/** Adds a comment to the conversation of an item. Throws Refusal for a body or a lock. */
export function addComment(scene: Scene, item: Item, text: unknown): Comment {
  const body = requireBody(text, 'IssueComment');
  const { world, repo, by } = scene;
  if (item.locked && by !== world.bot && !isAtLeast(roleOf(repo, by.login), 'write')) {
    throw new Refusal(403, 'Unable to create comment because issue is locked.');
  }
  const now = Date.now();
  const comment: Comment = {
    id: world.nextId(),
    number: item.number,
    author: by,
    body,
    createdAt: now,
    updatedAt: now,
    reactions: [],
    minimized: null,
    edits: [],
  };
  repo.comments.set(comment.id, comment);
  item.updatedAt = now;
  sendCommentEvent(scene, comment, { action: 'created' });
  return comment;
}

export function editComment(scene: Scene, comment: Comment, text: unknown): void {
  const body = requireBody(text, 'IssueComment');
  const from = comment.body;
  comment.edits.push(from);
  Object.assign(comment, { body, updatedAt: Date.now() });
  sendCommentEvent(scene, comment, { action: 'edited', extra: { changes: { body: { from } } } });
}

export function deleteComment(scene: Scene, comment: Comment): void {
  scene.repo.comments.delete(comment.id);
  sendCommentEvent(scene, comment, { action: 'deleted' });
}

function sendCommentEvent(scene: Scene, comment: Comment, change: { action: string; extra?: Json }): void {
  const { world, repo } = scene;
  const item = repo.items.get(comment.number);
  if (!item) return;
  const payload = {
    action: change.action,
    ...change.extra,
    issue: issueJson(world, repo, item),
    comment: commentJson(world, repo, comment),
  };
  sendEvent(scene, 'issue_comment', { payload, number: item.number });
}

/** Something one can react to. */
export interface Reactable {
  number: number;
  reactions: Reaction[];
}

/** Adds a reaction; the same one by the same account a second time is the first again (`fresh` false). No webhook, as on GitHub. */
export function addReaction(scene: Scene, target: Reactable, content: string): { reaction: Reaction; fresh: boolean } {
  if (!REACTIONS.includes(content)) throw invalid('Reaction', 'content');
  const { world, repo, by } = scene;
  const known = target.reactions.find((reaction) => reaction.content === content && reaction.author === by);
  if (known) return { reaction: known, fresh: false };
  const reaction = { id: world.nextId(), content, author: by, createdAt: Date.now() };
  target.reactions.push(reaction);
  world.changes.tell('reaction.created', repo.fullName, target.number);
  return { reaction, fresh: true };
}

/** Takes a reaction away; false when there is none of that id. */
export function removeReaction(scene: Scene, target: Reactable, id: number): boolean {
  const at = target.reactions.findIndex((reaction) => reaction.id === id);
  if (at < 0) return false;
  target.reactions.splice(at, 1);
  scene.world.changes.tell('reaction.deleted', scene.repo.fullName, target.number);
  return true;
}
