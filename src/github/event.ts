import type { Actor, Comment, Event } from '../journal/event.ts';
import type { Repository, Resource } from '../journal/resource.ts';
import { commandsIn, mentionsIn } from '../workflow/command.ts';
import type { Context, ContextTrigger } from '../workflow/context.ts';
import type { EventName } from '../workflow/event-name.ts';
import * as build from './context.ts';
import { type Delivery, type Envelope, PAYLOADS, type PayloadName, type PayloadOf, readPayload } from './webhook.ts';

/** What a delivery means. Without events, `ignored` says why. */
export interface Normalised {
  events: Event[];
  ignored?: string;
}

/** Commands of one comment that count; more in one comment are not a person's. */
const MAX_COMMANDS = 10;

interface Arrival {
  delivery: string;
  envelope: Envelope;
  repository: Repository;
  /** Names that are heard after an `@`: the app's slug and the configured ones. */
  aliases: string[];
}

type Part = Omit<Event, 'delivery' | 'installation' | 'repository' | 'actor' | 'context'> & {
  trigger: ContextTrigger;
  context: Partial<Context>;
};

/**
 * Turns a delivery into the events of the workflow format (spec: mapping from GitHub webhooks). Pure; a payload of any shape is an answer, never a
 * throw. `pull_request_review_requested`, `push` and others that no trigger can name are ignored with the reason.
 */
export function toEvents(delivery: Delivery, options: { aliases: string[]; slug: string }): Normalised {
  const { name, payload } = delivery;
  if (!isHandled(name)) return ignore(`the event ${name} starts nothing`);
  const read = readPayload(name, payload);
  if (typeof read === 'string') return ignore(`malformed: ${read}`);
  const { envelope, own } = read;
  const arrival: Arrival = {
    delivery: delivery.id,
    envelope,
    repository: build.toRepository(envelope.repository),
    aliases: [...new Set([options.slug, ...options.aliases])],
  };
  const events = convert(name, arrival, own);
  return events.length > 0 ? { events } : ignore(explainNothing(name, envelope, own));
}

/** Where a payload is not what GitHub sends under this name: the difference in one line; null where it is, and for names that start nothing. */
export function misfitOf(name: string, payload: unknown): string | null {
  if (!isHandled(name)) return null;
  const read = readPayload(name, payload);
  return typeof read === 'string' ? read : null;
}

/** Whether deliveries of this name may start runs. */
export function isHandled(name: string): name is PayloadName {
  return Object.hasOwn(PAYLOADS, name);
}

function ignore(reason: string): Normalised {
  return { events: [], ignored: reason };
}

function explainNothing(name: PayloadName, { action }: Envelope, payload: PayloadOf<PayloadName>): string {
  const ending = 'workflow_run' in payload && action === 'completed' ? ` with the conclusion "${payload.workflow_run.conclusion}"` : '';
  return `${name}.${action}${ending} starts nothing`;
}

function convert(name: PayloadName, arrival: Arrival, payload: PayloadOf<PayloadName>): Event[] {
  const parts = partsOf(name, arrival, payload);
  return parts.map((part) => finish(arrival, part));
}

function partsOf(name: PayloadName, arrival: Arrival, payload: PayloadOf<PayloadName>): Part[] {
  if ('workflow_run' in payload) return ciParts(arrival, payload);
  if ('issue' in payload) return 'comment' in payload ? issueCommentParts(arrival, payload) : issueParts(arrival, payload);
  if ('comment' in payload) return threadCommentParts(arrival, payload);
  if ('review' in payload) return reviewParts(arrival, payload);
  return name === 'pull_request' ? pullParts(arrival, payload) : [];
}

function finish({ delivery, envelope, repository }: Arrival, { trigger, context, ...part }: Part): Event {
  return {
    ...part,
    delivery,
    installation: envelope.installation.id,
    repository,
    actor: build.toActor(envelope.sender),
    context: { ...build.buildBaseContext(envelope), ...context, trigger },
  };
}

type Change = { label?: { name: string } | null; assignee?: { login: string } | null; milestone?: { title: string } | null };

