import type { AgentFile } from './agent-file.ts';
import type { AgentReference } from './definition.ts';
import { nearest } from './nearest.ts';
import type { Step, StepOf } from './step.ts';

/** The base types of agents; each has its own instructions and tools. `Custom` has only what its file lists. */
export const AGENT_TYPES = ['SeniorDeveloper', 'CodeReview', 'TechWriter', 'ProductManager', 'ExploreAgent', 'Custom'] as const;
export type AgentType = (typeof AGENT_TYPES)[number];

/** An agent that a step names, resolved. Tools and texts that come from its type are added by those who run it. */
export interface ResolvedAgent {
  id: string;
  name: string;
  type: AgentType;
  description: string;
  /** The body of its file; added to the type's own instructions. */
  instructions: string;
  model: string | null;
  /** Replaces the type's set where it is a list. */
  tools: string[] | null;
  /** Narrows the set to these where it is a list. */
  allow: string[] | null;
  deny: string[];
  skills: string[];
  mcpServers: string[];
  runtime: string;
  /** A fixer of reviews also replies to threads and resolves them. */
  fixesReviews: boolean;
  /** Said once, where the type had to be guessed. */
  warning: string | null;
}

/** What agents can be found by: files of the default branch first, then the workflow's own list. */
export interface AgentSources {
  files: readonly AgentFile[];
  references: readonly AgentReference[];
}

interface Role {
  type: AgentType;
  fixesReviews: boolean;
}

/** Parts of names and the type they stand for; the first that fits counts, so the particular stands before the general. */
const ROLES: [RegExp, Role][] = [
  [/\bpr review fixer\b|\bpull request review fixer\b/, { type: 'SeniorDeveloper', fixesReviews: true }],
  [/\bcode ?review(er)?\b/, { type: 'CodeReview', fixesReviews: false }],
  [/\btech(nical)? ?writer\b/, { type: 'TechWriter', fixesReviews: false }],
  [/\bproduct ?manager\b/, { type: 'ProductManager', fixesReviews: false }],
  [/\bexplore ?agent\b|^explorer$/, { type: 'ExploreAgent', fixesReviews: false }],
  [
    /\bsenior ?developer\b|\bsenior\b|\bbackend\b|\bfrontend\b|\bdevops\b|\bsystem architect\b|\brca\b|\bsecurity engineer\b/,
    { type: 'SeniorDeveloper', fixesReviews: false },
  ],
];

const WHOLE_NAMES = [
  ...['Senior Developer', 'Backend Developer', 'Frontend Developer', 'Devops', 'System Architect', 'RCA', 'Security Engineer'],
  ...[
    'PR Review Fixer',
    'Code Review',
    'Code Reviewer',
    'Technical Writer',
    'Tech Writer',
    'Product Manager',
    'Explore Agent',
    ...AGENT_TYPES,
  ],
];

/** The type that an agent's name stands for, or null where none is known. */
export function roleOf(name: string): Role | null {
  const plain = plainName(name);
  return ROLES.find(([pattern]) => pattern.test(plain))?.[1] ?? null;
}

/** Resolves one agent: its file, the workflow's entry (its type, else its name), a type of that name; else says what exists. */
export function resolveAgent(id: string, { files, references }: AgentSources): ResolvedAgent | { missing: string } {
  const file = files.find((candidate) => candidate.id === id);
  const reference = references.find((candidate) => candidate.id === id);
  if (file) return fromFile(file);
  if (reference) return fromReference(reference);
  if (isTypeName(id)) return { ...plainAgent(id, id), ...(roleOf(id) ?? { type: 'Custom' as const }) };
  return {
    missing: describeMissing(
      id,
      files.map((candidate) => candidate.id),
      references,
    ),
  };
}

/** Resolves every agent that the steps name, each once. */
export function resolveAgents(
  steps: readonly Step[],
  sources: AgentSources,
): { agents: ResolvedAgent[]; missing: { id: string; message: string }[] } {
  const agents: ResolvedAgent[] = [];
  const missing: { id: string; message: string }[] = [];
  for (const id of new Set(steps.flatMap(agentIdsOf))) {
    const found = resolveAgent(id, sources);
    if ('missing' in found) missing.push({ id, message: found.missing });
    else agents.push(found);
  }
  return { agents, missing };
}

/** The agents that a step names. */
export function agentIdsOf(step: Step): string[] {
  if (step.action === 'agent.run') return [(step as StepOf<'agent.run'>).params.agentId];
  return step.action === 'agent.session' ? step.params.agentIds : [];
}

/** Whether a text is the name of a base type, or of a role that stands for one, and nothing else. */
export function isTypeName(id: string): boolean {
  const squeezed = id.toLowerCase().replace(/[^a-z0-9]/g, '');
  return WHOLE_NAMES.some((name) => name.toLowerCase().replace(/ /g, '') === squeezed);
}

/** What an error about an unknown agent says: what exists, and the nearest. */
export function describeMissing(id: string, files: readonly string[], references: readonly Pick<AgentReference, 'id' | 'name'>[]): string {
  const named = references.map((agent) => (agent.name === '' ? agent.id : `${agent.id} (${agent.name.trim()})`));
  const near = nearest(id, [...files, ...references.map((agent) => agent.id), ...AGENT_TYPES]);
  const parts = [
    files.length > 0 ? `agents with a file: ${listed(files)}` : 'agents with a file: none',
    named.length > 0 ? `named in the workflow: ${named.slice(0, 12).join(', ')}` : 'named in the workflow: none',
    `base types: ${AGENT_TYPES.join(', ')}`,
  ];
  return `${near ? `did you mean ${JSON.stringify(near)}? ` : ''}there are ${parts.join('; ')}`;
}

const LISTED = 30;

function listed(names: readonly string[]): string {
  return names.length > LISTED ? `${names.slice(0, LISTED).join(', ')} and ${names.length - LISTED} more` : names.join(', ');
}

function fromFile(file: AgentFile): ResolvedAgent {
  const role = file.type ? { type: file.type, fixesReviews: false } : (roleOf(file.name) ?? roleOf(file.id));
  const { id, name, description, instructions, model, tools, allow, deny, skills, mcpServers, runtime } = file;
  const own = { id, name, description, instructions, model, tools, allow, deny, skills, mcpServers, runtime };
  if (role) return { ...own, ...role, warning: null };
  return { ...own, type: tools ? 'Custom' : 'SeniorDeveloper', fixesReviews: false, warning: tools ? null : guessed(name) };
}

function fromReference({ id, name, type }: AgentReference): ResolvedAgent {
  const agent = plainAgent(id, name.trim() || id);
  const exact = AGENT_TYPES.find((known) => known === type);
  if (exact) return { ...agent, type: exact };
  const role = (type ? roleOf(type) : null) ?? roleOf(name) ?? (name.trim() === '' ? roleOf(id) : null);
  return role ? { ...agent, ...role } : { ...agent, warning: guessed(name.trim() || id) };
}

function guessed(name: string): string {
  return `nothing is known of the agent ${JSON.stringify(name)}: it works as a SeniorDeveloper; give it a type or a file in .overcut/agents`;
}

function plainAgent(id: string, name: string): ResolvedAgent {
  return {
    ...{ id, name, type: 'SeniorDeveloper', description: '', instructions: '', model: null, tools: null, allow: null, deny: [] },
    ...{ skills: [], mcpServers: [], runtime: 'subagent', fixesReviews: false, warning: null },
  };
}

function plainName(name: string): string {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
}
