import type { Context } from '../workflow/context.ts';
import type { EventName } from '../workflow/event-name.ts';
import type { Repository, Resource } from './resource.ts';

/** Who acted. `bot` is GitHub's own word on the account, not a guess from its name. */
export interface Actor {
  id: number;
  login: string;
  bot: boolean;
}

/** A created comment: on the conversation, or in a review thread with its file and line. */
export interface Comment {
  id: number;
  place: 'conversation' | 'thread';
  author: Actor;
  body: string;
  url: string;
  createdAt: string;
  path?: string;
  line?: number | null;
  inReplyTo?: number | null;
}

/** A delivery in the words of the workflow format: what triggers and templates see. One delivery may give several (a comment, its command, its mention). */
export interface Event {
  name: EventName;
  delivery: string;
  installation: number;
  repository: Repository;
  resource: Resource;
  actor: Actor;
  /** Author of the pull request or issue. */
  author: Actor | null;
  context: Context;
  comment?: Comment;
  /** The slash command of a `manual` event: its name without the slash and the rest of its line. */
  command?: { name: string; args: string; withMention: boolean };
  /** The delivery told only a part of the pull request: `completeEvent` fetches the rest before conditions are read. */
  partial?: boolean;
}
