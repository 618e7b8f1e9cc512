import type { Effect, Outcome } from '../journal/effect.ts';
import { cleanText, type Kept } from './clean.ts';
import { carries, hiddenMarker, readMarker, sign, unsign } from './markers.ts';
import type { Writer } from './writer.ts';

/** A comment as GitHub answers it. */
interface CommentRow {
  id: number;
  body?: string | null;
  html_url: string;
  issue_url: string;
  user: { login: string } | null;
}

/** How far back lists are read (ms): a clock that is off by less does not hide what was created. */
const SKEW = 60 * 60_000;

type Create = Extract<Effect, { type: 'comment.create' }>;
type Update = Extract<Effect, { type: 'comment.update' }>;

/** Puts a comment under the run's own pull request or issue, once; one with a `slot` is looked for first, on all pages, and changed where it stands. */
export async function createComment(writer: Writer, { body, slot }: Create, kept: Kept): Promise<Outcome> {
  const { number } = writer;
  if (number === null) return { status: 'refused', reason: 'this run has no pull request or issue to comment on' };
  const standing = slot === undefined ? null : await findComment(writer, slot);
  if (standing) return updateComment(writer, { comment: standing.id, body }, () => true);
  const text = sign(cleanText(body, { kept }), slot ?? writer.key);
  const reply = await writer.settle<CommentRow>({
    act: () => writer.write('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', { issue_number: number, body: text }),
    look: () => findComment(writer, slot),
  });
  if (reply.status === 'refused') return reply;
  const stands = reply.unsure ? ((await findComment(writer, slot)) ?? reply.value) : reply.value;
  return { status: 'done', result: { commentId: stands.id, url: stands.html_url } };
}

/** Finds the comment that this effect made, or that has this slot, by author and marker. Doubles are deleted. */
export async function findComment(writer: Writer, slot?: string): Promise<CommentRow | null> {
  const since = new Date(writer.since - SKEW).toISOString();
  const rows = await writer.list<CommentRow>('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    issue_number: writer.number,
    ...(slot === undefined ? { since } : {}),
  });
  const own = (rows ?? []).filter((row) => writer.owns(row.user) && carries(row.body, slot ?? writer.key));
  const { kept, doubles } = writer.part(own);
  for (const { id } of doubles) await writer.undo('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', { comment_id: id });
  return kept;
}

class Obsolete extends Error {}

/**
 * Changes a comment of ours under the run's own pull request or issue; its marker stays. `isNewest` is asked when the write's turn comes: an edit
 * that a newer one has overtaken is left out.
 */
export async function updateComment(
  writer: Writer,
  { comment, body, marker }: Omit<Update, 'type'>,
  isNewest: () => boolean,
): Promise<Outcome> {
  if (marker !== undefined) return edit(writer, { comment, text: sign(cleanText(body), marker), result: { commentId: comment } }, isNewest);
  const known = await writer.read<CommentRow>('GET /repos/{owner}/{repo}/issues/comments/{comment_id}', { comment_id: comment });
  if (known.status === 'refused') return { status: 'refused', reason: `comment ${comment} cannot be read: ${known.reason}` };
  if (writer.number === null || !known.value.issue_url.endsWith(`/issues/${writer.number}`)) {
    return {
      status: 'refused',
      reason: `comment ${comment} is not on this run's own pull request or issue: only comments there can be changed`,
    };
  }
  if (!writer.owns(known.value.user))
    return { status: 'refused', reason: `comment ${comment} was written by somebody else: add a comment instead` };
  const text = resign(cleanText(body), known.value.body, writer.key);
  const result = { commentId: comment, url: known.value.html_url };
  if (unsign(known.value.body) === unsign(text)) return { status: 'done', result };
  return edit(writer, { comment, text, result }, isNewest);
}

async function edit(
  writer: Writer,
  { comment, text, result }: { comment: number; text: string; result: { commentId: number; url?: string } },
  isNewest: () => boolean,
): Promise<Outcome> {
  const before = () => {
    if (!isNewest()) throw new Obsolete();
  };
  const fields = { comment_id: comment, body: text };
  try {
    const reply = await writer.settle({
      act: () => writer.write('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', fields, { content: false, before }),
      look: async () => null,
    });
    return reply.status === 'refused' ? reply : { status: 'done', result };
  } catch (error) {
    if (error instanceof Obsolete) return { status: 'done', result: { ...result, merged: true } };
    throw error;
  }
}

/** Gives a text the markers that its comment already has, so that the effect which made it finds it later. */
function resign(text: string, before: string | null | undefined, key: string): string {
  const marker = readMarker(before);
  if (marker.key === null) return sign(text, key);
  const visible = /<sub>Pitwall · [0-9a-f]{12}<\/sub>/.exec(before ?? '')?.[0];
  return `${text.trimEnd()}\n\n${visible ? `${visible}\n` : ''}${hiddenMarker(marker.key)}`;
}
