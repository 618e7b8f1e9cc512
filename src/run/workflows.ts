import { canonicalToolName, presetOf } from '../agent/role.ts';
import type { Configuration } from '../github/configuration.ts';
import type { Agent } from '../journal/entry.ts';
import { resolveAgents } from '../workflow/agent-role.ts';
import type { Workflow } from '../workflow/definition.ts';
import { loadConfiguration } from '../workflow/load.ts';

/** A workflow of a repository as intake uses it; `workflow` is null where its file has mistakes, and `problem` says the first. */
export interface LoadedWorkflow {
  path: string;
  name: string;
  workflow: Workflow | null;
  problem: string;
  agents: Agent[];
}

const MOST_REPOSITORIES = 500;

/** The workflows of repositories, read once per commit of their default branch. */
export class WorkflowShelf {
  readonly #kept = new Map<number, { sha: string; workflows: LoadedWorkflow[] }>();

  read(repository: number, configuration: Configuration): LoadedWorkflow[] {
    const kept = this.#kept.get(repository);
    if (kept && kept.sha === configuration.sha) return kept.workflows;
    const workflows = loadWorkflows(configuration);
    this.#kept.delete(repository);
    this.#kept.set(repository, { sha: configuration.sha, workflows });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_REPOSITORIES && oldest !== undefined) this.#kept.delete(oldest);
    return workflows;
  }
}
