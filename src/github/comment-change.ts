import { type Delivery, readPayload } from './webhook.ts';

/** A comment that was edited (its newest text) or deleted (null). `at`: when, as GitHub writes times. */
export interface CommentChange {
  repository: number;
  kind: 'pr' | 'issue';
  number: number;
  comment: number;
  body: string | null;
  at: string;
}

/** What a delivery says of a person's comment that was written before; null for every other delivery. Never throws. */
export function toCommentChange({ name, payload }: Delivery): CommentChange | null {
  const read = name === 'issue_comment' || name === 'pull_request_review_comment' ? readPayload(name, payload) : '';
  if (typeof read === 'string' || !['edited', 'deleted'].includes(read.envelope.action)) return null;
  const { envelope, own } = read;
  const { id, body, updated_at: at, user } = own.comment;
  if (user?.type === 'Bot') return null;
  const isPull = 'pull_request' in own || Boolean(own.issue.pull_request);
  const { number } = 'pull_request' in own ? own.pull_request : own.issue;
  const newest = envelope.action === 'deleted' ? null : body;
  return { repository: envelope.repository.id, kind: isPull ? 'pr' : 'issue', number, comment: id, body: newest, at };
}
