import type { Effect, Outcome } from '../journal/effect.ts';
import type { Writer } from './writer.ts';

type Reaction = Extract<Effect, { type: 'reaction.add' }>;

/** Adds a reaction to the run's own item or to a comment there. GitHub keeps one of a kind, so it can be repeated. */
export async function addReaction(writer: Writer, effect: Reaction): Promise<Outcome> {
  const { kind, id } = effect.target;
  const number = writer.number;
  if (number === null) return { status: 'refused', reason: 'this run has no pull request or issue to react on' };
  if (kind === 'issue' && id !== number) return { status: 'refused', reason: `#${id} is not this run's own pull request or issue` };
  const foreign = kind === 'issue' || writer.event.comment?.id === id ? null : await checkComment(writer, kind, id, number);
  if (foreign) return { status: 'refused', reason: foreign };
  const route = {
    issue: 'POST /repos/{owner}/{repo}/issues/{id}/reactions',
    comment: 'POST /repos/{owner}/{repo}/issues/comments/{id}/reactions',
    thread: 'POST /repos/{owner}/{repo}/pulls/comments/{id}/reactions',
  }[kind];
  const reply = await writer.settle<{ id: number }>({
    act: () => writer.write(route, { id, content: effect.content }, { content: false }),
    look: async () => null,
  });
  return reply.status === 'refused' ? reply : { status: 'done', result: { reactionId: reply.value.id } };
}

/** Why a comment may not be reacted on, or null. */
async function checkComment(writer: Writer, kind: 'comment' | 'thread', id: number, number: number): Promise<string | null> {
  const folder = kind === 'comment' ? 'issues' : 'pulls';
  const reply = await writer.read<{ issue_url?: string; pull_request_url?: string }>(`GET /repos/{owner}/{repo}/${folder}/comments/{id}`, {
    id,
  });
  if (reply.status === 'refused') return `comment ${id} cannot be read: ${reply.reason}`;
  const url = reply.value.issue_url ?? reply.value.pull_request_url ?? '';
  return url.endsWith(`/${number}`) ? null : `comment ${id} is not on this run's own pull request or issue`;
}
