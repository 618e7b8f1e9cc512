import type { Comment, Item, Label, Milestone, Reaction, Repository } from '../state.ts';
import type { World } from '../world.ts';
import { accountJson, accountJsonOrNull, appJsonFor, associationOf, isoTime, isoTimeOrNull, type Json, nodeId } from './account.ts';
import { repositoryUrl } from './repository.ts';

/** The eight reactions by their names in REST. */
export const REACTIONS = ['+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes'];

export function itemPageUrl(world: World, repo: Repository, item: Item): string {
  return `${world.url}/${repo.fullName}/${item.pull ? 'pull' : 'issues'}/${item.number}`;
}

/** Comments in the conversation of one item, oldest first. */
export function commentsOn(repo: Repository, number: number): Comment[] {
  return [...repo.comments.values()].filter((comment) => comment.number === number);
}

export function labelJson(world: World, repo: Repository, label: Label): Json {
  return {
    id: label.id,
    node_id: nodeId('LA', label.id),
    url: `${repositoryUrl(world, repo)}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    color: label.color,
    default: false,
    description: label.description,
  };
}

export function milestoneJson(world: World, repo: Repository, milestone: Milestone): Json {
  return {
    id: milestone.id,
    node_id: nodeId('MI', milestone.id),
    url: `${repositoryUrl(world, repo)}/milestones/${milestone.number}`,
    number: milestone.number,
    title: milestone.title,
    state: 'open',
    description: null,
  };
}

export function reactionJson(world: World, reaction: Reaction): Json {
  return {
    id: reaction.id,
    node_id: nodeId('REA', reaction.id),
    user: accountJson(world, reaction.author),
    content: reaction.content,
    created_at: isoTime(reaction.createdAt),
  };
}

/** The counts of reactions that everything one can react to carries. */
export function reactionCounts(url: string, reactions: readonly Reaction[]): Json {
  const count = (content: string) => reactions.filter((reaction) => reaction.content === content).length;
  return {
    url: `${url}/reactions`,
    total_count: reactions.length,
    ...Object.fromEntries(REACTIONS.map((content) => [content, count(content)])),
  };
}

/** The part that an issue and a pull request tell in the same way. */
export function sharedItemJson(world: World, repo: Repository, item: Item): Json {
  const assignees = [...item.assignees].map((account) => accountJson(world, account));
  return {
    id: item.id,
    node_id: nodeId(item.pull ? 'PR' : 'I', item.id),
    html_url: itemPageUrl(world, repo, item),
    number: item.number,
    state: item.state,
    locked: item.locked,
    active_lock_reason: item.lockReason,
    title: item.title,
    body: item.body,
    user: accountJson(world, item.author),
    author_association: associationOf(repo, item.author),
    labels: [...item.labels].map((label) => labelJson(world, repo, label)),
    assignee: assignees[0] ?? null,
    assignees,
    milestone: item.milestone && milestoneJson(world, repo, item.milestone),
    created_at: isoTime(item.createdAt),
    updated_at: isoTime(item.updatedAt),
    closed_at: isoTimeOrNull(item.closedAt),
  };
}

export function issueJson(world: World, repo: Repository, item: Item): Json {
  const api = `${repositoryUrl(world, repo)}/issues/${item.number}`;
  return {
    url: api,
    repository_url: repositoryUrl(world, repo),
    labels_url: `${api}/labels{/name}`,
    comments_url: `${api}/comments`,
    events_url: `${api}/events`,
    timeline_url: `${api}/timeline`,
    ...sharedItemJson(world, repo, item),
    comments: commentsOn(repo, item.number).length,
    closed_by: accountJsonOrNull(world, item.closedBy),
    reactions: reactionCounts(api, item.reactions),
    performed_via_github_app: appJsonFor(world, item.author),
    state_reason: item.stateReason,
    ...(item.pull ? pullPart(world, repo, item) : {}),
  };
}

function pullPart(world: World, repo: Repository, item: Item): Json {
  const html = itemPageUrl(world, repo, item);
  return {
    draft: item.pull?.draft ?? false,
    pull_request: {
      url: `${repositoryUrl(world, repo)}/pulls/${item.number}`,
      html_url: html,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      merged_at: isoTimeOrNull(item.pull?.mergedAt ?? null),
    },
  };
}

export function commentJson(world: World, repo: Repository, comment: Comment): Json {
  const api = `${repositoryUrl(world, repo)}/issues/comments/${comment.id}`;
  const kind = repo.items.get(comment.number)?.pull ? 'pull' : 'issues';
  return {
    url: api,
    html_url: `${world.url}/${repo.fullName}/${kind}/${comment.number}#issuecomment-${comment.id}`,
    issue_url: `${repositoryUrl(world, repo)}/issues/${comment.number}`,
    id: comment.id,
    node_id: nodeId('IC', comment.id),
    user: accountJson(world, comment.author),
    created_at: isoTime(comment.createdAt),
    updated_at: isoTime(comment.updatedAt),
    body: comment.body,
    author_association: associationOf(repo, comment.author),
    reactions: reactionCounts(api, comment.reactions),
    performed_via_github_app: appJsonFor(world, comment.author),
  };
}
