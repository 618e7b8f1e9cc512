/** The event as conditions (`context.*`) and templates (`trigger.*`) see it; field names are the format's. Missing fields compare as the empty string. */
export interface Context {
  repository: ContextRepository;
  actor: { login: string; name: string; email: string; type: 'User' | 'Bot' | 'Organization' };
  organization: { login: string; name: string };
  pullRequest?: ContextPullRequest;
  issue?: ContextIssue;
  trigger: ContextTrigger;
  ciWorkflow?: ContextCi;
}

/** The repository of the event, in the words of the format; what only other providers have is empty. */
export interface ContextRepository {
  name: string;
  fullName: string;
  owner: string;
  url: string;
  defaultBranch: string;
  description: string;
  provider: 'Github';
  workspacePath: string;
  customInstructions: string;
  groupName: '';
  tools: [];
}

/** The pull request of the event, in the words of the format. */
export interface ContextPullRequest {
  number: number;
  title: string;
  state: 'open' | 'closed' | 'merged';
  baseBranch: string;
  headBranch: string;
  headSha: string;
  baseSha: string;
  labels: string[];
  assignees: string[];
  author: string;
  user: { login: string };
  body: string;
  milestone: string;
  draft: boolean;
  mergeCommitSha: string;
  additions: number;
  deletions: number;
  changedFiles: number;
  requestedReviewers: string[];
  createdAt: string;
  updatedAt: string;
  closedAt: string;
  mergedAt: string;
  autoMerge: boolean;
  mergeable: boolean | null;
  rebaseable: boolean | null;
}

/** The issue of the event, in the words of the format. */
export interface ContextIssue {
  number: number;
  title: string;
  state: string;
  labels: string[];
  assignees: string[];
  author: string;
  user: { login: string };
  body: string;
  milestone: string;
  createdAt: string;
  updatedAt: string;
  closedAt: string;
  workItemType: string;
  confidential: false;
}

/** What started the run: the event, and what only events of its kind have. */
export interface ContextTrigger {
  eventType: string;
  triggerObjectName: string;
  triggerObjectNumber: number | '';
  triggerObjectUrl: string;
  label?: string;
  labelAction?: string;
  assignee?: string;
  assigneeAction?: string;
  milestone?: string;
  milestoneAction?: string;
  reviewer?: string;
  reviewState?: string;
  reviewAction?: string;
  prState?: string;
  prAction?: string;
  issueState?: string;
  issueAction?: string;
  branch?: string;
  branchAction?: string;
  slashCommand?: string;
  slashCommandWithMention?: boolean;
  mentionedBy?: string;
  mentionLocation?: string;
  mentionContent?: string;
  commentId?: number;
  commentAuthor?: string;
  commentBody?: string;
  commentLocation?: string;
  commentCreatedAt?: string;
  commitAdded?: boolean;
}

/** The CI run of the event; each field is empty where there is none. */
export interface ContextCi {
  runId: number | '';
  workflowName: string;
  status: 'Queued' | 'InProgress' | 'Succeeded' | 'Failed' | 'Cancelled' | 'TimedOut' | '';
  conclusion: string;
  branch: string;
  isPullRequest: boolean;
  pullRequestId: number | '';
  commitSha: string;
  queuedAt: string;
  startedAt: string;
  completedAt: string;
  duration: number | '';
  workflowUrl: string;
  jobCount: number | '';
}