/** Changes that issues and pull requests share, with the words of `trigger.*Action`. */
function describeChange(action: string, change: Change): { event: string; trigger: Partial<ContextTrigger> } | null {
  const label = change.label?.name ?? '';
  const assignee = change.assignee?.login ?? '';
  const milestone = change.milestone?.title ?? '';
  switch (action) {
    case 'edited':
      return { event: 'edited', trigger: {} };
    case 'labeled':
      return { event: 'labeled', trigger: { label, labelAction: 'added' } };
    case 'unlabeled':
      return { event: 'unlabeled', trigger: { label, labelAction: 'removed' } };
    case 'assigned':
      return { event: 'assigned', trigger: { assignee, assigneeAction: 'assigned' } };
    case 'unassigned':
      return { event: 'unassigned', trigger: { assignee, assigneeAction: 'unassigned' } };
    case 'milestoned':
      return { event: 'edited', trigger: { milestone, milestoneAction: 'added' } };
    case 'demilestoned':
      return { event: 'edited', trigger: { milestone, milestoneAction: 'removed' } };
    default:
      return null;
  }
}

function issueParts({ envelope, repository }: Arrival, payload: PayloadOf<'issues'>): Part[] {
  const { issue } = payload;
  const found = describeIssueAction(envelope.action, payload);
  if (!found) return [];
  return [
    {
      name: found.name,
      resource: { kind: 'issue', repository, number: issue.number, url: issue.html_url },
      author: build.toActor(issue.user),
      trigger: { ...build.buildTrigger(found.name, issue), ...found.trigger },
      context: { issue: build.buildIssueContext(issue) },
    },
  ];
}

function describeIssueAction(action: string, payload: PayloadOf<'issues'>): { name: EventName; trigger: Partial<ContextTrigger> } | null {
  if (action === 'opened' || action === 'reopened') return { name: 'issue_opened', trigger: { issueState: 'opened', issueAction: action } };
  if (action === 'closed') return { name: 'issue_closed', trigger: { issueState: 'closed', issueAction: 'closed' } };
  const change = describeChange(action, payload);
  return change && { name: `issue_${change.event}` as EventName, trigger: change.trigger };
}

function pullParts(arrival: Arrival, payload: PayloadOf<'pull_request'>): Part[] {
  const found = describePullAction(arrival.envelope.action, payload);
  return found ? [pullPart(arrival, payload.pull_request, found)] : [];
}

function describePullAction(
  action: string,
  payload: PayloadOf<'pull_request'>,
): { name: EventName; trigger: Partial<ContextTrigger> } | null {
  switch (action) {
    case 'opened':
    case 'reopened':
    case 'ready_for_review':
      return { name: 'pull_request_opened', trigger: { prState: 'opened', prAction: action } };
    case 'closed': {
      const state = build.isMerged(payload.pull_request) ? 'merged' : 'closed';
      return { name: `pull_request_${state}`, trigger: { prState: state, prAction: state } };
    }
    case 'synchronize':
      return { name: 'pull_request_edited', trigger: { commitAdded: true } };
    case 'converted_to_draft':
      return { name: 'pull_request_edited', trigger: { commitAdded: false, prAction: action } };
    default: {
      const change = describeChange(action, payload);
      const pushed = change?.event === 'edited' ? { commitAdded: false } : {};
      return change && { name: `pull_request_${change.event}` as EventName, trigger: { ...change.trigger, ...pushed } };
    }
  }
}

function pullPart(
  { repository }: Arrival,
  pull: PayloadOf<'pull_request'>['pull_request'],
  { name, trigger }: { name: EventName; trigger: Partial<ContextTrigger> },
): Part {
  return {
    name,
    resource: { kind: 'pr', repository, number: pull.number, url: pull.html_url, ...build.toBranches(pull, repository) },
    author: build.toActor(pull.user),
    trigger: { ...build.buildTrigger(name, pull), branch: pull.head.ref, ...trigger },
    context: { pullRequest: build.buildPullContext(pull) },
    ...(pull.additions == null ? { partial: true } : {}),
  };
}

function reviewParts(arrival: Arrival, { pull_request, review }: PayloadOf<'pull_request_review'>): Part[] {
  if (arrival.envelope.action !== 'submitted') return [];
  const trigger = { reviewer: build.toActor(review.user).login, reviewState: review.state.toLowerCase(), reviewAction: 'submitted' };
  return [pullPart(arrival, pull_request, { name: 'pull_request_reviewed', trigger })];
}

