import { z } from 'zod';
import { AgentReference } from './definition.ts';
import { checkValue, strangeKey } from './issue.ts';
import { optional } from './optional.ts';
import type { Path, Remark } from './problem.ts';

const anyText = optional(z.string(), '');
const Refs = optional(z.strictObject({ agents: optional(z.array(AgentReference), []) }), { agents: [] });

/** The export wrapper of a published workflow. `instructions` are read and not used. */
export const ExportShape = z.strictObject({
  $schema: z.unknown().optional(),
  _formatVersion: anyText,
  workflow: z.strictObject({
    name: anyText,
    description: anyText,
    instructions: z.unknown().optional(),
    definition: z.unknown().optional(),
    refs: Refs,
  }),
  refs: Refs,
  agentRefs: z.unknown().optional(),
});

/** The third shape: a definition beside the agents that its steps name. */
export const NamedShape = z.strictObject({
  $schema: z.unknown().optional(),
  _formatVersion: anyText,
  name: anyText,
  description: anyText,
  version: anyText,
  instructions: z.unknown().optional(),
  definition: z.unknown().optional(),
  agentRefs: z.unknown().optional(),
  refs: Refs,
});

/** What was found in a file: where the definition stands, and what stands around it. */
export interface Found {
  shape: 'export' | 'definition' | 'named';
  base: Path;
  /** The definition, with the wrapper's name where it has none. */
  definition: unknown;
  description: string;
  agents: AgentReference[];
  /** Keys of `agentRefs`: what `params.agent` may say, and the agent's id that it stands for. */
  aliases: Map<string, string>;
  remarks: Remark[];
}

/** Tells the three accepted shapes apart and takes the wrapper off. `agentIds` are the agents that have a file. Null where there is no object at all. */
export function findDefinition(value: unknown, agentIds: readonly string[]): Found | null {
  if (!isObject(value)) return null;
  if ('workflow' in value || (!('definition' in value) && !('steps' in value) && '_formatVersion' in value))
    return readExport(value, agentIds);
  return 'definition' in value ? readNamed(value, agentIds) : readBare(value, agentIds);
}

/** Whether a value is an object that is no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readExport(value: Record<string, unknown>, agentIds: readonly string[]): Found {
  const { data, remarks } = checkValue(ExportShape, value);
  const inner = isObject(value.workflow) ? value.workflow : {};
  const references = readAgentRefs(value.agentRefs, agentIds);
  const agents = [...(data?.refs.agents ?? []), ...(data?.workflow.refs.agents ?? []), ...references.agents];
  const base = ['workflow', 'definition'];
  return {
    ...{ shape: 'export', base, aliases: references.aliases, description: textOf(inner.description), agents },
    definition: named(inner.definition, inner.name),
    remarks: [...remarks, ...references.remarks],
  };
}

function readNamed(value: Record<string, unknown>, agentIds: readonly string[]): Found {
  const { data, remarks } = checkValue(NamedShape, value);
  const { agents, aliases, remarks: more } = readAgentRefs(value.agentRefs, agentIds);
  return {
    ...{ shape: 'named', base: ['definition'], aliases, description: textOf(value.description) },
    agents: [...(data?.refs.agents ?? []), ...agents],
    definition: named(value.definition, value.name),
    remarks: [...remarks, ...more],
  };
}

function readBare(value: Record<string, unknown>, agentIds: readonly string[]): Found {
  const { $schema: _, _formatVersion, refs, agentRefs, instructions: __, ...definition } = value;
  const { data, remarks } = checkValue(Refs, refs, { base: ['refs'] });
  const references = readAgentRefs(agentRefs, agentIds);
  return {
    ...{ shape: 'definition', base: [], definition, description: textOf(value.description), aliases: references.aliases },
    agents: [...(data?.agents ?? []), ...references.agents],
    remarks: [...remarks, ...references.remarks],
  };
}

/** `agentRefs` as people write it: a name, an id or an object for each word, or a list of agents. */
function readAgentRefs(value: unknown, agentIds: readonly string[]): Pick<Found, 'agents' | 'aliases' | 'remarks'> {
  const aliases = new Map<string, string>();
  if (value === undefined || value === null) return { agents: [], aliases, remarks: [] };
  const list = isObject(value) && Array.isArray(value.agents) ? value.agents : value;
  if (Array.isArray(list)) {
    const { data, remarks } = checkValue(z.array(AgentReference), list, { base: list === value ? ['agentRefs'] : ['agentRefs', 'agents'] });
    for (const agent of data ?? []) aliases.set(agent.name, agent.id);
    return { agents: data ?? [], aliases, remarks };
  }
  if (!isObject(value)) return { agents: [], aliases, remarks: [refsRemark(['agentRefs'])] };
  const remarks: Remark[] = [];
  const agents = Object.entries(value).flatMap(([key, entry]): AgentReference[] => {
    if (!isAgentEntry(entry)) {
      remarks.push(refsRemark(['agentRefs', key]));
      return [];
    }
    const given = typeof entry === 'string' ? entry : textOf(entry.id);
    const id = agentIds.includes(given) ? given : key;
    const name = typeof entry === 'string' ? entry : textOf(entry.name) || given || key;
    aliases.set(key, id);
    const known = typeof entry === 'string' ? [] : ['id', 'name', 'type'];
    const strange = typeof entry === 'string' ? [] : Object.keys(entry).filter((name) => !known.includes(name));
    remarks.push(...strange.map((name) => strangeKey({ path: ['agentRefs', key, name], known, severity: 'warning' })));
    return [{ id, name, type: typeof entry === 'string' ? null : textOf(entry.type) || null }];
  });
  return { agents, aliases, remarks };
}

function isAgentEntry(entry: unknown): entry is string | Record<string, unknown> {
  if (typeof entry === 'string') return entry.trim() !== '';
  return isObject(entry) && ['id', 'name', 'type'].some((key) => textOf(entry[key]) !== '');
}

function refsRemark(path: Path): Remark {
  return { severity: 'error', path, expected: 'the name of an agent, or an object with its "name" and "type"' };
}

function named(definition: unknown, name: unknown): unknown {
  return isObject(definition) && definition.name === undefined && typeof name === 'string' && name !== ''
    ? { ...definition, name }
    : definition;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
