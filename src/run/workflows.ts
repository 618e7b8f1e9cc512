import { setImmediate as immediately } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { canonicalToolName, presetOf } from '../agent/role.ts';
import type { Configuration } from '../github/configuration.ts';
import type { Agent } from '../journal/entry.ts';
import { type AgentFile, parseAgentFile } from '../workflow/agent-file.ts';
import { type ResolvedAgent, resolveAgents } from '../workflow/agent-role.ts';
import type { Workflow } from '../workflow/definition.ts';
import { layoutOf, MOST_WORKFLOWS } from '../workflow/layout.ts';
import { loadWorkflow } from '../workflow/load.ts';
import type { Problem } from '../workflow/problem.ts';

/** A workflow of a repository as intake uses it; `workflow` is null where its file has mistakes, and `problem` says the first. */
export interface ShelvedWorkflow {
  path: string;
  name: string;
  workflow: Workflow | null;
  problem: string;
  agents: Agent[];
}

const MOST_REPOSITORIES = 500;
/** Of all repositories together, in characters of what they commit: what was read of it takes a few times as much. */
const MOST_KEPT = 16 * 1024 * 1024;

/** The workflows of repositories, read once per commit of their default branch. */
export class WorkflowShelf {
  readonly #kept = new LRUCache<number, { sha: string; workflows: ShelvedWorkflow[] }>({ max: MOST_REPOSITORIES, maxSize: MOST_KEPT });
  readonly #breathe: () => Promise<void>;

  /** `breathe` gives others their turn between two files: what a repository commits holds up nobody else. */
  constructor(breathe: () => Promise<void> = immediately) {
    this.#breathe = breathe;
  }

  async read(repository: number, configuration: Configuration): Promise<ShelvedWorkflow[]> {
    const kept = this.#kept.get(repository);
    if (kept && kept.sha === configuration.sha) return kept.workflows;
    const workflows = await shelveWorkflows(configuration.files, this.#breathe);
    const size = Object.values(configuration.files).reduce((sum, text) => sum + text.length, 1);
    this.#kept.set(repository, { sha: configuration.sha, workflows }, { size });
    return workflows;
  }

  /** The paths of a repository's workflows as they were read last. */
  pathsOf(repository: number): string[] {
    return (this.#kept.get(repository)?.workflows ?? []).map(({ path }) => path);
  }
}

async function shelveWorkflows(files: Record<string, string>, breathe: () => Promise<void>): Promise<ShelvedWorkflow[]> {
  const layout = layoutOf(Object.keys(files));
  const agentFiles: AgentFile[] = [];
  for (const path of Object.values(layout.agents)) {
    await breathe();
    const { agent } = parseAgentFile({ path, text: files[path] ?? '' });
    if (agent) agentFiles.push(agent);
  }
  const shelved: ShelvedWorkflow[] = [];
  for (const [index, { path, prompts }] of layout.workflows.entries()) {
    await breathe();
    if (index >= MOST_WORKFLOWS) {
      const problem = `only the first ${MOST_WORKFLOWS} workflows of a repository are read`;
      shelved.push({ path, name: path, workflow: null, problem, agents: [] });
      continue;
    }
    const texts = Object.fromEntries(Object.entries(prompts).map(([step, file]) => [step, files[file] ?? '']));
    const loaded = loadWorkflow({ path, text: files[path] ?? '', prompts: texts, agentIds: Object.keys(layout.agents) });
    shelved.push(loaded.workflow ? shelve(path, loaded.workflow, agentFiles) : unread(path, loaded.problems));
  }
  return shelved;
}

function unread(path: string, problems: Problem[]): ShelvedWorkflow {
  const error = problems.find((problem) => problem.severity === 'error');
  return { path, name: path, workflow: null, problem: error ? `line ${error.line}: ${error.message}` : 'it cannot be read', agents: [] };
}

function shelve(path: string, workflow: Workflow, files: AgentFile[]): ShelvedWorkflow {
  const { agents, missing } = resolveAgents(workflow.steps, { files, references: workflow.agents });
  const [first] = missing;
  if (first)
    return { path, name: workflow.name, workflow: null, problem: `the agent "${first.id}" is unknown: ${first.message}`, agents: [] };
  return { path, name: workflow.name, workflow, problem: '', agents: agents.map(toAgent) };
}

/** What an agent may call: its own tools or its type's, cut to `allow`, without `deny`. */
function toAgent(agent: ResolvedAgent): Agent {
  const { id, name, description, instructions, model } = agent;
  const type = agent.fixesReviews ? 'PRReviewFixer' : agent.type;
  const allow = agent.allow?.map(canonicalToolName);
  const deny = agent.deny.map(canonicalToolName);
  const tools = (agent.tools ?? presetOf(type))
    .map(canonicalToolName)
    .filter((tool) => (!allow || allow.includes(tool)) && !deny.includes(tool));
  return { id, name, type, description, instructions, model, tools };
}
