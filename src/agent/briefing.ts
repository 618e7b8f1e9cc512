import type { Agent } from '../journal/entry.ts';
import type { Comment, Event } from '../journal/event.ts';
import type { Resource } from '../journal/resource.ts';
import type { Checkout, Tree } from '../journal/tree.ts';
import type { RunRules } from '../workflow/settings.ts';
import { dataBlock } from './data-block.ts';
import { agentPrompt, coordinatorPrompt, type SessionTerms } from './prompt.ts';

/** The first words to a model: the system prompt, and the texts of the first user message, what is common first and the task last. */
export interface Brief {
  system: string;
  messages: string[];
}

/** A comment that may be shown, as GitHub has it. */
export type ReadableComment = Pick<Comment, 'id' | 'place' | 'author' | 'body' | 'createdAt' | 'path' | 'line'>;

/** What an agent step is told: the instruction with its templates filled, and beside it what is shown as data. */
export interface StepBrief {
  event: Event;
  instruction: string;
  /** The message of the step before; null where the instruction templates it. */
  previous?: string | null;
  goal?: string;
  guidance?: string;
  /** Newest first. */
  memory?: readonly { title: string; content: string }[];
  /** Comments that the agent may read, oldest first. */
  comments?: readonly ReadableComment[];
  /** Comments that are not among them: `hidden` were written by people whose words are not shown, `older` are too many. */
  leftOut?: { hidden: number; older: number };
  attachments?: readonly { name: string; url: string }[];
  tree?: Tree;
  /** What settings leave out of reviews. */
  rules?: LeftOut | undefined;
}

type LeftOut = Pick<RunRules, 'ignore' | 'severityFloor' | 'maxFindings'>;

/** Briefs the one agent of an `agent.run` step. */
export function briefAgent(brief: StepBrief & { agent: Agent }): Brief {
  return { system: agentPrompt(brief.agent), messages: [describeStep(brief), asTask(brief.instruction)] };
}

/** Briefs the coordinator of an `agent.session` step. `source` is the instruction before its templates were filled. */
export function briefCoordinator(brief: StepBrief & Omit<SessionTerms, 'source'> & { source?: string }): Brief {
  return {
    system: coordinatorPrompt({ ...brief, source: brief.source ?? brief.instruction }),
    messages: [describeStep(brief), asTask(brief.instruction)],
  };
}

/**
 * Briefs a sub-agent. Of the conversation it gets the instructions only. Everything before them is the same for all delegations of the agent in
 * one run that see the same checkouts.
 */
export function briefDelegation(brief: {
  agent: Agent;
  event: Event;
  instructions: string;
  tree?: Tree;
  guidance?: string;
  rules?: LeftOut;
}): Brief {
  const blocks = [describePlace(brief), ...(brief.guidance?.trim() ? [describeGuidance(brief.guidance)] : [])];
  return { system: agentPrompt(brief.agent), messages: [blocks.join('\n\n'), asTask(brief.instructions)] };
}

/** A comment that came while a session was open, as the coordinator reads it. */
export function describeComment(comment: ReadableComment): string {
  const place =
    comment.place === 'thread'
      ? `review thread on ${comment.path ?? 'a file'}${comment.line ? `, line ${comment.line}` : ''}`
      : 'conversation';
  return dataBlock(`comment ${comment.id}`, `by @${comment.author.login}, ${place}, ${comment.createdAt}\n\n${comment.body}`);
}

function asTask(text: string): string {
  return `# Your task\n\n${text.trim() || 'The step has no instruction. Say so and end.'}`;
}

const LONGEST_BODY = 24_000;
const LONGEST_COMMENTS = 16_000;
const MEMORY_BYTES = 4096;

function describeStep(brief: StepBrief): string {
  const { event, attachments = [] } = brief;
  return [
    dataBlock('the event', describeEvent(event)),
    describePlace(brief),
    ...describeText(event),
    ...describeComments(brief.comments ?? [], brief.leftOut ?? { hidden: 0, older: 0 }),
    ...(attachments.length > 0 ? [dataBlock('attachments', attachments.map(({ name, url }) => `${name}: ${url}`).join('\n'))] : []),
    ...(brief.guidance?.trim() ? [describeGuidance(brief.guidance)] : []),
    ...describeMemory(brief.memory ?? []),
    ...(brief.goal?.trim() ? [dataBlock('the goal of this step', brief.goal)] : []),
    ...(brief.previous?.trim() ? [dataBlock('output of the previous step', brief.previous)] : []),
  ].join('\n\n');
}

function describePlace({ event, tree, rules }: { event: Event; tree?: Tree; rules?: LeftOut | undefined }): string {
  const lines = [describeResource(event.resource), describeWorkspace(tree?.checkouts ?? []), ...describeRules(event, rules)];
  return dataBlock('where you are', lines.join('\n'));
}

