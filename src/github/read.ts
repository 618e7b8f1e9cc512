import type { Repository } from '../journal/resource.ts';
import type { Api } from './api.ts';
import { type Audience, keepReadable, type Readable } from './audience.ts';

/** A pull request or issue: where reading happens. */
export interface Place {
  repository: Repository;
  number: number;
}

/** A pull request as tools show it. Times are ISO 8601. */
export interface PullView {
  number: number;
  title: string;
  body: string;
  author: string;
  state: 'open' | 'closed' | 'merged';
  draft: boolean;
  base: { ref: string; sha: string };
  head: { ref: string; sha: string; fullName: string | null };
  labels: string[];
  assignees: string[];
  requestedReviewers: string[];
  url: string;
  createdAt: string;
  additions: number;
  deletions: number;
  changedFiles: number;
}

/** An issue as tools show it. */
export interface IssueView {
  number: number;
  title: string;
  body: string;
  author: string;
  state: string;
  labels: string[];
  assignees: string[];
  milestone: string;
  url: string;
  createdAt: string;
  isPull: boolean;
}

/** A commit of a pull request. */
export interface CommitView {
  sha: string;
  message: string;
  author: string;
  date: string;
}

/** A comment of the conversation. */
export interface CommentView {
  id: number;
  author: string;
  body: string;
  url: string;
  createdAt: string;
}

/** A submitted review; its threads are read by `readThreads`. */
export interface ReviewView {
  id: number;
  author: string;
  state: string;
  body: string;
  commit: string;
  submittedAt: string;
}

/** Reads a pull request. All readers here throw `GitHubError`s; `missing` where there is none with this number. */
export async function readPull(api: Api, place: Place): Promise<PullView> {
  const { data } = await api.rest.pulls.get({ ...repoOf(place), pull_number: place.number });
  return {
    number: data.number,
    title: data.title,
    body: data.body ?? '',
    author: loginOf(data.user),
    state: data.merged ? 'merged' : data.state,
    draft: data.draft ?? false,
    base: { ref: data.base.ref, sha: data.base.sha },
    head: { ref: data.head.ref, sha: data.head.sha, fullName: data.head.repo?.full_name ?? null },
    labels: labelsOf(data.labels),
    assignees: (data.assignees ?? []).map(loginOf),
    requestedReviewers: (data.requested_reviewers ?? []).map(loginOf),
    url: data.html_url,
    createdAt: data.created_at,
    additions: data.additions,
    deletions: data.deletions,
    changedFiles: data.changed_files,
  };
}

/** The commits of a pull request, oldest first, as far as GitHub lists them (250). */
export async function readCommits(api: Api, place: Place): Promise<CommitView[]> {
  const rows = await api.paginate(api.rest.pulls.listCommits, { ...repoOf(place), pull_number: place.number, per_page: 100 });
  return rows.map(({ sha, commit, author }) => ({
    sha,
    message: commit.message,
    author: author && 'login' in author && author.login ? author.login : (commit.author?.name ?? ''),
    date: commit.author?.date ?? '',
  }));
}

/** An issue, or the issue side of a pull request. */
export async function readIssue(api: Api, place: Place): Promise<IssueView> {
  const { data } = await api.rest.issues.get({ ...repoOf(place), issue_number: place.number });
  return toIssueView(data);
}

/** The comments of a conversation that may be read, oldest first; `since` (ISO) skips what was not changed after it. */
export async function readComments(
  api: Api,
  place: Place,
  { audience, since }: { audience: Audience; since?: string },
): Promise<Readable<CommentView>> {
  const query = { ...repoOf(place), issue_number: place.number, per_page: 100, ...(since ? { since } : {}) };
  const rows = await api.paginate(api.rest.issues.listComments, query);
  const comments = rows.map((row) => ({
    id: row.id,
    author: loginOf(row.user),
    body: row.body ?? '',
    url: row.html_url,
    createdAt: row.created_at,
  }));
  return keepReadable(comments, audience);
}

/** The submitted reviews that may be read, oldest first. Pending ones are not told. */
export async function readReviews(api: Api, place: Place, audience: Audience): Promise<Readable<ReviewView>> {
  const rows = await api.paginate(api.rest.pulls.listReviews, { ...repoOf(place), pull_number: place.number, per_page: 100 });
  const reviews = rows
    .filter(({ state }) => state !== 'PENDING')
    .map((row) => ({
      id: row.id,
      author: loginOf(row.user),
      state: row.state.toLowerCase(),
      body: row.body,
      commit: row.commit_id ?? '',
      submittedAt: row.submitted_at ?? '',
    }));
  return keepReadable(reviews, audience);
}

/** What GitHub's lists and searches of issues answer with. */
export interface IssueRow {
  number: number;
  title: string;
  body?: string | null | undefined;
  user: { login: string } | null;
  state: string;
  labels: (string | { name?: string | null })[];
  assignees?: { login: string }[] | null;
  milestone: { title: string } | null;
  html_url: string;
  created_at: string;
  pull_request?: unknown;
}

/** A row of GitHub in the words of tools. */
export function toIssueView(row: IssueRow): IssueView {
  return {
    number: row.number,
    title: row.title,
    body: row.body ?? '',
    author: loginOf(row.user),
    state: row.state,
    labels: labelsOf(row.labels),
    assignees: (row.assignees ?? []).map(loginOf),
    milestone: row.milestone?.title ?? '',
    url: row.html_url,
    createdAt: row.created_at,
    isPull: Boolean(row.pull_request),
  };
}

/** The names that GitHub's paths want. */
export function repoOf({ repository }: { repository: Repository }): { owner: string; repo: string } {
  return { owner: repository.owner, repo: repository.name };
}

function loginOf(user: { login: string } | null | undefined): string {
  return user?.login ?? 'ghost';
}

function labelsOf(labels: (string | { name?: string | null })[]): string[] {
  return labels.map((label) => (typeof label === 'string' ? label : (label.name ?? ''))).filter(Boolean);
}
