import { canonicalToolName, presetOf } from '../agent/role.ts';
import type { Configuration } from '../github/configuration.ts';
import type { Agent } from '../journal/entry.ts';
import { type AgentFile, parseAgentFile } from '../workflow/agent-file.ts';
import { type ResolvedAgent, resolveAgents } from '../workflow/agent-role.ts';
import type { Workflow } from '../workflow/definition.ts';
import { layoutOf } from '../workflow/layout.ts';
import { loadWorkflow } from '../workflow/load.ts';

/** A workflow of a repository as intake uses it; `workflow` is null where its file has mistakes, and `problem` says the first. */
export interface ShelvedWorkflow {
  path: string;
  name: string;
  workflow: Workflow | null;
  problem: string;
  agents: Agent[];
}

const MOST_REPOSITORIES = 500;

/** The workflows of repositories, read once per commit of their default branch. */
export class WorkflowShelf {
  readonly #kept = new Map<number, { sha: string; workflows: ShelvedWorkflow[] }>();

  read(repository: number, configuration: Configuration): ShelvedWorkflow[] {
    const kept = this.#kept.get(repository);
    if (kept && kept.sha === configuration.sha) return kept.workflows;
    const workflows = shelveWorkflows(configuration.files);
    this.#kept.delete(repository);
    this.#kept.set(repository, { sha: configuration.sha, workflows });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_REPOSITORIES && oldest !== undefined) this.#kept.delete(oldest);
    return workflows;
  }

  /** The paths of a repository's workflows as they were read last. */
  pathsOf(repository: number): string[] {
    return (this.#kept.get(repository)?.workflows ?? []).map(({ path }) => path);
  }
}

function shelveWorkflows(files: Record<string, string>): ShelvedWorkflow[] {
  const layout = layoutOf(Object.keys(files));
  const agentFiles = Object.values(layout.agents).flatMap((path) => parseAgentFile({ path, text: files[path] ?? '' }).agent ?? []);
  return layout.workflows.map(({ path, prompts }) => {
    const texts = Object.fromEntries(Object.entries(prompts).map(([step, file]) => [step, files[file] ?? '']));
    const { workflow, problems } = loadWorkflow({ path, text: files[path] ?? '', prompts: texts, agentIds: Object.keys(layout.agents) });
    const [error] = problems.filter((problem) => problem.severity === 'error');
    if (!workflow)
      return { path, name: path, workflow, problem: error ? `line ${error.line}: ${error.message}` : 'it cannot be read', agents: [] };
    return shelve(path, workflow, agentFiles);
  });
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
