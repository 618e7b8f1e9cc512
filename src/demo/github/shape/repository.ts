import type { Repository } from '../state.ts';
import type { World } from '../world.ts';
import { accountJson, isoTime, type Json, nodeId } from './account.ts';

/** Addresses below the repository's own, by the name of their field. */
const LINKS: Record<string, string> = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
};

/** Counts that the double does not keep and that are always the same. */
const CONSTANTS = {
  homepage: null,
  size: 1,
  stargazers_count: 0,
  watchers_count: 0,
  watchers: 0,
  language: null,
  has_issues: true,
  has_projects: false,
  has_downloads: false,
  has_wiki: false,
  has_pages: false,
  has_discussions: false,
  mirror_url: null,
  archived: false,
  disabled: false,
  license: null,
  allow_forking: true,
  is_template: false,
  web_commit_signoff_required: false,
  topics: [],
};

export function repositoryUrl(world: World, repo: Repository): string {
  return `${world.apiUrl}/repos/${repo.fullName}`;
}

export function repositoryJson(world: World, repo: Repository): Json {
  const api = repositoryUrl(world, repo);
  const html = `${world.url}/${repo.fullName}`;
  const open = [...repo.items.values()].filter((item) => item.state === 'open').length;
  const forks = [...world.repositories.values()].filter((other) => other.parent === repo).length;
  return {
    id: repo.id,
    node_id: nodeId('R', repo.id),
    name: repo.name,
    full_name: repo.fullName,
    private: repo.private,
    owner: accountJson(world, repo.owner),
    html_url: html,
    description: repo.description,
    fork: repo.parent !== null,
    url: api,
    ...Object.fromEntries(Object.entries(LINKS).map(([name, tail]) => [name, api + tail])),
    created_at: isoTime(repo.createdAt),
    updated_at: isoTime(repo.pushedAt),
    pushed_at: isoTime(repo.pushedAt),
    clone_url: `${html}.git`,
    git_url: `${html.replace(/^http/, 'git')}.git`,
    ssh_url: `git@${new URL(world.url).hostname}:${repo.fullName}.git`,
    svn_url: html,
    ...CONSTANTS,
    forks_count: forks,
    forks,
    open_issues_count: open,
    open_issues: open,
    visibility: repo.private ? 'private' : 'public',
    default_branch: repo.defaultBranch,
  };
}

/** A repository with what only its own page tells. */
export function fullRepositoryJson(world: World, repo: Repository): Json {
  const parent = repo.parent && repositoryJson(world, repo.parent);
  return {
    ...repositoryJson(world, repo),
    permissions: { admin: false, maintain: false, push: false, triage: false, pull: true },
    network_count: 0,
    subscribers_count: 0,
    ...(repo.owner.type === 'Organization' ? { organization: accountJson(world, repo.owner) } : {}),
    ...(parent ? { parent, source: parent } : {}),
  };
}

/** The few fields that lists of an installation's repositories carry in webhooks. */
export function smallRepositoryJson(repo: Repository): Json {
  return { id: repo.id, node_id: nodeId('R', repo.id), name: repo.name, full_name: repo.fullName, private: repo.private };
}