function describeRules({ resource }: Event, rules: LeftOut | undefined): string[] {
  if (!rules || resource.kind !== 'pr') return [];
  const { ignore, severityFloor, maxFindings } = rules;
  const severity = 'the text of a finding begins with how severe it is: [CRITICAL], [MAJOR], [MINOR] or [INFO]';
  return [
    ...(ignore.length > 0 ? [`not reviewed here, by the settings: changed files that match ${ignore.join(', ')}`] : []),
    ...(severityFloor !== 'info' || maxFindings !== null ? [severity] : []),
    ...(severityFloor === 'info' ? [] : [`findings below [${severityFloor.toUpperCase()}] are not posted here, by the settings`]),
    ...(maxFindings === null ? [] : [`at most ${maxFindings} findings are posted here, the most severe first, by the settings`]),
  ];
}

function describeEvent({ name, actor, context, comment }: Event): string {
  const { trigger, ciWorkflow } = context;
  const told = Object.entries(trigger).filter(([key, value]) => value !== '' && value !== undefined && !COMMENT_FIELDS.has(key));
  const ci = ciWorkflow ? Object.entries(ciWorkflow).filter(([, value]) => value !== '') : [];
  return [
    `event: ${name}`,
    `caused by: @${actor.login}${actor.bot ? ' (bot)' : ''}`,
    ...told.map(([key, value]) => `${key}: ${String(value)}`),
    ...ci.map(([key, value]) => `ciWorkflow.${key}: ${String(value)}`),
    ...(comment ? [`comment ${comment.id} by @${comment.author.login}:`, comment.body] : []),
  ].join('\n');
}

/** Shown in other words, or with the comment itself. */
const COMMENT_FIELDS = new Set([
  'eventType',
  'triggerObjectNumber',
  'triggerObjectUrl',
  'commentBody',
  'commentId',
  'commentAuthor',
  'commentCreatedAt',
  'mentionContent',
]);

function describeResource(resource: Resource): string {
  const repository = `repository: ${resource.repository.fullName} (default branch ${resource.repository.defaultBranch})`;
  switch (resource.kind) {
    case 'pr':
      return `${repository}\npull request: #${resource.number}\nURL: ${resource.url}\nbranches: ${resource.head.ref} (${resource.head.sha}${resource.head.fork ? `, fork ${resource.head.fullName ?? 'deleted'}` : ''}) into ${resource.base.ref}`;
    case 'issue':
      return `${repository}\nissue: #${resource.number}\nURL: ${resource.url}`;
    case 'branch':
      return `${repository}\nbranch: ${resource.branch}`;
    case 'schedule':
      return repository;
  }
}

function describeWorkspace(checkouts: readonly Checkout[]): string {
  const lines = checkouts.map(({ repository, branch, sha }) => `checkout: /workspace/${repository.fullName}/ (${branch} at ${sha})`);
  return ['workspace: /workspace', ...lines].join('\n');
}

function describeText({ context, resource }: Event): string[] {
  const item = context.pullRequest ?? context.issue;
  if (!item) return [];
  const facts = [
    `title: ${item.title}`,
    `state: ${item.state}`,
    `author: @${item.author}`,
    ...(item.labels.length > 0 ? [`labels: ${item.labels.join(', ')}`] : []),
    ...(item.assignees.length > 0 ? [`assignees: ${item.assignees.join(', ')}`] : []),
    ...('draft' in item && item.draft ? ['draft: yes'] : []),
  ];
  const kind = resource.kind === 'issue' ? 'issue' : 'pull request';
  return [dataBlock(`${kind} #${item.number}`, `${facts.join('\n')}\n\n${cut(item.body.trim() || '(no description)', LONGEST_BODY)}`)];
}

function describeComments(comments: readonly ReadableComment[], { hidden, older }: { hidden: number; older: number }): string[] {
  const shown: string[] = [];
  let room = LONGEST_COMMENTS;
  for (const comment of comments.toReversed()) {
    const text = describeComment({ ...comment, body: cut(comment.body, LONGEST_COMMENTS / 4) });
    if (text.length > room) break;
    room -= text.length;
    shown.unshift(text);
  }
  const left = comments.length - shown.length + older;
  return [
    ...(left > 0 ? [`(${left} older comments are not shown; the reading tools have them.)`] : []),
    ...(hidden > 0 ? [`(${hidden} comments by people without write permission are not shown.)`] : []),
    ...shown,
  ];
}

function describeGuidance(guidance: string): string {
  return dataBlock('guidance of the repository, AGENTS.md or CLAUDE.md of its default branch', cut(guidance, LONGEST_BODY));
}

function describeMemory(memory: readonly { title: string; content: string }[]): string[] {
  if (memory.length === 0) return [];
  const entries: string[] = [];
  let room = MEMORY_BYTES;
  for (const { title, content } of memory) {
    const entry = `## ${title}\n${content.trim()}`;
    room -= Buffer.byteLength(entry);
    if (room < 0) break;
    entries.push(entry);
  }
  const titles = memory.map(({ title }) => `- ${title}`).join('\n');
  return [
    dataBlock('your memory of this repository', [`titles, newest first (memory_read has the rest):\n${titles}`, ...entries].join('\n\n')),
  ];
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}\n(cut: ${text.length - most} characters more; the reading tools have them)`;
}
