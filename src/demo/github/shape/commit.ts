import type { CommitRecord } from '../../git/bare.ts';
import type { Repository } from '../state.ts';
import type { World } from '../world.ts';
import { accountJsonOrNull, type Json, nodeId } from './account.ts';
import { repositoryUrl } from './repository.ts';

const UNSIGNED = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null };

export function commitJson(world: World, repo: Repository, commit: CommitRecord): Json {
  const api = repositoryUrl(world, repo);
  const page = (sha: string) => `${world.url}/${repo.fullName}/commit/${sha}`;
  const account = (name: string) => accountJsonOrNull(world, world.accounts.get(name.toLowerCase()) ?? null);
  return {
    sha: commit.sha,
    node_id: nodeId('C', commit.sha),
    url: `${api}/commits/${commit.sha}`,
    html_url: page(commit.sha),
    comments_url: `${api}/commits/${commit.sha}/comments`,
    commit: {
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
      url: `${api}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: UNSIGNED,
    },
    author: account(commit.author.name),
    committer: account(commit.committer.name),
    parents: commit.parents.map((sha) => ({ sha, url: `${api}/commits/${sha}`, html_url: page(sha) })),
  };
}

/** A commit as the routes for git objects tell it. */
export function gitCommitJson(world: World, repo: Repository, commit: CommitRecord): Json {
  const api = repositoryUrl(world, repo);
  const page = (sha: string) => `${world.url}/${repo.fullName}/commit/${sha}`;
  return {
    sha: commit.sha,
    node_id: nodeId('C', commit.sha),
    url: `${api}/git/commits/${commit.sha}`,
    html_url: page(commit.sha),
    author: commit.author,
    committer: commit.committer,
    message: commit.message,
    tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
    parents: commit.parents.map((sha) => ({ sha, url: `${api}/git/commits/${sha}`, html_url: page(sha) })),
    verification: UNSIGNED,
  };
}