function issueCommentParts(arrival: Arrival, payload: PayloadOf<'issue_comment'>): Part[] {
  if (arrival.envelope.action !== 'created') return [];
  const { issue } = payload;
  const comment = build.toComment(payload.comment, 'conversation');
  const place = { repository: arrival.repository, number: issue.number, url: issue.html_url };
  const common = { author: build.toActor(issue.user), comment };
  if (!issue.pull_request) {
    const trigger = { ...build.buildTrigger('issue_commented', issue), ...build.buildCommentTrigger(comment, 'issue') };
    const context = { issue: build.buildIssueContext(issue) };
    return withOrders(arrival, { ...common, name: 'issue_commented', resource: { kind: 'issue', ...place }, trigger, context });
  }
  const unknown = { head: { ref: '', sha: '', fullName: null, fork: false }, base: { ref: '', sha: '' } };
  const trigger = { ...build.buildTrigger('pull_request_commented', issue), ...build.buildCommentTrigger(comment, 'pull_request') };
  const context = { pullRequest: build.buildPullContextFromIssue(issue) };
  const resource: Resource = { kind: 'pr', ...place, ...unknown };
  return withOrders(arrival, { ...common, name: 'pull_request_commented', resource, trigger, context, partial: true });
}

function threadCommentParts(arrival: Arrival, payload: PayloadOf<'pull_request_review_comment'>): Part[] {
  if (arrival.envelope.action !== 'created') return [];
  const comment = build.toComment(payload.comment, 'thread');
  const name = 'pull_request_review_commented';
  const part = pullPart(arrival, payload.pull_request, { name, trigger: build.buildCommentTrigger(comment, 'pull_request') });
  return withOrders(arrival, { ...part, comment });
}

/** The comment itself, then each command in its text, then its mention of the app. */
function withOrders({ aliases }: Arrival, part: Part & { comment: Comment }): Part[] {
  const { body, author } = part.comment;
  const commands = commandsIn(body, aliases)
    .slice(0, MAX_COMMANDS)
    .map(({ name, args, withMention }): Part => {
      const order = { slashCommand: name, slashCommandWithMention: withMention };
      return { ...part, name: 'manual', trigger: { ...part.trigger, eventType: 'manual', ...order }, command: { name, args, withMention } };
    });
  if (mentionsIn(body, aliases).length === 0) return [part, ...commands];
  const mention = { mentionedBy: author.login, mentionLocation: part.trigger.commentLocation ?? '', mentionContent: body };
  return [part, ...commands, { ...part, name: 'mention', trigger: { ...part.trigger, eventType: 'mention', ...mention } }];
}

function ciParts({ envelope, repository }: Arrival, { workflow_run: ci }: PayloadOf<'workflow_run'>): Part[] {
  const name = ciEvent(envelope.action, ci.conclusion);
  if (!name) return [];
  const [pull] = ci.pull_requests;
  const context = { ciWorkflow: build.buildCiContext(ci) };
  const trigger = {
    ...build.buildTrigger(name, { title: ci.name, number: pull?.number ?? '', html_url: ci.html_url }),
    branch: ci.head_branch,
  };
  const author: Actor | null = null;
  if (!pull) {
    const foreign = ci.head_repository && ci.head_repository.id !== repository.id;
    const branch = foreign ? `${ci.head_repository?.full_name}:${ci.head_branch}` : ci.head_branch;
    const partial = ci.event.startsWith('pull_request') ? { partial: true } : {};
    return [{ name, resource: { kind: 'branch', repository, branch }, author, trigger, context, ...partial }];
  }
  const url = `${envelope.repository.html_url}/pull/${pull.number}`;
  const branches = { head: { ...pull.head, fullName: null, fork: false }, base: pull.base };
  return [{ name, resource: { kind: 'pr', repository, number: pull.number, url, ...branches }, author, trigger, context, partial: true }];
}

function ciEvent(action: string, conclusion: string): EventName | null {
  if (action === 'requested') return 'ci_workflow_queued';
  if (action === 'in_progress') return 'ci_workflow_started';
  if (action !== 'completed') return null;
  switch (conclusion) {
    case 'success':
      return 'ci_workflow_completed';
    case 'failure':
    case 'startup_failure':
      return 'ci_workflow_failed';
    case 'cancelled':
      return 'ci_workflow_cancelled';
    case 'timed_out':
      return 'ci_workflow_timed_out';
    default:
      return null;
  }
}
