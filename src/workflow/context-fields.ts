import type { Context, ContextCi, ContextIssue, ContextPullRequest, ContextRepository, ContextTrigger } from './context.ts';

type Keys<T> = readonly (keyof T & string)[];
interface Fields {
  repository: Keys<ContextRepository>;
  actor: Keys<Context['actor']>;
  organization: Keys<Context['organization']>;
  pullRequest: Keys<ContextPullRequest>;
  issue: Keys<ContextIssue>;
  trigger: Keys<ContextTrigger>;
  ciWorkflow: Keys<ContextCi>;
}

/** Every field of the event that conditions (`context.*`) and templates (`trigger.*`) can name. */
export const CONTEXT_FIELDS: Fields = {
  repository: words('name fullName owner url defaultBranch description provider workspacePath customInstructions groupName tools'),
  actor: words('login name email type'),
  organization: words('login name'),
  pullRequest: words(
    'number title state baseBranch headBranch headSha baseSha labels assignees author user body milestone draft mergeCommitSha additions ' +
      'deletions changedFiles requestedReviewers createdAt updatedAt closedAt mergedAt autoMerge mergeable rebaseable',
  ),
  issue: words('number title state labels assignees author user body milestone createdAt updatedAt closedAt workItemType confidential'),
  trigger: words(
    'eventType triggerObjectName triggerObjectNumber triggerObjectUrl label labelAction assignee assigneeAction milestone milestoneAction ' +
      'reviewer reviewState reviewAction prState prAction issueState issueAction branch branchAction slashCommand slashCommandWithMention ' +
      'mentionedBy mentionLocation mentionContent commentId commentAuthor commentBody commentLocation commentCreatedAt commitAdded',
  ),
  ciWorkflow: words(
    'runId workflowName status conclusion branch isPullRequest pullRequestId commitSha queuedAt startedAt completedAt duration workflowUrl jobCount',
  ),
};

/** All fields in full, for suggestions: `pullRequest.draft`. */
export const CONTEXT_PATHS: readonly string[] = Object.entries(CONTEXT_FIELDS).flatMap(([group, names]) =>
  (names as readonly string[]).map((name) => `${group}.${name}`),
);

/** Whether the event can have a value at these keys. Lists may be indexed; of a user only the login exists. */
export function isContextPath(parts: readonly string[]): boolean {
  const [group, name, ...rest] = parts;
  if (group === undefined) return true;
  if (!Object.hasOwn(CONTEXT_FIELDS, group)) return false;
  if (name === undefined) return true;
  if (!CONTEXT_PATHS.includes(`${group}.${name}`)) return false;
  return rest.length === 0 || (name === 'user' ? rest.join() === 'login' : LISTS.has(name));
}

const LISTS = new Set(['labels', 'assignees', 'requestedReviewers', 'tools']);

function words<T extends string>(text: string): T[] {
  return text.split(' ') as T[];
}
