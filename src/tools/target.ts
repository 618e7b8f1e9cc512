import { ToolError } from '../journal/errors.ts';
import type { Event } from '../journal/event.ts';

const FULL_NAMES = [
  'repoFullName',
  'repo_full_name',
  'projectOrRepoFullName',
  'repositoryFullName',
  'projectFullName',
  'repository',
  'repo',
  'project',
];
const OWNERS = ['owner', 'organization', 'org'];
const NUMBERS = [
  'number',
  ...['pullRequestNumber', 'pull_request_number', 'pullNumber', 'pull_number', 'prNumber', 'pr_number', 'pullRequestId'],
  ...['issueNumber', 'issue_number', 'ticketNumber', 'ticket_number', 'ticketId', 'issueId'],
];

/** Arguments that name a place; they are looked at, never followed. */
export type Arguments = Record<string, unknown>;

/** Throws `ToolError` where a model's arguments name another repository than the run's own. */
export function checkRepository(event: Event, given: Arguments): void {
  const { owner, name, fullName } = event.repository;
  const right = [fullName.toLowerCase(), name.toLowerCase()];
  for (const key of FULL_NAMES) {
    const value = textOf(given[key]);
    if (value && !right.includes(value.replace(/^https?:\/\/[^/]+\//, '').replace(/(?:\.git)?\/?$/, ''))) throw outside(event, key, value);
  }
  for (const key of OWNERS) {
    const value = textOf(given[key]);
    if (value && value !== owner.toLowerCase()) throw outside(event, key, value);
  }
}

/** Throws `ToolError` where a model's arguments name another pull request or issue than the run's own, or the run has none. */
export function checkOwn(event: Event, given: Arguments, kind: 'pull request' | 'pull request or issue'): void {
  checkRepository(event, given);
  const { resource } = event;
  if (resource.kind !== 'pr' && (kind === 'pull request' || resource.kind !== 'issue')) {
    throw new ToolError(`This run is about ${nameOf(event)}, not about a ${kind}: answer with text instead.`);
  }
  for (const key of NUMBERS) {
    const value = textOf(given[key]).replace(/^#/, '');
    if (/^\d+$/.test(value) && Number(value) !== resource.number) throw outside(event, key, value);
  }
}

/** Throws `ToolError` for arguments that a tool does not know and that name no place: what is left out unsaid is taken for done. */
export function refuseUnknown(tool: string, given: Arguments): void {
  const places = [...FULL_NAMES, ...OWNERS, ...NUMBERS];
  const unknown = Object.keys(given).filter((name) => !places.includes(name));
  if (unknown.length > 0)
    throw new ToolError(`${tool} was not run: it knows no argument ${unknown.join(', ')}. Leave it out, or look at what the tool takes.`);
}

/** The number of the run's own pull request or issue; `ToolError` where it has none and the model named none. */
export function numberOf(event: Event, given: number | undefined): number {
  if (given !== undefined) return given;
  if (event.resource.kind === 'pr' || event.resource.kind === 'issue') return event.resource.number;
  throw new ToolError(`This run is about ${nameOf(event)}: give the number.`);
}

/** The run's resource in words. */
function nameOf({ resource, repository }: Event): string {
  const { fullName } = repository;
  switch (resource.kind) {
    case 'pr':
      return `pull request ${fullName}#${resource.number}`;
    case 'issue':
      return `issue ${fullName}#${resource.number}`;
    case 'branch':
      return `the branch ${resource.branch} of ${fullName}`;
    case 'schedule':
      return `the schedule of ${resource.workflow} in ${fullName}`;
  }
}

function outside(event: Event, key: string, value: string): ToolError {
  return new ToolError(`${key} ${JSON.stringify(value)} is not this run's: it may touch ${nameOf(event)} only. Leave ${key} out.`);
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim().toLowerCase() : '';
}
