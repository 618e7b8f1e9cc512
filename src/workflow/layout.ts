/** Where configuration lies among the files of a repository. */
export interface Layout {
  workflows: { path: string; prompts: Record<string, string> }[];
  /** Files of agents by id. */
  agents: Record<string, string>;
  skills: string[];
  settings: string | null;
}

/** Workflows of one repository that are read, in the order of their paths. */
export const MOST_WORKFLOWS = 100;

/** Finds the configuration among paths that are relative to the repository's root. `prompts` are the Markdown files beside each workflow, by step id. */
export function layoutOf(paths: readonly string[]): Layout {
  const workflows = paths.filter(isWorkflowPath).sort();
  return {
    workflows: workflows.map((path) => ({ path, prompts: promptsBeside(path, paths) })),
    agents: Object.fromEntries(paths.flatMap((path) => agentEntry(path))),
    skills: paths.filter((path) => /^\.overcut\/skills\/[^/]+\/SKILL\.md$/.test(path)).sort(),
    settings: paths.includes('.overcut/settings.json') ? '.overcut/settings.json' : null,
  };
}

/** Whether a path is that of a workflow: `.overcut/workflow.json`, `.overcut/workflows/<name>.json`, `.overcut/workflows/<name>/workflow.json`. */
export function isWorkflowPath(path: string): boolean {
  return /^\.overcut\/(?:workflow\.json|workflows\/[^/]+\.json|workflows\/[^/]+\/workflow\.json)$/.test(path);
}

/** The Markdown files in a workflow's folder, by the step id that their name says. */
export function promptsBeside(workflow: string, paths: readonly string[]): Record<string, string> {
  const folder = workflow.includes('/') ? workflow.slice(0, workflow.lastIndexOf('/') + 1) : '';
  const beside = paths.filter((path) => path.startsWith(folder) && /^[a-zA-Z0-9-]+\.md$/.test(path.slice(folder.length)));
  return Object.fromEntries(beside.map((path) => [path.slice(folder.length, -'.md'.length), path]));
}

function agentEntry(path: string): [string, string][] {
  const id = /^\.overcut\/agents\/([^/]+)\.md$/.exec(path)?.[1];
  return id ? [[id, path]] : [];
}
