import type { Diff, FileDiff } from '../../git/diff.ts';
import type { PullItem, Repository } from '../state.ts';
import type { DiffLimits, World } from '../world.ts';
import { accountJson, accountJsonOrNull, isoTimeOrNull, type Json } from './account.ts';
import { commentsOn, itemPageUrl, sharedItemJson } from './item.ts';
import { repositoryJson, repositoryUrl } from './repository.ts';

/** A pull request as lists and most webhooks carry it. */
export function briefPullJson(world: World, repo: Repository, item: PullItem): Json {
  const { pull } = item;
  const repoApi = repositoryUrl(world, repo);
  const api = `${repoApi}/pulls/${item.number}`;
  const issue = `${repoApi}/issues/${item.number}`;
  const html = itemPageUrl(world, repo, item);
  const statuses = `${repoApi}/statuses/${pull.headSha}`;
  return {
    url: api,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issue,
    ...sharedItemJson(world, repo, item),
    merged_at: isoTimeOrNull(pull.mergedAt),
    merge_commit_sha: pull.mergeCommit,
    requested_reviewers: [...pull.reviewers].map((account) => accountJson(world, account)),
    requested_teams: [],
    draft: pull.draft,
    commits_url: `${api}/commits`,
    review_comments_url: `${api}/comments`,
    review_comment_url: `${repoApi}/pulls/comments{/number}`,
    comments_url: `${issue}/comments`,
    statuses_url: statuses,
    head: branchJson(world, pull.headRepository, { ref: pull.headRef, sha: pull.headSha }),
    base: branchJson(world, repo, { ref: pull.baseRef, sha: pull.baseSha }),
    _links: {
      self: { href: api },
      html: { href: html },
      issue: { href: issue },
      comments: { href: `${issue}/comments` },
      review_comments: { href: `${api}/comments` },
      review_comment: { href: `${repoApi}/pulls/comments{/number}` },
      commits: { href: `${api}/commits` },
      statuses: { href: statuses },
    },
    auto_merge: null,
  };
}

/** Figures of a pull request that git has to count. `mergeable` null: not known yet. */
export interface PullFigures {
  diff: Diff;
  commits: number;
  mergeable: boolean | null;
}

/** A pull request as its own page and `pull_request` events carry it. */
export function pullJson(world: World, repo: Repository, subject: { item: PullItem; figures: PullFigures }): Json {
  const { item, figures } = subject;
  const { pull } = item;
  const sum = (key: 'additions' | 'deletions') => figures.diff.files.reduce((total, file) => total + file[key], 0);
  const shown = [...repo.reviewComments.values()].filter(
    (comment) => comment.number === item.number && !comment.pending && !comment.place.lost,
  );
  return {
    ...briefPullJson(world, repo, item),
    merged: pull.mergedAt !== null,
    mergeable: figures.mergeable,
    rebaseable: figures.mergeable,
    mergeable_state:
      pull.mergedAt !== null || figures.mergeable === null ? 'unknown' : figures.mergeable ? (pull.draft ? 'draft' : 'clean') : 'dirty',
    merged_by: accountJsonOrNull(world, pull.mergedBy),
    comments: commentsOn(repo, item.number).length,
    review_comments: shown.length,
    maintainer_can_modify: false,
    commits: figures.commits,
    additions: sum('additions'),
    deletions: sum('deletions'),
    changed_files: figures.diff.files.length,
  };
}

/** The short form in check suites and workflow runs. */
export function pullReferenceJson(world: World, repo: Repository, item: PullItem): Json {
  const side = (source: Repository, ref: string, sha: string) => ({
    ref,
    sha,
    repo: { id: source.id, url: repositoryUrl(world, source), name: source.name },
  });
  const { pull } = item;
  return {
    url: `${repositoryUrl(world, repo)}/pulls/${item.number}`,
    id: item.id,
    number: item.number,
    head: side(pull.headRepository, pull.headRef, pull.headSha),
    base: side(repo, pull.baseRef, pull.baseSha),
  };
}

/** One changed file; `patch` is left out where GitHub leaves it out: binary, or too large. */
export function fileJson(world: World, repo: Repository, subject: { file: FileDiff; head: string }): Json {
  const { file, head } = subject;
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  const patch = shownPatch(file, world.limits);
  return {
    sha: file.sha,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${world.url}/${repo.fullName}/blob/${head}/${path}`,
    raw_url: `${world.url}/${repo.fullName}/raw/${head}/${path}`,
    contents_url: `${repositoryUrl(world, repo)}/contents/${path}?ref=${head}`,
    ...(patch === null ? {} : { patch }),
    ...(file.oldPath === null ? {} : { previous_filename: file.oldPath }),
  };
}

/** Why a whole diff cannot be shown as text, or null. */
export function tooLarge(diff: Diff, limits: DiffLimits): string | null {
  if (diff.files.length > limits.files) return `Sorry, the diff exceeded the maximum number of files (${limits.files}).`;
  const lines = diff.text.reduce((total, byte) => total + (byte === 10 ? 1 : 0), 0);
  return lines > limits.lines ? `Sorry, the diff exceeded the maximum number of lines (${limits.lines}).` : null;
}

function shownPatch(file: FileDiff, limits: DiffLimits): string | null {
  if (file.patch === null || file.binary || Buffer.byteLength(file.patch) > limits.patchBytes) return null;
  return file.patch.split('\n').length > limits.lines ? null : file.patch;
}

function branchJson(world: World, repo: Repository, at: { ref: string; sha: string }): Json {
  return {
    label: `${repo.owner.login}:${at.ref}`,
    ref: at.ref,
    sha: at.sha,
    user: accountJson(world, repo.owner),
    repo: repositoryJson(world, repo),
  };
}
