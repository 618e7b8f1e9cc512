import { html } from 'hono/html';
import { type Hunk, parsePatch } from '../git/patch.ts';
import type { CommentPlace, Repository, ReviewComment } from '../github/state.ts';
import { avatar, badge, moment, reactionRow } from './byline.ts';
import { codeHead, codeRow } from './code-rows.ts';
import { fileAnchor } from './file-anchor.ts';
import type { Markup } from './inline.ts';
import { renderMarkdown } from './markdown.ts';
import type { ThreadView } from './pull-view.ts';
import { hiddenFields, type Screen } from './screen.ts';

const SHOWN_LINES = 4;

/** A thread with its place. `withCode` shows the lines that it is about, where they do not stand around it anyhow. */
export function threadBox(screen: Screen, thread: ThreadView, show: { withCode: boolean; level: 3 | 4 }): Markup {
  const { id, root, comments, resolvedBy } = thread;
  const head = html`<div class="thread-head" id="thread-${id}-head">${placeHeading(screen, root.place, show)}${stateOf(root.place, resolvedBy)}</div>`;
  const code = show.withCode ? codeAbove(id, root.place) : '';
  const rows = comments.map((comment) => remark(screen.pull.repo, comment, show.level + 1));
  return html`<div class="thread" role="group" id="thread-${id}" data-live aria-label="Thread on ${placeWords(root.place)}">${head}${code}<ol class="remarks" id="thread-${id}-remarks" data-live>${rows}</ol>${replyForm(screen, root)}</div>`;
}

/** Where a thread stands, in words. */
export function placeWords(place: CommentPlace): string {
  if (place.subject === 'file') return `${place.path}, the whole file`;
  const [start, end] = [place.startLine ?? place.originalStartLine, place.line ?? place.originalLine];
  const lines = start === null || start === end ? `line ${end}` : `lines ${start} to ${end}`;
  return `${place.path}, ${lines}${place.side === 'LEFT' ? ' (deleted)' : ''}`;
}

function placeHeading(screen: Screen, place: CommentPlace, { level }: { level: 3 | 4 }): Markup {
  const words = html`<a class="place" href="${screen.address}/files#${fileAnchor(place.path)}">${placeWords(place)}</a>`;
  return level === 3 ? html`<h3>${words}</h3>` : html`<h4>${words}</h4>`;
}

function stateOf(place: CommentPlace, resolvedBy: string | null): Markup {
  const outdated = place.subject === 'line' && place.line === null;
  return html`${outdated ? html`<span class="badge">Outdated</span>` : ''}${resolvedBy ? html`<span class="badge">Resolved by ${resolvedBy}</span>` : ''}`;
}

function codeAbove(id: number, place: CommentPlace): Markup {
  const lines = parsePatch(place.hunk).flatMap((hunk: Hunk) => hunk.lines);
  if (place.subject === 'file' || lines.length === 0) return html``;
  const shown = lines.slice(-SHOWN_LINES);
  const rows = shown.map((line, at) => codeRow(line, at === shown.length - 1));
  return html`<table class="diff excerpt" id="thread-${id}-code">${codeHead(`thread-${id}-code`, 'The lines that the thread is about')}<tbody>${rows}</tbody></table>`;
}

function remark(repo: Repository, comment: ReviewComment, level: number): Markup {
  const { id, author, body, createdAt, updatedAt, reactions } = comment;
  const edited = updatedAt > createdAt ? ' · edited' : '';
  return html`<li class="remark" id="remark-${id}"><p class="byline">${avatar(author)} <strong>${author.login}</strong> ${badge(repo, author)} <span class="quiet">${moment(createdAt)}${edited}</span></p>${renderMarkdown(body, { level })}${reactionRow(reactions)}</li>`;
}

function replyForm(screen: Screen, root: ReviewComment): Markup {
  const id = `reply-${root.id}`;
  return html`<details class="reply" id="${id}-box"><summary id="${id}-open">Reply<span class="unseen"> to the thread on ${placeWords(root.place)}</span></summary>
<form method="post" action="${screen.address}/reply" data-post id="${id}">${hiddenFields(screen)}<input type="hidden" name="comment" value="${root.id}">
<label for="${id}-body">Reply as ${screen.part.login}</label><textarea id="${id}-body" name="body" rows="2" required maxlength="65536"></textarea>
<p class="problem" role="alert"></p><div class="form-foot"><button class="button primary" id="${id}-send">Reply</button></div></form></details>`;
}
