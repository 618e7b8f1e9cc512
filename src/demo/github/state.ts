import type { BareRepository } from '../git/bare.ts';
import type { Side } from '../git/patch.ts';
import type { Job, Workflow, WorkflowRun } from './ci.ts';

/** Somebody with a login: a person, an app's bot or an organization, which has members. */
export interface Account {
  id: number;
  login: string;
  type: 'User' | 'Bot' | 'Organization';
  members: Set<Account>;
}

/** What a collaborator may do in a repository. */
export type Role = 'none' | 'read' | 'triage' | 'write' | 'maintain' | 'admin';

/** How much of one permission an installation or a token holds. */
export type Access = 'read' | 'write' | 'admin';

/** Permissions of an installation or a token by name, as GitHub spells them (`pull_requests`, `checks`, ...). */
export type Permissions = Record<string, Access>;

/**
 * One repository with everything that stands in it. Times are milliseconds since 1970, here and below. `heads` are the branches whose consequences (events, pull
 * requests) are done with; `settling` is the end of that work.
 */
export interface Repository {
  id: number;
  fullName: string;
  name: string;
  owner: Account;
  private: boolean;
  parent: Repository | null;
  description: string | null;
  defaultBranch: string;
  createdAt: number;
  pushedAt: number;
  lastNumber: number;
  bare: BareRepository;
  heads: Map<string, string>;
  settling: Promise<void>;
  roles: Map<string, Role>;
  contributors: Set<Account>;
  items: Map<number, Item>;
  comments: Map<number, Comment>;
  reviews: Map<number, Review>;
  reviewComments: Map<number, ReviewComment>;
  threads: Map<number, Thread>;
  labels: Map<string, Label>;
  milestones: Milestone[];
  checkSuites: Map<number, CheckSuite>;
  checkRuns: Map<number, CheckRun>;
  statuses: Status[];
  workflows: Map<number, Workflow>;
  workflowRuns: Map<number, WorkflowRun>;
  jobs: Map<number, Job>;
}

/** A milestone; its number is its own, as issues have theirs. */
export interface Milestone {
  id: number;
  number: number;
  title: string;
}

/** Something that took place on an issue or a pull request. */
export interface HistoryRow {
  id: number;
  event: string;
  actor: Account;
  at: number;
}

/** An issue, or a pull request when `pull` is there. */
export interface Item {
  id: number;
  number: number;
  title: string;
  body: string | null;
  author: Account;
  state: 'open' | 'closed';
  stateReason: string | null;
  labels: Set<Label>;
  milestone: Milestone | null;
  assignees: Set<Account>;
  locked: boolean;
  lockReason: string | null;
  createdAt: number;
  updatedAt: number;
  closedAt: number | null;
  closedBy: Account | null;
  reactions: Reaction[];
  history: HistoryRow[];
  pull: Pull | null;
}

/** What a pull request has beyond an issue. `heads` holds every commit that was its head; `trial` is the last merge that was tried (commit null: conflict). */
export interface Pull {
  headRepository: Repository;
  headRef: string;
  headSha: string;
  baseRef: string;
  baseSha: string;
  draft: boolean;
  mergedAt: number | null;
  mergedBy: Account | null;
  mergeCommit: string | null;
  reviewers: Set<Account>;
  heads: Set<string>;
  trial: { base: string; head: string; commit: string | null } | null;
}

/** An item that is a pull request. */
export type PullItem = Item & { pull: Pull };

/** One of the eight reactions by one account. */
export interface Reaction {
  id: number;
  content: string;
  author: Account;
  createdAt: number;
}

/** A comment in the conversation of an issue or pull request. `edits` holds earlier texts. */
export interface Comment {
  id: number;
  number: number;
  author: Account;
  body: string;
  createdAt: number;
  updatedAt: number;
  reactions: Reaction[];
  minimized: string | null;
  edits: string[];
}

/** States of a review as REST spells them. */
export type ReviewState = 'PENDING' | 'COMMENTED' | 'APPROVED' | 'CHANGES_REQUESTED' | 'DISMISSED';

/** A review. `implicit` marks the one that GitHub wraps around a single comment or a reply. */
export interface Review {
  id: number;
  number: number;
  author: Account;
  body: string;
  state: ReviewState;
  commit: string;
  createdAt: number;
  submittedAt: number | null;
  updatedAt: number;
  implicit: boolean;
  minimized: string | null;
}

/** Where a thread is attached: to a line or to a whole file. `lost` says that the line was never in the diff, so that GitHub drops it when the review is submitted. */
export interface CommentPlace {
  path: string;
  subject: 'line' | 'file';
  side: Side;
  line: number | null;
  originalLine: number | null;
  startSide: Side | null;
  startLine: number | null;
  originalStartLine: number | null;
  position: number | null;
  originalPosition: number | null;
  hunk: string;
  commit: string;
  originalCommit: string;
  base: string;
  lost: boolean;
}

/** One comment of a thread on the diff. All comments of a thread share one place. */
export interface ReviewComment {
  id: number;
  number: number;
  reviewId: number;
  threadId: number;
  inReplyTo: number | null;
  author: Account;
  body: string;
  pending: boolean;
  place: CommentPlace;
  createdAt: number;
  updatedAt: number;
  reactions: Reaction[];
  minimized: string | null;
}

/** A conversation on the diff; its first comment is `rootId`. */
export interface Thread {
  id: number;
  number: number;
  rootId: number;
  resolvedBy: Account | null;
}

export interface Label {
  id: number;
  name: string;
  color: string;
  description: string | null;
}

/** All check runs of the app on one commit. */
export interface CheckSuite {
  id: number;
  sha: string;
  branch: string | null;
  status: string;
  conclusion: string | null;
  createdAt: number;
  updatedAt: number;
}

/** Text of a check run. */
export interface CheckOutput {
  title: string | null;
  summary: string | null;
  text: string | null;
}

/** A remark of a check run on lines of a file, as it was sent. */
export type Annotation = Record<string, unknown>;

/** A check run. `states` tells what it said over time. */
export interface CheckRun {
  id: number;
  sha: string;
  suite: CheckSuite;
  name: string;
  externalId: string;
  detailsUrl: string;
  status: string;
  conclusion: string | null;
  startedAt: number;
  completedAt: number | null;
  output: CheckOutput;
  annotations: Annotation[];
  actions: { label: string; description: string; identifier: string }[];
  states: { at: number; status: string; conclusion: string | null; title: string | null }[];
}

/** A commit status of the older kind. */
export interface Status {
  id: number;
  sha: string;
  state: string;
  description: string | null;
  targetUrl: string | null;
  context: string;
  author: Account;
  createdAt: number;
}

/** The app on one account's repositories. */
export interface Installation {
  id: number;
  account: Account;
  permissions: Permissions;
  repositories: Set<Repository>;
  createdAt: number;
  suspendedAt: number | null;
}

/** A token of an installation, perhaps cut to some repositories (null: all) and permissions, or of a person. */
export type Token = { value: string; expiresAt: number; revoked: boolean } & (
  | { kind: 'installation'; installation: Installation; repositories: Set<Repository> | null; permissions: Permissions }
  | { kind: 'user'; account: Account }
);

/** Says whether an item is a pull request. */
export function isPull(item: Item): item is PullItem {
  return item.pull !== null;
}
