import { html } from 'hono/html';
import type { CommitRecord } from '../git/bare.ts';
import type { Comment, Review } from '../github/state.ts';
import { avatar, badge, count, moment, reactionRow } from './byline.ts';
import type { Markup } from './inline.ts';
import { renderMarkdown } from './markdown.ts';
import type { Entry, ThreadView } from './pull-view.ts';
import { hiddenFields, type Screen } from './screen.ts';
import { threadBox } from './thread.ts';

const VERDICTS: Record<Review['state'], string> = {
  PENDING: 'began a review',
  COMMENTED: 'reviewed',
  APPROVED: 'approved these changes',
  CHANGES_REQUESTED: 'requested changes',
  DISMISSED: 'reviewed (dismissed)',
};

/** The view of a pull request where everything is told in the order in which it happened. */
export function conversationView(screen: Screen): Markup {
  const entries = screen.pull.entries.map((entry) => timelineEntry(screen, entry));
  return html`<h2 class="unseen" id="conversation-title">Conversation</h2>
<ol class="timeline" id="timeline" data-live aria-labelledby="conversation-title">${description(screen)}${entries}</ol>
${commentForm(screen)}`;
}

function description({ pull: { repo, item } }: Screen): Markup {
  const body = item.body ? renderMarkdown(item.body, { level: 4 }) : html`<p class="quiet">No description.</p>`;
  return html`<li class="card" id="description"><h3 class="byline">${avatar(item.author)} <strong>${item.author.login}</strong> ${badge(repo, item.author)} <span class="quiet">opened this pull request, ${moment(item.createdAt)}</span></h3>${body}${reactionRow(item.reactions)}</li>`;
}

function timelineEntry(screen: Screen, entry: Entry): Markup {
  switch (entry.kind) {
    case 'commit':
      return commitRow(entry.commit);
    case 'comment':
      return commentCard(screen, entry.comment);
    case 'review':
      return reviewCard(screen, entry.review, entry.threads);
  }
}

function commitRow({ sha, message, author, committer }: CommitRecord): Markup {
  const [title = ''] = message.split('\n');
  return html`<li class="commit" id="commit-${sha}"><span class="dot" aria-hidden="true"></span><span class="commit-text"><strong>${author.name}</strong> committed <span class="commit-title">${title}</span></span> <code class="sha">${sha.slice(0, 7)}</code> <span class="quiet">${moment(Date.parse(committer.date))}</span></li>`;
}

function commentCard({ pull: { repo } }: Screen, comment: Comment): Markup {
  const { id, author, body, createdAt, edits, reactions } = comment;
  const edited = edits.length > 0 ? ' · edited' : '';
  return html`<li class="card" id="comment-${id}"><h3 class="byline">${avatar(author)} <strong>${author.login}</strong> ${badge(repo, author)} <span class="quiet">commented, ${moment(createdAt)}${edited}</span></h3>${renderMarkdown(body, { level: 4 })}${reactionRow(reactions)}</li>`;
}

function reviewCard(screen: Screen, review: Review, threads: ThreadView[]): Markup {
  const { id, author, body, state, submittedAt, createdAt, commit } = review;
  const { repo } = screen.pull;
  const verdict = review.implicit ? 'commented on the diff' : VERDICTS[state];
  const boxes = threads.map((thread) => threadBox(screen, thread, { withCode: true, level: 4 }));
  const figures = threads.length > 0 ? html` with ${count(threads.length, 'thread')}` : '';
  return html`<li class="card review" id="review-${id}" data-live><h3 class="byline" id="review-${id}-head">${avatar(author)} <strong>${author.login}</strong> ${badge(repo, author)} <span class="quiet">${verdict}${figures} at <code class="sha">${commit.slice(0, 7)}</code>, ${moment(submittedAt ?? createdAt)}</span></h3>
<div id="review-${id}-body">${body ? renderMarkdown(body, { level: 4 }) : ''}</div><div class="threads" id="review-${id}-threads" data-live>${boxes}</div></li>`;
}

function commentForm(screen: Screen): Markup {
  return html`<section class="card comment-form" id="comment-form" aria-labelledby="comment-title"><h2 id="comment-title">Add a comment</h2>
<form method="post" action="${screen.address}/comment" data-post id="comment">${hiddenFields(screen)}
<label for="comment-body">Comment as ${screen.part.login}</label><textarea id="comment-body" name="body" rows="4" required maxlength="65536" aria-describedby="comment-hint"></textarea>
<p class="hint" id="comment-hint">Markdown works. A comment that is only <code>/review</code> asks for one more review; <code>/why</code>, <code>/status</code>, <code>/cancel</code>, <code>/retry</code> and <code>/help</code> are commands too.</p>
<p class="problem" role="alert"></p><div class="form-foot"><button class="button primary" id="comment-send">Comment</button></div></form></section>`;
}
