import type { AttachmentContent } from '../github/attachment.ts';
import type { CiJobView, CiLog, CiRunView } from '../github/ci-run.ts';
import type { Conversation } from '../github/conversation.ts';
import type { CommentView, CommitView, IssueView, PullView, ReviewView } from '../github/read.ts';
import type { PullRow } from '../github/search.ts';
import type { ThreadView } from '../github/threads.ts';
import type { Diff } from '../journal/diff.ts';
import type { Effect, Outcome } from '../journal/effect.ts';
import type { Trust } from '../journal/entry.ts';
import type { Event } from '../journal/event.ts';
import type { DraftReviews } from '../journal/finding.ts';
import type { RunRules } from '../workflow/settings.ts';
import type { Files } from '../workspace/files.ts';
import type { SearchQuery, SearchResult } from '../workspace/search.ts';

/** The run's scratchpads. Every write carries the key of its call, so that a repeated call changes nothing twice. */
export interface Scratchpads {
  read(name: string): Promise<string | null>;
  write(name: string, text: string, key: string): Promise<void>;
  /** Atomic under parallel writers; puts a line break between what is there and `text` where there is none. */
  append(name: string, text: string, key: string): Promise<void>;
  list(): Promise<{ name: string; size: number }[]>;
}

/** What one agent remembers about one repository. Titles match without case. */
export interface Memory {
  read(title: string): Promise<{ title: string; content: string }[]>;
  write(title: string, content: string, key: string): Promise<void>;
  /** Newest first. */
  all(): Promise<{ title: string; content: string }[]>;
}

/** A pull request with what was said about it; `hidden` counts what strangers wrote and was left out. */
export interface PullRequestReading {
  pull: PullView;
  commits: CommitView[];
  comments: CommentView[];
  reviews: ReviewView[];
  threads: ThreadView[];
  hidden: number;
}

/** An issue with its readable comments; `hidden` counts what strangers wrote and was left out. */
export interface IssueReading {
  issue: IssueView;
  comments: CommentView[];
  hidden: number;
}

/** A file that somebody put into a text of a pull request or issue, with what it holds. */
export type AttachmentReading = { name: string; url: string } & AttachmentContent;

/** What to list: pull requests or issues, newest first, or as GitHub's search ranks them where `query` is set. `head` is a branch name or `owner:branch`. */
export interface ListQuery {
  kind: 'pr' | 'issue';
  query?: string;
  state?: 'open' | 'closed' | 'merged' | 'all';
  labels?: string[];
  head?: string;
  limit: number;
}

/** GitHub's reading side, bound to the run's repository. Throws `ToolError` where there is nothing with that number, or the query cannot be read. */
export interface GitHubReading {
  readPullRequest(number: number): Promise<PullRequestReading>;
  readIssue(number: number): Promise<IssueReading>;
  /** The newest of what was said on a pull request or issue, as far as it may be read. */
  readConversation(item: { kind: 'pr' | 'issue'; number: number }): Promise<Conversation>;
  /** The files that the texts of a pull request or issue link to, as far as those may be read; with `url` that one only. */
  readAttachments(item: {
    kind: 'pr' | 'issue';
    number: number;
    url?: string | undefined;
  }): Promise<{ files: AttachmentReading[]; more: number; hidden: number }>;
  list(query: ListQuery): Promise<(IssueView | PullRow)[]>;
  readCiRun(id: number): Promise<CiRunView & { jobs: CiJobView[] }>;
  /** CI runs of a pull request's newest commit, newest first. */
  listCiRuns(number: number): Promise<CiRunView[]>;
  readCiLog(job: number): Promise<CiLog>;
  /** Runs of a workflow that were started by hand, newest first. */
  listDispatched(workflow: string): Promise<CiRunView[]>;
}

/** What a call of a tool works with: everything is bound to the run, so a tool cannot reach another one's. */
export interface ToolContext {
  run: string;
  /** Unique key of this call, the same when the call is repeated after a crash. */
  key: string;
  agent: { id: string; name: string };
  event: Event;
  trust: Trust;
  /** What the settings leave out of a review. */
  rules: Pick<RunRules, 'ignore' | 'severityFloor' | 'maxFindings'>;
  signal: AbortSignal;
  /** Why what the run has is partial; absent where nothing ended early. A review says so. */
  partial?: string;
  /** Opened for this call: `changed()` is what this call changed. */
  files: Files;
  search(query: SearchQuery): Promise<SearchResult>;
  pads: Scratchpads;
  memory: Memory;
  drafts: DraftReviews;
  /** The change of the run's pull request at the event's head; `ToolError` where the run has none. */
  diff(): Promise<Diff>;
  github: GitHubReading;
  /** Hands an effect to the publisher; the same key again answers what was done. */
  publish(effect: Effect): Promise<Outcome>;
  /** Quoted in the status comment; the caller journals it. `ToolError` where there is no status to update. */
  status(message: string): Promise<void>;
}
